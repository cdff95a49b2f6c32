"""What the managed endpoints ask of the rest of Google Cloud: projects, APIs that are on, keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from simulator.google import projects
from simulator.managed.errors import DENIED, ApiError, service_disabled

VERTEX = "aiplatform.googleapis.com"
GEMINI = "generativelanguage.googleapis.com"
_TITLES = {VERTEX: "Vertex AI API", GEMINI: "Generative Language API"}


class Verdict(Enum):
    """What a key may do at the Gemini API."""

    UNKNOWN = auto()
    """There is no such key."""
    BLOCKED = auto()
    """It is restricted to other services."""
    UNRESTRICTED = auto()
    """A standard key without restrictions: refused since 2026-06-19 (Gemini API docs, api-key)."""
    UNBOUND = auto()
    """A standard key, bound to no service account: to be refused from September 2026 (the same page)."""
    ACCEPTED = auto()


@dataclass(frozen=True)
class KeyState:
    """A key as the API sees it.

    Attributes:
        verdict: what it may do.
        project: id of its project; empty for an unknown key.
    """

    verdict: Verdict
    project: str = ""


def no_key(_key: str) -> KeyState:
    """A cloud without keys."""
    return KeyState(Verdict.UNKNOWN)


@dataclass(frozen=True)
class Google:
    """The surroundings.

    Attributes:
        number_of: number of a project's id.
        is_on: whether an API (service) is on in a project (id).
        is_denied: whether a fault takes the permission for an API away.
        accepts: what an API key may do.
    """

    number_of: Callable[[str], str] = projects.number
    is_on: Callable[[str, str], bool] = lambda _project, _service: True
    is_denied: Callable[[str], bool] = lambda _service: False
    accepts: Callable[[str], KeyState] = no_key

    def number(self, project: str) -> str:
        """Number of a project that is named by its id or by its number."""
        return project if project.isdigit() else self.number_of(project)

    def check(self, project: str, service: str) -> None:
        """Whether a call of an API is answered; one that names the project by its number always is.

        Raises:
            ApiError: the API is off, or the permission is taken away.
        """
        if not project.isdigit() and not self.is_on(project, service):
            raise service_disabled(service, _TITLES[service], self.number(project))
        if self.is_denied(service):
            raise ApiError(DENIED, "The caller does not have permission")
