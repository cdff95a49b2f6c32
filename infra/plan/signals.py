"""Which gauges an endpoint's replicas follow, and up to which value each.

Gauges and not processors: an engine keeps its accelerators busy and its memory full whatever the load (GKE
documentation, best practices for autoscaling LLM workloads with GPUs). A queue says that there is more work than done.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from infra.plan.refusal import RefusedError
from infra.plan.request import Request

QUEUE, RUNNING, KV_CACHE, REQUESTS = "queue", "running", "kv-cache", "requests"
_ORDER = (QUEUE, RUNNING, KV_CACHE)  # in which the catalogue names a framework's gauges
_QUEUE_TARGET = 4.0  # GKE best practices: start at 3 to 5 per replica, and raise
_RUNNING_SHARE, _KV_SHARE = 0.7, 0.9
# An HPA does nothing while a reading is within a tenth of its target (Kubernetes' default tolerance), so that a gauge
# which cannot rise higher than that is never followed.
_TOLERANCE = 0.1


@dataclass(frozen=True)
class Signal:
    """One gauge and its target per replica.

    Attributes:
        name: `queue`, `running`, `kv-cache`, or `requests` for what KEDA's HTTP add-on counts before the endpoint.
        metric: the engine's own name of it; empty for `requests`.
        target: mean over the replicas that is aimed at; of `kv-cache` a share.
        role: `follow`; `guard` for what must not be missed beside it; `hold` for one that cannot rise over its target
            and so only keeps replicas that are in use.
        reason: of the target.
    """

    name: str
    metric: str
    target: float
    role: str
    reason: str


def signals(request: Request, *, most_running: int, fit: int) -> tuple[Signal, ...]:
    """Gauges of one endpoint whose number of replicas is not fixed.

    Args:
        request: what was asked.
        most_running: requests that one replica works on at once, at most.
        fit: full requests that fit one replica at the planned context.

    Raises:
        RefusedError: a gauge that the framework has not, a target that is never reached, or running requests where the
            file does not say how many there shall be.
    """
    if request.spec.replicas.min == 0:
        return (_requests(request, fit),)
    return _of_engine(request, most_running=most_running, fit=fit)


def check_zero(request: Request) -> None:
    """Refuse zero replicas where nothing holds the requests that come meanwhile.

    Raises:
        RefusedError: no HTTP add-on of KEDA, or a gauge that no engine tells then.
    """
    platform, field = request.platform, ("replicas", "min")
    if platform.autoscaler != "keda" or not platform.httpAddOn:
        raise RefusedError(
            field,
            "at 0 replicas every request is lost: a Service holds none, and the engine's metrics are gone with it. "
            "Write min: 1, on spot or flex-start capacity where that is cheaper; or httpAddOn: true beside autoscaler: "
            "keda in the Platform, where KEDA and its HTTP add-on are installed.",
        )
    if request.spec.expose.gateway is not None:
        raise RefusedError(
            field,
            "a gateway leads past KEDA's interceptor, to a Service that holds no request. Write min: 1, or leave "
            "expose.gateway out.",
        )
    asked = request.spec.scaling
    if asked and "metric" in asked.model_fields_set and asked.metric != RUNNING:
        raise RefusedError(
            ("scaling", "metric"),
            f"at 0 replicas no engine tells its {asked.metric}; KEDA counts the requests before it. Write running.",
        )


def _of_engine(request: Request, *, most_running: int, fit: int) -> tuple[Signal, ...]:
    spec, name = request.spec, request.framework.display_name
    gauges = dict(zip(_ORDER, request.framework.metrics, strict=False))
    asked = spec.scaling
    followed: str = asked.metric if asked else QUEUE
    if not gauges:
        raise RefusedError(("replicas", "max"), f"{name} has no metrics to follow; leave max out, or use vllm.")
    if followed not in gauges:
        raise RefusedError(("scaling", "metric"), f"{name} has no {followed} gauge; write {' or '.join(gauges)}.")
    target = asked.target if asked else None
    found = [_followed(request, followed, gauges[followed], target, most_running=most_running, fit=fit)]
    if followed != QUEUE:
        why = "requests that wait are more than the replicas can do, whatever the other gauge says"
        found.append(Signal(QUEUE, gauges[QUEUE], _QUEUE_TARGET, "guard", why))
    if followed != KV_CACHE and KV_CACHE in gauges:
        why = "long requests fill the cache before a queue forms; above it the engine stops and resumes requests"
        found.append(Signal(KV_CACHE, gauges[KV_CACHE], _KV_SHARE, "guard", why))
    if followed != RUNNING and RUNNING in gauges:
        why = f"a replica runs {most_running} at most: as many replicas stay as running requests fill"
        found.append(Signal(RUNNING, gauges[RUNNING], float(most_running), "hold", why))
    return tuple(found)


def _followed(request: Request, name: str, metric: str, target: float | None, *, most_running: int, fit: int) -> Signal:
    if target is not None:
        highest = most_running / (1 + _TOLERANCE)
        if name == RUNNING and target >= highest:
            raise RefusedError(
                ("scaling", "target"),
                f"a replica runs {most_running} requests at most, and a reading within a tenth of the target changes "
                f"nothing; write less than {highest:.4g}.",
            )
        return Signal(name, metric, target, "follow", "said in the stack file")
    if name == QUEUE:
        why = "waiting requests per replica: throughput first; start at 3 to 5 and raise (GKE best practices)"
        return Signal(name, metric, _QUEUE_TARGET, "follow", why)
    if name == KV_CACHE:
        return Signal(name, metric, _KV_SHARE, "follow", "above it the engine stops and resumes requests")
    return Signal(name, metric, *_of_concurrency(request, fit))


def _requests(request: Request, fit: int) -> Signal:
    """What the HTTP add-on counts: requests that are held or under way, a whole number per replica."""
    target = request.spec.scaling.target if request.spec.scaling else None
    if target is not None:
        return Signal(REQUESTS, "", float(math.ceil(target)), "follow", "said in the stack file")
    share, _, why = _of_concurrency(request, fit)
    return Signal(REQUESTS, "", float(max(1, math.floor(share))), "follow", why)


def _of_concurrency(request: Request, fit: int) -> tuple[float, str, str]:
    """Target, role and reason where running requests are followed.

    Raises:
        RefusedError: the file says no concurrency, and one request per replica would start one for each caller.
    """
    concurrency = request.spec.concurrency
    if concurrency is None:
        raise RefusedError(
            ("concurrency",),
            "running requests are followed, and the file does not say how many a replica shall run. Write concurrency "
            f"(up to {fit} full requests fit), or scaling.target.",
        )
    why = f"{_RUNNING_SHARE:g} of the planned concurrency of {concurrency}: room until the next replica is there"
    return round(concurrency * _RUNNING_SHARE, 2), "follow", why
