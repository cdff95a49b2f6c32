"""How the number of an endpoint's replicas moves: what it follows, how fast, and when it has a higher floor."""

from __future__ import annotations

from dataclasses import dataclass

from infra.plan.quantities import Timing
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.signals import Signal, check_zero, signals

# Limits of autoscaling/v2: a window of an hour at most, a period of half an hour (kubernetes validation.go).
LONGEST_WINDOW_SECONDS, LONGEST_PERIOD_SECONDS = 3600, 1800
_SHORTEST_DOWN_SECONDS = 300  # Kubernetes' own default
_UP_WINDOW_SECONDS = 30  # two scrapes at 15 s: one high reading is not yet a load
_SHORTEST_STEP_SECONDS = 60


@dataclass(frozen=True)
class Pace:
    """How fast: the reading that counts is the calmest of a window, and so many pods may come or go in a period."""

    window_seconds: int
    pods: int
    period_seconds: int


@dataclass(frozen=True)
class ScheduledMinimum:
    """Fewest replicas during a time that comes again; cron expressions in a time zone."""

    start: str
    end: str
    timezone: str
    min_replicas: int


@dataclass(frozen=True)
class Scaling:
    """How the number of replicas is found. `prometheus_url` is empty where the cluster's metrics API is asked.

    Attributes:
        autoscaler: `hpa` or `keda`.
        signals: each gives a number of replicas, and the largest counts.
        idle_seconds: time without a request before the last replica goes; None where it stays.
    """

    autoscaler: str
    prometheus_url: str
    signals: tuple[Signal, ...]
    up: Pace
    down: Pace
    schedule: tuple[ScheduledMinimum, ...]
    idle_seconds: int | None


def scaling(request: Request, times: Timing, *, most_running: int, fit: int) -> Scaling | None:
    """Scaling of one endpoint; None where the number of replicas is fixed, or nothing scales it (no cluster).

    Args:
        request: what was asked.
        times: of the plan.
        most_running: requests that one replica works on at once, at most.
        fit: full requests that fit one replica at the planned context.

    Raises:
        RefusedError: a schedule without KEDA, or what `signals` refuses.
    """
    platform, spec = request.platform, request.spec
    replicas, asked = spec.replicas, spec.scaling
    if replicas.min == 0:
        check_zero(request)
    if replicas.most == replicas.min or not platform.in_cluster:
        return None
    schedule = (asked.schedule if asked else None) or []
    if schedule and platform.autoscaler != "keda":
        raise RefusedError(
            ("scaling", "schedule"),
            "an HPA knows no clock. Write autoscaler: keda in the Platform, with KEDA installed in its cluster, or "
            "leave the schedule out.",
        )
    start = times.startup_seconds
    return Scaling(
        autoscaler=platform.autoscaler,
        prometheus_url=platform.prometheus.url if platform.prometheus else "",
        signals=signals(request, most_running=most_running, fit=fit),
        up=Pace(_UP_WINDOW_SECONDS, 1, _within(start, _SHORTEST_STEP_SECONDS, LONGEST_PERIOD_SECONDS)),
        down=Pace(
            _within(start, _SHORTEST_DOWN_SECONDS, LONGEST_WINDOW_SECONDS),
            1,
            _within(times.grace_seconds, _SHORTEST_STEP_SECONDS, LONGEST_PERIOD_SECONDS),
        ),
        schedule=tuple(ScheduledMinimum(one.start, one.end, one.timezone, one.min) for one in schedule),
        idle_seconds=max(start, _SHORTEST_DOWN_SECONDS) if replicas.min == 0 else None,
    )


def _within(seconds: int, least: int, most: int) -> int:
    return min(max(seconds, least), most)


def scaling_cautions(found: Scaling | None, times: Timing) -> list[str]:
    """What to know before an autoscaler is trusted."""
    said: list[str] = []
    if found is None:
        return said
    if times.startup_seconds > LONGEST_WINDOW_SECONDS:
        said.append(
            f"a replica takes about {times.startup_seconds:,} s to start, and Kubernetes looks back "
            f"{LONGEST_WINDOW_SECONDS:,} s at most: it may remove one that it has just started"
        )
    if found.idle_seconds is not None:
        said.append(
            f"at 0 replicas the first caller waits about {times.startup_seconds:,} s, and whoever reaches KEDA's "
            "interceptor starts a machine, with a key or without: keep strangers away from it"
        )
    return said


Row = tuple[str, object, object, str, str]


def scaling_rows(found: Scaling | None, *, asked_target: float | None, asked_hours: bool) -> list[Row]:
    """What was decided about scaling: field, value, what the stack file asks, who decided, why."""
    if found is None:
        return []
    up, down = found.up, found.down
    rows: list[Row] = [("scaling.autoscaler", found.autoscaler, None, "platform", "what the platform's cluster has")]
    for index, one in enumerate(found.signals):
        value = f"{one.role} {one.name} {one.target:g}{f' ({one.metric})' if one.metric else ''}"
        rows.append(("scaling.signals", value, asked_target if index == 0 else None, "derived", one.reason))
    rows += [
        (
            "scaling.up",
            f"{up.pods} per {up.period_seconds} s",
            None,
            "derived",
            "a new replica changes nothing before it serves: one per start-up time, so that no load starts all of them",
        ),
        (
            "scaling.down",
            f"{down.pods} per {down.period_seconds} s after {down.window_seconds} s",
            None,
            "derived",
            "the highest need of a start-up time counts: what was just started is not removed; one per graceful stop",
        ),
    ]
    for floor in found.schedule:
        value = f"at least {floor.min_replicas} from {floor.start} to {floor.end}, {floor.timezone}"
        rows.append(("scaling.schedule", value, asked_hours or None, "stack", ""))
    if found.idle_seconds is not None:
        why = "at least one start-up time without a request, or every pause would cost one"
        rows.append(("scaling.idleSeconds", found.idle_seconds, None, "derived", why))
    return rows
