"""The node pools of one cluster: made, changed, read and deleted as through the GKE API."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Any

from simulator.google import pool_inputs, pool_rules
from simulator.google.errors import (
    OperationCancelledError,
    OperationTimeoutError,
    already_exists,
    insufficient_quota,
    not_found,
)
from simulator.google.faults import Faults
from simulator.google.instance_group import instance_name
from simulator.google.machine_types import Compute
from simulator.google.nodes import Nodes, timestamp
from simulator.google.operation import Operation
from simulator.google.pool_inputs import Inputs
from simulator.google.state import State
from simulator.google.timing import Timing

Record = dict[str, Any]
ERROR_STATE = "RUNNING_WITH_ERROR"
"""Status of a pool whose nodes could not all be made; the pool exists."""
_NEW_MACHINE = ("machineType", "diskType", "diskSizeGb", "imageType", "bootDisk", "gcfsConfig")
"""Fields of nodeConfig whose change replaces the pool's nodes; labels and taints are changed on them in place
(GKE docs, updating the labels and taints of existing node pools)."""


class NodePools:
    """Node pools of one cluster."""

    def __init__(self, state: State, compute: Compute, faults: Faults, nodes: Nodes) -> None:
        self._state = state
        self._compute = compute
        self._faults = faults
        self._nodes = nodes

    def full_name(self, name: str) -> str:
        """A pool's full name, which is also its id in Pulumi."""
        return f"{self._nodes.cluster_id}/nodePools/{name}"

    def get(self, name: str) -> Record | None:
        """A pool's record, or None."""
        return self.all().get(name)

    def all(self) -> dict[str, Record]:
        """All pools by name."""
        pools: dict[str, Record] = self._cluster()["nodePools"]
        return pools

    def zones(self, pool: Inputs) -> list[str]:
        """Zones of a pool with these inputs."""
        return pool_inputs.zones(self._compute, self._nodes.location, self._cluster()["inputs"], pool)

    def create(self, name: str, pool: Inputs, operation: Operation) -> Record:
        """Make a pool and its first nodes.

        A pool that cannot get its nodes is kept, with status RUNNING_WITH_ERROR and GKE's message, as on GKE.

        Raises:
            GoogleApiError: The pool exists, breaks a rule, or its first nodes go over a quota.
            OperationTimeoutError: It took longer than allowed.
        """
        timing = Timing.current(self._state.read())
        pool_rules.check_pool(self._compute, self._nodes.location, self._cluster()["inputs"], name, pool)
        zones = self.zones(pool)
        self._check_quota(pool, zones)
        self._faults.reservations.check(name, pool, zones, pool_inputs.first_nodes_per_zone(pool))
        with self._state.change() as data:
            pools = data["clusters"][self._nodes.cluster_id]["nodePools"]
            if name in pools:
                raise already_exists(self.full_name(name))
            pools[name] = {
                "inputs": pool,
                "status": "PROVISIONING",
                "message": "",
                "createdAt": timestamp(),
                "nodes": {},
            }
        wanted = list(itertools.chain(*[zones] * pool_inputs.first_nodes_per_zone(pool)))
        try:
            operation.wait(timing.operation_seconds)
            message, missing = self._add(name, pool, wanted, operation)
        except (OperationTimeoutError, OperationCancelledError):
            self._go_on_alone(name, wanted)
            raise
        return self._settle(name, message, missing)

    def update(self, name: str, pool: Inputs, operation: Operation) -> Record:
        """Change a pool in place; a new machine or template replaces its nodes one by one.

        Raises:
            GoogleApiError: The pool does not exist, or the new inputs break a rule.
        """
        record = self.get(name)
        if record is None:
            raise not_found(self.full_name(name))
        pool_rules.check_pool(self._compute, self._nodes.location, self._cluster()["inputs"], name, pool)
        operation.wait(Timing.current(self._state.read()).operation_seconds)
        old = record["inputs"]
        self._set(name, inputs=pool, status="RECONCILING", missing=[])
        before, after = pool_inputs.node_config(old), pool_inputs.node_config(pool)
        if any(before.get(key) != after.get(key) for key in _NEW_MACHINE):
            for node, instance in record["nodes"].items():
                self._nodes.add(name, instance["zone"])
                self._nodes.remove(name, node)
        elif any(before.get(key) != after.get(key) for key in ("labels", "taints")):
            for node, instance in record["nodes"].items():
                self._nodes.relabel(name, old, pool, instance["zone"], node)
        left = list(record.get("missing") or [])
        try:
            message, missing = self._resize(name, pool, left, operation)
        except (OperationTimeoutError, OperationCancelledError):
            self._go_on_alone(name, self._should_have(name, pool, left))
            raise
        return self._settle(name, message, missing)

    def delete(self, name: str, operation: Operation) -> None:
        """Drain and delete a pool's nodes, then the pool; one that is gone already is fine."""
        record = self.get(name)
        if record is None:
            return
        self._set(name, status="STOPPING")
        try:
            operation.wait(Timing.current(self._state.read()).operation_seconds)
        finally:  # with or without a watcher
            for node in record["nodes"]:
                self._nodes.remove(name, node)
            with self._state.change() as data:
                gone = data["clusters"][self._nodes.cluster_id]["nodePools"].pop(name, None)
            for node in (gone or {}).get("nodes", {}):
                self._nodes.remove(name, node)

    def _cluster(self) -> Record:
        cluster: Record | None = self._state.read()["clusters"].get(self._nodes.cluster_id)
        if cluster is None:
            raise not_found(self._nodes.cluster_id)
        return cluster

    def _set(self, name: str, **fields: Any) -> Record:
        with self._state.change() as data:
            pools = data["clusters"][self._nodes.cluster_id]["nodePools"]
            if name not in pools:
                raise not_found(self.full_name(name))
            pools[name] |= fields
            record: Record = pools[name]
        return record

    def _check_quota(self, pool: Inputs, zones: list[str]) -> None:
        count = pool_inputs.first_nodes_per_zone(pool) * len(zones)
        gpus = pool_inputs.accelerator(pool)[1]
        quota = self._faults.quota(self._state.read(), zones[0], pool, gpus) if count else None
        if quota is not None and quota.used + count * gpus > quota.limit:
            raise insufficient_quota(self._nodes.project, quota.metric, count * gpus, quota.limit, quota.used)

    def _settle(self, name: str, message: str, missing: list[str]) -> Record:
        return self._set(name, status=ERROR_STATE if missing else "RUNNING", message=message, missing=missing)

    def _go_on_alone(self, name: str, wanted: list[str]) -> None:
        """Let an operation go on without its watcher: the autoscaler's rounds make what is missing."""
        missing = self._unmade(name, wanted)
        self._set(name, missing=missing, status="PROVISIONING" if missing else "RUNNING")

    def _should_have(self, name: str, pool: Inputs, missing: list[str]) -> list[str]:
        """Zone of each node that a pool with these inputs should have, given those that were missing before."""
        zones = self.zones(pool)
        if not pool.get("autoscaling") and pool.get("nodeCount") is not None:
            return zones * int(pool["nodeCount"])
        there = [node["zone"] for node in (self.get(name) or {"nodes": {}})["nodes"].values()]
        return there + [zone for zone in missing if zone in zones]

    def resume(self) -> None:
        """Finish what was under way when the simulator was killed: Google's operations end without a watcher."""
        for name, record in self.all().items():
            if record["status"] == "STOPPING":
                self.delete(name, Operation("deleting GKE NodePool", math.inf))
            elif record["status"] == "PROVISIONING":
                pool = record["inputs"]
                self._go_on_alone(name, self.zones(pool) * pool_inputs.first_nodes_per_zone(pool))
            elif record["status"] == "RECONCILING":
                self._settle(name, "", list(record.get("missing") or []))

    def _unmade(self, name: str, wanted: list[str]) -> list[str]:
        """Zones of the nodes that a pool should have and has not."""
        left = Counter(wanted)
        left.subtract(node["zone"] for node in (self.get(name) or {"nodes": {}})["nodes"].values())
        return sorted((+left).elements())

    def _resize(self, name: str, pool: Inputs, missing: list[str], operation: Operation) -> tuple[str, list[str]]:
        record = self.get(name) or {"nodes": {}}
        zones = self.zones(pool)
        if pool.get("autoscaling") or pool.get("nodeCount") is None:
            for node in [node for node, instance in record["nodes"].items() if instance["zone"] not in zones]:
                self._nodes.remove(name, node)
            return self._add(name, pool, [zone for zone in missing if zone in zones], operation)
        by_zone = {zone: [node for node, one in record["nodes"].items() if one["zone"] == zone] for zone in zones}
        wanted = int(pool["nodeCount"])
        for node, instance in record["nodes"].items():
            if instance["zone"] not in by_zone or node in by_zone[instance["zone"]][wanted:]:
                self._nodes.remove(name, node)
        missing = [zone for zone in zones for _ in range(wanted - len(by_zone[zone]))]
        return self._add(name, pool, missing, operation)

    def _add(self, name: str, pool: Inputs, zones: list[str], operation: Operation) -> tuple[str, list[str]]:
        """Add a node in each zone of a list; return GKE's message and the zones where none could be had.

        The message is GKE's from before 2022 (terraform-provider-google #10121), which it gives after trying
        for 35 to 40 minutes.
        """
        if not zones:
            return "", []
        timing = Timing.current(self._state.read())
        operation.wait(timing.provision_seconds)
        machine_type = pool_inputs.machine_type(self._compute, pool)
        gpus = pool_inputs.accelerator(pool)[1]
        missing, errors = [], []
        for zone in zones:
            shortage = self._faults.shortage(zone, machine_type, pool, gpus)
            if shortage is None:
                self._nodes.add(name, zone)
                continue
            instance = instance_name(self._nodes.project, self._nodes.cluster, name, zone)
            missing.append(zone)
            errors.append(f"[{shortage.code}]: Instance '{instance}' creation failed: {shortage.message}")
        if not missing:
            return "", []
        operation.wait(timing.stockout_retry_seconds)
        return (
            f"Google Compute Engine: Not all instances running in IGM after {timing.stockout_retry_seconds:g}s. "
            f"Expected {len(zones)}, running {len(zones) - len(missing)}, transitioning {len(missing)}. "
            f"Current errors: {'; '.join(errors)}"
        ), missing
