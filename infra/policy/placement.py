"""Pods, their node pool and the plan agree: accelerators, labels, taints, and machines enough for a roll-out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from infra.plan.node_pools import CLASS_KEY
from infra.policy.scaling import bounds, scalers_of
from infra.policy.subject import Object, Pod, Rule, Subject, Violation, name_of, violation, whole
from infra.policy.tpu import TPU_TAINT, is_tpu, tpu_chips, tpu_labels

_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute"}
# GKE puts it on every pool with GPUs (GKE documentation, how-to/gpus).
_GPU_TAINT = ("nvidia.com/gpu", "present", "NoSchedule")
# Labels of every node, which say nothing about the pool.
_EVERYWHERE = {"kubernetes.io/os": "linux", "kubernetes.io/arch": None}

_PRIORITIES = {"system-cluster-critical", "system-node-critical"}


def _accelerators(subject: Subject) -> Iterator[Violation]:
    plan, asking = subject.plan, [pod for pod in subject.pods if pod.accelerators]
    if plan is not None:
        wanted, used = plan.accelerator, plan.parallelism.tensor * plan.parallelism.pipeline * plan.parallelism.data
        if wanted.resource and used != wanted.count:
            yield Violation("Plan", plan.stack, "parallelism", f"uses {used} of {wanted.count} accelerators")
        if wanted.resource and subject.pods and not asking:
            yield subject.pods[0].violation("resources", f"no pod asks for {wanted.count} x {wanted.resource}")
        for owner in {id(pod.owner): pod.owner for pod in asking}.values():
            yield from _asked([pod for pod in asking if pod.owner is owner], wanted.resource, wanted.count)
    for on_node in sorted({_pool_accelerators(pool) for pool in subject.pools} - {0}):
        for pod in asking:
            total = sum(pod.accelerators.values())
            if total != on_node:
                yield pod.violation("resources", f"asks for {total} of the {on_node} accelerators of its node")


def _asked(pods: list[Pod], resource: str, count: int) -> Iterator[Violation]:
    total: dict[str, int] = {}
    for pod in pods:
        for name, number in pod.accelerators.items():
            total[name] = total.get(name, 0) + pod.per_replica * number
    for name, number in total.items():
        if name != resource:
            yield pods[0].violation("resources", f"asks for {name}; the plan has {resource or 'no accelerator'}")
        elif number != count:
            yield pods[0].violation("resources", f"a replica asks for {number} x {name}; the plan uses {count}")


def _pool_accelerators(pool: Object) -> int:
    node = pool.get("nodeConfig") or {}
    return sum(whole(one.get("count")) for one in node.get("guestAccelerators") or []) or tpu_chips(node)


def _on_its_pool(subject: Subject) -> Iterator[Violation]:
    if not subject.pools:
        yield from _on_declared_nodes(subject)
    for pool in subject.pools:
        yield from _on_pool(subject, pool)


def _on_pool(subject: Subject, pool: Object) -> Iterator[Violation]:
    labels, own, taints = _labels(pool), _own_labels(pool), _taints(pool)
    placed = [pod for pod in subject.pods if _is_for(pod, own)]
    if subject.pods and not placed and subject.plan and not subject.plan.accelerator.resource:
        yield subject.pods[0].violation("nodeSelector", "no pod selects the pool, which is the endpoint's own")
    for pod in placed:
        selector = pod.spec.get("nodeSelector") or {}
        for key, value in own.items():
            if key not in selector:
                yield pod.violation(f"nodeSelector[{key}]", f"must be {value}, as the pool's nodes have it")
        zones = [str(zone) for zone in pool.get("nodeLocations") or []]
        for key, value in selector.items():
            if key == "topology.kubernetes.io/zone":
                if zones and value not in zones:
                    yield pod.violation(f"nodeSelector[{key}]", f"is {value}; the pool is in {', '.join(zones)}")
            elif key in _EVERYWHERE:
                if _EVERYWHERE[key] not in (None, value):
                    yield pod.violation(f"nodeSelector[{key}]", f"must be {_EVERYWHERE[key]}")
            elif labels.get(key) != str(value):
                has = f"have {labels[key]}" if key in labels else "lack it"
                yield pod.violation(f"nodeSelector[{key}]", f"is {value}; the pool's nodes {has}")
        yield from _tolerated(pod, taints)


def _on_declared_nodes(subject: Subject) -> Iterator[Violation]:
    """Where no pool is made: pods select the nodes that the plan counts on, and tolerate no taint but those named."""
    labels = subject.plan.accelerator.node_labels if subject.plan else ()
    for pod in [pod for pod in subject.pods if labels and not pod.helps and _serves(subject, pod)]:
        selector = pod.spec.get("nodeSelector") or {}
        for key, value in labels:
            if selector.get(key) != value:
                yield pod.violation(f"nodeSelector[{key}]", f"must be {value}, as the platform's nodes have it")
        yield from _tolerated(pod, [])


def _serves(subject: Subject, pod: Pod) -> bool:
    return any(pod is one for one, _ in subject.serving)


def _is_for(pod: Pod, own: dict[str, str]) -> bool:
    """Whether a pod is one for the pool: it asks for accelerators, or selects by a label that the pool alone gives."""
    return bool(pod.accelerators or (pod.spec.get("nodeSelector") or {}).keys() & own.keys())


def _tolerated(pod: Pod, taints: list[tuple[str, str, str]]) -> Iterator[Violation]:
    tolerations = pod.spec.get("tolerations") or []
    for one in tolerations:
        if not one.get("key"):
            yield pod.violation("tolerations", "tolerates every taint; name the pool's")
    for key, value, effect in taints:
        if not any(_tolerates(one, key, value, effect) for one in tolerations):
            yield pod.violation(f"tolerations[{key}]", f"must tolerate the pool's {value}:{effect}")


def _tolerates(toleration: Object, key: str, value: str, effect: str) -> bool:
    if toleration.get("effect") not in (None, "", effect):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", key)
    return bool(toleration.get("key") == key and str(toleration.get("value") or "") == value)


def _own_labels(pool: Object) -> dict[str, str]:
    """Labels that this pool alone gives its nodes, or its class where it has one: GKE refuses others beside a class."""
    given = {str(key): str(value) for key, value in ((pool.get("nodeConfig") or {}).get("labels") or {}).items()}
    return {CLASS_KEY: given[CLASS_KEY]} if CLASS_KEY in given else given


def _labels(pool: Object) -> dict[str, str]:
    """Labels of the pool's nodes: its own, and those that GKE adds."""
    node = pool.get("nodeConfig") or {}
    labels = {
        "cloud.google.com/gke-nodepool": pool.get("name"),
        "node.kubernetes.io/instance-type": node.get("machineType"),
    }
    if node.get("guestAccelerators"):
        labels["cloud.google.com/gke-accelerator"] = node["guestAccelerators"][0].get("type")
        labels["cloud.google.com/gke-accelerator-count"] = str(_pool_accelerators(pool))
    if node.get("spot"):
        labels["cloud.google.com/gke-spot"] = "true"
    if node.get("flexStart"):
        labels["cloud.google.com/gke-flex-start"] = "true"
    labels |= tpu_labels(pool)
    return {key: str(value) for key, value in labels.items() if value} | {
        str(key): str(value) for key, value in (node.get("labels") or {}).items()
    }


def _taints(pool: Object) -> list[tuple[str, str, str]]:
    node = pool.get("nodeConfig") or {}
    taints = [
        (str(one.get("key")), str(one.get("value") or ""), _EFFECTS[one["effect"]])
        for one in node.get("taints") or []
        if one.get("effect") in _EFFECTS
    ]
    if node.get("guestAccelerators"):
        taints.append(_GPU_TAINT)
    elif is_tpu(node):
        taints.append(TPU_TAINT)
    return list(dict.fromkeys(taints))


def _roll_out(subject: Subject) -> Iterator[Violation]:
    for pool in subject.pools:
        machines = whole((pool.get("autoscaling") or {}).get("totalMaxNodeCount"))
        if machines:
            yield from _fits(subject, pool, machines)


def _fits(subject: Subject, pool: Object, machines: int) -> Iterator[Violation]:
    for pod in subject.pods:
        if pod.owner.get("kind") != "Deployment" or not _is_for(pod, _own_labels(pool)):
            continue
        spec = pod.owner["spec"]
        scalers = scalers_of(subject, pod.owner)
        replicas = bounds(scalers[0])[1] if scalers else whole(spec.get("replicas", 1))
        surge = _surge(spec.get("strategy") or {}, replicas)
        if replicas + surge > machines:
            field = "spec.strategy" if surge else "spec.replicas"
            yield pod.violation(field, f"needs {replicas + surge} machines in a roll-out; the pool has {machines}")


def _surge(strategy: Object, replicas: int) -> int:
    """Pods above `replicas` in a roll-out; Kubernetes' own default is 25 %, rounded up."""
    if strategy.get("type") == "Recreate":
        return 0
    surge: Any = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
    if isinstance(surge, str) and surge.endswith("%"):
        return math.ceil(replicas * whole(surge[:-1]) / 100)
    return whole(surge)


def _priority(subject: Subject) -> Iterator[Violation]:
    made = {name_of(one) for one in subject.of_kind("PriorityClass")} | _PRIORITIES
    for pod in subject.pods:
        name = pod.spec.get("priorityClassName")
        if name and name not in made:
            yield pod.violation("priorityClassName", f"is {name}, which nothing makes; such pods are refused")
    for one in subject.of_kind("PriorityClass"):
        if one.get("globalDefault"):
            yield violation(one, "globalDefault", "must be false: it would raise pods of others")


RULES = (
    Rule(
        "accelerators-used",
        "A replica asks for exactly the accelerators that the plan uses, and a pod for all of its node's.",
        "high",
        True,
        _accelerators,
    ),
    Rule(
        "on-its-pool",
        "A pod that asks for accelerators selects its own node pool or their class, whose nodes have what it selects, "
        "or the nodes that its platform declares, and tolerates their taints but not every taint.",
        "high",
        True,
        _on_its_pool,
    ),
    Rule(
        "roll-out-fits",
        "A roll-out needs no more machines than the node pool may have.",
        "high",
        True,
        _roll_out,
    ),
    Rule(
        "priority-made",
        "A pod's PriorityClass is made with it, or Kubernetes' own, and none that is made is for all pods.",
        "high",
        True,
        _priority,
    ),
)
