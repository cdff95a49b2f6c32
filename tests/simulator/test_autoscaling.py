"""The real controller of HorizontalPodAutoscalers follows metrics that come through the aggregation layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client
from workloads import QUICK

from infra.pipeline import Endpoint, build
from infra.stack_folder import StackFolder
from simulator.binaries import REPOSITORY
from simulator.control_plane import ControlPlane
from simulator.google.kubernetes_api import KubernetesApi, KubernetesError
from simulator.metrics_api import CUSTOM, EXTERNAL, MetricsApi

WAITING = "prometheus.googleapis.com|vllm:num_requests_waiting|gauge"
MODEL = {"metric.labels.model_name": "gemma-4-e4b-it"}
Until = Callable[..., Any]


@pytest.fixture(scope="module")
def metrics(control_plane: ControlPlane) -> Iterator[MetricsApi]:
    served = MetricsApi(control_plane)
    try:
        yield served
    finally:
        served.close()


@pytest.fixture
def scaled(api: client.ApiClient, namespace: str) -> Iterator[str]:
    """A Deployment of one replica, on a node with room for many."""
    core = client.CoreV1Api(api)
    sizes = {"cpu": "64", "memory": "64Gi", "pods": "110"}
    node = {"metadata": {"name": namespace, "labels": {"for": namespace}}}
    core.create_node(node | {"status": {"capacity": sizes, "allocatable": sizes}})
    pod = {
        "nodeSelector": {"for": namespace},
        "containers": [{"name": "engine", "image": "example.com/engine:1"}],
    }
    template = {"metadata": {"labels": {"app": "engine"}, "annotations": QUICK}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "engine"}}, "template": template}
    client.AppsV1Api(api).create_namespaced_deployment(namespace, {"metadata": {"name": "engine"}, "spec": spec})
    yield namespace
    core.delete_node(namespace)


def autoscaler(metric: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"name": "engine"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "engine"},
            "minReplicas": 1,
            "maxReplicas": 4,
            "metrics": [metric],
            "behavior": {
                "scaleUp": {
                    "stabilizationWindowSeconds": 0,
                    "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}],
                },
                "scaleDown": {"stabilizationWindowSeconds": 0},
            },
        },
    }


def external() -> dict[str, Any]:
    name = {"name": WAITING, "selector": {"matchLabels": MODEL}}
    return {"type": "External", "external": {"metric": name, "target": {"type": "AverageValue", "averageValue": "4"}}}


def condition(api: client.ApiClient, namespace: str, kind: str) -> tuple[str, str]:
    found = client.AutoscalingV2Api(api).read_namespaced_horizontal_pod_autoscaler("engine", namespace)
    return next(((one.status, one.reason) for one in found.status.conditions or [] if one.type == kind), ("", ""))


def replicas(api: client.ApiClient, namespace: str) -> tuple[int, int, int]:
    """What the autoscaler wants, what the Deployment is asked for, and how many of its pods are available."""
    found = client.AutoscalingV2Api(api).read_namespaced_horizontal_pod_autoscaler("engine", namespace)
    deployment = client.AppsV1Api(api).read_namespaced_deployment("engine", namespace)
    return found.status.desired_replicas, deployment.spec.replicas, deployment.status.available_replicas or 0


def test_requests_that_wait_bring_replicas_and_their_end_takes_them_away(
    api: client.ApiClient, scaled: str, metrics: MetricsApi, until: Until
) -> None:
    metrics.set_external(scaled, WAITING, [(MODEL, "10"), ({"metric.labels.model_name": "other"}, "1000")])
    client.AutoscalingV2Api(api).create_namespaced_horizontal_pod_autoscaler(scaled, autoscaler(external()))
    # ceil(10 / 4) = 3 replicas: the other model's queue is not this one's.
    until(lambda: replicas(api, scaled) == (3, 3, 3), what="three replicas")
    metrics.set_external(scaled, WAITING, [(MODEL, "400")])
    until(lambda: replicas(api, scaled) == (4, 4, 4), what="no more than the most")
    assert condition(api, scaled, "ScalingLimited") == ("True", "TooManyReplicas")
    metrics.set_external(scaled, WAITING, [(MODEL, "0")])
    until(lambda: replicas(api, scaled) == (1, 1, 1), what="the fewest")


def test_a_metric_that_is_lost_changes_nothing(
    api: client.ApiClient, scaled: str, metrics: MetricsApi, until: Until
) -> None:
    metrics.set_external(scaled, WAITING, [(MODEL, "8")])
    client.AutoscalingV2Api(api).create_namespaced_horizontal_pod_autoscaler(scaled, autoscaler(external()))
    until(lambda: replicas(api, scaled) == (2, 2, 2), what="two replicas")
    metrics.forget()
    until(lambda: condition(api, scaled, "ScalingActive") == ("False", "FailedGetExternalMetric"))
    assert replicas(api, scaled) == (2, 2, 2)


def test_a_metric_of_each_pod_scales_by_its_average(
    api: client.ApiClient, scaled: str, metrics: MetricsApi, until: Until
) -> None:
    core = client.CoreV1Api(api)
    target = {"metric": {"name": WAITING}, "target": {"type": "AverageValue", "averageValue": "4"}}
    until(lambda: (client.AppsV1Api(api).read_namespaced_deployment("engine", scaled).status.available_replicas) == 1)
    (pod,) = core.list_namespaced_pod(scaled).items
    metrics.set_pods(scaled, WAITING, {pod.metadata.name: "7500m"})
    hpa = autoscaler({"type": "Pods", "pods": target})
    client.AutoscalingV2Api(api).create_namespaced_horizontal_pod_autoscaler(scaled, hpa)
    until(lambda: replicas(api, scaled)[:2] == (2, 2), what="two replicas")


def test_the_rendered_autoscaler_follows_queue_and_cache_and_keeps_a_replica_that_is_busy(
    api: client.ApiClient, scaled: str, metrics: MetricsApi, until: Until
) -> None:
    endpoint = build("gemma4-e4b-l4-scaled", StackFolder(REPOSITORY / "stacks"))
    assert isinstance(endpoint, Endpoint)
    hpa = next(one for one in endpoint.objects() if one["kind"] == "HorizontalPodAutoscaler")
    hpa["metadata"] = {"name": "engine"}
    hpa["spec"]["scaleTargetRef"]["name"] = "engine"
    for direction in ("scaleUp", "scaleDown"):  # at once, in place of the start-up time of a real model
        hpa["spec"]["behavior"][direction] |= {
            "stabilizationWindowSeconds": 0,
            "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}],
        }

    def say(waiting: str, cache: str, running: str) -> None:
        for pod in client.CoreV1Api(api).list_namespaced_pod(scaled).items:
            said = {"num_requests_waiting": waiting, "kv_cache_usage_perc": cache, "num_requests_running": running}
            for name, value in said.items():
                metric = f"prometheus.googleapis.com|vllm:{name}|gauge"
                values[metric] = values.get(metric, {}) | {pod.metadata.name: value}
                metrics.set_pods(scaled, metric, values[metric])

    def follows(wanted: int, **said: str) -> None:
        def met() -> bool:
            say(**said)  # new pods have their gauges too
            return replicas(api, scaled)[:2] == (wanted, wanted)

        until(met, what=f"{wanted} replicas")

    values: dict[str, dict[str, str]] = {}
    say("0", "0", "0")
    client.AutoscalingV2Api(api).create_namespaced_horizontal_pod_autoscaler(scaled, hpa)
    follows(4, waiting="9", cache="100m", running="10")
    follows(4, waiting="0", cache="100m", running="256")
    follows(1, waiting="0", cache="100m", running="0")
    follows(2, waiting="0", cache="1", running="0")


@pytest.mark.usefixtures("metrics")
def test_both_apis_can_be_discovered_and_an_unknown_metric_is_not_found(control_plane: ControlPlane) -> None:
    kubernetes = KubernetesApi(control_plane)
    assert all(kubernetes.request("GET", f"/apis/{one}")["groupVersion"] == one for one in (EXTERNAL, CUSTOM))
    with pytest.raises(KubernetesError) as missing:
        kubernetes.request("GET", f"/apis/{EXTERNAL}/namespaces/default/no-such-metric")
    assert missing.value.code == 404
