"""What an autoscaler scales: it is there, has no second master, and its bounds fit the node pool."""

from __future__ import annotations

from collections.abc import Iterator

from infra.policy.subject import Object, Rule, Subject, Violation, name_of, namespace_of, violation, whole

_SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
_WORKLOADS = ("Deployment", "StatefulSet", "LeaderWorkerSet")


def bounds(scaler: Object) -> tuple[int, int]:
    """Fewest and most replicas of an autoscaler, with the defaults of Kubernetes (1, none) and KEDA (0, 100)."""
    spec = scaler.get("spec") or {}
    if scaler.get("kind") == "ScaledObject":
        return whole(spec.get("minReplicaCount", 0)), whole(spec.get("maxReplicaCount", 100))
    return whole(spec.get("minReplicas", 1)), whole(spec.get("maxReplicas"))


def scalers_of(subject: Subject, workload: Object) -> list[Object]:
    """Autoscalers that name a workload."""
    return [one for one in subject.of_kind(*_SCALERS) if _scales(one, workload)]


def _scales(scaler: Object, workload: Object) -> bool:
    target = (scaler.get("spec") or {}).get("scaleTargetRef") or {}
    same_place = namespace_of(scaler) == namespace_of(workload)
    return bool(
        same_place
        and target.get("name") == name_of(workload)
        and target.get("kind", "Deployment") == workload.get("kind")
    )


def _one_master(subject: Subject) -> Iterator[Violation]:
    workloads = list(subject.of_kind(*_WORKLOADS))
    for scaler in subject.of_kind(*_SCALERS):
        fewest, most = bounds(scaler)
        if not 0 <= fewest <= most or most < 1:
            yield violation(scaler, "spec", f"has bounds {fewest} to {most}; the fewest must not be above the most")
        if not any(_scales(scaler, one) for one in workloads):
            yield violation(scaler, "spec.scaleTargetRef", "names no workload that is there")
    for workload in workloads:
        scalers = scalers_of(subject, workload)
        if scalers and (workload.get("spec") or {}).get("replicas") is not None:
            yield violation(
                workload, "spec.replicas", "must be left out: the autoscaler sets it, and each takes it back"
            )
        if not scalers and subject.plan is not None and subject.plan.scaling is not None:
            yield violation(workload, "metadata.name", "has no autoscaler; the plan scales it")
        for second in scalers[1:]:
            yield violation(second, "spec.scaleTargetRef", "scales what another autoscaler scales")


RULES = (
    Rule(
        "scaled-by-one",
        "What an autoscaler scales is there and has no fixed number of replicas and no second autoscaler, and its "
        "bounds are in order; what the plan scales has one.",
        "high",
        True,
        _one_master,
    ),
)
