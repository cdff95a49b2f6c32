"""Why a service of this machine is not up, in words for the user."""

from __future__ import annotations


class LocalError(Exception):
    """What is wrong and what to do; the last lines of the server where it said something."""
