"""Thirteen resources with nothing behind them (the stack is one of them)."""

import pulumi

for number in range(12):
    pulumi.ComponentResource("trivial:index:Resource", f"resource-{number}")
