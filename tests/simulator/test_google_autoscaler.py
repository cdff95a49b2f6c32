"""Nodes of the simulated GKE on a real control plane: they come for pending pods, fail to come, and go."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from simulator.control_plane import ControlPlane
from simulator.google.cloud import Cloud
from simulator.google.node_pools import NodePools
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


class _Shared:
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


@pytest.fixture
def cloud(control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROVISION_SECONDS", "0.2")
    monkeypatch.setenv("SERVESTACK_SIMULATOR_SCAN_SECONDS", "0.1")
    cloud = Cloud(tmp_path, lambda _name, _directory: _Shared(control_plane))
    cloud.create_cluster(PROJECT, LOCATION, CLUSTER, {"removeDefaultNodePool": True}, operation())
    yield cloud
    pools = cloud.pools(PROJECT, LOCATION, CLUSTER)
    for name in pools.all():
        pools.delete(name, operation())
    cloud.close()


@pytest.fixture
def pools(cloud: Cloud) -> NodePools:
    return cloud.pools(PROJECT, LOCATION, CLUSTER)


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


@pytest.fixture
def ask(core: client.CoreV1Api, namespace: str, until: Until) -> Iterator[Callable[..., str]]:
    def create(name: str = "server", gpus: int = 1, tolerations: Any = TOLERATIONS) -> str:
        resources = {"limits": {"nvidia.com/gpu": str(gpus), "cpu": "20", "memory": "200Gi"}}
        core.create_namespaced_pod(
            namespace,
            {
                "metadata": {"name": name},
                "spec": {
                    "containers": [{"name": "vllm", "image": "vllm", "resources": resources}],
                    "tolerations": tolerations,
                    "nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-h100-80gb"},
                    "terminationGracePeriodSeconds": 0,
                },
            },
        )
        return name

    yield create
    core.delete_collection_namespaced_pod(namespace, grace_period_seconds=0)
    until(lambda: not core.list_namespaced_pod(namespace).items, what="the test's pods are gone")


@pytest.fixture
def event(core: client.CoreV1Api, namespace: str, until: Until) -> Callable[..., Any]:
    def find(reason: str, pod: str = "server", containing: str = "") -> Any:
        def look() -> Any:
            events = core.list_namespaced_event(namespace, field_selector=f"involvedObject.name={pod}").items
            found = [one for one in events if one.reason == reason and containing in one.message]
            return found and found[-1]

        return until(look, within_seconds=20, what=f"event {reason} {containing}")

    return find


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


def test_a_stockout_fails_the_scale_up_and_backs_off(
    cloud: Cloud, pools: NodePools, ask: Callable[..., str], event: Callable[..., Any]
) -> None:
    cloud.faults.set_stockout(ZONE, "a3-highgpu-1g")
    pools.create("gpu", H100, operation())
    ask()
    found = event("FailedScaleUp")
    assert found.type == "Warning"
    assert found.message == (
        f"Node scale up in zones {ZONE} associated with this pod failed: GCE out of resources. "
        "Pod is at risk of not being scheduled."
    )
    event("NotTriggerScaleUp", containing="1 in backoff after failed scale-up")


def test_a_stockout_in_one_zone_is_answered_by_another(
    cloud: Cloud,
    pools: NodePools,
    core: client.CoreV1Api,
    namespace: str,
    until: Until,
    ask: Callable[..., str],
) -> None:
    cloud.faults.set_stockout(ZONE, "a3-highgpu-1g")
    pools.create("gpu", edited(nodeLocations=[ZONE, "us-central1-c"]), operation())
    ask()
    node = core.read_node(running_on(core, namespace, until))
    assert node.metadata.labels["topology.kubernetes.io/zone"] == "us-central1-c"


def test_a_quota_fails_the_scale_up(
    cloud: Cloud, pools: NodePools, ask: Callable[..., str], event: Callable[..., Any]
) -> None:
    cloud.faults.set_quota("PREEMPTIBLE_NVIDIA_H100", LOCATION, 0)
    pools.create("gpu", H100, operation())
    ask()
    assert "failed: GCE quota exceeded." in event("FailedScaleUp").message


def test_flex_start_waits_for_capacity_and_gets_it(
    cloud: Cloud,
    pools: NodePools,
    core: client.CoreV1Api,
    namespace: str,
    until: Until,
    ask: Callable[..., str],
    event: Callable[..., Any],
) -> None:
    cloud.faults.set_stockout("*", "a3-highgpu-1g")
    flex = {
        "spot": False,
        "flexStart": True,
        "reservationAffinity": {"consumeReservationType": "NO_RESERVATION"},
    }
    pool = edited(nodeConfig=flex, management={"autoRepair": False, "autoUpgrade": True})
    pools.create("gpu", pool, operation())
    ask()
    event("TriggeredScaleUp")
    assert pools.all()["gpu"]["nodes"] == {}
    cloud.faults.set_stockout("*", "a3-highgpu-1g", active=False)
    node = core.read_node(running_on(core, namespace, until))
    assert node.metadata.labels["cloud.google.com/gke-flex-start"] == "true"
    reasons = {one.reason for one in core.list_namespaced_event(namespace).items}
    assert "FailedScaleUp" not in reasons


def test_a_preemption_fails_the_pod_and_brings_another_node(
    cloud: Cloud,
    pools: NodePools,
    core: client.CoreV1Api,
    namespace: str,
    until: Until,
    ask: Callable[..., str],
) -> None:
    pools.create("gpu", H100, operation())
    ask()
    lost = running_on(core, namespace, until)
    cloud.faults.preempt(lost)
    until(lambda: lost not in pools.all()["gpu"]["nodes"], what="the node is gone")
    pods = [one for one in core.list_namespaced_pod(namespace).items if one.status.phase == "Failed"]
    assert [one.status.reason for one in pods] == ["Terminated"]
    until(lambda: pools.all()["gpu"]["nodes"], what="another node")
    assert cloud.state.read()["faults"]["preemptions"] == []


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


def test_deleting_a_pool_takes_its_pods_and_nodes_away(
    pools: NodePools,
    core: client.CoreV1Api,
    namespace: str,
    until: Until,
    ask: Callable[..., str],
) -> None:
    pools.create("gpu", H100, operation())
    ask()
    node = running_on(core, namespace, until)
    pools.delete("gpu", operation())
    assert node not in {one.metadata.name for one in core.list_node().items}
    until(lambda: not core.list_namespaced_pod(namespace).items, what="no pods left")


def test_nodes_missing_since_creation_come_when_capacity_does(cloud: Cloud, pools: NodePools, until: Until) -> None:
    with cloud.state.change() as data:
        data["timing"] = {"stockout_retry_seconds": 0}
    cloud.faults.set_stockout("*", "a3-highgpu-1g")
    assert pools.create("gpu", edited(initialNodeCount=1), operation())["status"] == "RUNNING_WITH_ERROR"
    cloud.faults.set_stockout("*", "a3-highgpu-1g", active=False)
    until(lambda: pools.all()["gpu"]["status"] == "RUNNING", what="the pool is healthy")
    assert len(pools.all()["gpu"]["nodes"]) == 1


def test_another_machine_type_replaces_the_nodes(pools: NodePools, core: client.CoreV1Api) -> None:
    cpu = {"nodeCount": 1, "nodeLocations": [ZONE], "nodeConfig": {"machineType": "e2-standard-4"}}
    pools.create("cpu", cpu, operation())
    old = set(pools.all()["cpu"]["nodes"])
    pools.update("cpu", cpu | {"nodeConfig": {"machineType": "e2-standard-8"}}, operation())
    (name,) = pools.all()["cpu"]["nodes"]
    assert name not in old
    assert core.read_node(name).metadata.labels["node.kubernetes.io/instance-type"] == "e2-standard-8"
    pools.update("cpu", cpu | {"nodeCount": 2, "nodeConfig": {"machineType": "e2-standard-8"}}, operation())
    assert len(pools.all()["cpu"]["nodes"]) == 2


def test_other_labels_and_taints_are_put_on_the_nodes_in_place(pools: NodePools, core: client.CoreV1Api) -> None:
    config = {"machineType": "e2-standard-4", "labels": {"team": "a", "old": "1"}}
    cpu = {"nodeCount": 1, "nodeLocations": [ZONE], "nodeConfig": config}
    pools.create("cpu", cpu, operation())
    (name,) = pools.all()["cpu"]["nodes"]
    taint = {"key": "k", "value": "v", "effect": "NO_SCHEDULE"}
    after = cpu | {"nodeConfig": config | {"labels": {"team": "b"}, "taints": [taint]}}
    pools.update("cpu", after, operation())
    node = core.read_node(name)
    assert node.metadata.labels["team"] == "b"
    assert "old" not in node.metadata.labels
    assert ("k", "v", "NoSchedule") in {(one.key, one.value, one.effect) for one in node.spec.taints}
    assert list(pools.all()["cpu"]["nodes"]) == [name]


def test_a_cloud_resumes_with_the_nodes_it_had(
    control_plane: ControlPlane, cloud: Cloud, pools: NodePools, core: client.CoreV1Api, tmp_path: Path
) -> None:
    cpu = {"nodeCount": 1, "nodeLocations": [ZONE], "nodeConfig": {"machineType": "e2-standard-4"}}
    pools.create("cpu", cpu, operation())
    (name,) = pools.all()["cpu"]["nodes"]
    cloud.close()
    core.delete_node(name)
    again = Cloud(tmp_path, lambda _name, _directory: _Shared(control_plane))
    again.resume()
    try:
        assert core.read_node(name).metadata.name == name
        assert again.list_clusters() == ["projects/p/locations/us-central1/clusters/dev"]
    finally:
        again.close()
        cloud.resume()
