"""A long-running operation: it ends after a number of looks at it, so that no clock is involved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.managed.errors import ApiError


@dataclass
class Operation:
    """One operation.

    Attributes:
        name: in full.
        kind: of its metadata and response, such as "Deploy".
        version: of the API by which it was begun: the types of its answers are that version's.
        looks: looks until it is done; None for never.
        finish: what it does at its end; returns the response.
        metadata: what it tells while it runs.
        code: of google.rpc.Code with which it fails; 0 for success.
        message: what the failure says.
        done: whether it has ended.
        cancellable: whether Google obliges when asked to cancel.
        response: what `finish` returned.
    """

    name: str
    kind: str
    version: str
    looks: int | None
    finish: Callable[[], dict[str, Any]]
    metadata: dict[str, Any] = field(default_factory=dict)
    code: int = 0
    message: str = ""
    done: bool = False
    cancellable: bool = True
    response: dict[str, Any] = field(default_factory=dict)

    def look(self) -> None:
        """Count a look; the last one ends it."""
        if self.done or self.looks is None:
            return
        self.looks -= 1
        if self.looks < 0:
            self.end()

    def end(self) -> None:
        """End it now."""
        self.done = True
        if not self.code:
            try:
                self.response = self.finish()
            except ApiError as error:
                self.code, self.message = error.code, str(error)
