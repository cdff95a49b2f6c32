"""A ladder of capacities, deployed: the first rung where it has machines, the next where it has none."""

from __future__ import annotations

import json

import pytest

from tests.e2e.project import Project, until

STACK = "gemma4-e4b-l4-ladder"


@pytest.fixture(scope="module")
def up(project: Project) -> str:
    """Up while no quota for spot GPUs is there."""
    project.faults.set_quota("PREEMPTIBLE_NVIDIA_L4", "us-central1", 0)
    project.up(STACK)
    return STACK


def pools_in_use(project: Project) -> set[str]:
    return {one["metadata"]["labels"]["cloud.google.com/gke-nodepool"] for one in project.nodes(STACK)}


def test_the_pod_runs_on_the_next_rung_where_the_first_has_no_machine(project: Project, up: str) -> None:
    outputs = json.loads(project.pulumi("stack", "output", "--json", "-s", up))
    spot, on_demand = outputs["nodePools"]
    assert pools_in_use(project) == {on_demand}
    found = project.api("GET", f"/apis/cloud.google.com/v1/computeclasses/{outputs['computeClass']}")
    assert [rule["nodepools"] for rule in found["spec"]["priorities"]] == [[spot], [on_demand]]
    assert project.deployment(up)["status"]["readyReplicas"] == 1
    project.pulumi("preview", "--expect-no-changes", "-s", up)


def test_another_ladder_has_another_class_and_other_pools_and_the_old_ones_are_gone(project: Project, up: str) -> None:
    before = json.loads(project.pulumi("stack", "output", "--json", "-s", up))
    project.faults.set_quota("PREEMPTIBLE_NVIDIA_L4", "us-central1", None)
    project.write(up, capacity=["spot", {"reservation": "gemma"}, "on-demand"])
    project.up(up)
    after = json.loads(project.pulumi("stack", "output", "--json", "-s", up))
    assert not set(before["nodePools"]) & set(after["nodePools"])
    assert until(lambda: pools_in_use(project) == {after["nodePools"][0]})
    classes = project.api("GET", "/apis/cloud.google.com/v1/computeclasses")["items"]
    assert after["computeClass"] in {one["metadata"]["name"] for one in classes}
    assert before["computeClass"] not in {one["metadata"]["name"] for one in classes}
