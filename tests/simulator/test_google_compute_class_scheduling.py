"""A ComputeClass on a real control plane: its admission, and pods that the real scheduler places on its rungs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google_nodes import ZONE, Until, operation, running_on
from kubernetes import client

from simulator.google.cloud import Cloud
from simulator.google.node_pools import NodePools

pytest_plugins = ["google_fixtures"]
KEY = "cloud.google.com/compute-class"
GROUP, VERSION, PLURAL = "cloud.google.com", "v1", "computeclasses"


@pytest.fixture
def objects(api: client.ApiClient) -> client.CustomObjectsApi:
    return client.CustomObjectsApi(api)


@pytest.fixture
def define(objects: client.CustomObjectsApi, namespace: str) -> Iterator[Callable[..., str]]:
    made = []

    def create(priorities: list[dict[str, Any]], **spec: Any) -> str:
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "ComputeClass",
            "metadata": {"name": namespace},
            "spec": {"priorities": priorities, "whenUnsatisfiable": "DoNotScaleUp", **spec},
        }
        objects.create_cluster_custom_object(GROUP, VERSION, PLURAL, body)
        made.append(namespace)
        return namespace

    yield create
    for name in made:
        objects.delete_cluster_custom_object(GROUP, VERSION, PLURAL, name)


def pod(name: str, chosen: str, **selector: str) -> dict[str, Any]:
    resources = {"limits": {"nvidia.com/gpu": "1", "cpu": "4", "memory": "16Gi"}}
    return {
        "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "vllm", "image": "vllm", "resources": resources}],
            "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
            "nodeSelector": {KEY: chosen, **selector},
            "terminationGracePeriodSeconds": 0,
        },
    }


@pytest.fixture
def start(core: client.CoreV1Api, namespace: str, until: Until) -> Iterator[Callable[..., None]]:
    def create(name: str, chosen: str) -> None:
        core.create_namespaced_pod(namespace, pod(name, chosen))

    def is_in_force() -> bool:
        """The API server reads new admission rules within a moment."""
        made = core.create_namespaced_pod(namespace, pod("x", "y"), dry_run="All")
        return any(one.key == KEY for one in made.spec.tolerations or [])

    until(is_in_force, what="the class's toleration")
    yield create
    core.delete_collection_namespaced_pod(namespace, grace_period_seconds=0)
    until(lambda: not core.list_namespaced_pod(namespace).items, what="the test's pods are gone")


def condition(objects: client.CustomObjectsApi, name: str, kind: str, rung: int | None = None) -> dict[str, str]:
    status = objects.get_cluster_custom_object(GROUP, VERSION, PLURAL, name).get("status") or {}
    if rung is not None:
        status = (status.get("priorityStatuses") or [{}] * (rung + 1))[rung]
    return next((one for one in status.get("conditions") or [] if one["type"] == kind), {})


def test_pods_land_on_the_second_rung_and_take_the_first_again_after_its_back_off(
    cloud: Cloud,
    core: client.CoreV1Api,
    objects: client.CustomObjectsApi,
    namespace: str,
    until: Until,
    define: Callable[..., str],
    start: Callable[..., None],
    event: Callable[..., Any],
) -> None:
    with cloud.state.change() as data:
        data["timing"] = {"backoff_seconds": 3}
    cloud.faults.set_stockout("*", "a3-highgpu-1g")
    first = {"machineType": "a3-highgpu-1g", "spot": True, "location": {"zones": [ZONE]}}
    chosen = define(
        [first, {"machineType": "g4-standard-48"}, {"machineType": "g2-standard-8"}],
        nodePoolAutoCreation={"enabled": True},
    )
    start("one", chosen)
    assert "-nap-a3-highgpu-1g-" in event("TriggeredScaleUp", "one").message
    assert event("FailedScaleUp", "one").message == (
        f"Node scale up in zones {ZONE} associated with this pod failed: GCE out of resources. "
        "Pod is at risk of not being scheduled."
    )
    assert "-nap-g4-standard-48-" in event("TriggeredScaleUp", "one", "-nap-g4-").message
    node = core.read_node(running_on(core, namespace, until, "one"))
    assert node.metadata.labels["node.kubernetes.io/instance-type"] == "g4-standard-48"
    assert node.metadata.labels[KEY] == chosen
    assert (KEY, chosen, "NoSchedule") in {(one.key, one.value, one.effect) for one in node.spec.taints}

    cloud.faults.set_stockout("*", "a3-highgpu-1g", active=False)
    until(lambda: not condition(objects, chosen, "ProvisioningSuspended", rung=0), what="the back-off is over")
    start("two", chosen)
    node = core.read_node(running_on(core, namespace, until, "two"))
    assert node.metadata.labels["node.kubernetes.io/instance-type"] == "a3-highgpu-1g"
    until(lambda: condition(objects, chosen, "Health").get("status") == "True", what="the class is healthy")


def test_a_class_whose_pool_lacks_the_taint_never_scales_and_says_so(
    pools: NodePools,
    objects: client.CustomObjectsApi,
    namespace: str,
    until: Until,
    define: Callable[..., str],
    start: Callable[..., None],
    event: Callable[..., Any],
) -> None:
    config = {
        "machineType": "g2-standard-8",
        "guestAccelerators": [{"type": "nvidia-l4", "count": 1}],
        "labels": {KEY: namespace},
    }
    pool = {"nodeLocations": [ZONE], "autoscaling": {"totalMaxNodeCount": 1}, "nodeConfig": config}
    pools.create("gpu", pool, operation())
    chosen = define([{"nodepools": ["gpu"]}])
    start("one", chosen)
    found = until(lambda: condition(objects, chosen, "NodepoolMisconfigured"), what="the condition")
    assert (found["reason"], found["message"]) == ("TaintMissing", "Crd taint is missing for the nodepool gpu.")
    assert condition(objects, chosen, "Health")["message"] == "Crd is not healthy."
    event("NotTriggerScaleUp", "one")
    assert pools.all()["gpu"]["nodes"] == {}


@pytest.mark.parametrize("other", ["cloud.google.com/gke-spot", "cloud.google.com/machine-family"])
@pytest.mark.usefixtures("cloud", "start")
def test_a_pod_that_selects_a_class_and_its_nodes_is_refused(
    core: client.CoreV1Api, namespace: str, until: Until, other: str
) -> None:
    def refusal() -> str:
        try:
            core.create_namespaced_pod(namespace, pod("x", "c", **{other: "true"}), dry_run="All")
        except client.ApiException as error:
            return str(error.body)
        return ""

    assert f"must not also select {other}" in until(refusal, what="the refusal")


@pytest.mark.usefixtures("cloud")
def test_a_namespace_names_the_class_of_pods_that_select_none(
    core: client.CoreV1Api, namespace: str, until: Until
) -> None:
    core.patch_namespace(namespace, {"metadata": {"labels": {"cloud.google.com/default-compute-class": "c"}}})
    plain = {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}

    def made(body: dict[str, Any]) -> tuple[dict[str, str] | None, list[str]]:
        spec = core.create_namespaced_pod(namespace, body, dry_run="All").spec
        return spec.node_selector, [one.value for one in spec.tolerations or [] if one.key == KEY]

    until(lambda: made(plain) == ({KEY: "c"}, ["c"]), what="the namespace's class")
    assert made(pod("x", "d")) == ({KEY: "d"}, ["d"])
    selecting = {"metadata": {"name": "x"}, "spec": {**plain["spec"], "nodeSelector": {"a": "b"}}}
    assert made(selecting) == ({KEY: "c", "a": "b"}, ["c"])
    assert core.list_namespaced_pod(namespace).items == []


RULES = [
    ({"nodepools": ["a"], "spot": True}, "Nodepool field cannot be set along with other nodepool configuration fields"),
    ({"machineType": "g2-standard-8", "machineFamily": "g2"}, "MachineFamily and MachineType cannot be set together"),
    ({"machineType": "g2-standard-8", "minCores": 4}, "MachineType cannot be set together with MinCores/MinMemoryGb"),
    ({"spot": True, "flexStart": {"enabled": True}}, "Flex Start provisioning model is incompatible with Spot"),
    (
        {"machineType": "g2-standard-8", "capacityCheckWaitTimeSeconds": 60},
        "capacityCheckWaitTimeSeconds is only supported for Flex Start and for multi-host TPUs",
    ),
    (
        {"machineFamily": "g2", "nodeSystemConfig": {"kubeletConfig": {"shutdownGracePeriodSeconds": 30}}},
        "shutdownGracePeriodSeconds is only supported for Spot",
    ),
    (
        {"machineFamily": "g2", "reservations": {"affinity": "None", "specific": [{"name": "r"}]}},
        "Unable to set specific reservations for non specific affinity",
    ),
    (
        {"machineFamily": "g2", "reservations": {"affinity": "Specific"}},
        "At least 1 specific reservation required for specific affinity",
    ),
]


@pytest.mark.parametrize(("rule", "message"), RULES)
def test_the_server_refuses_a_rule_in_the_words_of_the_definition(
    define: Callable[..., str], rule: dict[str, Any], message: str
) -> None:
    with pytest.raises(client.ApiException) as refused:
        define([rule])
    assert message in str(refused.value.body)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"priorities": [{"machineFamily": "n2", "priorityScore": 1}, {"machineFamily": "e2"}]},
            "PriorityScore must be set for all priorities or for none of them",
        ),
        (
            {"priorities": [{"nodepools": ["a"]}], "autopilot": {"enabled": True}},
            "Nodepools priority cannot be used when Autopilot is enabled",
        ),
        (
            {"priorities": [], "autopilot": {"enabled": True}, "nodePoolAutoCreation": {"enabled": False}},
            "NodePoolAutoCreation cannot be disabled when Autopilot is enabled",
        ),
    ],
)
def test_the_server_refuses_a_class_in_the_words_of_the_definition(
    define: Callable[..., str], spec: dict[str, Any], message: str
) -> None:
    with pytest.raises(client.ApiException) as refused:
        define(**spec)
    assert message in str(refused.value.body)
