"""What the simulator says when it cannot go on: a message for the user, never a traceback."""

from __future__ import annotations


class SimulatorError(Exception):
    """Something that a user can act on. The text says where, what, and the next step."""


def system_error(error: OSError) -> str:
    """Return what the operating system refused, and the next step."""
    where = f"{error.filename}: " if error.filename else ""
    return (
        f"{where}{error.strerror or error}\n"
        "Run the same command again after the cause is gone. Another folder for what is built can be named:\n"
        "XDG_CACHE_HOME=/some/folder make ..."
    )
