"""A plan's scaling as the objects of an HPA or of KEDA say it: names of metrics, queries, quantities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.plan.scaling import Pace, Scaling
from infra.plan.serving_plan import ServingPlan
from infra.plan.signals import KV_CACHE, REQUESTS, Signal

# Where the charts of KEDA and its HTTP add-on put things (keda.sh, http-add-on: "Autoscale an App"; kedacore/charts).
KEDA_NAMESPACE = "keda"
_SCALER_ADDRESS = f"keda-add-ons-http-external-scaler.{KEDA_NAMESPACE}:9090"
_INTERCEPTOR = f"keda-add-ons-http-interceptor-proxy.{KEDA_NAMESPACE}.svc.cluster.local"
INTERCEPTOR_PORT = 8080
_POLLING_SECONDS = 15
_FAILURES = 3
_MOST_HELD = 100  # a held request keeps its body, up to 64 MB, in the memory of KEDA's interceptor


@dataclass(frozen=True)
class Wake:
    """What stands before an endpoint that may have no replica: KEDA's interceptor, which holds requests meanwhile.

    Attributes:
        service: name of the Service that callers use in place of the endpoint's own.
        interceptor, port: where that Service leads.
        hosts: by which the interceptor knows the endpoint.
        timeouts, cold_start: of the InterceptorRoute.
    """

    service: str
    interceptor: str
    port: int
    hosts: tuple[str, ...]
    target: int
    timeouts: dict[str, str]
    cold_start: dict[str, Any]


@dataclass(frozen=True)
class Autoscaler:
    """What the templates need to render an HorizontalPodAutoscaler or a ScaledObject.

    Attributes:
        kind: `hpa` or `keda`.
        min_replicas, max_replicas: the bounds.
        metrics: of the HPA.
        triggers: of KEDA.
        behaviour: the same of both.
        settings: further fields of a ScaledObject's `spec`.
        wake: one where the endpoint may have no replica, else none.
    """

    kind: str
    min_replicas: int
    max_replicas: int
    metrics: tuple[dict[str, Any], ...]
    triggers: tuple[dict[str, Any], ...]
    behaviour: dict[str, Any]
    settings: tuple[tuple[str, Any], ...]
    wake: tuple[Wake, ...]
    polling_seconds: int = _POLLING_SECONDS


def wake_service(plan: ServingPlan) -> str:
    """Name of the Service that callers use where an endpoint may have no replica."""
    return f"{plan.stack}-wake"


def autoscaler(plan: ServingPlan) -> Autoscaler | None:
    """The autoscaler of a plan, or None where its number of replicas is fixed."""
    scaling = plan.scaling
    if scaling is None:
        return None
    engine = [one for one in scaling.signals if one.name != REQUESTS]
    return Autoscaler(
        kind=scaling.autoscaler,
        min_replicas=plan.min_replicas,
        max_replicas=plan.replicas,
        metrics=tuple(_pods_metric(one) for one in engine),
        triggers=(*_triggers(plan, scaling, engine), *_crons(scaling)),
        behaviour={"scaleUp": _pace(scaling.up), "scaleDown": _pace(scaling.down)},
        settings=_settings(plan, scaling),
        wake=tuple(_wake(plan, one) for one in scaling.signals if one.name == REQUESTS),
    )


def quantity(value: float) -> str:
    """A number as Kubernetes writes it: whole, or in thousandths."""
    return f"{value:g}" if value == int(value) else f"{round(value * 1000)}m"


def _pods_metric(signal: Signal) -> dict[str, Any]:
    """A gauge of the pods through the Stackdriver adapter, which names Managed Prometheus' metrics like this.

    Pods and not External: the controller then knows which pods have no reading yet, and counts those that are loading
    as idle. Source: public samples of HPAs for vLLM with this adapter (seans3/k8s-ai vllm-gpu/hpa, and Google's).
    """
    name = f"prometheus.googleapis.com|{signal.metric}|gauge"
    target = {"type": "AverageValue", "averageValue": quantity(signal.target)}
    return {"type": "Pods", "pods": {"metric": {"name": name}, "target": target}}


def _triggers(plan: ServingPlan, scaling: Scaling, engine: list[Signal]) -> list[dict[str, Any]]:
    """Triggers on load.

    `ignoreNullValues` is true by default, and a lost Prometheus then reads as no load (keda 2.21.0
    prometheus_scaler.go); false makes it an error, for which the fallback is there.
    """
    found: list[dict[str, Any]] = [
        {
            "type": "prometheus",
            "name": one.name,
            "metricType": "AverageValue",
            "metadata": {
                "serverAddress": scaling.prometheus_url,
                "query": _query(one, plan.stack),
                "threshold": f"{one.target:g}",
                "ignoreNullValues": "false",
            },
        }
        for one in engine
    ]
    if scaling.idle_seconds is not None:
        metadata = {"scalerAddress": _SCALER_ADDRESS, "interceptorRoute": plan.stack}
        found.append({"type": "external-push", "name": REQUESTS, "metadata": metadata})
    return found


def _query(signal: Signal, namespace: str) -> str:
    """Sum over the replicas. A share of a cache is that of the fullest rank of a replica: each rank tells its own."""
    gauge = f'{signal.metric}{{namespace="{namespace}"}}'
    return f"sum(max by (pod) ({gauge}))" if signal.name == KV_CACHE else f"sum({gauge})"


def _crons(scaling: Scaling) -> list[dict[str, Any]]:
    """Floors by the clock: the largest number of all triggers counts, so that load can still ask for more."""
    return [
        {
            "type": "cron",
            "name": f"schedule-{index}",
            "metadata": {
                "timezone": one.timezone,
                "start": one.start,
                "end": one.end,
                "desiredReplicas": str(one.min_replicas),
            },
        }
        for index, one in enumerate(scaling.schedule)
    ]


def _pace(pace: Pace) -> dict[str, Any]:
    policy = {"type": "Pods", "value": pace.pods, "periodSeconds": pace.period_seconds}
    return {"stabilizationWindowSeconds": pace.window_seconds, "selectPolicy": "Max", "policies": [policy]}


def _settings(plan: ServingPlan, scaling: Scaling) -> tuple[tuple[str, Any], ...]:
    """Fallback for metrics that cannot be read: as many replicas as there are, and never fewer than the fewest."""
    if scaling.idle_seconds is not None:
        # The first start is proved before it may end: `pulumi up` waits for it as long.
        return ("cooldownPeriod", scaling.idle_seconds), ("initialCooldownPeriod", plan.timing.timeout_seconds)
    fallback = {
        "failureThreshold": _FAILURES,
        "replicas": plan.min_replicas,
        "behavior": "currentReplicasIfHigher",
    }
    return (("fallback", fallback),)


def _wake(plan: ServingPlan, signal: Signal) -> Wake:
    service = wake_service(plan)
    return Wake(
        service=service,
        interceptor=_INTERCEPTOR,
        port=INTERCEPTOR_PORT,
        hosts=(f"{service}.{plan.stack}.svc.cluster.local", f"{service}.{plan.stack}.svc", f"{service}.{plan.stack}"),
        target=int(signal.target),
        timeouts={"readiness": f"{plan.timing.timeout_seconds}s", "request": "0s", "responseHeader": "0s"},
        cold_start={"maxPendingRequests": _MOST_HELD, "overflow": "Reject"},
    )
