"""The main job, in the order in which a team lives it: up, no change, change, drift, repair, destroy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.resources import resources
from tests.e2e.project import Project, until

STACK = "gemma4-31b-h100"


@pytest.fixture(scope="module")
def up(project: Project) -> str:
    return project.up(STACK)


def steps(preview: str) -> dict[str, str]:
    """What a preview would do to each resource, `same` left out."""
    found = json.loads(preview)["steps"]
    return {
        "::".join(step["urn"].split("::")[-2:]).rpartition("$")[2]: step["op"] for step in found if step["op"] != "same"
    }


def image_args(deployment: Any) -> list[str]:
    return list(deployment["spec"]["template"]["spec"]["containers"][0]["args"])


def test_up_ends_with_a_ready_pod_on_a_node_with_the_right_accelerator(project: Project, up: str) -> None:
    deployment = project.deployment(STACK)
    assert deployment["status"]["readyReplicas"] == 1
    (pod,) = project.api("GET", f"/api/v1/namespaces/{STACK}/pods")["items"]
    (node,) = project.nodes(STACK)
    proxy, weights = pod["status"]["initContainerStatuses"]
    assert (proxy["name"], proxy["started"], proxy["ready"]) == ("proxy", True, True)
    assert (weights["name"], weights["state"]["terminated"]["exitCode"]) == ("weights", 0)
    assert pod["spec"]["nodeName"] == node["metadata"]["name"]
    labels = node["metadata"]["labels"]
    assert labels["cloud.google.com/gke-accelerator"] == "nvidia-h100-80gb"
    assert labels["node.kubernetes.io/instance-type"] == "a3-highgpu-1g"
    assert labels["cloud.google.com/gke-spot"] == "true"
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "1"


def test_outputs_name_the_address_and_the_plan(project: Project, up: str) -> None:
    outputs = json.loads(project.pulumi("stack", "output", "--json", "-s", STACK))
    assert outputs["url"] == f"http://{STACK}.{STACK}.svc.cluster.local:8090/v1"
    assert outputs["model"] == "gemma-4-31b-it"
    assert (outputs["authentication"], outputs["keySecret"]) == ("key", f"{STACK}-keys")
    assert outputs["keyCommand"].startswith(f"kubectl -n {STACK} create secret generic {STACK}-keys ")
    assert outputs["cost"]["usdPerHour"] == pytest.approx(11.0612)


def test_status_says_that_a_key_is_missing_and_serving_once_there_is_one(project: Project, up: str) -> None:
    said = project.servestack("status", STACK)
    assert said.returncode == 1
    assert f"{STACK}: locked, 1 of 1 replica ready" in said.stdout
    assert f"kubectl -n {STACK} create secret generic {STACK}-keys" in said.stdout
    key = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{STACK}-keys"}, "data": {"current": "a2V5"}}
    project.api("POST", f"/api/v1/namespaces/{STACK}/secrets", key)
    said = project.servestack("status", STACK)
    assert (said.returncode, said.stderr) == (0, "")
    assert "serving, 1 of 1 replica ready" in said.stdout


def test_a_second_run_changes_nothing(project: Project, up: str) -> None:
    project.pulumi("preview", "--expect-no-changes", "-s", "dev")
    project.unchanged(STACK)
    assert f"{resources(STACK)} unchanged" in project.up(STACK)


def test_a_longer_context_updates_the_deployment_in_place(project: Project, up: str) -> None:
    before = project.deployment(STACK)
    project.write(STACK, contextLength=16384)
    assert steps(project.pulumi("preview", "--json", "-s", STACK)) == {
        f"kubernetes:apps/v1:Deployment::{STACK}": "update",
        f"kubernetes:monitoring.googleapis.com/v1:Rules::{STACK}": "update",
    }
    project.up(STACK)
    after = project.deployment(STACK)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "--max-model-len=16384" in image_args(after)
    assert after["status"]["readyReplicas"] == 1
    project.restore(STACK)
    project.up(STACK)


def test_another_accelerator_count_shows_what_is_replaced_and_what_is_updated(project: Project, up: str) -> None:
    project.write(STACK, accelerator={"type": "h100", "count": 2})
    shown = steps(project.pulumi("preview", "--json", "-s", STACK))
    assert shown[f"gcp:container/nodePool:NodePool::{STACK}"] == "replace"
    assert shown[f"kubernetes:apps/v1:Deployment::{STACK}"] == "update"
    project.up(STACK)
    (node,) = until(lambda: [n for n in project.nodes(STACK) if n["status"]["allocatable"]["nvidia.com/gpu"] == "2"])
    assert node["metadata"]["labels"]["node.kubernetes.io/instance-type"] == "a3-highgpu-2g"
    assert "--tensor-parallel-size=2" in image_args(project.deployment(STACK))
    project.restore(STACK)
    project.up(STACK)


def test_drift_is_seen_by_refresh_and_repaired_by_up(project: Project, up: str) -> None:
    path = f"/apis/apps/v1/namespaces/{STACK}/deployments/{STACK}"
    edit = [{"op": "replace", "path": "/spec/template/spec/containers/0/args/0", "value": "--served-model-name=mine"}]
    project.api("PATCH", path, edit, "application/json-patch+json")
    assert "1 updated" in project.pulumi("refresh", "--yes", "--skip-preview", "-s", STACK)
    assert steps(project.pulumi("preview", "--json", "-s", STACK)) == {
        f"kubernetes:apps/v1:Deployment::{STACK}": "update"
    }
    project.up(STACK)
    assert "--served-model-name=gemma-4-31b-it" in image_args(project.deployment(STACK))


def test_a_deleted_object_is_made_again_after_refresh(project: Project, up: str) -> None:
    project.api("DELETE", f"/api/v1/namespaces/{STACK}/configmaps/{STACK}")
    project.pulumi("refresh", "--yes", "--skip-preview", "-s", STACK)
    assert "1 created" in project.up(STACK)
    assert project.api("GET", f"/api/v1/namespaces/{STACK}/configmaps/{STACK}")


def test_destroy_leaves_the_cluster_empty(project: Project, up: str) -> None:
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    assert project.resources(STACK) == {}
    assert project.api("GET", f"/api/v1/namespaces/{STACK}") is None
    assert until(lambda: project.nodes(STACK) == [])
    pods = project.api("GET", "/api/v1/pods")["items"]
    assert not [pod for pod in pods if pod["metadata"]["namespace"] == STACK]
