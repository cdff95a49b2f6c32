"""Who sets `replicas`: the autoscaler alone. The unchanged program takes nothing back and resets nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.project import Project, until

STACK = "gemma4-e4b-l4"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


def replicas(project: Project) -> int:
    return int(project.deployment(STACK)["spec"]["replicas"])


def scale(project: Project, number: int) -> None:
    """What an autoscaler does: it patches the scale, as its own field manager."""
    path = f"/apis/apps/v1/namespaces/{STACK}/deployments/{STACK}/scale?fieldManager=kube-controller-manager"
    project.api("PATCH", path, {"spec": {"replicas": number}}, MERGE)


def owners(project: Project) -> set[str]:
    """Field managers that own the number of replicas."""
    entries = project.deployment(STACK)["metadata"]["managedFields"]
    return {one["manager"] for one in entries if "f:replicas" in one["fieldsV1"].get("f:spec", {})}


def changes(project: Project, *options: str) -> dict[str, Any]:
    said = project.pulumi("preview", "--json", "-s", STACK, *options)
    return dict(json.loads(said[said.index("{") :])["changeSummary"])


@pytest.fixture
def fresh(project: Project) -> Project:
    if STACK in project.stack_names():
        project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    project.restore(STACK)
    return project


def test_the_program_leaves_replicas_to_the_autoscaler_from_the_first_create_on(fresh: Project) -> None:
    fresh.write(STACK, replicas={"min": 2, "max": 3})
    fresh.up(STACK)
    made = fresh.api("GET", f"/apis/autoscaling/v2/namespaces/{STACK}/horizontalpodautoscalers/{STACK}")
    assert (made["spec"]["minReplicas"], made["spec"]["maxReplicas"]) == (2, 3)
    until(lambda: replicas(fresh) == 2, within_seconds=90)  # made with 1, raised by the real controller

    scale(fresh, 3)
    assert set(changes(fresh)) == {"same"}
    until(lambda: fresh.deployment(STACK)["status"].get("readyReplicas") == 3, within_seconds=60)
    fresh.pulumi("refresh", "--yes", "--skip-preview", "-s", STACK)
    assert set(changes(fresh)) == {"same"}
    said = fresh.servestack("status", STACK)
    assert said.stdout.startswith(f"{STACK}: locked, 3 of 3 replicas ready."), said.stdout + said.stderr

    fresh.write(STACK, contextLength=8192)
    assert "2 updated" in fresh.up(STACK)  # the Deployment, and alerts that follow from the context
    assert replicas(fresh) == 3
    assert owners(fresh) == {"kube-controller-manager"}


def test_a_fixed_endpoint_becomes_a_scaled_one_without_losing_a_replica_after_the_hand_over(fresh: Project) -> None:
    fresh.write(STACK, replicas={"min": 2})
    fresh.up(STACK)
    fresh.write(STACK, replicas={"min": 2}, contextLength=8192)
    fresh.up(STACK)  # from the first update on, the program owns the number by server-side apply
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": STACK}, "spec": {"replicas": 2}}
    path = f"/apis/apps/v1/namespaces/{STACK}/deployments/{STACK}?fieldManager=handover&fieldValidation=Strict"
    fresh.api("PATCH", path, body, APPLY)
    fresh.write(STACK, replicas={"min": 2, "max": 3}, contextLength=8192)

    fresh.up(STACK)

    assert replicas(fresh) == 2
    assert owners(fresh) == {"handover"}, "had the number been lost, the autoscaler would have set it anew"


def test_a_scaled_endpoint_becomes_a_fixed_one_again(fresh: Project) -> None:
    fresh.write(STACK, replicas={"min": 1, "max": 3})
    fresh.up(STACK)
    scale(fresh, 3)
    fresh.write(STACK, replicas={"min": 2})

    assert "1 deleted" in fresh.up(STACK)

    assert replicas(fresh) == 2
    assert fresh.api("GET", f"/apis/autoscaling/v2/namespaces/{STACK}/horizontalpodautoscalers/{STACK}") is None
    assert set(changes(fresh)) == {"same"}
