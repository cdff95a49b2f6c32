from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from kubernetes import client

GPU = "nvidia.com/gpu"
READY_FOR = "simulator.servestack.dev/ready-for"


@pytest.fixture
def gpu_node(api: client.ApiClient, namespace: str) -> Iterator[str]:
    """A fake node with one GPU, which only pods that select it by label use."""
    core = client.CoreV1Api(api)
    sizes = {"cpu": "25", "memory": "230Gi", "pods": "110", GPU: "1"}
    core.create_node(
        {
            "metadata": {"name": f"{namespace}-node", "labels": {"for": namespace}},
            "spec": {"taints": [{"key": GPU, "value": "present", "effect": "NoSchedule"}]},
            "status": {"capacity": sizes, "allocatable": sizes},
        }
    )
    yield f"{namespace}-node"
    core.delete_node(f"{namespace}-node")


def pod_spec(namespace: str, gpus: int = 1, **extra: object) -> dict[str, object]:
    return {
        "nodeSelector": {"for": namespace},
        "tolerations": [{"key": GPU, "operator": "Exists"}],
        "containers": [
            {
                "name": "engine",
                "image": "example.com/engine:1",
                "ports": [{"containerPort": 8000}],
                "startupProbe": {"httpGet": {"path": "/health", "port": 8000}},
                "resources": {"limits": {GPU: str(gpus)}},
            }
        ],
        **extra,
    }


def deployment(namespace: str, replicas: int, **extra: object) -> dict[str, object]:
    return {
        "metadata": {"name": "engine"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "engine"}},
            "template": {"metadata": {"labels": {"app": "engine"}}, "spec": pod_spec(namespace, **extra)},
        },
    }


def conditions(pod: client.V1Pod) -> dict[str, str]:
    return {condition.type: condition.status for condition in pod.status.conditions or []}


def test_deployment_becomes_available_and_its_service_has_the_ready_pod(api, namespace, gpu_node, until):
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    core.create_namespaced_service(
        namespace,
        {"metadata": {"name": "engine"}, "spec": {"selector": {"app": "engine"}, "ports": [{"port": 8000}]}},
    )
    apps.create_namespaced_deployment(namespace, deployment(namespace, replicas=1))
    until(lambda: apps.read_namespaced_deployment("engine", namespace).status.available_replicas == 1)

    (pod,) = core.list_namespaced_pod(namespace).items
    assert pod.spec.node_name == gpu_node
    assert pod.status.phase == "Running"
    assert set(conditions(pod).values()) == {"True"}
    (status,) = pod.status.container_statuses
    assert (status.ready, status.started, status.restart_count) == (True, True, 0)
    assert status.image_id.startswith("sha256:")
    assert status.state.running.started_at
    assert status.state.waiting is None

    def ready_addresses() -> list[str]:
        slices = client.DiscoveryV1Api(api).list_namespaced_endpoint_slice(namespace).items
        endpoints = [endpoint for slice_ in slices for endpoint in slice_.endpoints or []]
        return [address for one in endpoints if one.conditions.ready for address in one.addresses]

    assert until(ready_addresses) == [pod.status.pod_ip]


@pytest.mark.usefixtures("gpu_node")
def test_pod_that_finds_no_gpu_stays_pending_with_the_schedulers_words(api, namespace, until):
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    apps.create_namespaced_deployment(namespace, deployment(namespace, replicas=2))
    until(lambda: apps.read_namespaced_deployment("engine", namespace).status.available_replicas == 1)

    def refusal() -> str:
        pods = core.list_namespaced_pod(namespace, field_selector="status.phase=Pending").items
        found = [one for pod in pods for one in pod.status.conditions or [] if one.reason == "Unschedulable"]
        return found[0].message if found else ""

    assert "Insufficient nvidia.com/gpu" in until(refusal)


@pytest.mark.usefixtures("gpu_node")
def test_pod_is_running_but_not_ready_while_it_loads(api, namespace, until):
    core = client.CoreV1Api(api)
    annotations = {"simulator.servestack.dev/load-time": "1h"}
    core.create_namespaced_pod(
        namespace, {"metadata": {"name": "slow", "annotations": annotations}, "spec": pod_spec(namespace)}
    )

    def running() -> client.V1Pod | None:
        pod = core.read_namespaced_pod("slow", namespace)
        return pod if pod.status.phase == "Running" else None

    pod = until(running)
    assert conditions(pod)["Ready"] == "False"
    assert pod.status.container_statuses[0].started is False


@pytest.mark.usefixtures("gpu_node")
def test_pod_whose_image_cannot_be_pulled_waits_with_that_reason(api, namespace, until):
    core = client.CoreV1Api(api)
    annotations = {"simulator.servestack.dev/fails-with": "ImagePullBackOff"}
    core.create_namespaced_pod(
        namespace, {"metadata": {"name": "bad", "annotations": annotations}, "spec": pod_spec(namespace)}
    )

    def reason() -> str:
        statuses = core.read_namespaced_pod("bad", namespace).status.container_statuses or []
        return statuses[0].state.waiting.reason if statuses else ""

    assert until(reason) == "ImagePullBackOff"


@pytest.mark.usefixtures("gpu_node")
def test_job_completes_and_deleted_pods_go_away(api, namespace, until):
    core, batch = client.CoreV1Api(api), client.BatchV1Api(api)
    batch.create_namespaced_job(
        namespace,
        {
            "metadata": {"name": "once"},
            "spec": {"template": {"spec": pod_spec(namespace, restartPolicy="Never")}},
        },
    )
    until(lambda: batch.read_namespaced_job("once", namespace).status.succeeded == 1)
    batch.delete_namespaced_job("once", namespace, propagation_policy="Foreground")
    until(lambda: not core.list_namespaced_pod(namespace).items, what="pods gone")


def test_pod_security_restricted_is_enforced(api, namespace):
    core = client.CoreV1Api(api)
    core.patch_namespace(namespace, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    with pytest.raises(client.ApiException) as refusal:
        core.create_namespaced_pod(namespace, {"metadata": {"name": "root"}, "spec": pod_spec(namespace)})
    assert refusal.value.status == 403
    assert 'violates PodSecurity "restricted:latest"' in json.loads(refusal.value.body)["message"]


@pytest.mark.usefixtures("gpu_node")
@pytest.mark.parametrize(("annotations", "available"), [({}, 1), ({READY_FOR: "0s"}, None)], ids=["default", "0s"])
def test_nobody_waits_for_min_ready_seconds_but_who_asks_to(api, namespace, until, annotations, available):
    apps = client.AppsV1Api(api)
    body = deployment(namespace, replicas=1)
    body["spec"] |= {"minReadySeconds": 3000, "progressDeadlineSeconds": 3600}
    body["spec"]["template"]["metadata"]["annotations"] = annotations
    apps.create_namespaced_deployment(namespace, body)
    until(lambda: apps.read_namespaced_deployment("engine", namespace).status.ready_replicas == 1)
    until(lambda: apps.read_namespaced_deployment("engine", namespace).status.available_replicas == available)
