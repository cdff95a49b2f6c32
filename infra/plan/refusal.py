"""Why a plan cannot be made, before the line of the stack file is known."""

from __future__ import annotations

from collections.abc import Iterable


class RefusedError(Exception):
    """A field of the spec that cannot be served as asked.

    Attributes:
        field: path of the field in the stack file.
        message: arithmetic or reason, and the nearest thing that would work.
    """

    def __init__(self, field: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message

    def with_lines(self, lines: Iterable[str]) -> RefusedError:
        """The same refusal, with lines of advice below its message."""
        return RefusedError(self.field, "\n".join([self.message, *lines]))
