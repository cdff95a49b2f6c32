"""What can be asked to go wrong, and what has arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One request that arrived."""

    route: str
    method: str
    path: str
    body: Any
    headers: dict[str, str]


@dataclass
class Fault:
    """What happens to the next `times` calls of a route instead of an answer.

    Attributes:
        route: name of the route.
        code: of google.rpc.Code; 0 for none.
        message: what the error says.
        times: calls that meet it.
        after: calls of the route that are answered before.
        cut: close the connection without an answer; a stream that `arrives` is cut after its first event.
        slow: hold the answer back until the world's end, at most a minute.
        arrives: whether the call is carried out all the same.
    """

    route: str
    code: int = 0
    message: str = "out of order"
    times: int = 1
    after: int = 0
    cut: bool = False
    slow: bool = False
    arrives: bool = False


@dataclass
class Outcome:
    """How the next deployment goes.

    Attributes:
        looks: looks at the operation until it is done; None for never.
        code: of google.rpc.Code with which it fails; 0 for success.
        message: what the failure says.
        cancellable: whether Google obliges when asked to cancel.
    """

    looks: int | None = 2
    code: int = 0
    message: str = "machine type temporarily unavailable"
    cancellable: bool = True
