"""The real controller makes the pods of LeaderWorkerSets, on a control plane with fake nodes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client
from provider_harness import Engine
from workloads import QUICK, in_background

from simulator.control_plane import ControlPlane

pytest_plugins = ["provider_fixtures"]

Until = Callable[..., Any]
GPU = "nvidia.com/gpu"
KIND = ("leaderworkerset.x-k8s.io", "v1")
AVAILABLE = 'jsonpath={.status.conditions[?(@.type=="Available")].status}=True'


@pytest.fixture
def gpu_nodes(api: client.ApiClient, namespace: str) -> Iterator[set[str]]:
    """Two fake nodes with one GPU each, which only this namespace's pods use."""
    core = client.CoreV1Api(api)
    sizes = {"cpu": "25", "memory": "230Gi", "pods": "110", GPU: "1"}
    names = {f"{namespace}-{number}" for number in (0, 1)}
    for name in names:
        core.create_node(
            {
                "metadata": {"name": name, "labels": {"for": namespace}},
                "spec": {"taints": [{"key": "for", "value": namespace, "effect": "NoSchedule"}]},
                "status": {"capacity": sizes, "allocatable": sizes},
            }
        )
    yield names
    for name in names:
        core.delete_node(name)


def leader_worker_set(namespace: str, **annotations: str) -> dict[str, Any]:
    """One group of two pods, each with a GPU."""
    engine = {"name": "engine", "image": "example.com/engine:1", "resources": {"limits": {GPU: "1"}}}
    template = {
        "metadata": {"annotations": QUICK},
        "spec": {
            "nodeSelector": {"for": namespace},
            "tolerations": [{"key": "for", "operator": "Exists"}],
            "containers": [engine],
        },
    }
    return {
        "apiVersion": "/".join(KIND),
        "kind": "LeaderWorkerSet",
        "metadata": {"name": "engine", "namespace": namespace, "annotations": annotations},
        "spec": {
            "replicas": 1,
            "leaderWorkerTemplate": {
                "size": 2,
                "restartPolicy": "RecreateGroupOnPodRestart",
                "leaderTemplate": template,
                "workerTemplate": copy.deepcopy(template),
            },
        },
    }


def create(api: client.ApiClient, obj: dict[str, Any]) -> dict[str, Any]:
    custom = client.CustomObjectsApi(api)
    made = custom.create_namespaced_custom_object(*KIND, obj["metadata"]["namespace"], "leaderworkersets", obj)
    return dict(made)


def condition(api: client.ApiClient, namespace: str, kind: str) -> str:
    found = client.CustomObjectsApi(api).get_namespaced_custom_object(*KIND, namespace, "leaderworkersets", "engine")
    for one in found.get("status", {}).get("conditions", []):
        if one["type"] == kind:
            return str(one["status"])
    return ""


def pods(api: client.ApiClient, namespace: str) -> dict[str, client.V1Pod]:
    return {pod.metadata.name: pod for pod in client.CoreV1Api(api).list_namespaced_pod(namespace).items}


def identities(api: client.ApiClient, namespace: str) -> set[str]:
    return {pod.metadata.uid for pod in pods(api, namespace).values()}


def variables(pod: client.V1Pod) -> dict[str, str]:
    return {one.name: one.value for one in pod.spec.containers[0].env if one.value is not None}


def test_a_group_gets_its_pods_is_made_again_as_a_whole_and_goes(
    api: client.ApiClient, namespace: str, gpu_nodes: set[str], until: Until
) -> None:
    create(api, leader_worker_set(namespace))
    until(lambda: condition(api, namespace, "Available") == "True", what="the group is available")

    group = pods(api, namespace)
    assert group.keys() == {"engine-0", "engine-0-1"}
    assert {pod.spec.node_name for pod in group.values()} == gpu_nodes
    address = f"engine-0.engine.{namespace}"
    for name, index in (("engine-0", "0"), ("engine-0-1", "1")):
        assert variables(group[name]).items() >= {
            ("LWS_LEADER_ADDRESS", address),
            ("LWS_GROUP_SIZE", "2"),
            ("LWS_WORKER_INDEX", index),
        }
        assert group[name].metadata.labels["leaderworkerset.sigs.k8s.io/worker-index"] == index
    service = client.CoreV1Api(api).read_namespaced_service("engine", namespace)
    assert service.spec.cluster_ip == "None"

    first = identities(api, namespace)
    client.CoreV1Api(api).delete_namespaced_pod("engine-0-1", namespace)

    def is_new() -> bool:
        now = pods(api, namespace)
        ready = all(one.status.phase == "Running" for one in now.values())
        return len(now) == 2 and ready and not first & {pod.metadata.uid for pod in now.values()}

    until(is_new, what="leader and worker are other pods than before")
    until(lambda: condition(api, namespace, "Available") == "True", what="the group is available again")

    client.CustomObjectsApi(api).delete_namespaced_custom_object(*KIND, namespace, "leaderworkersets", "engine")
    apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
    until(lambda: not pods(api, namespace), what="pods gone")
    until(lambda: not apps.list_namespaced_stateful_set(namespace).items, what="StatefulSets gone")
    until(lambda: not core.list_namespaced_service(namespace).items, what="Service gone")


def test_a_set_that_only_the_controller_can_refuse_is_refused(api: client.ApiClient, namespace: str) -> None:
    bad = leader_worker_set(namespace)
    bad["metadata"]["name"] = "1-engine"  # its headless Service could not have this name
    with pytest.raises(client.ApiException) as refusal:
        create(api, bad)
    assert "vleaderworkerset.kb.io" in refusal.value.body


def test_a_disaggregated_set_is_refused_and_not_left_without_pods(api: client.ApiClient, namespace: str) -> None:
    body = {
        "apiVersion": "disaggregatedset.x-k8s.io/v1",
        "kind": "DisaggregatedSet",
        "metadata": {"name": "x"},
        "spec": {},
    }
    custom = client.CustomObjectsApi(api)
    with pytest.raises(client.ApiException, match="DisaggregatedSets are not simulated"):
        custom.create_namespaced_custom_object("disaggregatedset.x-k8s.io", "v1", namespace, "disaggregatedsets", body)


def test_quantities_come_back_in_their_canonical_form(api: client.ApiClient, namespace: str) -> None:
    """So a program that writes another form sees a change after each refresh."""
    obj = leader_worker_set(namespace)
    limits = obj["spec"]["leaderWorkerTemplate"]["workerTemplate"]["spec"]["containers"][0]["resources"]["limits"]
    limits |= {"cpu": 2, "memory": "2048Mi"}
    made = create(api, obj)
    container = made["spec"]["leaderWorkerTemplate"]["workerTemplate"]["spec"]["containers"][0]
    assert container["resources"]["limits"] == {GPU: "1", "cpu": "2", "memory": "2Gi"}


def test_other_pods_do_not_wait_for_the_controller(api: client.ApiClient, control_plane: ControlPlane) -> None:
    admission = client.AdmissionregistrationV1Api(api)
    hooks = [
        *admission.read_mutating_webhook_configuration("lws-mutating-webhook-configuration").webhooks,
        *admission.read_validating_webhook_configuration("lws-validating-webhook-configuration").webhooks,
    ]
    for hook in hooks:
        assert hook.client_config.url.startswith("https://127.0.0.1:")
        for rule in hook.rules:
            if "pods" in rule.resources:
                (selected,) = hook.object_selector.match_expressions
                assert (selected.key, selected.operator) == ("leaderworkerset.sigs.k8s.io/name", "Exists")


@pytest.mark.usefixtures("gpu_nodes")
@pytest.mark.parametrize("wait_for", [AVAILABLE, "condition=Available"])
def test_a_program_can_wait_until_a_group_is_available(
    engine: Engine, api: client.ApiClient, namespace: str, until: Until, wait_for: str
) -> None:
    obj = leader_worker_set(namespace, **{"pulumi.com/waitFor": wait_for})
    worker = obj["spec"]["leaderWorkerTemplate"]["workerTemplate"]
    worker["metadata"]["annotations"] = QUICK | {"simulator.servestack.dev/load-time": "3s"}
    thread, outcome = in_background(engine, obj, timeout=60)

    def leader_is_ready() -> bool:
        pod = pods(api, namespace).get("engine-0")
        return bool(pod) and any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or [])

    until(leader_is_ready, what="the leader is ready")
    assert not outcome
    thread.join(30)
    (made,) = outcome
    assert made.identifier == f"{namespace}/engine"
    assert condition(api, namespace, "Available") == "True"
    engine.delete(made)
    until(lambda: not pods(api, namespace), what="pods gone")


@pytest.mark.usefixtures("gpu_nodes")
def test_a_program_can_wait_until_a_changed_group_is_available(
    engine: Engine, api: client.ApiClient, namespace: str
) -> None:
    """By the condition's name: its value alone is still that of the group before."""
    made = engine.create(leader_worker_set(namespace, **{"pulumi.com/waitFor": "condition=Available"}), timeout=60)
    changed = copy.deepcopy(made.inputs)
    for template in ("leaderTemplate", "workerTemplate"):
        changed["spec"]["leaderWorkerTemplate"][template]["spec"]["containers"][0]["image"] = "example.com/engine:2"
    made = engine.update(made, changed, timeout=60)

    group = pods(api, namespace)
    assert group.keys() == {"engine-0", "engine-0-1"}
    for pod in group.values():
        assert pod.spec.containers[0].image == "example.com/engine:2"
        assert {one.status for one in pod.status.conditions if one.type == "Ready"} == {"True"}
    engine.delete(made)
