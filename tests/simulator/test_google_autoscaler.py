"""Nodes of the simulated GKE come for pending pods that they would take, and go when they are idle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google_nodes import GROUPS, H100, LOCATION, PROJECT, TOLERATIONS, ZONE, Until, edited, operation, running_on
from kubernetes import client

from simulator.google.cloud import Cloud
from simulator.google.node_pools import NodePools

pytest_plugins = ["google_fixtures"]


def test_a_pending_pod_brings_a_node_with_the_labels_and_taints_of_gke(
    pools: NodePools,
    core: client.CoreV1Api,
    namespace: str,
    until: Until,
    ask: Callable[..., str],
    event: Callable[..., Any],
) -> None:
    pools.create("gpu", H100, operation())
    ask()
    node = core.read_node(running_on(core, namespace, until))
    labels = node.metadata.labels
    wanted = {
        "cloud.google.com/gke-accelerator": "nvidia-h100-80gb",
        "cloud.google.com/gke-boot-disk": "pd-balanced",
        "cloud.google.com/gke-gpu-driver-version": "latest",
        "cloud.google.com/gke-nodepool": "gpu",
        "cloud.google.com/gke-provisioning": "spot",
        "cloud.google.com/gke-spot": "true",
        "cloud.google.com/machine-family": "a3",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": node.metadata.name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "a3-highgpu-1g",
        "servestack.dev/endpoint": "gemma",
        "topology.kubernetes.io/region": LOCATION,
        "topology.kubernetes.io/zone": ZONE,
    }
    assert {key: labels.get(key) for key in wanted} == wanted
    taints = {(taint.key, taint.value, taint.effect) for taint in node.spec.taints}
    assert ("nvidia.com/gpu", "present", "NoSchedule") in taints
    assert ("servestack.dev/endpoint", "gemma", "NoSchedule") in taints
    assert node.spec.provider_id == f"gce://{PROJECT}/{ZONE}/{node.metadata.name}"
    assert node.status.allocatable["nvidia.com/gpu"] == "1"
    assert node.status.allocatable["cpu"] == "25865m"
    found = event("TriggeredScaleUp")
    group = node.metadata.name.rsplit("-", 1)[0]
    assert found.message == (f"pod triggered scale-up: [{{{GROUPS}/{ZONE}/instanceGroups/{group}-grp 0->1 (max: 1)}}]")
    assert (found.type, found.source.component) == ("Normal", "cluster-autoscaler")


def test_a_full_pool_does_not_grow(
    pools: NodePools,
    core: client.CoreV1Api,
    namespace: str,
    until: Until,
    ask: Callable[..., str],
    event: Callable[..., Any],
) -> None:
    pools.create("gpu", H100, operation())
    ask("first")
    running_on(core, namespace, until, "first")
    ask("second")
    found = event("NotTriggerScaleUp", "second")
    assert found.message == "pod didn't trigger scale-up: 1 max node group size reached"
    assert found.type == "Normal"


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        ({"tolerations": TOLERATIONS[:1]}, "1 node(s) had untolerated taint(s)"),
        ({"gpus": 2}, "1 Insufficient nvidia.com/gpu"),
    ],
)
def test_a_pod_that_no_new_node_would_take_says_why(
    pools: NodePools, ask: Callable[..., str], event: Callable[..., Any], pod: dict[str, Any], reason: str
) -> None:
    pools.create("gpu", H100, operation())
    ask(**pod)
    assert event("NotTriggerScaleUp").message == f"pod didn't trigger scale-up: {reason}"
    assert pools.all()["gpu"]["nodes"] == {}


def test_an_idle_node_goes_after_its_delay_down_to_the_minimum(
    cloud: Cloud,
    pools: NodePools,
    core: client.CoreV1Api,
    until: Until,
) -> None:
    limits = {"totalMinNodeCount": 1, "totalMaxNodeCount": 2, "locationPolicy": "ANY"}
    pools.create("gpu", edited(autoscaling=limits, initialNodeCount=2), operation())
    assert len(pools.all()["gpu"]["nodes"]) == 2
    with cloud.state.change() as data:
        data["timing"] = {"scale_down_seconds": 0.2}
    until(lambda: len(pools.all()["gpu"]["nodes"]) == 1, what="one node left")
    selector = "cloud.google.com/gke-nodepool=gpu"
    until(lambda: len(core.list_node(label_selector=selector).items) == 1, what="one Node left")
