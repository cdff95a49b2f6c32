from __future__ import annotations

import threading
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from kubernetes import client
from provider_harness import Engine, ProviderCallError, Resource

from simulator.kubernetes_provider import await_service

pytest_plugins = ["provider_fixtures"]

QUICK = {"simulator.servestack.dev/pull-time": "10ms", "simulator.servestack.dev/load-time": "10ms"}


@pytest.fixture
def node(api: client.ApiClient, namespace: str) -> Iterator[str]:
    """A fake node for two pods of this namespace."""
    core = client.CoreV1Api(api)
    sizes = {"cpu": "2", "memory": "8Gi", "pods": "110"}
    core.create_node(
        {
            "metadata": {"name": f"{namespace}-node", "labels": {"for": namespace}},
            "spec": {"taints": [{"key": "for", "value": namespace, "effect": "NoSchedule"}]},
            "status": {"capacity": sizes, "allocatable": sizes},
        }
    )
    yield f"{namespace}-node"
    core.delete_node(f"{namespace}-node")


def pod_template(namespace: str, cpu: str = "1", **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "app"}, "annotations": {**QUICK, **annotations}},
        "spec": {
            "nodeSelector": {"for": namespace},
            "tolerations": [{"key": "for", "operator": "Exists"}],
            "containers": [{"name": "app", "image": "example.com/app:1", "resources": {"requests": {"cpu": cpu}}}],
        },
    }


def workload(kind: str, namespace: str, template: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "app", "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": "app"}}, "template": template, **spec},
    }


def in_background(engine: Engine, obj: dict[str, Any], timeout: float = 20) -> tuple[threading.Thread, list[Any]]:
    """Creates an object in a thread; the list then holds the resource or the failure."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(engine.create(obj, timeout=timeout))
        except ProviderCallError as failure:
            outcome.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


@pytest.mark.usefixtures("node")
def test_deployment_is_awaited_until_its_pods_are_ready(engine: Engine, namespace: str) -> None:
    made = engine.create(workload("Deployment", namespace, pod_template(namespace), replicas=2))

    assert made.state["status"]["readyReplicas"] == 2
    assert engine.statuses()[-1] == "✅ Deployment initialization complete"
    assert "Waiting for app ReplicaSet to be available (0/2 Pods available)" in engine.statuses()
    assert engine.recording.records[-1].message == ""


def test_pending_deployment_fails_without_the_schedulers_words(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    with pytest.raises(ProviderCallError) as failure:
        engine.create(workload("Deployment", namespace, pod_template(namespace)), timeout=2)

    prefix = (
        f'resource "{failure.value.reasons[0].split(chr(34))[1]}" was successfully created, but the Kubernetes API '
        "server reported that it failed to fully initialize or become live: "
    )
    assert failure.value.reasons == [
        prefix + "'app' timed out waiting to be Ready",
        "[MinimumReplicasUnavailable] Deployment does not have minimum availability.",
        "Minimum number of live Pods was not attained",
    ]
    assert failure.value.identifier == f"{namespace}/app"
    assert failure.value.properties["metadata"]["uid"]
    (pod,) = client.CoreV1Api(api).list_namespaced_pod(namespace).items
    (unschedulable,) = pod.status.conditions
    assert unschedulable.reason == "Unschedulable"
    assert not [text for text in engine.statuses() if unschedulable.message in text]


@pytest.mark.usefixtures("node")
def test_pod_that_cannot_pull_its_image_is_named_in_the_failure(engine: Engine, namespace: str) -> None:
    template = pod_template(namespace, **{"simulator.servestack.dev/fails-with": "ImagePullBackOff"})

    with pytest.raises(ProviderCallError) as failure:
        engine.create(workload("Deployment", namespace, template), timeout=3)

    (pod,) = [reason for reason in failure.value.reasons if reason.startswith("[Pod ")]
    assert pod.startswith(f"[Pod {namespace}/app-")
    assert "]: containers with unready status: [app][ImagePullBackOff] " in pod


def test_failed_deployment_is_awaited_again_by_an_update_without_changes(engine: Engine, namespace: str) -> None:
    obj = workload("Deployment", namespace, pod_template(namespace))
    with pytest.raises(ProviderCallError) as failure:
        engine.create(obj, timeout=1)
    inputs = failure.value.properties["__inputs"]
    urn = failure.value.reasons[0].split('"')[1]
    old = Resource(urn, failure.value.identifier, inputs, failure.value.properties)
    assert engine.diff(old, inputs).changes == engine.diff(old, inputs).DIFF_NONE

    with pytest.raises(ProviderCallError, match="timed out waiting to be Ready"):
        engine.update(old, obj, timeout=1)


@pytest.mark.usefixtures("node")
def test_update_without_room_for_the_new_pod_keeps_the_old_one_and_fails(engine: Engine, namespace: str) -> None:
    obj = workload("Deployment", namespace, pod_template(namespace, cpu="2"), replicas=1)
    made = engine.create(obj)
    wanted = deepcopy(obj)
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/app:2"

    with pytest.raises(ProviderCallError) as failure:
        engine.update(made, wanted, timeout=2)

    assert failure.value.reasons[0] == (
        f'the Kubernetes API server reported that "{namespace}/app" failed to fully initialize or become live: '
        "'app' timed out waiting to be Ready"
    )
    assert failure.value.reasons[1:] == ["Minimum number of Pods to consider the application live was not attained"]


@pytest.mark.usefixtures("node")
def test_update_is_awaited_until_the_new_pods_are_ready(engine: Engine, namespace: str) -> None:
    obj = workload("Deployment", namespace, pod_template(namespace), replicas=1)
    made = engine.create(obj)
    wanted = deepcopy(obj)
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/app:2"

    changed = engine.update(made, wanted)

    assert changed.state["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert changed.state["status"]["updatedReplicas"] == 1


def test_cancel_ends_a_wait_and_saves_the_object(engine: Engine, namespace: str, until: Any) -> None:
    thread, outcome = in_background(engine, workload("Deployment", namespace, pod_template(namespace)))
    until(lambda: any(text.startswith("Waiting for app") for text in engine.statuses()))

    engine.cancel()
    thread.join(5)

    assert str(outcome[0]) == 'Resource operation was cancelled for "app"'
    assert outcome[0].partial


def service(namespace: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "app"}, **spec},
    }


def test_service_without_pods_succeeds_once_its_endpoints_are_quiet(
    engine: Engine, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(await_service, "_SETTLE_SECONDS", 0.5)

    engine.create(service(namespace))

    assert engine.statuses() == ["[1/3] Finding Pods to direct traffic to", "✅ Service initialization complete"]


@pytest.mark.usefixtures("node")
def test_service_waits_for_its_pods_and_fails_when_they_stay_unready(
    engine: Engine, namespace: str, api: client.ApiClient, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(await_service, "_SETTLE_SECONDS", 0.2)
    skip = {"pulumi.com/skipAwait": "true"}
    deployment = workload(
        "Deployment", namespace, pod_template(namespace, **{"simulator.servestack.dev/load-time": "1h"})
    )
    deployment["metadata"]["annotations"] = skip
    engine.create(deployment)
    quiet = service(namespace)
    quiet["metadata"]["annotations"] = skip
    made = engine.create(quiet)

    def has_unready_address() -> bool:
        endpoints = client.CoreV1Api(api).list_namespaced_endpoints(namespace).items
        return any(subset.not_ready_addresses for item in endpoints for subset in item.subsets or [])

    until(has_unready_address)
    with pytest.raises(ProviderCallError) as failure:
        engine.update(made, service(namespace), timeout=1)

    assert failure.value.reasons[1:] == [
        "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match "
        "labels on any Pods"
    ]


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"selector": None}])
def test_headless_and_selectorless_services_are_ready_at_first_sight(
    engine: Engine, namespace: str, spec: dict[str, Any]
) -> None:
    assert engine.create(service(namespace, **spec), timeout=5).identifier


def test_load_balancer_needs_an_address(engine: Engine, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(await_service, "_SETTLE_SECONDS", 0.2)

    with pytest.raises(ProviderCallError) as failure:
        engine.create(service(namespace, type="LoadBalancer"), timeout=2)

    assert failure.value.reasons[1:] == [
        "Service was not allocated an IP address; does your cloud provider support this?"
    ]
    assert "[2/3] Attempting to allocate IP address to Service" in engine.statuses()


@pytest.mark.usefixtures("node")
def test_stateful_set_is_awaited(engine: Engine, namespace: str) -> None:
    obj = workload("StatefulSet", namespace, pod_template(namespace), serviceName="app", replicas=2)

    made = engine.create(obj)

    assert made.state["status"]["readyReplicas"] == 2
    assert "[1/2] Waiting for StatefulSet to create Pods (0/2 Pods ready)" in engine.statuses()
    assert engine.statuses()[-1] == "✅ StatefulSet initialization complete"


@pytest.mark.usefixtures("node")
def test_daemon_set_is_awaited(engine: Engine, namespace: str) -> None:
    """How many replicas there are depends on whether the controller has seen the new node yet."""
    made = engine.create(workload("DaemonSet", namespace, pod_template(namespace)))

    status = made.state["status"]
    assert status["numberReady"] == status["desiredNumberScheduled"]
    assert engine.statuses()[-1].startswith("✅ All replicas scheduled as expected. Replicas: ")


def job(namespace: str, **spec: Any) -> dict[str, Any]:
    template = pod_template(namespace, **{"simulator.servestack.dev/run-time": "10ms"})
    template["spec"]["restartPolicy"] = "Never"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once", "namespace": namespace},
        "spec": {"template": template, **spec},
    }


@pytest.mark.usefixtures("node")
def test_job_is_awaited_until_complete(engine: Engine, namespace: str) -> None:
    assert engine.create(job(namespace)).state["status"]["succeeded"] == 1


def test_job_past_its_deadline_fails_at_once(engine: Engine, namespace: str) -> None:
    with pytest.raises(ProviderCallError) as failure:
        engine.create(job(namespace, activeDeadlineSeconds=1))

    assert failure.value.reasons[0].endswith("Resource 'once' was created but failed to initialize")
    assert failure.value.reasons[1].startswith("[DeadlineExceeded] ")


@pytest.mark.usefixtures("node")
def test_pod_is_awaited(engine: Engine, namespace: str) -> None:
    template = pod_template(namespace)
    metadata = {"name": "solo", "namespace": namespace, **template["metadata"]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}

    assert engine.create(pod).state["status"]["phase"] == "Running"
    assert engine.statuses()[-1] == f'Waiting for Pod "{namespace}/solo" to be ready'


def test_claim_that_waits_for_a_consumer_is_ready_while_pending(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    storage = client.StorageV1Api(api)
    body = {
        "metadata": {"name": namespace},
        "provisioner": "example.com/none",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    storage.create_storage_class(body)
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "weights", "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": namespace,
            "resources": {"requests": {"storage": "1024Mi"}},
        },
    }
    try:
        made = engine.create(claim)
    finally:
        storage.delete_storage_class(namespace)

    assert made.state["status"]["phase"] == "Pending"
    assert made.inputs["spec"]["resources"]["requests"]["storage"] == "1Gi"


def test_ingress_is_awaited_until_it_has_an_address(
    engine: Engine, namespace: str, api: client.ApiClient, until: Any
) -> None:
    skipped = service(namespace)
    skipped["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    engine.create(skipped)
    until(lambda: client.CoreV1Api(api).list_namespaced_endpoints(namespace).items)
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "door", "namespace": namespace},
        "spec": {"rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]},
    }
    thread, outcome = in_background(engine, ingress)
    waiting = "[2/3] Waiting for update of .status.loadBalancer with hostname/IP"
    until(lambda: waiting in engine.statuses())
    client.NetworkingV1Api(api).patch_namespaced_ingress_status(
        "door", namespace, {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    )
    thread.join(10)

    assert outcome[0].state["status"]["loadBalancer"]["ingress"] == [{"ip": "192.0.2.1"}]
    assert engine.statuses()[-1] == "✅ Ingress initialization complete"


def waiting_config_map(namespace: str, wait_for: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "flag",
            "namespace": namespace,
            "annotations": {"pulumi.com/waitFor": wait_for},
        },
        "data": {"phase": "Pending"},
    }


def test_wait_for_holds_a_resource_until_its_path_has_the_value(
    engine: Engine, namespace: str, api: client.ApiClient, until: Any
) -> None:
    thread, outcome = in_background(engine, waiting_config_map(namespace, "jsonpath={.data.phase}=Ready"))
    until(lambda: 'Waiting for {.data.phase}=Ready (found "Pending")' in engine.statuses())
    client.CoreV1Api(api).patch_namespaced_config_map("flag", namespace, {"data": {"phase": "Ready"}})
    thread.join(10)

    assert outcome[0].state["data"] == {"phase": "Ready"}
    assert engine.statuses()[-1] == "Found {.data.phase}=Ready"


def test_wait_for_that_never_holds_gives_no_reason(engine: Engine, namespace: str) -> None:
    with pytest.raises(ProviderCallError) as failure:
        engine.create(waiting_config_map(namespace, "condition=Ready"), timeout=1)

    (reason,) = failure.value.reasons
    assert reason.endswith("become live: timed out waiting for the condition")
    assert "Has no .status.conditions" in engine.statuses()


def test_malformed_wait_for_is_found_after_the_create_and_loses_the_object(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    with pytest.raises(ProviderCallError) as failure:
        engine.create(waiting_config_map(namespace, "ready"))

    assert str(failure.value).endswith('expected a "jsonpath=" or "condition=" prefix, got "ready"')
    assert not failure.value.partial
    assert client.CoreV1Api(api).read_namespaced_config_map("flag", namespace)
