"""Time enough to start and to stop, as the plan estimates it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from infra.policy.subject import Container, Rule, Subject, Violation, whole

_DEFAULT_DEADLINE_SECONDS, _DEFAULT_GRACE_SECONDS = 600, 30  # Kubernetes' own


def _startup(subject: Subject) -> Iterator[Violation]:
    if subject.plan is None:
        return
    needed = subject.plan.timing.startup_seconds
    for pod, engines in subject.serving:
        for one in engines:
            probe = one.body.get("startupProbe")
            if not probe:
                yield pod.violation(f"{one.path}.startupProbe", f"must be set; start-up takes about {needed} s")
                continue
            budget = whole(probe.get("initialDelaySeconds", 0))
            budget += whole(probe.get("periodSeconds", 10)) * whole(probe.get("failureThreshold", 3))
            if budget < needed:
                yield pod.violation(f"{one.path}.startupProbe", f"gives up after {budget} s; start-up takes {needed} s")
        if pod.owner.get("kind") == "Deployment":
            deadline = whole(pod.owner["spec"].get("progressDeadlineSeconds", _DEFAULT_DEADLINE_SECONDS))
            ready = whole(pod.owner["spec"].get("minReadySeconds", 0))
            if deadline < needed + ready:
                more = f" and {ready} s until it counts" if ready else ""
                message = f"gives up after {deadline} s; start-up takes {needed} s{more}"
                yield pod.violation("spec.progressDeadlineSeconds", message)


def _grace(subject: Subject) -> Iterator[Violation]:
    timing = subject.plan.timing if subject.plan else None
    for pod, _ in subject.serving:
        before = max([_sleep(one) for one in pod.containers] + [timing.pre_stop_seconds if timing else 0])
        drain = timing.drain_seconds if timing else 0
        grace = whole(pod.spec.get("terminationGracePeriodSeconds", _DEFAULT_GRACE_SECONDS))
        if grace < before + drain:
            message = f"is {grace} s; must be at least {before} s pre-stop + {drain} s drain"
            yield pod.violation("terminationGracePeriodSeconds", message)


def _sleep(container: Container) -> int:
    """Seconds that a pre-stop handler sleeps first; 0 where it says none in a form that can be read."""
    handler: Any = (container.body.get("lifecycle") or {}).get("preStop") or {}
    if handler.get("sleep"):
        return whole(handler["sleep"].get("seconds"))
    words = " ".join(str(word) for word in (handler.get("exec") or {}).get("command") or [])
    found = re.match(r"(?:\S*sh -c )?\s*(?:\S*/)?sleep (\d+)", words)
    return int(found[1]) if found else 0


RULES = (
    Rule(
        "start-up-budget",
        "The start-up probe of what serves, and the Deployment's deadline, wait at least the plan's start-up estimate.",
        "high",
        False,
        _startup,
    ),
    Rule(
        "grace-period",
        "The termination grace period of what serves is at least its pre-stop delay and the plan's drain.",
        "high",
        False,
        _grace,
    ),
)
