"""Which accelerator a node carries, by its labels, and what is wrong with it."""

from __future__ import annotations

from infra.catalog.node_labels import LabelFamily, NodeLabels
from infra.cluster.room import Node

GPU = "nvidia.com/gpu"
_NAMING = ("nvidia", "gke", "eks-auto", "karpenter")  # the board's own name first


def carried(node: Node, labels: NodeLabels) -> tuple[LabelFamily, str] | None:
    """The family whose label names the accelerator, and its id; None where no label names one that is known."""
    found = _named(node, labels)
    return found[0] if found else None


def _named(node: Node, labels: NodeLabels) -> list[tuple[LabelFamily, str]]:
    return [
        (family, name)
        for family in (labels.families[one] for one in _NAMING)
        for name, values in family.values.items()
        if family.key is not None and node.labels.get(family.key) in values
    ]


def unknown_name(node: Node, labels: NodeLabels) -> str:
    """`label=value` that names a GPU of which nothing is known; "" where there is none."""
    keys = [labels.families[one].key for one in _NAMING]
    known = carried(node, labels)
    return "" if known else next((f"{key}={node.labels[key]}" for key in keys if key and key in node.labels), "")


def fault(node: Node, labels: NodeLabels, resource: str = GPU) -> str:
    """Why the node has no whole accelerators for pods; "" where it has."""
    names = sorted({name for _, name in _named(node, labels)})
    if len(names) > 1:
        return f"its labels disagree: {' and '.join(names)}"
    parts = in_parts(node, labels)
    if parts:
        return parts
    if not node.allocatable.get(resource):
        return f"no allocatable {resource}: the device plugin does not run there, or its driver is missing"
    return ""


def in_parts(node: Node, labels: NodeLabels) -> str:
    """How the node's GPUs are split or shared; "" where they are whole."""
    product = node.labels.get(labels.product_key, "")
    slices = sorted(name for name, number in node.allocatable.items() if name.startswith("nvidia.com/mig-") and number)
    if slices or "-MIG-" in product:
        return f"its GPUs are split by MIG ({', '.join(slices) or product})"
    if product.endswith("-SHARED") or node.allocatable.get(f"{GPU}.shared"):
        return "its GPUs are shared by the device plugin"
    for mark in labels.shared:
        if mark.key in node.labels and node.labels[mark.key] not in mark.plain and _is_split(node, mark.key):
            return f"its GPUs are {mark.meaning} ({mark.key}={node.labels[mark.key]})"
    return ""


def _is_split(node: Node, key: str) -> bool:
    """MIG's `mixed` strategy alone splits nothing: GPUs without MIG stay whole under it."""
    return key != "nvidia.com/mig.strategy" or (
        node.labels[key] == "single" and "nvidia.com/gpu.slices.gi" in node.labels
    )
