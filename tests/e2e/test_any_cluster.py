"""The unchanged program on a cluster by kubeconfig context, with no Google provider anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from infra.spec import PlatformSpec
from simulator.binaries import locate
from tests.e2e.any_cluster import AnyCluster
from tests.e2e.project import Project, fresh, until

TYPE = "node.kubernetes.io/instance-type"
L4 = {"accelerator": "l4", "vcpus": 16, "memoryGiB": 64}
GROUPS = {
    "nvidia": {**L4, "count": 2, "machines": 2, "labels": "nvidia"},
    "gke": {**L4, "count": 1, "machines": 2, "labels": "gke"},
    "eks": {**L4, "count": 1, "machines": 2, "labels": "eks", "instanceType": "g6.4xlarge"},
    "aks": {
        "accelerator": "a100-80gb",
        "vcpus": 24,
        "memoryGiB": 220,
        "count": 1,
        "machines": 2,
        "labels": "aks",
        "instanceType": "Standard_NC24ads_A100_v4",
    },
}
STACKS = {family: f"gemma4-e4b-{group['accelerator']}-{family}" for family, group in GROUPS.items()}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnyCluster]:
    made = AnyCluster(tmp_path_factory.mktemp("cluster"), locate())
    try:
        for index in "12":
            made.add_node(f"nvidia-{index}", "l4", 2, {"nvidia.com/gpu.product": "NVIDIA-L4"})
            gke = {"cloud.google.com/gke-accelerator": "nvidia-l4"}
            made.add_node(f"gke-{index}", "l4", 1, gke, ("nvidia.com/gpu", "present"))
            made.add_node(f"eks-{index}", "l4", 1, {TYPE: "g6.4xlarge"}, ("nvidia.com/gpu", "true"))
            aks = {TYPE: "Standard_NC24ads_A100_v4", "kubernetes.azure.com/accelerator": "nvidia"}
            made.add_node(f"aks-{index}", "a100", 1, aks, ("sku", "gpu"))
        made.add_node("decoy-h100", "h100", 8, {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"})
        made.add_node("decoy-shared", "l4", 8, {"nvidia.com/gpu.product": "NVIDIA-L4-SHARED"})
        made.add_node("decoy-plugin", "l4", 0, {"nvidia.com/gpu.product": "NVIDIA-L4"})
        made.add_node("decoy-plain", "plain", 0, {TYPE: "m7i.2xlarge"})
        until(lambda: len(made.ready_nodes()) == 12)
        yield made
    finally:
        made.plane.stop()


@pytest.fixture(scope="module")
def project(cluster: AnyCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with fresh(tmp_path_factory.mktemp("project")) as made:
        attached = [one for one in made.environment["PULUMI_DEBUG_PROVIDERS"].split(",") if not one.startswith("gcp:")]
        made.environment |= {"PULUMI_DEBUG_PROVIDERS": ",".join(attached), "KUBECONFIG": str(cluster.kubeconfig)}
        for family, group in GROUPS.items():
            platform(made, f"lab-{family}", [group])
            endpoint(made, STACKS[family], f"lab-{family}", str(group["accelerator"]))
        yield made


def platform(project: Project, name: str, nodes: list[dict[str, object]], context: str = "lab") -> None:
    where = {"context": context, "nodes": nodes}
    project.write(name, apiVersion="servestack/v1", kind="Platform", kubernetes=where)


def endpoint(project: Project, name: str, on: str, accelerator: str, **more: object) -> None:
    said = {"platform": on, "model": "gemma-4-e4b-it", "accelerator": accelerator, "framework": "vllm"}
    project.write(name, apiVersion="servestack/v1", kind="Endpoint", **said, **{"replicas": {"min": 2}, **more})


@pytest.mark.parametrize("family", GROUPS)
def test_replicas_run_on_the_nodes_of_their_labels_alone_and_go_without_a_trace(
    family: str, project: Project, cluster: AnyCluster
) -> None:
    stack = STACKS[family]
    said = project.up(stack, "--policy-pack", "policies")
    assert "created" in said
    outputs = json.loads(project.pulumi("stack", "output", "--json", "-s", stack))
    assert outputs["url"] == f"http://{stack}.{stack}.svc.cluster.local:8090/v1"
    assert (outputs["keySecret"], outputs["context"]) == (f"{stack}-keys", "lab")
    assert outputs["keyCommand"].startswith(f"kubectl -n {stack} create secret generic {stack}-keys")
    assert "nodePool" not in outputs
    pods = cluster.pods(stack)
    assert {pod["spec"]["nodeName"].rpartition("-")[0] for pod in pods} == {family}
    assert [pod["status"]["phase"] for pod in pods] == ["Running", "Running"]
    kinds = {name.split("::")[0] for name in project.resources(stack)}
    assert not [kind for kind in kinds if kind.startswith(("gcp:", "pulumi:providers:gcp"))]
    assert "unchanged" in (again := project.pulumi("preview", "-s", stack))
    assert not [word for word in ("to create", "to update", "to delete", "to replace") if word in again], again

    found = project.servestack("status", stack)
    assert "locked" in found.stdout, found.stdout + found.stderr  # its Secret with the keys is made by hand
    assert f"{stack}-keys" in found.stdout

    project.pulumi("destroy", "--yes", "--skip-preview", "-s", stack)
    until(lambda: cluster.api("GET", f"/api/v1/namespaces/{stack}") is None)
    assert cluster.api("GET", f"/apis/scheduling.k8s.io/v1/priorityclasses/{stack}") is None
    for node in cluster.api("GET", "/api/v1/nodes")["items"]:
        assert not [key for key in node["metadata"]["labels"] if key.startswith("servestack.dev/")]


def test_an_up_that_is_killed_is_recovered_and_nothing_is_doubled(project: Project, cluster: AnyCluster) -> None:
    stack = STACKS["eks"]
    project.start_up_and_kill(stack, f"kubernetes:apps/v1:Deployment {stack} creating")
    project.pulumi("cancel", "--yes", "-s", stack)
    said = project.servestack("recover", stack)
    assert said.returncode == 0, said.stdout + said.stderr
    project.up(stack)
    assert len(cluster.api("GET", f"/apis/apps/v1/namespaces/{stack}/deployments")["items"]) == 1
    project.pulumi("preview", "--refresh", "--expect-no-changes", "-s", stack)
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", stack)


def test_a_state_holds_no_token_of_the_kubeconfig_in_clear(project: Project, cluster: AnyCluster) -> None:
    stack = STACKS["nvidia"]
    project.up(stack)
    state = project.pulumi("stack", "export", "-s", stack)
    assert cluster.plane.token not in state
    assert "somebody-else-s-token" not in state
    assert "somebody-else-s-token" not in project.pulumi("stack", "export", "--show-secrets", "-s", stack)
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", stack)


def test_a_preview_and_an_up_are_refused_where_the_cluster_has_fewer_gpus_than_the_replicas_need(
    project: Project,
) -> None:
    stack = "gemma4-e4b-l4-many"
    platform(project, "lab-many", [{**GROUPS["nvidia"], "machines": 4}])
    endpoint(project, stack, "lab-many", "l4", replicas={"min": 7})
    project.pulumi("stack", "select", "-c", stack)
    for said in (project.pulumi("preview", "-s", stack, expect=-1), project.up(stack, expect=-1)):
        assert "3 nodes with nvidia.com/gpu.product=NVIDIA-L4 hold 4 replicas of 1 x nvidia.com/gpu" in said
        assert "7 are needed" in said
        assert "decoy-plugin: no allocatable nvidia.com/gpu" in said
        assert "Next: servestack nodes lab-many" in said
        assert "Traceback" not in said
    assert set(project.resources(stack)) <= {f"pulumi:pulumi:Stack::servestack-{stack}"}


def test_an_up_warns_where_gpus_are_there_and_others_hold_them(project: Project, cluster: AnyCluster) -> None:
    stack, busy = STACKS["gke"], {"metadata": {"name": "batch"}}
    cluster.api("POST", "/api/v1/namespaces", busy)
    limits = {"limits": {"nvidia.com/gpu": "1"}}
    body = {
        "metadata": {"name": "train"},
        "spec": {
            "nodeName": "gke-1",
            "containers": [{"name": "train", "image": "busybox:1.37", "resources": limits}],
            "tolerations": [{"operator": "Exists"}],
        },
    }
    until(lambda: cluster.api("GET", "/api/v1/namespaces/batch/serviceaccounts/default"))
    cluster.api("POST", "/api/v1/namespaces/batch/pods", body)
    project.pulumi("stack", "select", "-c", stack)
    said = project.pulumi("preview", "-s", stack)
    cluster.api("DELETE", "/api/v1/namespaces/batch")
    assert "warning" in said
    assert "there is room for 1 of 2 replicas" in said
    assert "gke-1: room for 0 of 1; free 0 x nvidia.com/gpu" in said


def test_a_context_that_is_missing_silent_or_not_allowed_is_told_in_words(project: Project) -> None:
    stack = "gemma4-e4b-l4-where"
    for context, words in {
        "labs": "has no context 'labs'. Did you mean 'lab'? Known: gone, lab, stranger.",
        "gone": "the cluster of context 'gone' does not answer",
        "stranger": "the cluster of context 'stranger' refuses (401)",
    }.items():
        platform(project, "lab-where", [GROUPS["nvidia"]], context)
        endpoint(project, stack, "lab-where", "l4")
        said = project.up(stack, expect=-1)
        assert words in said
        assert "token" not in said
        assert "Traceback" not in said


def test_the_nodes_that_are_printed_are_those_that_a_platform_may_declare(project: Project) -> None:
    said = project.servestack("nodes", "lab-nvidia")
    assert said.returncode == 0, said.stderr
    nodes = yaml.safe_load(said.stdout)["nodes"]
    assert GROUPS["nvidia"] in nodes
    assert GROUPS["gke"] in nodes
    assert {**L4, "count": 8, "accelerator": "h100", "machines": 1, "labels": "nvidia"} | {
        "vcpus": 192,
        "memoryGiB": 2048,
    } in nodes
    where = {"context": "lab", "nodes": nodes}
    PlatformSpec.model_validate({"apiVersion": "servestack/v1", "kind": "Platform", "kubernetes": where})
    assert "# 4 of 4 GPUs are free now" in said.stdout
    assert "# - {accelerator: NAME, count: 1" in said.stdout
    assert "instanceType: Standard_NC24ads_A100_v4}" in said.stdout
    assert "# left out: decoy-shared: its GPUs are shared by the device plugin" in said.stdout
    assert "# left out: decoy-plugin: no allocatable nvidia.com/gpu" in said.stdout
    platform(project, "lab-printed", nodes)
    assert "context" in project.up("lab-printed")
    platform(project, "lab-printed", [{**GROUPS["gke"], "machines": 3}])
    assert "kubernetes.nodes[0]: 3 x l4 declared; 2 nodes have" in project.up("lab-printed", expect=-1)
