"""What the program hands to Google is what the SDK's own classes take, and what the plan says."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from infra.cloud.cluster import cluster_inputs, system_pool_inputs
from infra.cloud.node_pool import accelerator_pool_inputs, node_pools
from infra.pipeline import Endpoint
from infra.spec import Cluster, Gke
from simulator.google.schema import CLUSTER, NODE_POOL, failures, resource_kind
from tests.unit.test_golden import ENDPOINTS, MORE

GKE = Gke(project="servestack-dev", location="us-central1", cluster=Cluster(name="dev"))
ALL = [one for one in (*ENDPOINTS.values(), *MORE.values()) if one.platform.gke]


def faults(token: str, inputs: dict[str, Any]) -> list[Any]:
    kind = resource_kind(token)
    assert kind
    return failures(kind, inputs)


@pytest.mark.parametrize("one", ALL, ids=[one.name for one in ALL])
def test_an_endpoints_pool_has_only_inputs_that_the_sdk_has_of_the_right_type(one: Endpoint) -> None:
    for pool in node_pools(one.plan, GKE):
        assert faults(NODE_POOL, pool.inputs) == []


def test_a_platforms_resources_have_only_inputs_that_the_sdk_has() -> None:
    assert faults(CLUSTER, cluster_inputs("dev", GKE, {"team": "search"})) == []
    assert faults(NODE_POOL, system_pool_inputs("dev", GKE, {"team": "search"})) == []


def test_the_check_can_fail() -> None:
    wrong = cluster_inputs("dev", GKE, {}) | {"releaseChannels": {}, "initialNodeCount": "one"}
    assert len(faults(CLUSTER, wrong)) == 2


@pytest.mark.parametrize("one", ALL, ids=[one.name for one in ALL])
def test_pods_and_pool_agree_on_labels_taints_and_capacity(one: Endpoint) -> None:
    for pool in node_pools(one.plan, GKE):
        agree(one, pool.inputs)


def agree(one: Endpoint, inputs: dict[str, Any]) -> None:
    node, workload = inputs["nodeConfig"], one.workload
    tolerated = {(t["key"], t.get("value")) for t in workload.tolerations}
    assert {(taint["key"], taint["value"]) for taint in node["taints"]} <= tolerated
    if one.plan.node_pools.compute_class:
        assert dict(workload.node_selector).items() <= node["labels"].items()
    else:
        assert node["labels"].items() <= dict(workload.node_selector).items()
        assert ("cloud.google.com/gke-spot", "true") in workload.node_selector or not node["spot"]
    attached = {one["type"]: one["count"] for one in node.get("guestAccelerators", ())}
    gpus = one.plan.accelerator.kind == "gpu"
    wanted = {one.plan.accelerator.gke_label: one.plan.accelerator.per_node} if gpus else {}
    assert attached == wanted
    assert inputs["autoscaling"]["totalMaxNodeCount"] == one.plan.accelerator.nodes * (
        one.plan.replicas + one.spec.replicas.spare
    )


def test_a_stacks_labels_cannot_take_the_marks_by_which_resources_are_known_as_ours() -> None:
    # Stack files with such keys are refused already (tests/examples/invalid/labels-reserved.yaml).
    taken = (("managed-by", "someone"), ("servestack-endpoint", "other"))
    plan = dataclasses.replace(ENDPOINTS["gemma4-e4b-l4"].plan, labels=taken)
    node = accelerator_pool_inputs(plan, GKE)["nodeConfig"]
    assert node["resourceLabels"] == {"managed-by": "servestack", "servestack-endpoint": "gemma4-e4b-l4"}
