"""Who watches an endpoint, and under which names its engine tells what it does."""

from __future__ import annotations

from dataclasses import dataclass

from infra.catalog.metrics import EngineMetrics
from infra.spec import PlatformSpec

MANAGED, OPERATOR, NONE = "managed-prometheus", "prometheus-operator", "none"
# An autoscaler wants two readings in its window of 30 s; otherwise samples are paid for and nobody needs so many.
_INTERVAL_SECONDS, _SCALED_INTERVAL_SECONDS = 30, 15
_UNREADABLE = "the engine has no metrics that Prometheus reads"
_UNNAMED = "the platform's file names no Prometheus; write monitoring: prometheus-operator where the cluster has one"
_WHY = {
    MANAGED: "GKE's own collectors, which every cluster of ours runs; nothing to install",
    NONE: "there is no cluster whose Prometheus could read it",
}


@dataclass(frozen=True)
class Watch:
    """Who watches the endpoint.

    Attributes:
        kind: `managed-prometheus`, `prometheus-operator` or `none`.
        namespace: of the operator's Prometheus; empty for the others.
        labels: by which that Prometheus selects monitors and rules.
        interval_seconds: between two scrapes, and two evaluations of the alerts.
        metrics: names of the engine's metrics, or None where it has none that Prometheus reads.
        why, origin: the reason of the kind, and who decided it.
    """

    kind: str
    namespace: str
    labels: tuple[tuple[str, str], ...]
    interval_seconds: int
    metrics: EngineMetrics | None
    why: str
    origin: str


UNWATCHED = Watch(NONE, "", (), _INTERVAL_SECONDS, None, _UNREADABLE, "catalogue")


def watch(platform: PlatformSpec, metrics: EngineMetrics | None, *, autoscaler: str | None = None) -> Watch:
    """Monitoring of an endpoint on its platform, whose engine has these metrics and whose replicas this scales."""
    asked = platform.monitoring
    kind = asked.kind if asked else MANAGED if platform.gke else NONE
    if metrics is None:
        return UNWATCHED
    operator = kind == OPERATOR
    return Watch(
        kind=kind,
        namespace=(asked.namespace if asked else None) or "monitoring" if operator else "",
        labels=tuple(sorted(asked.labels.items())) if asked and operator else (),
        interval_seconds=_SCALED_INTERVAL_SECONDS if autoscaler else _INTERVAL_SECONDS,
        metrics=metrics,
        why="said in the platform's file" if asked else _UNNAMED if platform.kubernetes else _WHY[kind],
        origin="platform" if asked else "derived",
    )


def watch_caution(found: Watch, autoscaler: str | None) -> str | None:
    """What to know where an autoscaler follows metrics that are not collected for it."""
    if autoscaler is None or found.kind == MANAGED or (autoscaler == "keda" and found.kind == OPERATOR):
        return None
    return f"autoscaler {autoscaler} follows metrics that monitoring {found.kind} does not collect for it: see to that"
