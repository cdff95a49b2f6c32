"""Back-off of the rules of ComputeClasses, and of GPU models in pools that are made by themselves.

Source: GKE's autoscaler, pkg/backoff: flat five minutes for each class, rule and zone, region-wide for a quota; a
new failure restarts one shared timer for all rules of the class that are backed off. Resource-based back-off keeps
on-demand and Spot apart from Flex-start; an on-demand stock-out also blocks Spot, not the reverse.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.google.backoff import Backoff
from simulator.google.timing import Timing

ON_DEMAND, SPOT, FLEX = "on-demand", "spot", "flex"


@dataclass
class _Class:
    until: float = 0.0
    until_wall: float = 0.0
    rules: dict[tuple[str, str], str] = field(default_factory=dict)
    """Rule and zone that are suspended, with the reason."""


class RuleBackoff:
    """Which rules of which class are suspended in which zone, in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._classes: dict[str, _Class] = {}

    def fail(self, name: str, rule: str, zones: Iterable[str], reason: str, now: float, timing: Timing) -> None:
        """Suspend a rule in zones, and prolong whatever of the class is suspended."""
        entry = self._current(name, now)
        entry.until = now + timing.backoff_seconds
        entry.until_wall = time.time() + timing.backoff_seconds
        entry.rules |= {(rule, zone): reason for zone in zones}

    def is_active(self, name: str, rule: str, zone: str, now: float) -> bool:
        """Whether a rule must not be tried in a zone now."""
        return (rule, zone) in self._current(name, now).rules

    def suspended(self, name: str, rule: str, now: float) -> tuple[list[str], str, float]:
        """Zones in which a rule is suspended, why, and until when (seconds since the epoch)."""
        entry = self._current(name, now)
        zones = {zone: reason for (one, zone), reason in entry.rules.items() if one == rule}
        return sorted(zones), next(iter(zones.values()), ""), entry.until_wall

    def _current(self, name: str, now: float) -> _Class:
        entry = self._classes.get(name)
        if entry is None or now >= entry.until:
            entry = self._classes[name] = _Class()
        return entry


class ResourceBackoff:
    """GPU models that could not be had, by machine family, zone and way of buying."""

    def __init__(self) -> None:
        self._backoff = Backoff()

    def fail(self, gpu: str, family: str, zone: str, kind: str, now: float, timing: Timing) -> None:
        """Note a stock-out."""
        for one in (ON_DEMAND, SPOT) if kind == ON_DEMAND else (kind,):
            self._backoff.fail((gpu, family, zone, one), now, timing)

    def is_active(self, gpu: str, family: str, zone: str, kind: str, now: float) -> bool:
        """Whether such nodes must not be tried now."""
        return self._backoff.is_active((gpu, family, zone, kind), now)
