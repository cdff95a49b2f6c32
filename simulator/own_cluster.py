"""The cluster that a platform names by a kubeconfig context: on a real machine it is somewhere, here nowhere.

It is a simulated GKE cluster of a project of nobody's, under the context's name, with the nodes that the platform's
file counts on, labelled as its families label theirs.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
import yaml

from simulator.adopted_cluster import make_adopted
from simulator.errors import SimulatorError
from simulator.home import Home

_PROJECT, _LOCATION = "not-of-ours", "us-central1"
_TYPE = "node.kubernetes.io/instance-type"
# The one label by which a family names the GPU, and its value for each; sources: NVIDIA/k8s-device-plugin f666bc3 and
# product names of public manifests, GKE's how-to/gpus, Amazon EKS Auto Mode's create-node-pool, Karpenter's scheduling.
_KEYS = {
    "nvidia": "nvidia.com/gpu.product",
    "gke": "cloud.google.com/gke-accelerator",
    "eks-auto": "eks.amazonaws.com/instance-gpu-name",
    "karpenter": "karpenter.k8s.aws/instance-gpu-name",
}
_NVIDIA = {
    "a100-40gb": "NVIDIA-A100-SXM4-40GB",
    "a100-80gb": "NVIDIA-A100-SXM4-80GB",
    "h100": "NVIDIA-H100-80GB-HBM3",
    "rtxpro6000": "NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition",
    "t4": "Tesla-T4",
}
_GKE = {
    "a100-40gb": "nvidia-tesla-a100",
    "a100-80gb": "nvidia-a100-80gb",
    "b200": "nvidia-b200",
    "h100": "nvidia-h100-80gb",
    "h200": "nvidia-h200-141gb",
    "l4": "nvidia-l4",
    "rtxpro6000": "nvidia-rtx-pro-6000",
    "t4": "nvidia-tesla-t4",
}
_TAINTS = {"aks": ("sku", "gpu"), "gke": ("nvidia.com/gpu", "present")}
_TIMEOUT_SECONDS = 30


def make_own(home: Home, gcp_port: int, kubernetes: dict[str, Any]) -> bool:
    """Make the cluster of a platform file, its context and its nodes; return whether it was missing.

    Args:
        home: the simulator's.
        gcp_port: loopback port of the stand-in for Google.
        kubernetes: the file's `kubernetes`, already checked.

    Raises:
        SimulatorError: the cluster does not take a node.
    """
    context = str(kubernetes["context"])
    cluster = f"own-{hashlib.sha256(context.encode()).hexdigest()[:8]}"
    home.add_context(context, f"gke_{_PROJECT}_{_LOCATION}_{cluster}")
    gke = {"project": _PROJECT, "location": _LOCATION, "cluster": {"name": cluster}}
    made = make_adopted(gcp_port, gke)
    for node in _nodes(kubernetes["nodes"]):
        _put(home, context, node)
    return made


def _nodes(groups: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for index, group in enumerate(groups, 1):
        family = group["labels"] if isinstance(group["labels"], str) else ""
        taint = _TAINTS.get(family)
        amounts = {"cpu": str(group["vcpus"]), "memory": f"{group['memoryGiB']}Gi", "ephemeral-storage": "500Gi"}
        amounts["pods"] = "110"
        if group.get("count"):
            amounts["nvidia.com/gpu"] = str(group["count"])
        for number in range(1, group["machines"] + 1):
            name = f"{group['accelerator']}-{index}-{number}"
            labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name}
            yield {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": labels | _labels(group)},
                "spec": {"taints": [{"key": taint[0], "value": taint[1], "effect": "NoSchedule"}] if taint else []},
                "status": {"capacity": amounts, "allocatable": amounts},
            }


def _labels(group: dict[str, Any]) -> dict[str, str]:
    family, accelerator = group["labels"], str(group["accelerator"])
    if isinstance(family, dict):
        return dict(family)
    if family == "nvidia":
        return {_KEYS[family]: _NVIDIA.get(accelerator, f"NVIDIA-{accelerator.upper()}")}
    if family == "gke":
        return {_KEYS[family]: _GKE[accelerator]}
    if family in _KEYS:
        return {_KEYS[family]: accelerator}
    always = {"kubernetes.azure.com/accelerator": "nvidia"} if family == "aks" else {}
    return {**always, _TYPE: str(group["instanceType"])}


def _put(home: Home, context: str, node: dict[str, Any]) -> None:
    config = yaml.safe_load(home.kubeconfig.read_text())
    name = next(one["context"]["cluster"] for one in config["contexts"] if one["name"] == context)
    cluster = next(one["cluster"] for one in config["clusters"] if one["name"] == name)
    authority = Path(f"{home.kubeconfig}.own-ca.pem")
    authority.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    answer = requests.post(
        f"{cluster['server']}/api/v1/nodes",
        data=json.dumps(node),
        headers={"Authorization": f"Bearer {home.token}", "Content-Type": "application/json"},
        verify=str(authority),
        timeout=_TIMEOUT_SECONDS,
    )
    if not answer.ok and answer.status_code != requests.codes.conflict:
        raise SimulatorError(f"node {node['metadata']['name']} of context '{context}': {answer.text}")
