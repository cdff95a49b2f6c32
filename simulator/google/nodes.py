"""Instances of one cluster's node pools, and the Kubernetes nodes that they register."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Mapping
from typing import Any

from simulator.google import pool_inputs
from simulator.google.instance_group import instance_name
from simulator.google.kubernetes_api import KubernetesApi, KubernetesError
from simulator.google.machine_types import Compute
from simulator.google.node import node_labels, node_object, node_taints
from simulator.google.pool_inputs import Inputs
from simulator.google.state import State

_LOG = logging.getLogger(__name__)
_FORM = "%Y-%m-%dT%H:%M:%SZ"
_TERMINATION_TAINT = {"key": "cloud.google.com/impending-node-termination", "value": "", "effect": "NoSchedule"}
_SHUTDOWN_MESSAGE = "Pod was terminated in response to imminent node shutdown."
"""Kubelet, pkg/kubelet/nodeshutdown."""
_MERGE, _STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


class Nodes:
    """Adds and removes nodes of one cluster, in the state and in its Kubernetes API."""

    def __init__(self, state: State, compute: Compute, api: KubernetesApi, cluster_id: str) -> None:
        self._state = state
        self._compute = compute
        self._api = api
        self.cluster_id = cluster_id
        _, self.project, _, self.location, _, self.cluster = cluster_id.split("/")

    def add(self, pool: str, zone: str, annotations: Mapping[str, str] | None = None) -> str | None:
        """Start an instance and register its node.

        Args:
            pool: The node pool.
            zone: Where.
            annotations: More annotations of the node.

        Returns:
            The node's name; None if the pool has gone meanwhile.
        """
        name = instance_name(self.project, self.cluster, pool, zone)
        with self._state.change() as data:
            record = _pool(data, self.cluster_id, pool)
            if record is None:
                return None
            node = record["nodes"][name] = {"zone": zone, "createdAt": timestamp()}
            inputs = record["inputs"]
        body = self._body(pool, inputs, node, name)
        body["metadata"].setdefault("annotations", {}).update(annotations or {})
        self._api.request("POST", "/api/v1/nodes", body)
        return name

    def _body(self, pool: str, inputs: Inputs, node: dict[str, str], name: str) -> dict[str, Any]:
        body = node_object(self._compute, self.project, pool, inputs, node["zone"], name)
        end = end_of(inputs, node["createdAt"])
        if end:
            body["metadata"]["annotations"] = {"node.gke.io/machine-termination-datetime": end}
        return body

    def relabel(self, pool: str, before: Inputs, after: Inputs, zone: str, name: str) -> None:
        """Give a node the labels and taints that its pool has now; others on it stay."""
        old = node_labels(self._compute, pool, before, zone, name)
        new = node_labels(self._compute, pool, after, zone, name)
        dropped = [(taint["key"], taint["effect"]) for taint in node_taints(self._compute, before)]
        live = self._api.request("GET", f"/api/v1/nodes/{name}")["spec"].get("taints") or []
        taints = [taint for taint in live if (taint["key"], taint["effect"]) not in dropped]
        change = {
            "metadata": {"labels": dict.fromkeys(old) | new},
            "spec": {"taints": taints + node_taints(self._compute, after)},
        }
        self._api.request("PATCH", f"/api/v1/nodes/{name}", change, _MERGE)

    def remove(self, pool: str, name: str) -> None:
        """Drain a node, delete it and end its instance."""
        self._drain(name)
        self._api.delete(f"/api/v1/nodes/{name}")
        self._forget(pool, name)

    def notify(self, name: str, seconds: float) -> bool:
        """Tell a node that its instance will end: no new pods, and its pods are told that they are disrupted.

        Returns:
            Whether the node is one of this cluster.
        """
        pools = self._state.read()["clusters"].get(self.cluster_id, {}).get("nodePools", {})
        if not any(name in record["nodes"] for record in pools.values()):
            return False
        try:
            live = self._api.request("GET", f"/api/v1/nodes/{name}")["spec"].get("taints") or []
        except KubernetesError as error:
            if error.code != 404:
                raise
            return True
        taints = [*live, _TERMINATION_TAINT]
        change = {"spec": {"unschedulable": True, "taints": taints}}
        self._api.request("PATCH", f"/api/v1/nodes/{name}", change, _MERGE)
        for pod in self._pods_on(name):
            self._set_status(pod, {"conditions": _shut_down_conditions()[:1]})
        _LOG.info("%s: notice for %s: it ends in %g s", self.cluster_id, name, seconds)
        return True

    def preempt(self, name: str) -> tuple[str, str] | None:
        """Take a node away as a Spot preemption does: its pods fail, then the node is gone.

        A kubelet that is told of the shutdown fails its pods with reason Terminated (Kubernetes docs,
        graceful node shutdown and pod disruption conditions), and a failed pod is not ready, or a
        PodDisruptionBudget would count it; their controllers make new ones.

        Returns:
            The node's pool and zone; None if the node is not one of this cluster.
        """
        pools = self._state.read()["clusters"].get(self.cluster_id, {}).get("nodePools", {})
        pool = next((key for key, record in pools.items() if name in record["nodes"]), None)
        if pool is None:
            return None
        self._cordon(name)
        for pod in self._pods_on(name):
            status = {
                "phase": "Failed",
                "reason": "Terminated",
                "message": _SHUTDOWN_MESSAGE,
                "conditions": _shut_down_conditions(),
            }
            self._set_status(pod, status)
        self._api.delete(f"/api/v1/nodes/{name}")
        zone = pools[pool]["nodes"][name]["zone"]
        self._forget(pool, name)
        return pool, zone

    def restore(self) -> None:
        """Register again whatever the state knows and the Kubernetes API has lost."""
        registered = {node["metadata"]["name"] for node in self._api.items("/api/v1/nodes")}
        for pool, record in self._state.read()["clusters"][self.cluster_id]["nodePools"].items():
            for name, node in record["nodes"].items():
                if name not in registered:
                    self._api.request("POST", "/api/v1/nodes", self._body(pool, record["inputs"], node, name))

    def _set_status(self, pod: dict[str, Any], status: dict[str, Any]) -> None:
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
        try:
            self._api.request("PATCH", path, {"status": status}, _STRATEGIC)
        except KubernetesError as error:
            if error.code != 404:
                raise

    def _pods_on(self, name: str) -> list[dict[str, Any]]:
        return self._api.items(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{name}")

    def _cordon(self, name: str) -> None:
        try:
            self._api.request("PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}}, _MERGE)
        except KubernetesError as error:
            if error.code != 404:
                raise

    def _drain(self, name: str) -> None:
        self._cordon(name)
        for pod in self._pods_on(name):
            meta = pod["metadata"]
            self._api.delete(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}")

    def _forget(self, pool: str, name: str) -> None:
        with self._state.change() as data:
            record = _pool(data, self.cluster_id, pool)
            if record is not None:
                record["nodes"].pop(name, None)


def _shut_down_conditions() -> list[dict[str, str]]:
    """Conditions that the kubelet sets on a pod which it ends for a shutdown."""
    now = timestamp()
    failed = {"status": "False", "reason": "PodFailed", "lastTransitionTime": now}
    disrupted = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}
    return [
        disrupted | {"message": _SHUTDOWN_MESSAGE, "lastTransitionTime": now},
        *({"type": kind} | failed for kind in ("Ready", "ContainersReady")),
    ]


def _pool(data: dict[str, Any], cluster_id: str, pool: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = data["clusters"].get(cluster_id, {}).get("nodePools", {}).get(pool)
    return found


def timestamp() -> str:
    """Now, as Kubernetes and Google write it."""
    return datetime.datetime.now(datetime.UTC).strftime(_FORM)


def end_of(pool: Inputs, created: str) -> str:
    """When a node's instance ends, in the form of `timestamp`; "" for never."""
    seconds = pool_inputs.run_seconds(pool)
    if seconds is None:
        return ""
    start = datetime.datetime.strptime(created, _FORM).replace(tzinfo=datetime.UTC)
    return (start + datetime.timedelta(seconds=seconds)).strftime(_FORM)
