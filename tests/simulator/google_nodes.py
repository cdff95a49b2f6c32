"""A simulated GKE on the real control plane, and pods that ask it for nodes: what the tests of its nodes share."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from kubernetes import client

from simulator.control_plane import ControlPlane
from simulator.google.operation import Operation

Until = Callable[..., Any]
"""The fixture of that name: polls a check until it holds, and fails the test at its deadline."""
PROJECT, LOCATION, CLUSTER = "p", "us-central1", "dev"
ZONE = "us-central1-a"
GROUPS = "https://www.googleapis.com/compute/v1/projects/p/zones"
H100: dict[str, Any] = {
    "initialNodeCount": 0,
    "nodeLocations": [ZONE],
    "autoscaling": {"totalMaxNodeCount": 1, "locationPolicy": "ANY"},
    "nodeConfig": {
        "machineType": "a3-highgpu-1g",
        "spot": True,
        "diskSizeGb": 200,
        "guestAccelerators": [
            {
                "type": "nvidia-h100-80gb",
                "count": 1,
                "gpuDriverInstallationConfig": {"gpuDriverVersion": "LATEST"},
            }
        ],
        "labels": {"servestack.dev/endpoint": "gemma"},
        "taints": [{"key": "servestack.dev/endpoint", "value": "gemma", "effect": "NO_SCHEDULE"}],
    },
}
TOLERATIONS = [
    {"key": "nvidia.com/gpu", "operator": "Exists"},
    {"key": "servestack.dev/endpoint", "value": "gemma"},
]


class Shared:
    """The session's control plane, which is not this test's to stop."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.server = control_plane.server
        self.endpoint = control_plane.endpoint
        self.ca_pem = control_plane.ca_pem
        self.token = control_plane.token

    def stop(self) -> None:
        pass


def operation() -> Operation:
    return Operation("testing", 60)


def running_on(core: client.CoreV1Api, namespace: str, until: Until, name: str = "server") -> str:
    def look() -> str | None:
        pod = core.read_namespaced_pod(name, namespace)
        node: str | None = pod.spec.node_name
        return node if pod.status.phase == "Running" else None

    return until(look, within_seconds=20, what=f"pod {name} running") or ""


def edited(**edits: Any) -> dict[str, Any]:
    pool = copy.deepcopy(H100)
    config = edits.pop("nodeConfig", {})
    pool["nodeConfig"] |= config
    return pool | edits
