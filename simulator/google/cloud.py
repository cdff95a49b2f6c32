"""The simulated Google Cloud: clusters that run, and what may be asked of them."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.google import cluster_rules, machine_types, pool_rules
from simulator.google.autoscaler import Autoscaler
from simulator.google.errors import already_exists, bad_request, not_found
from simulator.google.faults import Faults
from simulator.google.kubernetes_api import ControlPlane, KubernetesApi
from simulator.google.node_pools import NodePools
from simulator.google.nodes import Nodes, timestamp
from simulator.google.operation import Operation
from simulator.google.pool_inputs import Inputs
from simulator.google.state import State
from simulator.google.timing import Timing

StartCluster = Callable[[str, Path], ControlPlane]
BROKEN = "ERROR"
"""Status of a cluster whose creation failed: it is there, but has no control plane."""
CLUSTER_CREATE_SECONDS = 2400.0
"""Terraform provider: default timeout for creating and deleting a cluster, 40 minutes."""


@dataclass
class _Running:
    control_plane: ControlPlane
    nodes: Nodes
    pools: NodePools
    autoscaler: Autoscaler


def cluster_id(project: str, location: str, name: str) -> str:
    """A cluster's full name, which is also its id in Pulumi."""
    return f"projects/{project}/locations/{location}/clusters/{name}"


class Cloud:
    """Projects' GKE clusters, each on a control plane of its own, kept in one folder.

    Methods raise `GoogleError` with the text that the official provider would print.
    """

    def __init__(
        self,
        directory: Path,
        start_cluster: StartCluster,
        connect: Callable[[ControlPlane], KubernetesApi] = KubernetesApi,
    ) -> None:
        """Use a folder; nothing is started until `resume` or a creation.

        Args:
            directory: Holds google.json and clusters/.
            start_cluster: Starts the control plane of a name in a folder and returns it once it is ready;
                in a folder that has been used before it resumes with the same objects.
            connect: Makes the client for a control plane.
        """
        self.compute = machine_types.load()
        self.state = State(directory / "google.json")
        self.faults = Faults(self.state, self.compute)
        self._directory = directory / "clusters"
        self._start_cluster = start_cluster
        self._connect = connect
        self._running: dict[str, _Running] = {}
        self._lock = threading.RLock()

    def resume(self) -> None:
        """Start every cluster that the state knows, with the objects and nodes that it had."""
        for full_name, record in self.state.read()["clusters"].items():
            if record["status"] not in ("PROVISIONING", BROKEN):
                running = self._start(full_name)
                running.nodes.restore()
                running.pools.resume()
                running.autoscaler.start()
        with self.state.change() as data:
            clusters = data["clusters"]
            for full_name in [key for key, record in clusters.items() if record["status"] == "PROVISIONING"]:
                del clusters[full_name]
                shutil.rmtree(self._folder(full_name), ignore_errors=True)

    def close(self) -> None:
        """Stop all clusters; a later `resume` brings them back."""
        with self._lock:
            for running in self._running.values():
                running.autoscaler.stop()
            for running in self._running.values():
                running.control_plane.stop()
            self._running.clear()

    def create_cluster(
        self, project: str, location: str, name: str, inputs: Inputs, operation: Operation, breaks: str = ""
    ) -> dict[str, Any]:
        """Make a cluster and its first node pools, and wait until it runs.

        Args:
            project: The project's id.
            location: Region or zone.
            name: The cluster's.
            inputs: Its settings.
            operation: The wait.
            breaks: What the operation fails with half-way; the cluster is there then, with status ERROR.

        Raises:
            GoogleError: The name is not allowed or taken, the location unknown, something that the settings name
                is not there, or a pool is refused.
        """
        pool_rules.check_name("cluster.name", name)
        self._check_location(location)
        full_name = cluster_id(project, location, name)
        cluster_rules.check_cluster(self.state.read(), project, location, inputs)
        self._stop_forgotten(full_name)
        pools = _first_pools(inputs)
        for pool_name, pool in pools.items():
            pool_rules.check_pool(self.compute, location, inputs, pool_name, pool)
        with self.state.change() as data:
            if full_name in data["clusters"]:
                raise already_exists(full_name)
            data["clusters"][full_name] = {
                "inputs": inputs,
                "status": "PROVISIONING",
                "createdAt": timestamp(),
                "nodePools": {},
            }
        try:
            operation.wait(Timing.current(self.state.read()).operation_seconds)
            if breaks:
                with self.state.change() as data:
                    data["clusters"][full_name] |= {"status": BROKEN, "message": breaks}
                return self._cluster(full_name)
            running = self._start(full_name)
        except BaseException:
            self._stop(full_name)
            self._forget(full_name)
            raise
        with self.state.change() as data:
            data["clusters"][full_name]["status"] = "RUNNING"
        for pool_name, pool in pools.items():
            running.pools.create(pool_name, pool, operation)
        running.autoscaler.start()
        return self._cluster(full_name)

    def get_cluster(self, project: str, location: str, name: str) -> dict[str, Any] | None:
        """A cluster's record with its endpoint and certificate, or None."""
        full_name = cluster_id(project, location, name)
        self._stop_forgotten(full_name)
        return self._cluster(full_name) if full_name in self.state.read()["clusters"] else None

    def list_clusters(self) -> list[str]:
        """Full names of all clusters."""
        return sorted(self.state.read()["clusters"])

    def update_cluster(
        self, project: str, location: str, name: str, inputs: Inputs, operation: Operation
    ) -> dict[str, Any]:
        """Change a cluster's settings in place."""
        full_name = cluster_id(project, location, name)
        operation.wait(Timing.current(self.state.read()).operation_seconds)
        with self.state.change() as data:
            if full_name not in data["clusters"]:
                raise not_found(full_name)
            data["clusters"][full_name]["inputs"] = inputs
        return self._cluster(full_name)

    def delete_cluster(self, project: str, location: str, name: str, operation: Operation) -> None:
        """Stop a cluster and remove all that it holds; one that is gone already is fine.

        Whether deletion protection forbids it is the provider's question, not Google's.
        """
        full_name = cluster_id(project, location, name)
        self._stop_forgotten(full_name)
        if full_name not in self.state.read()["clusters"]:
            return
        operation.wait(Timing.current(self.state.read()).operation_seconds)
        self._stop(full_name)
        self._forget(full_name)

    def pools(self, project: str, location: str, cluster: str) -> NodePools:
        """The node pools of a cluster.

        Raises:
            GoogleApiError: There is no such cluster (404).
        """
        full_name = cluster_id(project, location, cluster)
        self._stop_forgotten(full_name)
        with self._lock:
            if full_name not in self._running:
                raise not_found(full_name)
            return self._running[full_name].pools

    def _check_location(self, location: str) -> None:
        """The wording is GKE's for an empty location (estafette-gke-node-pool-shifter #12)."""
        zone = location if not machine_types.is_region(location) else None
        if location.count("-") not in (1, 2) or (
            zone is not None and zone not in self.compute.zones_of(machine_types.region_of(zone))
        ):
            raise bad_request(f'Location "{location}" does not exist.')

    def _folder(self, full_name: str) -> Path:
        _, project, _, location, _, name = full_name.split("/")
        return self._directory / f"{project}_{location}_{name}"

    def _start(self, full_name: str) -> _Running:
        folder = self._folder(full_name)
        folder.mkdir(parents=True, exist_ok=True)
        control_plane = self._start_cluster(folder.name, folder)
        api = self._connect(control_plane)
        nodes = Nodes(self.state, self.compute, api, full_name)
        running = _Running(
            control_plane=control_plane,
            nodes=nodes,
            pools=NodePools(self.state, self.compute, self.faults, nodes),
            autoscaler=Autoscaler(self.state, self.compute, self.faults, nodes, api),
        )
        with self._lock:
            self._running[full_name] = running
        return running

    def _stop(self, full_name: str) -> None:
        with self._lock:
            running = self._running.pop(full_name, None)
        if running is not None:
            running.autoscaler.stop()
            running.control_plane.stop()

    def _stop_forgotten(self, full_name: str) -> None:
        """End what still runs of a cluster that was deleted by hand."""
        with self._lock:
            is_running = full_name in self._running
        if is_running and full_name not in self.state.read()["clusters"]:
            self._stop(full_name)
            self._forget(full_name)

    def _forget(self, full_name: str) -> None:
        with self.state.change() as data:
            data["clusters"].pop(full_name, None)
        shutil.rmtree(self._folder(full_name), ignore_errors=True)

    def _cluster(self, full_name: str) -> dict[str, Any]:
        data = self.state.read()
        record: dict[str, Any] = data["clusters"][full_name]
        _, project, _, location, _, _ = full_name.split("/")
        for field in ("clusterSecondaryRangeName", "servicesSecondaryRangeName"):
            record[field] = cluster_rules.range_of(data, project, location, record["inputs"], field)
        with self._lock:
            running = self._running.get(full_name)
        if running is not None:
            record |= {"endpoint": running.control_plane.endpoint, "caPem": running.control_plane.ca_pem}
        return record


def _first_pools(cluster: Inputs) -> dict[str, Inputs]:
    """Pools that a cluster is made with: its inline ones, or "default-pool" unless that is removed at once."""
    inline = cluster.get("nodePools")
    if inline:
        return {str(pool.get("name") or f"pool-{index}"): dict(pool) for index, pool in enumerate(inline)}
    if cluster.get("removeDefaultNodePool") or cluster.get("enableAutopilot"):
        return {}
    pool = {"initialNodeCount": int(cluster.get("initialNodeCount") or 0)}
    return {"default-pool": pool | ({"nodeConfig": cluster["nodeConfig"]} if cluster.get("nodeConfig") else {})}
