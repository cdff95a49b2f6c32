from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from kubernetes import client
from provider_harness import Engine, ProviderCallError, Resource
from workloads import in_background, pod_template, workload

pytest_plugins = ["provider_fixtures"]


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
