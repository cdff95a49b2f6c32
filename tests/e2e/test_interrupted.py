"""The engine killed at ten points of `up`; then `pulumi cancel`, `servestack recover`, `up`: complete, nothing doubled."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.project import Project, until

STACK = "gemma4-e4b-l4"
# What the engine says when it is killed, from the first provider to the last moment before the end.
POINTS = [
    "pulumi:providers:gcp google creating",
    f"gcp:container:NodePool {STACK} creating",
    f"gcp:container:NodePool {STACK} created",
    "pulumi:providers:kubernetes cluster created",
    f"kubernetes:core/v1:Namespace {STACK} creating",
    f"kubernetes:core/v1:Namespace {STACK} created",
    f"kubernetes:core/v1:ServiceAccount {STACK} creating",
    f"kubernetes:apps/v1:Deployment {STACK} creating",
    "Waiting for app ReplicaSet to be available",
    "Deployment initialization complete",
]


def recover(project: Project, stack: str) -> str:
    """The documented recovery: one command of Pulumi's, one of ours."""
    project.pulumi("cancel", "--yes", "-s", stack)
    said = project.servestack("recover", stack)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


@pytest.mark.parametrize("point", POINTS)
def test_an_up_killed_at_any_point_is_recovered_complete_and_nothing_is_doubled(project: Project, point: str) -> None:
    project.start_up_and_kill(STACK, point)
    recover(project, STACK)
    project.up(STACK)
    assert len(project.resources(STACK)) == 13
    assert not [one for one in project.resources(STACK).values() if one.get("protect") or one.get("initErrors")]
    project.pulumi("preview", "--expect-no-changes", "-s", STACK)
    project.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "-s", STACK)
    assert one_of_each(project)
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    assert project.api("GET", f"/api/v1/namespaces/{STACK}") is None
    assert until(lambda: not project.nodes(STACK))


def one_of_each(project: Project) -> bool:
    """Exactly the planned objects exist: one pool's node, one pod, one of each kind."""
    listed: dict[str, list[Any]] = {
        path: project.api("GET", path)["items"]
        for path in (
            f"/apis/apps/v1/namespaces/{STACK}/deployments",
            f"/api/v1/namespaces/{STACK}/services",
            f"/apis/networking.k8s.io/v1/namespaces/{STACK}/networkpolicies",
            f"/apis/policy/v1/namespaces/{STACK}/poddisruptionbudgets",
            f"/api/v1/namespaces/{STACK}/pods",
        )
    }
    assert {path: len(items) for path, items in listed.items()} == dict.fromkeys(listed, 1)
    return len(project.nodes(STACK)) == 1


def test_recovery_leaves_a_namespace_of_someone_else_alone(project: Project) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STACK, "labels": {"team": "other"}}}
    made = project.api("POST", "/api/v1/namespaces", body)
    project.start_up_and_kill(STACK, f"kubernetes:core/v1:Namespace {STACK} creating")
    recover(project, STACK)
    assert f"kubernetes:core/v1:Namespace::{STACK}" not in project.resources(STACK)
    assert f'namespaces "{STACK}" already exists' in project.up(STACK, expect=-1)
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    left = project.api("GET", f"/api/v1/namespaces/{STACK}")
    assert left["metadata"]["uid"] == made["metadata"]["uid"]


def test_recovery_of_a_stack_that_was_not_interrupted_changes_nothing(project: Project) -> None:
    before = project.resources("dev")
    recover(project, "dev")
    after = project.resources("dev")
    assert {name: one.get("id") for name, one in after.items()} == {name: one.get("id") for name, one in before.items()}
