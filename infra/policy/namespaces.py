"""Namespaces are closed and restricted, and a budget lets nodes drain."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from infra.policy.scaling import bounds, scalers_of
from infra.policy.subject import Object, Rule, Subject, Violation, name_of, namespace_of, violation, whole

_ENFORCE = "pod-security.kubernetes.io/enforce"


def _restricted(subject: Subject) -> Iterator[Violation]:
    for namespace in subject.of_kind("Namespace"):
        labels = (namespace.get("metadata") or {}).get("labels") or {}
        if labels.get(_ENFORCE) != "restricted":
            yield violation(namespace, f"metadata.labels[{_ENFORCE}]", "must be restricted")


def _closed(subject: Subject) -> Iterator[Violation]:
    policies = list(subject.of_kind("NetworkPolicy"))
    for namespace in subject.of_kind("Namespace"):
        own = [one.get("spec") or {} for one in policies if namespace_of(one) == name_of(namespace)]
        shut = {kind for spec in own if not _selects(spec) for kind in spec.get("policyTypes") or []}
        missing = sorted({"Ingress", "Egress"} - shut)
        if missing:
            what = " and ".join(missing)
            yield violation(namespace, "metadata.name", f"needs a NetworkPolicy over all pods for {what}")
    for policy in policies:
        for way, peers in (("ingress", "from"), ("egress", "to")):
            for index, entry in enumerate((policy.get("spec") or {}).get(way) or []):
                if not entry.get(peers):
                    yield violation(
                        policy, f"spec.{way}[{index}].{peers}", "must name peers; left out it means everyone"
                    )


def _selects(spec: Object) -> bool:
    """Whether a policy is for some pods only."""
    selector = spec.get("podSelector") or {}
    return bool(selector.get("matchLabels") or selector.get("matchExpressions"))


def _drainable(subject: Subject) -> Iterator[Violation]:
    for budget in subject.of_kind("PodDisruptionBudget"):
        spec = budget.get("spec") or {}
        if spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield violation(budget, "spec.unhealthyPodEvictionPolicy", "must be AlwaysAllow")
        replicas = _fewest(subject, budget)
        for field in ("minAvailable", "maxUnavailable"):
            if field in spec:
                kept = _share(spec[field], replicas)
                free = replicas - kept if field == "minAvailable" else kept
                if free < 1:
                    yield violation(budget, f"spec.{field}", f"blocks every drain at {replicas} replicas")


def _share(value: Any, replicas: int) -> int:
    """A number of pods, or a percentage, which Kubernetes rounds up."""
    if isinstance(value, str) and value.endswith("%"):
        return math.ceil(replicas * whole(value[:-1]) / 100)
    return whole(value)


def _fewest(subject: Subject, budget: Object) -> int:
    """Fewest replicas of what a budget selects: those of the workload, or of what scales it."""
    wanted = ((budget.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    numbers = []
    for pod in subject.pods:
        labels = pod.metadata.get("labels") or {}
        if namespace_of(pod.owner) == namespace_of(budget) and wanted.items() <= labels.items():
            numbers.append(_replicas(subject, pod.owner))
    return min(numbers, default=1)


def _replicas(subject: Subject, workload: Object) -> int:
    for scaler in scalers_of(subject, workload):
        return max(bounds(scaler)[0], 1)
    return max(whole((workload.get("spec") or {}).get("replicas", 1)), 1)


RULES = (
    Rule(
        "namespace-restricted",
        "Every namespace that is made enforces Pod Security `restricted`.",
        "critical",
        False,
        _restricted,
    ),
    Rule(
        "namespace-closed",
        "Every namespace that is made has a NetworkPolicy over all its pods, in and out, and no entry is for everyone.",
        "critical",
        True,
        _closed,
    ),
    Rule(
        "drain-possible",
        "A PodDisruptionBudget lets a node drain at the fewest replicas, and never waits for a pod that is not ready.",
        "high",
        True,
        _drainable,
    ),
)
