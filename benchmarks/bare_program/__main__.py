"""As many resources as the endpoint has, with nothing behind them (the stack is one of them)."""

import os

import pulumi

for number in range(int(os.environ["RESOURCES"]) - 1):
    pulumi.ComponentResource("trivial:index:Resource", f"resource-{number}")
