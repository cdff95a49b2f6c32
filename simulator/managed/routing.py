"""Requests, routes and answers of the loopback server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.managed.world import World


@dataclass(frozen=True)
class Request:
    """What has arrived.

    Attributes:
        route: name of the route.
        place: named parts of the path.
        query: its parameters; of several of a name the first.
        body: JSON; None where there is none.
        headers: by name, in lower case.
    """

    route: str
    place: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]

    @property
    def bearer(self) -> str:
        """The token of the Authorization header; empty where there is none."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""


@dataclass(frozen=True)
class Stream:
    """Server-sent events.

    Attributes:
        events: JSON each; a text is sent as it is.
    """

    events: tuple[Any, ...]


Answer = Callable[["World", Request], "Any | Stream"]
"""Carries a call out; returns the body of the answer. Raises `ApiError`."""


@dataclass(frozen=True)
class Route:
    """A method of an API.

    Attributes:
        name: what faults and tests call it.
        method: of HTTP.
        pattern: of the whole path, unquoted.
        answer: what carries it out.
        lists_errors: whether errors come in a list of one, as Google's OpenAI-compatible routes have them.
    """

    name: str
    method: str
    pattern: re.Pattern[str]
    answer: Answer
    lists_errors: bool = False
