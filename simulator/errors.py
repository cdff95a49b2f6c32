"""What the simulator says when it cannot go on: a message for the user, never a traceback."""

from __future__ import annotations


class SimulatorError(Exception):
    """Something that a user can act on. The text says where, what, and the next step."""
