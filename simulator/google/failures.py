"""Failures that a user sets: the next operation on a type, calls of an API, things deleted by hand."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.google.errors import GoogleApiError
from simulator.google.state import State


@dataclass(frozen=True)
class Failure:
    """One operation that fails.

    Attributes:
        after_half: Whether it fails only while it runs, when something may be there already.
        message: What Google says of it.
    """

    after_half: bool
    message: str = "Internal error. Please try again or contact Google Support."

    def error(self) -> GoogleApiError:
        """The answer to a call that fails at once (google.rpc.Code UNAVAILABLE)."""
        return GoogleApiError(503, "The service is currently unavailable.", "backendError")


class Failures:
    """The parts `failures` and `permissionDenied` of the state's faults."""

    def __init__(self, state: State) -> None:
        self._state = state

    def set(self, token: str, after_half: bool) -> None:
        """Let the next operation on a type fail.

        Args:
            token: The type.
            after_half: Let it fail only while it runs.
        """
        with self._state.change() as data:
            data["faults"].setdefault("failures", []).append({"type": token, "afterHalf": after_half})

    def take(self, token: str) -> Failure | None:
        """The failure of the operation that starts now, which is then used up."""
        if not any(one["type"] == token for one in self._state.read()["faults"].get("failures", [])):
            return None
        with self._state.change() as data:
            failures = data["faults"].get("failures", [])
            for index, one in enumerate(failures):
                if one["type"] == token:
                    del failures[index]
                    return Failure(bool(one["afterHalf"]))
        return None

    def deny(self, service: str | None) -> None:
        """Take the permission for an API away; None gives all back."""
        with self._state.change() as data:
            denied = data["faults"].setdefault("permissionDenied", [])
            denied[:] = [] if service is None else sorted({*denied, service})
