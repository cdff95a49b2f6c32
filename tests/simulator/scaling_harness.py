"""One simulated cluster's autoscaler over a Kubernetes API in memory, round by round, with a scheduler of its own.

The scheduler here is brute force by kube-scheduler's rules and shares no code with the simulator: it is the oracle.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from fake_kubernetes import FakeApi, FakeControlPlane

from simulator.google.autoscaler import Autoscaler
from simulator.google.faults import Faults
from simulator.google.machine_types import load
from simulator.google.nodes import Nodes
from simulator.google.state import State

CLUSTER_ID = "projects/p/locations/us-central1/clusters/dev"
CLASSES = "/apis/cloud.google.com/v1/computeclasses"
GPU = {"key": "nvidia.com/gpu", "operator": "Exists"}
CLASS = {"key": "cloud.google.com/compute-class", "operator": "Exists"}
_UNITS = {"m": Decimal("0.001"), "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


class Scaling:
    """A cluster and the clock that its autoscaler sees."""

    def __init__(
        self, folder: Path, pools: dict[str, dict[str, Any]] | None = None, cluster: dict[str, Any] | None = None
    ) -> None:
        self.api = FakeApi(FakeControlPlane())
        self.state = State(folder / "google.json")
        self.faults = Faults(self.state, load())
        with self.state.change() as data:
            data["timing"] = {"provision_seconds": 0, "scale_down_seconds": 600}
            data["clusters"][CLUSTER_ID] = {
                "inputs": cluster or {},
                "status": "RUNNING",
                "nodePools": {
                    name: {"inputs": pool, "status": "RUNNING", "message": "", "createdAt": "", "nodes": {}}
                    for name, pool in (pools or {}).items()
                },
            }
        nodes = Nodes(self.state, load(), self.api, CLUSTER_ID)
        self.autoscaler = Autoscaler(self.state, load(), self.faults, nodes, self.api)
        self.now = 1000.0

    def add_class(self, name: str, priorities: list[dict[str, Any]], **spec: Any) -> None:
        body = {"metadata": {"name": name}, "spec": {"priorities": priorities, **spec}}
        self.api.request("POST", CLASSES, body)

    def add_pod(self, name: str, requests: dict[str, str] | None = None, chosen: str = "", **spec: Any) -> None:
        requests = requests or {"nvidia.com/gpu": "1", "cpu": "4", "memory": "16Gi"}
        selector = {"cloud.google.com/compute-class": chosen} if chosen else {}
        pod = {
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "containers": [{"name": "c", "resources": {"limits": requests}}],
                "tolerations": [GPU, CLASS],
                **spec,
                "nodeSelector": selector | spec.get("nodeSelector", {}),
            },
            "status": {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]},
        }
        self.api.request("POST", "/api/v1/pods", pod)

    def rounds(self, count: int = 1, seconds: float = 1.0) -> None:
        """Let rounds go by, and the scheduler place after each what it can."""
        for _ in range(count):
            self.autoscaler.scan(self.now)
            self.now += seconds
            self.schedule()

    def schedule(self) -> None:
        pods = self.api.items("/api/v1/pods")
        for pod in pods:
            if pod["spec"].get("nodeName"):
                continue
            for node in self.nodes():
                there = [one for one in pods if one["spec"].get("nodeName") == node["metadata"]["name"]]
                if fits(pod, node, there):
                    pod["spec"]["nodeName"] = node["metadata"]["name"]
                    pod["status"] = {"phase": "Running"}
                    break

    def nodes(self) -> list[dict[str, Any]]:
        return self.api.items("/api/v1/nodes")

    def machines(self) -> list[str]:
        return sorted(label(node, "node.kubernetes.io/instance-type") for node in self.nodes())

    def pools(self) -> dict[str, Any]:
        found: dict[str, Any] = self.state.read()["clusters"][CLUSTER_ID]["nodePools"]
        return found

    def events(self, reason: str, pod: str = "") -> list[str]:
        found = self.api.items("/api/v1/namespaces/default/events")
        return [
            one["message"]
            for one in found
            if one["reason"] == reason and (not pod or one["involvedObject"]["name"] == pod)
        ]

    def conditions(self, name: str) -> dict[str, tuple[str, str, str]]:
        status = self.api.request("GET", f"{CLASSES}/{name}").get("status") or {}
        return {one["type"]: (one["status"], one["reason"], one["message"]) for one in status.get("conditions", [])}

    def rung(self, name: str, index: int) -> dict[str, str]:
        """Types and reasons of a rule's conditions."""
        status = self.api.request("GET", f"{CLASSES}/{name}")["status"]["priorityStatuses"][index]
        return {one["type"]: one["reason"] for one in status["conditions"]}


def label(node: dict[str, Any], key: str) -> str:
    return str(node["metadata"]["labels"].get(key, ""))


def amount(quantity: str) -> Decimal:
    for unit, factor in _UNITS.items():
        if quantity.endswith(unit):
            return Decimal(quantity.removesuffix(unit)) * factor
    return Decimal(quantity)


def fits(pod: dict[str, Any], node: dict[str, Any], there: list[dict[str, Any]]) -> bool:
    """Whether kube-scheduler would place a pod on a node: taints, node selector, resources."""
    spec = pod["spec"]
    labels = node["metadata"]["labels"]
    if node["spec"].get("unschedulable") or any(
        labels.get(key) != value for key, value in spec["nodeSelector"].items()
    ):
        return False
    for taint in node["spec"].get("taints") or []:
        if taint["effect"] != "PreferNoSchedule" and not any(tolerated(one, taint) for one in spec["tolerations"]):
            return False
    allocatable = {key: amount(value) for key, value in node["status"]["allocatable"].items()}
    for key, wanted in asked(pod).items():
        used = sum((asked(one).get(key, Decimal(0)) for one in there), Decimal(0))
        if wanted + used > allocatable.get(key, Decimal(0)):
            return False
    return True


def tolerated(toleration: dict[str, Any], taint: dict[str, Any]) -> bool:
    if toleration.get("effect", taint["effect"]) != taint["effect"]:
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key", taint["key"]) == taint["key"]
    return (toleration["key"], toleration.get("value", "")) == (taint["key"], taint.get("value", ""))


def asked(pod: dict[str, Any]) -> dict[str, Decimal]:
    found = {"pods": Decimal(1)}
    for container in pod["spec"]["containers"]:
        for key, value in container["resources"]["limits"].items():
            found[key] = found.get(key, Decimal(0)) + amount(value)
    return found
