"""Whether a cluster has the nodes that its platform file declares."""

from __future__ import annotations

from collections.abc import Sequence

from infra.catalog.records import Catalog
from infra.cluster.carries import GPU, fault
from infra.cluster.listing import GIB
from infra.cluster.room import Node
from infra.plan.own_nodes import selector
from infra.plan.refusal import RefusedError
from infra.spec import NodeGroup


def missing(groups: Sequence[NodeGroup], nodes: Sequence[Node], catalog: Catalog) -> list[str]:
    """A line for every declared group of which there are fewer nodes, or smaller ones.

    A node counts for one group alone, for the first that it is large enough for.
    """
    left, lines = list(nodes), []
    for index, group in enumerate(groups):
        try:
            wanted = dict(selector(catalog.node_labels, group))
        except RefusedError as refused:
            lines.append(f"  kubernetes.nodes[{index}]: {refused.message}")
            continue
        alike = [node for node in left if wanted.items() <= node.labels.items()]
        faults = {node.name: fault(node, catalog.node_labels) for node in alike} if group.count else {}
        whole = [node for node in alike if not faults.get(node.name)]
        large = [node for node in whole if _is_large(node, group)][: group.machines]
        left = [node for node in left if node not in large]
        if len(large) < group.machines:
            pairs = ", ".join("=".join(pair) for pair in sorted(wanted.items()))
            lines.append(
                f"  kubernetes.nodes[{index}]: {group.machines} x {group.accelerator} declared; {len(alike)} nodes "
                f"have {pairs}, {len(large)} of them are as large as declared and not counted yet."
            )
            lines += [f"    {name}: {why}" for name, why in faults.items() if why]
    return lines


def _is_large(node: Node, group: NodeGroup) -> bool:
    capacity = node.capacity
    return (
        node.allocatable.get(GPU, 0) >= (group.count or 0)
        and capacity.get("cpu", 0) >= group.vcpus * 1000
        and capacity.get("memory", 0) >= group.memoryGiB * GIB
    )
