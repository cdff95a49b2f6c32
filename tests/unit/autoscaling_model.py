"""A HorizontalPodAutoscaler by the rules of its controller, over replicas that take time to start. Oracle for plans.

Source of the rules: Kubernetes' documentation of the algorithm and of `behavior`, and replica_calculator.go and
horizontal.go of pkg/controller/podautoscaler: missing readings count as the target on the way down and as nothing on
the way up; a tenth of tolerance; the calmest recommendation of a window; at most so many pods in a period.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.plan.scaling import Pace, Scaling
from infra.plan.signals import Signal

TICK_SECONDS = 15
TOLERANCE = 0.1


@dataclass
class Engine:
    """What replicas do with a load: each works on `slots` requests at once, and on `fit` at most for its cache.

    Attributes:
        answer_seconds: time that one request takes.
        started: time at which each replica starts to serve.
    """

    slots: int
    fit: float
    answer_seconds: float
    start_seconds: int
    started: list[float]
    waiting: float = 0.0
    running: float = 0.0

    def serving(self, now: float) -> int:
        return sum(since <= now for since in self.started)

    def step(self, now: float, arrivals: float) -> None:
        room = self.serving(now) * min(self.slots, self.fit)
        self.running -= self.running * min(TICK_SECONDS / self.answer_seconds, 1)
        self.waiting += arrivals
        self.waiting += max(self.running - room, 0)  # of replicas that were taken away
        self.running = min(self.running, room)
        taken = min(self.waiting, room - self.running)
        self.running, self.waiting = self.running + taken, self.waiting - taken

    def reading(self, signal: str, now: float) -> float:
        """Mean over the replicas that serve."""
        total = {"queue": self.waiting, "running": self.running, "kv-cache": self.running / self.fit}[signal]
        return total / self.serving(now)

    def resize(self, now: float, wanted: int) -> None:
        self.started = self.started[:wanted] + [now + self.start_seconds] * (wanted - len(self.started))


@dataclass
class Autoscaler:
    """The controller of one plan. `signals` may be fewer than the plan's, to see what one of them is for."""

    scaling: Scaling
    least: int
    most: int
    signals: tuple[Signal, ...]
    recommended: list[tuple[float, int]] = field(default_factory=list)
    changed: list[tuple[float, int]] = field(default_factory=list)

    def wanted(self, now: float, engine: Engine) -> int:
        current = len(engine.started)
        asked = max(
            _asked(engine.reading(one.name, now), one.target, engine.serving(now), current) for one in self.signals
        )
        asked = min(max(asked, self.least), self.most)
        longest = max(self.scaling.up.window_seconds, self.scaling.down.window_seconds)
        self.recommended = [(when, number) for when, number in self.recommended if when >= now - longest]
        self.recommended.append((now, asked))
        calm = min(max(current, self._lately(now, self.scaling.up, min)), self._lately(now, self.scaling.down, max))
        up, down = self._limit(now, current, self.scaling.up), self._limit(now, current, self.scaling.down)
        calm = min(calm, max(up, current)) if calm > current else max(calm, min(down, current))
        if calm != current:
            self.changed.append((now, calm - current))
        return calm

    def _lately(self, now: float, pace: Pace, calmest: Callable[[list[int]], int]) -> int:
        return calmest([number for when, number in self.recommended if when >= now - pace.window_seconds])

    def _limit(self, now: float, current: int, pace: Pace) -> int:
        """Furthest number that the policy of a direction allows."""
        sign = 1 if pace is self.scaling.up else -1
        lately = sum(by for when, by in self.changed if when > now - pace.period_seconds and by * sign > 0)
        return current - lately + sign * pace.pods


def _asked(reading: float, target: float, serving: int, pods: int) -> int:
    """Replicas for one gauge, of which `serving` of `pods` have a reading."""
    ratio = reading / target
    if serving == pods:
        return pods if abs(ratio - 1) <= TOLERANCE else math.ceil(round(ratio * serving, 9))
    missing = (pods - serving) * (target if ratio < 1 else 0.0)
    with_missing = (reading * serving + missing) / pods / target
    if abs(with_missing - 1) <= TOLERANCE or (ratio < 1) != (with_missing < 1):
        return pods
    return math.ceil(round(with_missing * pods, 9))


def run(
    autoscaler: Autoscaler, engine: Engine, load: Callable[[float], float], seconds: int
) -> list[tuple[float, int]]:
    """Let a load, in requests per second by time, act for so many seconds; the changes of the number of replicas."""
    for now in range(0, seconds, TICK_SECONDS):
        engine.step(now, load(now) * TICK_SECONDS)
        engine.resize(now, autoscaler.wanted(now, engine))
    return autoscaler.changed
