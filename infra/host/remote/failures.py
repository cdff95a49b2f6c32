"""Why a service is not up."""

from __future__ import annotations


class HostError(Exception):
    """What is wrong on the machine and what to do; the last lines of whoever said something."""


def last_lines(text: str, most: int = 15) -> str:
    """The end of what somebody said, indented."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()][-most:]
    return "\n".join(["", "Its last lines:", *(f"  {line[:300]}" for line in lines)]) if lines else " It said nothing."
