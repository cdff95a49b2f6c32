"""The engine killed at ten points of `up`, then recovered with the documented commands: complete, nothing doubled."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from benchmarks.resources import resources
from tests.e2e.project import Project, until

MODEL = "gemma4-e4b-l4"
LARGE = "gemma4-31b-h100"
# What the engine says when it is killed, from the first provider to the last moment before the end.
POINTS = [
    "pulumi:providers:gcp google creating",
    "gcp:container:NodePool {stack} creating",
    "gcp:container:NodePool {stack} created",
    "pulumi:providers:kubernetes cluster created",
    "kubernetes:core/v1:Namespace {stack} creating",
    "kubernetes:core/v1:Namespace {stack} created",
    "kubernetes:core/v1:ServiceAccount {stack} creating",
    "kubernetes:apps/v1:Deployment {stack} creating",
    "Waiting for app ReplicaSet to be available",
    "Deployment initialization complete",
]


def recover(project: Project, stack: str) -> str:
    """The documented recovery: one command of Pulumi's, one of ours."""
    project.pulumi("cancel", "--yes", "-s", stack)
    said = project.servestack("recover", stack)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


@pytest.mark.parametrize(("number", "point"), list(enumerate(POINTS)), ids=POINTS)
def test_an_up_killed_at_any_point_is_recovered_complete_and_nothing_is_doubled(
    project: Project, number: int, point: str
) -> None:
    stack = f"{MODEL}-k{number}"
    project.write(stack, **yaml.safe_load((project.stacks / f"{MODEL}.yaml").read_text()))
    project.start_up_and_kill(stack, point.format(stack=stack))
    recover(project, stack)
    project.up(stack)
    assert len(project.resources(stack)) == resources(MODEL)
    assert not [one for one in project.resources(stack).values() if one.get("protect") or one.get("initErrors")]
    project.pulumi("preview", "--refresh", "--expect-no-changes", "-s", stack)
    assert exactly_one_of_each(project, stack)


@pytest.fixture(scope="module")
def large(project: Project) -> str:
    """An endpoint that is up, for changes that are killed."""
    project.up(LARGE)
    return LARGE


@pytest.mark.parametrize(
    "point",
    [
        f"gcp:container:NodePool {LARGE} deleting original",
        f"gcp:container:NodePool {LARGE} creating replacement",
        f"kubernetes:apps/v1:Deployment {LARGE} updating",
    ],
)
def test_a_change_killed_half_way_is_recovered_and_ends_as_the_file_says(
    project: Project, large: str, point: str
) -> None:
    count = 2 if project.nodes(large)[0]["status"]["allocatable"]["nvidia.com/gpu"] == "1" else 1
    project.write(large, accelerator={"type": "h100", "count": count})
    project.start_up_and_kill(large, point)
    recover(project, large)
    project.up(large)
    assert len(project.resources(large)) == resources(LARGE)
    project.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "-s", large)
    nodes = until(lambda: project.nodes(large))
    assert [node["status"]["allocatable"]["nvidia.com/gpu"] for node in nodes] == [str(count)]
    # A change that had arrived before the kill is no change to the next `up`, which then waits for nothing.
    until(lambda: project.deployment(large)["status"].get("readyReplicas") == 1, within_seconds=60)


def exactly_one_of_each(project: Project, stack: str) -> bool:
    """The planned objects exist once: one node of one pool, one pod, one object of each kind."""
    listed: dict[str, list[Any]] = {
        path: project.api("GET", path.format(stack))["items"]
        for path in (
            "/apis/apps/v1/namespaces/{}/deployments",
            "/api/v1/namespaces/{}/services",
            "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
            "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
            "/api/v1/namespaces/{}/pods",
        )
    }
    assert {path: len(items) for path, items in listed.items()} == dict.fromkeys(listed, 1)
    return len(project.nodes(stack)) == 1


def test_recovery_leaves_a_namespace_of_someone_else_alone(project: Project) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": MODEL, "labels": {"team": "other"}}}
    made = project.api("POST", "/api/v1/namespaces", body)
    project.start_up_and_kill(MODEL, f"kubernetes:core/v1:Namespace {MODEL} creating")
    recover(project, MODEL)
    assert f"kubernetes:core/v1:Namespace::{MODEL}" not in project.resources(MODEL)
    assert f'namespaces "{MODEL}" already exists' in project.up(MODEL, expect=-1)
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", MODEL)
    left = project.api("GET", f"/api/v1/namespaces/{MODEL}")
    assert left["metadata"]["uid"] == made["metadata"]["uid"]


def test_recovery_of_a_stack_that_was_not_interrupted_changes_nothing(project: Project) -> None:
    before = project.resources("dev")
    recover(project, "dev")
    after = project.resources("dev")
    assert {name: one.get("id") for name, one in after.items()} == {name: one.get("id") for name, one in before.items()}
