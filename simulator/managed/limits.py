"""Limits on requests per minute, by project and model."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from simulator.managed.errors import EXHAUSTED, ApiError, quota_failure, retry_info

_WINDOW_SECONDS = 60.0


class Limits:
    """Requests of the last minute; none are limited at first.

    Limits are a project's, not a key's (Gemini API docs, rate-limits).

    Attributes:
        per_minute: most requests by model; one that is not named has no limit.
        clock: seconds, of any origin.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute: dict[str, int] = {}
        self.clock = clock
        self._seen: dict[tuple[str, str], deque[float]] = {}

    def wait_seconds(self, project: str, model: str) -> float:
        """Count a request; return 0, or how long to wait where it is one too many."""
        limit = self.per_minute.get(model)
        if limit is None:
            return 0.0
        now = self.clock()
        seen = self._seen.setdefault((project, model), deque())
        while seen and now - seen[0] >= _WINDOW_SECONDS:
            seen.popleft()
        if len(seen) < limit:
            seen.append(now)
            return 0.0
        return _WINDOW_SECONDS - (now - seen[0]) if seen else _WINDOW_SECONDS

    def check_gemini(self, project: str, model: str) -> None:
        """Count a request to the Gemini API.

        Raises:
            ApiError: it is one too many; the words are those of google-gemini/gemini-cli #8437.
        """
        if wait_seconds := self.wait_seconds(project, model):
            raise ApiError(
                EXHAUSTED,
                "You exceeded your current quota, please check your plan and billing details. For more information on "
                "this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.",
                quota_failure(
                    "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                    "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
                    model,
                    self.per_minute[model],
                ),
                retry_info(wait_seconds),
            )

    def check_vertex(self, project: str, model: str) -> None:
        """Count a request to a model that Vertex AI serves without an endpoint.

        Raises:
            ApiError: it is one too many; the words are those of google-gemini/gemini-cli #14811, without a time.
        """
        if self.wait_seconds(project, model):
            raise ApiError(
                EXHAUSTED,
                "Resource exhausted. Please try again later. Please refer to "
                "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.",
            )
