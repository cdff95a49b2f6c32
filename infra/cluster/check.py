"""Whether a cluster has what an endpoint needs, before anything is made on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.catalog.node_labels import NodeLabels
from infra.cluster.carries import GPU, carried, fault
from infra.cluster.quantity import Amounts, shown
from infra.cluster.room import Node, Object, free, requests_of, slots, tolerated

_MOST_LINES = 12


@dataclass(frozen=True)
class Demand:
    """What an endpoint's pods ask for.

    Attributes:
        accelerator: its id, and `resource` its name in Kubernetes; empty for processors.
        selector: labels that a node must have.
        request: of one replica's pod.
        replicas: the most at once, in a roll-out too.
        namespace: of the endpoint, whose own pods make room for new ones.
    """

    accelerator: str
    resource: str
    selector: Mapping[str, str]
    tolerations: Sequence[Mapping[str, Any]]
    request: Amounts
    replicas: int
    namespace: str


@dataclass(frozen=True)
class Verdict:
    """What keeps the replicas from ever running, and what keeps them waiting now; each a line."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def demand(pod_spec: Object, *, accelerator: str, resource: str, replicas: int, namespace: str) -> Demand:
    """What the pods of a template ask for."""
    return Demand(
        accelerator=accelerator,
        resource=resource,
        selector=pod_spec.get("nodeSelector") or {},
        tolerations=pod_spec.get("tolerations") or [],
        request=requests_of(pod_spec),
        replicas=replicas,
        namespace=namespace,
    )


def verdict(wanted: Demand, nodes: Sequence[Node], pods: Sequence[Object], labels: NodeLabels) -> Verdict:
    """Hold a demand against nodes and the pods that are on them."""
    selected = [node for node in nodes if wanted.selector.items() <= node.labels.items()]
    if not selected:
        return Verdict((_none_selected(wanted, nodes, labels),), ())
    reasons = {node.name: _unusable(wanted, node, labels) for node in selected}
    usable = [node for node in selected if not reasons[node.name]]
    held = {node.name: slots(node.allocatable, wanted.request) for node in usable}
    told = [f"  {name}: {why}" for name, why in reasons.items() if why]
    if sum(held.values()) < wanted.replicas:
        small = [f"  {node.name}: {_lacks(wanted, node.allocatable)}" for node in usable if not held[node.name]]
        head = (
            f"{len(selected)} nodes with {_pairs(wanted.selector)} hold {sum(held.values())} replicas of "
            f"{_asked(wanted)}; {wanted.replicas} are needed."
        )
        return Verdict(("\n".join([head, *_few([*told, *small])]),), ())
    others = [pod for pod in pods if pod["metadata"].get("namespace") != wanted.namespace]
    rooms = {node.name: free(node, others) for node in usable}
    now = {name: slots(room, wanted.request) for name, room in rooms.items()}
    if sum(now.values()) >= wanted.replicas:
        return Verdict((), ())
    busy = [
        f"  {node.name}: room for {now[node.name]} of {held[node.name]}; free {_free(wanted, rooms[node.name])}"
        for node in usable
    ]
    head = (
        f"there is room for {sum(now.values())} of {wanted.replicas} replicas of {_asked(wanted)} now; the others "
        "wait until pods of others leave:"
    )
    return Verdict((), ("\n".join([head, *_few([*busy, *told])]),))


def _unusable(wanted: Demand, node: Node, labels: NodeLabels) -> str:
    if not node.ready:
        return "not ready"
    if node.cordoned:
        return "cordoned"
    kept = [one for one in node.taints if not tolerated(one, wanted.tolerations)]
    if kept:
        key, value, effect = kept[0]
        return f"taint {key}={value}:{effect}, which the pods do not tolerate"
    if not wanted.resource:
        return ""
    found = carried(node, labels)
    if found and found[1] != wanted.accelerator:
        return f"carries {found[1]}, not {wanted.accelerator}"
    return fault(node, labels, wanted.resource)


def _none_selected(wanted: Demand, nodes: Sequence[Node], labels: NodeLabels) -> str:
    said = f"none of {len(nodes)} nodes has {_pairs(wanted.selector)}."
    found = [(node, carried(node, labels)) for node in nodes]
    here = [one for _, one in found if one and one[1] == wanted.accelerator]
    if here:
        names = " or ".join(sorted({family.name for family, _ in here}))
        return f"{said} Nodes with {wanted.accelerator} have labels of {names}; write labels: {names}."
    others = sorted({one[1] for _, one in found if one})
    if others:
        return f"{said} Its nodes carry {', '.join(others)}."
    gpus = sum(1 for node in nodes if node.allocatable.get(GPU))
    return f"{said} {gpus} of its nodes have GPUs, and no label names them."


def _asked(wanted: Demand) -> str:
    order = [*([wanted.resource] if wanted.resource else []), "cpu", "memory"]
    return " and ".join(shown(name, wanted.request[name]) for name in order if wanted.request.get(name))


def _free(wanted: Demand, room: Amounts) -> str:
    order = [*([wanted.resource] if wanted.resource else []), "cpu", "memory"]
    return ", ".join(shown(name, max(0, room.get(name, 0))) for name in order)


def _lacks(wanted: Demand, room: Amounts) -> str:
    short = [name for name, number in sorted(wanted.request.items()) if room.get(name, 0) < number]
    return ", ".join(f"{shown(name, room.get(name, 0))} of {shown(name, wanted.request[name])}" for name in short)


def _pairs(selector: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(selector.items()))


def _few(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_LINES
    return lines if more <= 0 else [*lines[:_MOST_LINES], f"  and {more} more nodes"]
