"""What a cluster has, in the form of `kubernetes.nodes`, and what is missing for its GPUs to be used."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from infra.catalog.node_labels import NodeLabels
from infra.cluster.carries import GPU, carried, fault, in_parts, unknown_name
from infra.cluster.room import Node, Object, free

GIB = 2**30
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
_MOST_NODES = 20


@dataclass(frozen=True)
class Group:
    """Nodes that are alike. `labels` is a family or pairs; `instance_type` where the family needs it."""

    accelerator: str
    count: int
    labels: str | tuple[tuple[str, str], ...]
    instance_type: str
    nodes: tuple[Node, ...]
    free: int

    @property
    def line(self) -> str:
        """The group as a platform file has it: of vCPUs and memory what every node has at least."""
        vcpus = min(node.capacity.get("cpu", 0) for node in self.nodes) // 1000
        memory = min(node.capacity.get("memory", 0) for node in self.nodes) // GIB
        labels = self.labels if isinstance(self.labels, str) else _mapping(self.labels)
        parts = [
            f"accelerator: {self.accelerator}",
            *([f"count: {self.count}"] if self.count else []),
            f"vcpus: {vcpus}",
            f"memoryGiB: {memory}",
            f"machines: {len(self.nodes)}",
            f"labels: {labels}",
            *([f"instanceType: {self.instance_type}"] if self.instance_type else []),
        ]
        return f"- {{{', '.join(parts)}}}"


def nodes_text(nodes: Sequence[Node], pods: Sequence[Object], labels: NodeLabels) -> str:
    """YAML to paste below `kubernetes:`; what is to know stands in comments."""
    told = [(node, _problem(node, labels)) for node in nodes]
    good = [node for node, problem in told if problem == ""]
    groups = _groups(good, pods, labels)
    lines = ["nodes:" if groups else "nodes: []"]
    for group in groups:
        named = group.accelerator != _UNNAMED
        busy = sum(1 for node in group.nodes if not node.ready or node.cordoned)
        note = f"{group.free} of {group.count * len(group.nodes)} GPUs are free now" if group.count else "no GPU"
        lines.append(f"  # {note}{f'; {busy} not ready or cordoned' if busy else ''}")
        if not named:
            lines.append("  # No label names this GPU: write the accelerator, and uncomment.")
        lines.append(f"  {'' if named else '# '}{group.line}")
    for node, problem in [(node, problem) for node, problem in told if problem][:_MOST_NODES]:
        lines.append(f"# left out: {node.name}: {problem}")
    left = sum(1 for _, problem in told if problem) - _MOST_NODES
    return "\n".join([*lines, *([f"# left out: {left} more nodes"] if left > 0 else [])]) + "\n"


_UNNAMED = "NAME"


def _problem(node: Node, labels: NodeLabels) -> str:
    """Why the node is left out; "" where it is told."""
    strange = unknown_name(node, labels)
    if strange:
        return in_parts(node, labels) or f"no accelerator of the catalogue is {strange}"
    said_gpu = carried(node, labels) or any(name.startswith(GPU.split("/")[0]) for name in node.allocatable)
    family = labels.families["aks"]
    if said_gpu or dict(family.always).items() <= node.labels.items():
        return fault(node, labels)
    return ""


def _groups(nodes: Sequence[Node], pods: Sequence[Object], labels: NodeLabels) -> list[Group]:
    alike: dict[tuple[str, int, str | tuple[tuple[str, str], ...], str], list[Node]] = {}
    for node in nodes:
        key = _key(node, labels)
        if key is not None:
            alike.setdefault(key, []).append(node)
    return [
        Group(*key, nodes=tuple(found), free=sum(max(0, free(node, pods).get(GPU, 0)) for node in found))
        for key, found in sorted(alike.items(), key=lambda one: (one[0][0] == "cpu", str(one[0])))
    ]


def _key(node: Node, labels: NodeLabels) -> tuple[str, int, str | tuple[tuple[str, str], ...], str] | None:
    """Accelerator, number of them, labels and machine type; None where the node cannot be told from others."""
    count, found = node.allocatable.get(GPU, 0), carried(node, labels)
    machine = node.labels.get(labels.instance_type_key, "")
    if found:
        family, name = found
        assert family.key is not None
        value = node.labels[family.key]
        return name, count, family.name if value == family.values[name][0] else ((family.key, value),), ""
    if count and machine:
        azure = dict(labels.families["aks"].always).items() <= node.labels.items()
        return _UNNAMED, count, "aks" if azure else "eks", machine
    if not count and machine:
        return "cpu", 0, ((labels.instance_type_key, machine),), ""
    return None


def _mapping(pairs: tuple[tuple[str, str], ...]) -> str:
    quoted = (f"{key}: {value if _PLAIN.fullmatch(value) else json.dumps(value)}" for key, value in pairs)
    return f"{{{', '.join(quoted)}}}"
