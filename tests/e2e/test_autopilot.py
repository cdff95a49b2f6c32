"""Autopilot: a cluster, its endpoints and their machines come from nothing, by ComputeClasses, and all of it goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from infra.cloud.accounts import node_service_account
from infra.spec import Gke
from simulator.google import machine_types
from simulator.google.state import State
from tests.conftest import ROOT
from tests.e2e.project import Project, fresh, until

PLATFORM = "auto"
FIRST, SECOND, LADDER = "gemma4-e4b-l4-auto", "gemma4-e2b-l4-llamacpp-spot", "gemma4-e2b-l4-llamacpp-rungs"
ENDPOINT: dict[str, Any] = {"apiVersion": "servestack/v1", "kind": "Endpoint", "platform": PLATFORM}
VLLM = ENDPOINT | {"model": "gemma-4-e4b-it", "accelerator": "l4", "framework": "vllm"}
LLAMACPP = ENDPOINT | {"model": "gemma-4-e2b-it", "accelerator": "l4", "framework": "llamacpp"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project in which nothing was ever made, with an Autopilot platform's file."""
    platform = yaml.safe_load((ROOT / "stacks" / "dev.yaml").read_text())
    platform["gke"]["cluster"] = {"name": PLATFORM, "mode": "autopilot"}
    with fresh(tmp_path_factory.mktemp("autopilot")) as made:
        made.write(PLATFORM, **platform)
        yield made


def class_of(project: Project, stack: str) -> str:
    return str(json.loads(project.pulumi("stack", "output", "--json", "-s", stack))["computeClass"])


def nodes(project: Project, stack: str) -> dict[str, Any]:
    """Nodes of a stack's class by name: GKE's own, so they carry no label of the stack."""
    query = f"labelSelector=cloud.google.com/compute-class={class_of(project, stack)}"
    return {one["metadata"]["name"]: one for one in project.api("GET", f"/api/v1/nodes?{query}")["items"]}


def ready_on(project: Project, stack: str) -> list[Any]:
    """Node of each pod of a stack, all of them Ready."""
    pods = project.api("GET", f"/api/v1/namespaces/{stack}/pods")["items"]
    assert project.deployment(stack)["status"]["readyReplicas"] == len(pods)
    return [nodes(project, stack)[pod["spec"]["nodeName"]] for pod in pods]


def is_l4(node: Any, machine_type: str) -> bool:
    labels = node["metadata"]["labels"]
    machine = machine_types.load().machine_types[machine_type]
    return bool(
        labels["node.kubernetes.io/instance-type"] == machine_type
        and labels["cloud.google.com/gke-accelerator"] == "nvidia-l4"
        and int(node["status"]["allocatable"]["nvidia.com/gpu"]) == machine.gpus
    )


def test_a_platform_comes_from_nothing_without_a_pool_of_its_own(empty: Project) -> None:
    empty.up(PLATFORM)
    empty.unchanged(PLATFORM)
    (cluster,) = empty.google()["clusters"].values()
    assert cluster["inputs"]["enableAutopilot"] is True
    assert cluster["nodePools"] == {}


def test_an_endpoint_is_ready_on_a_machine_that_its_class_made(empty: Project) -> None:
    project = empty
    project.write(FIRST, **VLLM, replicas={"min": 1, "max": 2})
    project.up(FIRST)
    project.unchanged(FIRST)
    found = project.api("GET", f"/apis/cloud.google.com/v1/computeclasses/{class_of(project, FIRST)}")
    (rule,) = found["spec"]["priorities"]
    (node,) = ready_on(project, FIRST)
    assert is_l4(node, rule["machineType"])
    assert found["spec"]["nodePoolAutoCreation"] == {"enabled": True}
    outputs = json.loads(project.pulumi("stack", "output", "--json", "-s", FIRST))
    assert "nodePool" not in outputs or not outputs["nodePool"]


def test_what_autopilot_runs_is_as_planned(empty: Project) -> None:
    verified = empty.servestack("verify", FIRST)
    assert (verified.returncode, "as planned" in verified.stdout) == (0, True), verified.stdout + verified.stderr


def test_its_machines_have_the_account_of_the_platform_nodes(empty: Project) -> None:
    gke = yaml.safe_load((empty.stacks / f"{PLATFORM}.yaml").read_text())["gke"]
    account = node_service_account(Gke.model_validate(gke))
    (cluster,) = empty.google()["clusters"].values()
    accounts = [pool["inputs"]["nodeConfig"].get("serviceAccount") for pool in cluster["nodePools"].values()]
    assert accounts
    assert set(accounts) == {account}


def test_more_replicas_are_no_drift(empty: Project) -> None:
    project = empty
    scale = f"/apis/apps/v1/namespaces/{FIRST}/deployments/{FIRST}/scale"
    before = project.api("GET", scale)
    project.api("PUT", scale, before | {"spec": {"replicas": 2}})
    until(lambda: project.deployment(FIRST)["status"].get("readyReplicas") == 2)
    assert len({node["metadata"]["name"] for node in ready_on(project, FIRST)}) == 2
    for stack in (PLATFORM, FIRST):
        project.unchanged(stack)


def test_a_second_endpoint_runs_on_spot_machines_of_its_own(empty: Project) -> None:
    project = empty
    project.write(SECOND, **LLAMACPP, capacity=["spot"])
    project.up(SECOND)
    project.unchanged(SECOND)
    (node,) = ready_on(project, SECOND)
    assert node["metadata"]["labels"]["cloud.google.com/gke-spot"] == "true"
    assert node["metadata"]["name"] not in nodes(project, FIRST)


def test_a_ladder_whose_first_rung_is_sold_out_lands_on_the_second(empty: Project) -> None:
    project = empty
    project.faults.set_quota("PREEMPTIBLE_NVIDIA_L4", "us-central1", 1)  # which the second endpoint has
    project.write(LADDER, **LLAMACPP, capacity=["spot", "on-demand"])
    project.up(LADDER)
    (node,) = ready_on(project, LADDER)
    assert "cloud.google.com/gke-spot" not in node["metadata"]["labels"]
    project.unchanged(LADDER)
    project.faults.set_quota("PREEMPTIBLE_NVIDIA_L4", "us-central1", None)


def test_settings_of_pools_are_refused_by_the_plan(empty: Project) -> None:
    empty.write("gemma4-e4b-l4-set", **VLLM, nodePool={"bootDiskGb": 400})
    refused = empty.servestack("plan", "gemma4-e4b-l4-set")
    assert refused.returncode == 3
    assert "Autopilot makes its own nodes, so bootDiskGb cannot be set" in refused.stdout + refused.stderr


def test_destroying_all_of_it_leaves_nothing_behind(empty: Project) -> None:
    project = empty
    with State(project.home.root / "google.json").change() as data:
        data.setdefault("timing", {})["scale_down_seconds"] = 0.2
    for stack in (LADDER, SECOND, FIRST):
        project.pulumi("destroy", "--yes", "--skip-preview", "-s", stack)
    until(lambda: all(not one["nodePools"] for one in project.google()["clusters"].values()))
    assert project.api("GET", "/apis/cloud.google.com/v1/computeclasses")["items"] == []
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", PLATFORM)
    for stack in (LADDER, SECOND, FIRST, PLATFORM):
        state = json.loads(project.pulumi("stack", "export", "-s", stack))["deployment"]
        assert [one["type"] for one in state.get("resources") or []] in ([], ["pulumi:pulumi:Stack"])
    kept = project.google()
    assert kept["clusters"] == {}
    assert [name for name in kept["resources"] if "services" not in name] == []
