"""Alerts of one engine: what each asks, from when on it fires, and what its receiver should know.

What to do is in docs/alerts.md, one entry for each name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.watch.limits import Limits
from infra.watch.queries import Queries

RUNBOOK = "docs/alerts.md"
_WINDOW, _SHORT_WINDOW = "10m", "5m"
_FULL, _PREEMPTIONS_PER_SECOND, _FAILED_SHARE, _ABORTED_SHARE = 0.95, 0.1, 0.01, 0.1
_CHANGES_OF_THREE_RESTARTS = 6  # a restart takes `up` from 1 to 0 and back


@dataclass(frozen=True)
class Alert:
    """One alert.

    Attributes:
        name: as in docs/alerts.md.
        severity: `critical` where callers get no answers, `warning` where they soon may, `info` where money is lost.
        expr: PromQL; it fires for every series that it returns.
        seconds: for which it must hold without a break.
        summary: one sentence for whoever is called.
    """

    name: str
    severity: str
    expr: str
    seconds: int
    summary: str

    def rule(self, labels: dict[str, str]) -> dict[str, Any]:
        """As Prometheus and Google's Rules write it."""
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": duration(self.seconds),
            "labels": {"severity": self.severity, **labels},
            "annotations": {"summary": self.summary, "runbook": f"{RUNBOOK}#{self.name.lower()}"},
        }


def alerts(queries: Queries, limits: Limits, endpoint: str | None) -> tuple[Alert, ...]:
    """Alerts that this engine's metrics allow.

    Args:
        queries: over the endpoint's series.
        limits: from when on they fire.
        endpoint: its name, or None for any endpoint of a framework, whose name the series say.
    """
    name = endpoint or "{{ $labels.stack }}"
    return (
        *_presence(queries, limits, endpoint),
        *_load(queries, limits, name),
        *_speed(queries, limits, name),
        *_faults(queries, name),
        *_idle(queries, limits, name),
    )


def _presence(queries: Queries, limits: Limits, endpoint: str | None) -> Iterator[Alert]:
    """Where the endpoint is known, series that are gone count as well; else only those that are there can be asked."""
    wait, fewest = limits.start_seconds, limits.fewest_replicas
    if fewest:
        yield Alert(
            "NoReadyReplica",
            "critical",
            f"absent({queries.up} == 1)" if endpoint else f"{queries.ready()} == 0",
            wait,
            f"{endpoint or '{{ $labels.stack }}'}: no replica has answered for longer than a start takes "
            f"({duration(wait)}).",
        )
    if fewest > 1 and endpoint:
        yield Alert(
            "ReplicaMissing",
            "warning",
            f"{queries.ready()} < {fewest}",
            wait,
            f"{endpoint}: {{{{ $value }}}} of {fewest} replicas have answered for longer than a start takes.",
        )
    yield Alert(
        "EngineRestarts",
        "critical",
        f"max by (stack, pod) (changes({queries.up}[1h])) >= {_CHANGES_OF_THREE_RESTARTS}",
        0,
        f"{endpoint or '{{ $labels.stack }}'}: the engine in {{{{ $labels.pod }}}} stopped three times within an hour.",
    )


def _load(queries: Queries, limits: Limits, name: str) -> Iterator[Alert]:
    metrics, many = queries.metrics, limits.concurrency
    tokens = "" if limits.context_tokens is None else f" of {limits.context_tokens:,} tokens"
    yield Alert(
        "QueueGrowing",
        "warning",
        f"{queries.total(metrics.queue)} > {many} * {queries.ready()}",
        300,
        f"{name}: {{{{ $value }}}} requests wait; {many} per replica are guaranteed to run at once.",
    )
    if metrics.kv_cache:
        yield Alert(
            "KvCacheFull",
            "warning",
            " or ".join(f"{one} > {_FULL:g}" for one in queries.fullest()),
            600,
            f"{name}: the KV cache of {{{{ $labels.pod }}}} is {{{{ $value | humanizePercentage }}}} full; "
            f"it was planned for {'one request' if many == 1 else f'{many} requests'}{tokens}.",
        )
    if metrics.preemptions:
        yield Alert(
            "Preemptions",
            "warning",
            f"{queries.rate(metrics.preemptions, _SHORT_WINDOW, 'stack, pod')} > {_PREEMPTIONS_PER_SECOND:g}",
            600,
            f"{name}: {{{{ $labels.pod }}}} takes the KV cache from running requests, which then start again.",
        )


def _speed(queries: Queries, limits: Limits, name: str) -> Iterator[Alert]:
    metrics, first, each = queries.metrics, limits.first_token_seconds, limits.seconds_per_token
    if metrics.first_token_seconds:
        yield Alert(
            "FirstTokenSlow",
            "warning",
            f"{queries.quantile(0.95, metrics.first_token_seconds, _SHORT_WINDOW)} > {first}",
            600,
            f"{name}: one request in twenty waits longer than {first} s for its first token.",
        )
    slow = queries.seconds_per_token(_WINDOW)
    if metrics.inter_token_seconds:
        slow = queries.quantile(0.95, metrics.inter_token_seconds, _SHORT_WINDOW)
    if slow:
        yield Alert(
            "TokensSlow",
            "warning",
            f"{slow} > {each:g}",
            600,
            f"{name}: a token takes {{{{ $value | humanizeDuration }}}}, longer than {each:g} s.",
        )


def _faults(queries: Queries, name: str) -> Iterator[Alert]:
    metrics = queries.metrics
    if metrics.progress:
        running = queries.total(metrics.running, "stack, pod")
        yield Alert(
            "EngineStalled",
            "critical",
            f"{running} > 0 and {queries.rate(metrics.progress, _SHORT_WINDOW, 'stack, pod')} == 0",
            300,
            f"{name}: {{{{ $labels.pod }}}} has {{{{ $value }}}} running requests and makes no step.",
        )
    shares = (
        ("ErrorAnswers", "critical", metrics.failures, metrics.responses, _FAILED_SHARE, "answers are server errors"),
        ("AbortedRequests", "warning", metrics.aborted, metrics.requests, _ABORTED_SHARE, "requests lost their caller"),
    )
    for alert, severity, part, whole, share, what in shares:
        if part and whole:
            yield Alert(
                alert,
                severity,
                f"{queries.matching(part, _WINDOW)} / {queries.matching(whole, _WINDOW)} > {share:g}",
                300,
                f"{name}: {{{{ $value | humanizePercentage }}}} of the {what}.",
            )


def _idle(queries: Queries, limits: Limits, name: str) -> Iterator[Alert]:
    """The running gauge alone would miss requests that come and go between two scrapes."""
    metrics = queries.metrics
    idle = f"{queries.total(metrics.running)} == 0"
    if metrics.generated_tokens:
        idle += f" and {queries.rate(metrics.generated_tokens, '30m')} == 0"
    yield Alert(
        "IdleAccelerators",
        "info",
        idle,
        6 * 3600,
        f"{name}: no request for six hours, while its accelerators cost {limits.cost}.",
    )


def duration(seconds: int) -> str:
    """A time as Prometheus writes it, in the largest unit that is whole."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
