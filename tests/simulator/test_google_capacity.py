"""What the simulated GKE does when Compute Engine has nothing to give, or takes it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google_nodes import H100, LOCATION, ZONE, Until, edited, operation, running_on
from kubernetes import client

from simulator.google.cloud import Cloud
from simulator.google.node_pools import NodePools

pytest_plugins = ["google_fixtures"]


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


def test_a_preemption_fails_the_pod_and_a_new_one_runs_on_another_node(
    cloud: Cloud,
    pools: NodePools,
    core: client.CoreV1Api,
    api: client.ApiClient,
    namespace: str,
    until: Until,
    ask: Callable[..., str],
) -> None:
    pools.create("gpu", H100, operation())
    pod = core.read_namespaced_pod(ask("model"), namespace)
    core.delete_namespaced_pod("model", namespace)
    apps = client.AppsV1Api(api)
    template = {"metadata": {"labels": {"app": "a"}}, "spec": pod.spec}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    apps.create_namespaced_deployment(namespace, {"metadata": {"name": "server"}, "spec": spec})

    def running() -> Any:
        pods = core.list_namespaced_pod(namespace).items
        return next(
            (one for one in pods if one.status.phase == "Running" and not one.metadata.deletion_timestamp), None
        )

    lost = until(running, what="a pod runs").spec.node_name
    cloud.faults.preempt(lost)
    until(lambda: lost not in pools.all()["gpu"]["nodes"], what="the node is gone")
    pods = [one for one in core.list_namespaced_pod(namespace).items if one.status.phase == "Failed"]
    assert [one.status.reason for one in pods] == ["Terminated"]
    assert until(running, what="another pod runs").spec.node_name in pools.all()["gpu"]["nodes"]
    assert cloud.state.read()["faults"]["preemptions"] == []
    apps.delete_namespaced_deployment("server", namespace, propagation_policy="Background")


def test_a_notice_tells_the_pods_and_keeps_new_ones_away_before_the_node_goes(
    cloud: Cloud,
    pools: NodePools,
    core: client.CoreV1Api,
    namespace: str,
    until: Until,
    ask: Callable[..., str],
) -> None:
    pools.create("gpu", H100, operation())
    lost = running_on(core, namespace, until, ask())
    cloud.faults.preempt(lost, notice_seconds=3)

    def disruption() -> Any:
        pod = core.read_namespaced_pod("server", namespace)
        return next((one for one in pod.status.conditions if one.type == "DisruptionTarget"), None)

    assert until(disruption, what="the pod is told").reason == "TerminationByKubelet"
    assert core.read_namespaced_pod("server", namespace).status.phase == "Running"
    node = core.read_node(lost)
    assert node.spec.unschedulable
    assert "cloud.google.com/impending-node-termination" in [taint.key for taint in node.spec.taints]
    until(lambda: lost not in pools.all()["gpu"]["nodes"], what="the node is gone")
    until(lambda: pools.all()["gpu"]["nodes"], what="another instance")
    assert core.read_namespaced_pod("server", namespace).status.phase == "Failed"


def test_nodes_missing_since_creation_come_when_capacity_does(cloud: Cloud, pools: NodePools, until: Until) -> None:
    with cloud.state.change() as data:
        data["timing"] = {"stockout_retry_seconds": 0}
    cloud.faults.set_stockout("*", "a3-highgpu-1g")
    assert pools.create("gpu", edited(initialNodeCount=1), operation())["status"] == "RUNNING_WITH_ERROR"
    cloud.faults.set_stockout("*", "a3-highgpu-1g", active=False)
    until(lambda: pools.all()["gpu"]["status"] == "RUNNING", what="the pool is healthy")
    assert len(pools.all()["gpu"]["nodes"]) == 1
