"""What a stack makes in Google Cloud, as data: one function per noun, all of them pure.

`infra.components.cloud` turns it into Pulumi resources and decides nothing.
"""
