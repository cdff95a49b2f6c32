from __future__ import annotations

from typing import Any

import pytest
from kubernetes import client
from provider_harness import Engine, ProviderCallError
from workloads import pod_template, workload

pytest_plugins = ["provider_fixtures"]


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
