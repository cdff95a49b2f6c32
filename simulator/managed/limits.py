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

    def count(self, project: str, model: str) -> None:
        """Count a request.

        Raises:
            ApiError: it is one too many; the words are those of google-gemini/gemini-cli #8437.
        """
        limit = self.per_minute.get(model)
        if limit is None:
            return
        now = self.clock()
        seen = self._seen.setdefault((project, model), deque())
        while seen and now - seen[0] >= _WINDOW_SECONDS:
            seen.popleft()
        if len(seen) < limit:
            seen.append(now)
            return
        wait_seconds = _WINDOW_SECONDS - (now - seen[0]) if seen else _WINDOW_SECONDS
        raise ApiError(
            EXHAUSTED,
            "You exceeded your current quota, please check your plan and billing details. For more information on this "
            "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.",
            quota_failure(
                "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
                model,
                limit,
            ),
            retry_info(wait_seconds),
        )
