"""Nodes of a cluster that is there: which shares of them a replica may have, and how many replicas they hold."""

from __future__ import annotations

from dataclasses import dataclass

from infra.catalog.node_labels import NodeLabels
from infra.catalog.records import Accelerator, Catalog, Machine
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.spec import Kubernetes, NodeGroup

Pairs = tuple[tuple[str, str], ...]
GPU_TAINT = "nvidia.com/gpu"
LEAST_VCPUS = 3  # of which a pod asks for at least one, and its sidecars and the system for the rest


@dataclass(frozen=True)
class NodeShare(Machine):
    """What one pod gets of a node: its accelerators, and as much of the rest as others with as many would get.

    Attributes:
        pods_per_node: as many such pods as the node's accelerators allow; one where it has none.
        nodes: of the group.
        selector: labels by which its nodes are found.
        taints: keys and values of taints that pods tolerate; an empty value stands for every one.
        runtime_writes: whether the container runtime may write into the root of containers with GPUs.
    """

    pods_per_node: int = 1
    nodes: int = 1
    selector: Pairs = ()
    taints: Pairs = ()
    runtime_writes: bool = False

    @property
    def slots(self) -> int:
        """Pods that all nodes of the group hold together."""
        return self.pods_per_node * self.nodes


def shares(request: Request, cluster: Kubernetes) -> list[tuple[NodeShare, int]]:
    """Every share of a declared node that a replica may have, with its number of accelerators.

    Raises:
        RefusedError: no node with that accelerator or that many is declared, or the stack asks for what is bought.
    """
    spec, accelerator = request.spec, request.accelerator
    if spec.capacity is not None:
        raise RefusedError(
            ("capacity",), f"the nodes of platform {spec.platform} are there, and none is bought; leave it out."
        )
    if spec.weights.source == "gcs":
        raise RefusedError(
            ("weights", "source"),
            "a bucket is read through Workload Identity, which is GKE's; write source: hugging-face or pvc.",
        )
    groups = [one for one in cluster.nodes if one.accelerator == accelerator.id]
    if not groups:
        raise RefusedError(("accelerator",), _none_declared(spec.platform, cluster, accelerator))
    asked, most = spec.on.count, max(one.count or 1 for one in groups)
    if asked is not None and asked > most:
        larger = "a processor is not counted" if accelerator.kind == "cpu" else f"its nodes have {most} at most"
        raise RefusedError(
            ("accelerator", "count"), f"a replica runs on one node of platform {spec.platform}, and {larger}."
        )
    found = [
        (node_share(request.catalog, one, count, read_only_root=cluster.readOnlyRoot), count)
        for one in groups
        for count in range(1, (one.count or 1) + 1)
        if asked in {None, count}
    ]
    enough = [one for one in found if (one[0].vcpus or 0) >= LEAST_VCPUS]
    if not enough:
        least = max(one.vcpus or 0 for one, _ in found)
        raise RefusedError(
            ("accelerator",),
            f"a replica's share of a {found[-1][0].machine_type} is {least} vCPUs, and a pod beside the system's needs "
            f"{LEAST_VCPUS}.",
        )
    return enough


def node_share(catalog: Catalog, group: NodeGroup, count: int, *, read_only_root: bool = False) -> NodeShare:
    """The share of a node of the group that goes with `count` of its accelerators."""
    found = selector(catalog.node_labels, group)
    on_gke = catalog.node_labels.families["gke"].key in dict(found)
    on_node = group.count or 0
    pods = on_node // count if on_node else 1
    words = f"node of {on_node} x {group.accelerator}" if on_node else f"node of {group.vcpus} vCPUs"
    return NodeShare(
        machine_type=f"{group.instanceType} ({words})" if group.instanceType else words,
        accelerators=count if on_node else 0,
        vcpus=group.vcpus // pods,
        memory_gib=group.memoryGiB // pods,
        bundled_local_ssds=0,
        capacity=("own",),
        pods_per_node=pods,
        nodes=group.machines,
        selector=found,
        taints=taints(catalog.node_labels, group),
        runtime_writes=bool(on_node) and not on_gke and not read_only_root,
    )


def selector(labels: NodeLabels, group: NodeGroup) -> Pairs:
    """Labels that the nodes of a group have and others have not.

    Raises:
        RefusedError: the family has no label for that accelerator.
    """
    if isinstance(group.labels, dict):
        return tuple(sorted(group.labels.items()))
    family, named = labels.families[group.labels], group.accelerator
    if family.key is None:
        return tuple(sorted({**dict(family.always), labels.instance_type_key: str(group.instanceType)}.items()))
    if named not in family.values:
        raise RefusedError(
            ("platform",),
            f"no label of {family.display_name} for {named} is known; write labels as {{{family.key}: VALUE}} in its "
            "file.",
        )
    return tuple(sorted({**dict(family.always), family.key: family.values[named][0]}.items()))


def taints(labels: NodeLabels, group: NodeGroup) -> Pairs:
    """Taints of such nodes that pods tolerate."""
    if group.count is None:
        return ()
    beside = labels.families[group.labels].taints if isinstance(group.labels, str) else ()
    return ((GPU_TAINT, ""), *beside)


def crowded(request: Request, machine: Machine) -> str:
    """Why the nodes do not hold all replicas of this share, or ""."""
    if not isinstance(machine, NodeShare):
        return ""
    replicas = request.spec.replicas
    if replicas.machines <= machine.slots:
        return ""
    held = f"{machine.nodes} x {machine.machine_type} hold {machine.slots} replicas"
    of = f" of {machine.accelerators}" if machine.accelerators > 1 else ""
    spare = f" and {replicas.spare} spare for roll-outs" if replicas.spare else ""
    return f"{held}{of}, and the file asks for {replicas.most}{spare}. Write {machine.slots} or fewer, or add nodes."


def _none_declared(platform: str, cluster: Kubernetes, accelerator: Accelerator) -> str:
    found = sorted({one.accelerator for one in cluster.nodes})
    declared = f"no nodes with {accelerator.id}; it has {', '.join(found)}." if found else "no nodes."
    return f"platform {platform} declares {declared} `servestack nodes {platform}` prints those of the cluster."
