"""How long a node group is left alone after a failed scale-up.

Source: GKE's autoscaler, pkg/backoff, and its upstream: 5, 10, 20, 30 minutes, anew 3 hours after the first
failure.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from simulator.google.timing import Timing

_CAP = 6
"""The longest back-off as a multiple of the first: 30 minutes for 5."""


@dataclass
class _Entry:
    first_failure: float
    failures: int
    until: float


class Backoff:
    """Back-off of each node group of a cluster, in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._entries: dict[Hashable, _Entry] = {}

    def fail(self, group: Hashable, now: float, timing: Timing) -> None:
        """Note a failed scale-up."""
        entry = self._entries.get(group)
        if entry is None or now - entry.first_failure > timing.backoff_reset_seconds:
            entry = _Entry(first_failure=now, failures=0, until=now)
            self._entries[group] = entry
        factor = min(2**entry.failures, _CAP)
        entry.failures += 1
        entry.until = now + factor * timing.backoff_seconds

    def succeed(self, group: Hashable) -> None:
        """Note a node that came up."""
        self._entries.pop(group, None)

    def is_active(self, group: Hashable, now: float) -> bool:
        """Whether the group must not be tried now."""
        entry = self._entries.get(group)
        return entry is not None and now < entry.until
