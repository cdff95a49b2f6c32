"""What pods take of nodes, and how many alike pods a node has room for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.cluster.quantity import Amounts, amounts

Object = dict[str, Any]
_ENDED = {"Succeeded", "Failed"}


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        taints: those that keep pods off, as key, value and effect.
        allocatable: what all pods together may ask of it.
    """

    name: str
    labels: Mapping[str, str]
    taints: tuple[tuple[str, str, str], ...]
    ready: bool
    cordoned: bool
    capacity: Amounts
    allocatable: Amounts


def node_of(one: Object) -> Node:
    """A node as the API gives it."""
    spec, status, metadata = one.get("spec") or {}, one.get("status") or {}, one["metadata"]
    ready = any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in status.get("conditions") or []
    )
    return Node(
        name=metadata["name"],
        labels=metadata.get("labels") or {},
        taints=tuple(
            (taint.get("key", ""), taint.get("value") or "", taint.get("effect", ""))
            for taint in spec.get("taints") or []
            if taint.get("effect") in {"NoSchedule", "NoExecute"}
        ),
        ready=ready,
        cordoned=bool(spec.get("unschedulable")),
        capacity=amounts(status.get("capacity")),
        allocatable=amounts(status.get("allocatable")),
    )


def requests_of(pod_spec: Object) -> Amounts:
    """What the scheduler reserves for a pod.

    All containers and sidecars together, or the most that is running while an init container does, and the overhead
    (Kubernetes documentation, "Sidecar containers", resource sharing within containers).
    """
    lasting: Amounts = {}
    starting: Amounts = {}
    for one in pod_spec.get("initContainers") or []:
        asked = _asked(one)
        if one.get("restartPolicy") == "Always":
            lasting = _sum(lasting, asked)
            starting = _most(starting, lasting)
        else:
            starting = _most(starting, _sum(lasting, asked))
    for one in pod_spec.get("containers") or []:
        lasting = _sum(lasting, _asked(one))
    return _sum(_most(starting, lasting), amounts(pod_spec.get("overhead")) | {"pods": 1})


def _asked(container: Object) -> Amounts:
    resources = container.get("resources") or {}
    return amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def _sum(one: Amounts, other: Amounts) -> Amounts:
    return {name: one.get(name, 0) + other.get(name, 0) for name in one.keys() | other.keys()}


def _most(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in one.keys() | other.keys()}


def free(node: Node, pods: Iterable[Object]) -> Amounts:
    """What no pod that runs or is about to has asked of the node; negative where more was asked than there is."""
    left = dict(node.allocatable)
    for pod in pods:
        if pod["spec"].get("nodeName") == node.name and (pod.get("status") or {}).get("phase") not in _ENDED:
            for name, number in requests_of(pod["spec"]).items():
                left[name] = left.get(name, 0) - number
    return left


def slots(room: Amounts, request: Amounts) -> int:
    """How many pods with this request fit at once."""
    return max(0, min((room.get(name, 0) // number for name, number in request.items() if number > 0), default=0))


def tolerated(taint: tuple[str, str, str], tolerations: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a pod with these tolerations may be put on a node with this taint."""
    key, value, effect = taint
    return any(
        one.get("effect") in (None, "", effect)
        and one.get("key") in (None, "", key)
        and (one.get("operator") == "Exists" or (one.get("key") == key and (one.get("value") or "") == value))
        for one in tolerations
    )
