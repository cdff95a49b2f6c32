"""Nodes of the simulated GKE through changes of their pool, its deletion, and a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from google_nodes import H100, ZONE, Shared, Until, operation, running_on
from kubernetes import client

from simulator.control_plane import ControlPlane
from simulator.google.cloud import Cloud
from simulator.google.node_pools import NodePools

pytest_plugins = ["google_fixtures"]


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
    again = Cloud(tmp_path, lambda _name, _directory: Shared(control_plane))
    again.resume()
    try:
        assert core.read_node(name).metadata.name == name
        assert again.list_clusters() == ["projects/p/locations/us-central1/clusters/dev"]
    finally:
        again.close()
        cloud.resume()
