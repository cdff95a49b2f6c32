"""A cluster that nobody of us made: a plain control plane with nodes as NVIDIA, GKE, EKS and AKS label theirs."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import requests
import yaml

from simulator.binaries import Binaries
from simulator.control_plane import ControlPlane

GIB = 2**30
_SIZES: dict[str, dict[str, str]] = {
    "l4": {"cpu": "16", "memory": "64Gi"},
    "a100": {"cpu": "24", "memory": "220Gi"},
    "h100": {"cpu": "192", "memory": "2048Gi"},
    "plain": {"cpu": "8", "memory": "32Gi"},
}


class AnyCluster:
    """The control plane, its nodes, and a kubeconfig in which it is one context of several."""

    def __init__(self, folder: Path, binaries: Binaries) -> None:
        self.plane = ControlPlane(folder / "cluster", binaries, "an-administrator-s-token", add_ons=False)
        self.plane.start()
        self.kubeconfig = folder / "kubeconfig"
        authority = folder / "authority.pem"
        authority.write_text(self.plane.ca_pem)
        self._verify = str(authority)
        own = {"server": self.plane.server, "certificate-authority": authority.name}  # beside the kubeconfig
        gone = {"server": "https://127.0.0.1:1", "certificate-authority-data": base64.b64encode(b"x").decode()}
        self.kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "gone",
                    "clusters": [{"name": "gone", "cluster": gone}, {"name": "ours", "cluster": own}],
                    "users": [
                        {"name": "admin", "user": {"token": self.plane.token}},
                        {"name": "stranger", "user": {"token": "somebody-else-s-token"}},
                    ],
                    "contexts": [
                        {"name": "gone", "context": {"cluster": "gone", "user": "stranger"}},
                        {"name": "lab", "context": {"cluster": "ours", "user": "admin"}},
                        {"name": "stranger", "context": {"cluster": "ours", "user": "stranger"}},
                    ],
                }
            )
        )

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """One call as its administrator; None for 404."""
        answer = requests.request(
            method,
            f"{self.plane.server}{path}",
            data=None if body is None else json.dumps(body),
            headers={"Authorization": f"Bearer {self.plane.token}", "Content-Type": "application/json"},
            verify=self._verify,
            timeout=10,
        )
        if answer.status_code == 404:
            return None
        assert answer.ok, answer.text
        return answer.json()

    def add_node(
        self, name: str, size: str, gpus: int, labels: dict[str, str], taint: tuple[str, str] | None = None
    ) -> None:
        amounts = {**_SIZES[size], "pods": "110", "ephemeral-storage": "500Gi"}
        amounts |= {"nvidia.com/gpu": str(gpus)} if gpus else {}
        self.api(
            "POST",
            "/api/v1/nodes",
            {
                "metadata": {
                    "name": name,
                    "labels": {"kubernetes.io/os": "linux", "kubernetes.io/hostname": name, **labels},
                },
                "spec": {"taints": [{"key": taint[0], "value": taint[1], "effect": "NoSchedule"}] if taint else []},
                "status": {"capacity": amounts, "allocatable": amounts},
            },
        )

    def ready_nodes(self) -> set[str]:
        return {
            node["metadata"]["name"]
            for node in self.api("GET", "/api/v1/nodes")["items"]
            for one in node["status"].get("conditions") or []
            if (one["type"], one["status"]) == ("Ready", "True")
        }

    def pods(self, namespace: str) -> list[Any]:
        return list(self.api("GET", f"/api/v1/namespaces/{namespace}/pods")["items"])
