"""Whether a pod would fit on a node, for the reasons that kube-scheduler checks and in its words.

Checked, in the scheduler's order: cordon, taints, node selector and required node affinity, resources. Not
checked: affinity between pods, topology spread, host ports and volumes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.google.quantity import milli

Object = dict[str, Any]
UNSCHEDULABLE = "node(s) were unschedulable"
TAINTED = "node(s) had untolerated taint(s)"
NOT_SELECTED = "node(s) didn't match Pod's node affinity/selector"
TOO_MANY_PODS = "Too many pods"
_HARD_EFFECTS = ("NoSchedule", "NoExecute")


@dataclass
class Room:
    """A node, or one that could be made, with what is still free on it (in thousandths)."""

    name: str
    labels: Mapping[str, str]
    taints: list[dict[str, str]]
    free: dict[str, int]
    unschedulable: bool = False
    pods: list[Object] = field(default_factory=list)

    def take(self, pod: Object) -> None:
        """Count a pod against the free resources."""
        for key, amount in requests_of(pod).items():
            self.free[key] = self.free.get(key, 0) - amount
        self.pods.append(pod)


def room_on(node: Object, pods: Iterable[Object] = ()) -> Room:
    """The room on a node next to the pods that run there."""
    spec = node.get("spec") or {}
    room = Room(
        name=node["metadata"]["name"],
        labels={**node["metadata"].get("labels", {}), "metadata.name": node["metadata"]["name"]},
        taints=list(spec.get("taints") or []),
        free={key: milli(value) for key, value in (node.get("status", {}).get("allocatable") or {}).items()},
        unschedulable=bool(spec.get("unschedulable")),
    )
    for pod in pods:
        room.take(pod)
    return room


def requests_of(pod: Object) -> dict[str, int]:
    """What a pod asks for, in thousandths: containers and sidecars, or a bigger init container; overhead."""

    def of(container: Object) -> dict[str, int]:
        resources = container.get("resources") or {}
        given = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
        return {key: milli(value) for key, value in given.items()}

    def add(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
        return {key: left.get(key, 0) + right.get(key, 0) for key in left | right}

    spec = pod["spec"]
    total: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in spec.get("initContainers") or []:
        if container.get("restartPolicy") == "Always":
            total = add(total, of(container))
            needed = total
        else:
            needed = add(total, of(container))
        peak = {key: max(peak.get(key, 0), needed.get(key, 0)) for key in peak | needed}
    for container in spec.get("containers") or []:
        total = add(total, of(container))
    total = {key: max(total.get(key, 0), peak.get(key, 0)) for key in total | peak}
    total = add(total, {key: milli(value) for key, value in (spec.get("overhead") or {}).items()})
    return add(total, {"pods": 1000})


def reasons_against(pod: Object, room: Room) -> list[str]:
    """Why a pod would not fit, as the scheduler says it; empty if it would."""
    if room.unschedulable:
        return [UNSCHEDULABLE]
    if not tolerates(pod, room.taints):
        return [TAINTED]
    if not _selects(pod, room.labels):
        return [NOT_SELECTED]
    return [
        TOO_MANY_PODS if key == "pods" else f"Insufficient {key}"
        for key, amount in sorted(requests_of(pod).items())
        if amount > 0 and amount > room.free.get(key, 0)
    ]


def tolerates(pod: Object, taints: list[dict[str, str]]) -> bool:
    """Whether a pod tolerates every taint that would keep it off a node."""
    tolerations = pod["spec"].get("tolerations") or []
    return all(
        any(_tolerated(toleration, taint) for toleration in tolerations)
        for taint in taints
        if taint.get("effect") in _HARD_EFFECTS
    )


def _tolerated(toleration: Object, taint: dict[str, str]) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return not toleration.get("key") or toleration["key"] == taint["key"]
    return bool(toleration.get("key") == taint["key"] and (toleration.get("value") or "") == (taint.get("value") or ""))


def _selects(pod: Object, labels: Mapping[str, str]) -> bool:
    selector = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    affinity = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if not affinity:
        return True
    return any(_term_matches(term, labels) for term in affinity.get("nodeSelectorTerms") or [])


def _term_matches(term: Object, labels: Mapping[str, str]) -> bool:
    expressions = list(term.get("matchExpressions") or [])
    expressions += list(term.get("matchFields") or [])
    return bool(expressions) and all(_expression_matches(expression, labels) for expression in expressions)


def _expression_matches(expression: Object, labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    values = expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and value.isdigit() and int(value) > int(values[0])
        case "Lt":
            return value is not None and value.isdigit() and int(value) < int(values[0])
    return False
