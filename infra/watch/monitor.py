"""What templates need to render the objects that watch one endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.catalog.metrics import EngineMetrics
from infra.plan.serving_plan import ServingPlan
from infra.plan.watching import NONE, OPERATOR
from infra.watch.alerts import alerts, duration
from infra.watch.dashboard import dashboard
from infra.watch.limits import ANY, limits_of
from infra.watch.queries import Queries


@dataclass(frozen=True)
class Monitor:
    """What templates need to render the objects that watch one endpoint.

    Attributes:
        kind: of `infra.plan.watching`.
        interval: between two scrapes and two evaluations, as Prometheus writes it.
        labels: further labels of monitor and rules.
        groups: alert rules.
        dashboard: Grafana dashboard, as JSON.
    """

    kind: str
    interval: str
    labels: tuple[tuple[str, str], ...]
    groups: tuple[dict[str, Any], ...]
    dashboard: str


def monitor(plan: ServingPlan) -> Monitor:
    """How one endpoint is watched."""
    watch, metrics = plan.watch, plan.watch.metrics
    interval = duration(watch.interval_seconds)
    if watch.kind == NONE or metrics is None:
        return Monitor(NONE, interval, (), (), "")
    queries, framework = Queries(metrics, f'stack="{plan.stack}"'), plan.framework.name
    said = {"stack": plan.stack, "framework": framework}
    rules = [one.rule(said) for one in alerts(queries, limits_of(plan), plan.stack)]
    return Monitor(
        kind=watch.kind,
        interval=interval,
        labels=watch.labels if watch.kind == OPERATOR else (),
        groups=({"name": plan.stack, "interval": interval, "rules": rules},),
        dashboard=dashboard(queries, framework, plan.stack),
    )


def shared_dashboard(metrics: EngineMetrics) -> str:
    """The dashboard of every endpoint of one framework, chosen by a variable."""
    return dashboard(Queries(metrics, 'stack="$stack"'), metrics.framework, None)


def shared_alerts(metrics: EngineMetrics) -> dict[str, Any]:
    """Alert rules for any endpoint of one framework, with plain limits, as a rule file of Prometheus."""
    queries = Queries(metrics, f'framework="{metrics.framework}"')
    rules = [one.rule({"framework": metrics.framework}) for one in alerts(queries, ANY, None)]
    return {"groups": [{"name": f"servestack-{metrics.framework}", "interval": "30s", "rules": rules}]}
