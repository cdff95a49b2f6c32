"""A node group: what the autoscaler sees of a node pool in one zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.google import class_backoff, pool_inputs
from simulator.google.fitting import Room, room_on
from simulator.google.instance_group import group_url
from simulator.google.machine_types import Compute, MachineType
from simulator.google.node import node_object


@dataclass(frozen=True)
class NodeGroup:
    """One pool in one zone, with the pool's limits."""

    compute: Compute
    project: str
    cluster: str
    pool: str
    zone: str
    inputs: dict[str, Any]
    nodes: int
    """Nodes of this zone, including those on their way."""
    pool_nodes: int
    """Nodes of the whole pool, including those on their way."""
    least: int
    most: int
    zone_most: int | None
    rule: tuple[str, str] | None = None
    """Class and rule for which it would grow."""
    wait_seconds: float | None = None
    """How long its nodes may wait for capacity; None for the default of Flex-start."""
    is_new: bool = False
    """Whether the pool is still to be made."""
    is_automatic: bool = False
    """Whether GKE made the pool, or would make it, by itself."""

    @property
    def key(self) -> tuple[str, str]:
        """Pool and zone."""
        return self.pool, self.zone

    @property
    def url(self) -> str:
        """The instance group's URL, by which events name it."""
        return group_url(self.project, self.cluster, self.pool, self.zone)

    @property
    def max_nodes(self) -> int:
        """Most nodes of this group, as events print it."""
        return self.most if self.zone_most is None else self.zone_most

    @property
    def room_to_grow(self) -> int:
        """How many nodes may be added."""
        left = self.most - self.pool_nodes
        return max(0, left if self.zone_most is None else min(left, self.zone_most - self.nodes))

    @property
    def machine_type(self) -> MachineType:
        """The pool's machine type."""
        return pool_inputs.machine_type(self.compute, self.inputs)

    @property
    def gpus(self) -> int:
        """GPUs of one node."""
        return pool_inputs.accelerator(self.inputs)[1]

    @property
    def buying(self) -> str:
        """How its nodes are bought, as resource-based back-off tells them apart."""
        if self.is_queued:
            return class_backoff.FLEX
        config = pool_inputs.node_config(self.inputs)
        return class_backoff.SPOT if config.get("spot") or config.get("preemptible") else class_backoff.ON_DEMAND

    @property
    def prefers_any_zone(self) -> bool:
        """Whether the location policy is ANY: zones with capacity first, no balancing.

        Without a policy Spot pools take ANY and others BALANCED (Terraform and GKE docs, location policy). A pool of a
        specific reservation goes where that is.
        """
        if pool_inputs.specific_reservation(self.inputs):
            return True
        config = pool_inputs.node_config(self.inputs)
        policy = (self.inputs.get("autoscaling") or {}).get("locationPolicy")
        return bool(policy == "ANY" or (not policy and (config.get("spot") or config.get("flexStart"))))

    @property
    def is_queued(self) -> bool:
        """Whether its nodes may wait for capacity: Flex-start."""
        return bool(pool_inputs.node_config(self.inputs).get("flexStart"))

    def template(self, name: str = "template") -> Room:
        """The room on a new, empty node."""
        return room_on(node_object(self.compute, self.project, self.pool, self.inputs, self.zone, name))


def node_groups(
    compute: Compute, cluster_id: str, cluster: dict[str, Any], coming: list[tuple[str, str]]
) -> list[NodeGroup]:
    """Groups of all autoscaled pools.

    Args:
        compute: The machine types.
        cluster_id: The cluster's full name.
        cluster: Its record.
        coming: Pool and zone of each node on its way.
    """
    _, project, _, location, _, name = cluster_id.split("/")
    groups = []
    for pool, record in sorted(cluster["nodePools"].items()):
        inputs = record["inputs"]
        zones = pool_inputs.zones(compute, location, cluster["inputs"], inputs)
        limits = pool_inputs.autoscaling_limits(inputs, len(zones))
        if limits is None or record["status"] in ("PROVISIONING", "STOPPING", "ERROR"):
            continue
        if pool_inputs.is_queued(inputs):  # grows for a ProvisioningRequest alone
            continue
        total = len(record["nodes"]) + sum(one == pool for one, _ in coming)
        for zone in zones:
            here = sum(node["zone"] == zone for node in record["nodes"].values()) + coming.count((pool, zone))
            made = bool(record.get("autoprovisioned"))
            group = NodeGroup(compute, project, name, pool, zone, inputs, here, total, *limits, is_automatic=made)
            groups.append(group)
    return groups
