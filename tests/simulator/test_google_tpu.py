"""TPU pools of one host: their nodes, and a pod that asks for all chips, placed by the real scheduler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google_nodes import Until, operation, running_on
from kubernetes import client

from simulator.google.node_pools import NodePools

pytest_plugins = ["google_fixtures"]
POOL: dict[str, Any] = {
    "initialNodeCount": 0,
    "autoscaling": {"totalMaxNodeCount": 2, "locationPolicy": "ANY"},
    "nodeLocations": ["us-central1-b"],
    "placementPolicy": {"type": "COMPACT", "tpuTopology": "2x2"},
    "nodeConfig": {"machineType": "ct6e-standard-4t"},
}
SELECTOR = {
    "cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice",
    "cloud.google.com/gke-tpu-topology": "2x2",
}


def pod(name: str, chips: int) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "vllm", "image": "vllm", "resources": {"limits": {"google.com/tpu": str(chips)}}}],
            "nodeSelector": SELECTOR,
            "tolerations": [{"key": "google.com/tpu", "operator": "Exists"}],
            "terminationGracePeriodSeconds": 0,
        },
    }


def test_a_pod_that_asks_for_all_chips_gets_a_host_of_its_own(
    pools: NodePools, core: client.CoreV1Api, namespace: str, until: Until, event: Callable[..., Any]
) -> None:
    pools.create("tpu", POOL, operation())
    for name in ("one", "two"):
        core.create_namespaced_pod(namespace, pod(name, 4))
    nodes = {running_on(core, namespace, until, name) for name in ("one", "two")}
    assert len(nodes) == 2
    node = core.read_node(nodes.pop())
    assert {key: node.metadata.labels.get(key) for key in SELECTOR} == SELECTOR
    assert [(one.key, one.value, one.effect) for one in node.spec.taints] == [
        ("google.com/tpu", "present", "NoSchedule")
    ]
    assert (node.status.allocatable["google.com/tpu"], node.status.capacity["google.com/tpu"]) == ("4", "4")
    assert "-tpu-" in event("TriggeredScaleUp", "one").message

    core.create_namespaced_pod(namespace, pod("big", 8))
    assert "Insufficient google.com/tpu" in event("FailedScheduling", "big").message
    assert event("NotTriggerScaleUp", "big").message == "pod didn't trigger scale-up: 1 max node group size reached"
    core.delete_collection_namespaced_pod(namespace, grace_period_seconds=0)
    until(lambda: not core.list_namespaced_pod(namespace).items, what="the test's pods are gone")
