"""Other machines for a running endpoint: the new pool comes first, the old one goes last, also after a stock-out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.pipeline import Endpoint, build
from infra.stack_folder import StackFolder
from tests.e2e.project import BRIEF_ENDPOINT, Project, fresh, until

STACK = "gemma4-e4b-l4-moves"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A platform whose autoscaler tries again at once after a stock-out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERVESTACK_SIMULATOR_BACKOFF_SECONDS", "0.5")
        with fresh(tmp_path_factory.mktemp("moves")) as made:
            made.up("dev")
            yield made


@pytest.fixture
def up(project: Project, request: pytest.FixtureRequest) -> Iterator[str]:
    """The endpoint on spot machines, with as many spare ones as the test says."""
    project.write(STACK, **BRIEF_ENDPOINT, capacity=["spot"], replicas={"min": 1, "spare": request.param})
    project.up(STACK)
    yield STACK
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)


def planned_pool(project: Project) -> str:
    built = build(STACK, StackFolder(project.stacks))
    assert isinstance(built, Endpoint)
    (pool,) = built.plan.node_pools.pools
    return pool.name


def pools(project: Project) -> dict[str, dict[str, Any]]:
    """Inputs of every pool of the endpoint that Google has, by name."""
    data = json.loads((project.home.root / "google.json").read_text())
    (cluster,) = data["clusters"].values()
    return {name: one["inputs"] for name, one in cluster["nodePools"].items() if name != "system"}


def pods(project: Project) -> Any:
    return project.api("GET", f"/api/v1/namespaces/{STACK}/pods")


def is_ready(pod: Any) -> bool:
    conditions = pod["status"].get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def ready_at_every_moment(project: Project, listed: Any) -> list[int]:
    """Ready pods after every change to a pod since a list; the API server tells each change."""
    path = f"/api/v1/namespaces/{STACK}/pods?watch=1&timeoutSeconds=1"
    known = {pod["metadata"]["uid"]: pod for pod in listed["items"]}
    seen = [sum(map(is_ready, known.values()))]
    for line in project.lines(f"{path}&resourceVersion={listed['metadata']['resourceVersion']}"):
        event = json.loads(line)
        known[event["object"]["metadata"]["uid"]] = event["object"]
        if event["type"] == "DELETED":
            del known[event["object"]["metadata"]["uid"]]
        serving = [pod for pod in known.values() if not pod["metadata"].get("deletionTimestamp")]
        seen.append(sum(map(is_ready, serving)))
    return seen


def order(said: str, *marks: str) -> list[int]:
    """Where each mark stands in what the engine printed."""
    lines = said.splitlines()
    found = [
        [place for place, line in enumerate(lines) if all(part in line for part in mark.split("|"))] for mark in marks
    ]
    assert all(found), (marks, said)
    return [places[0] for places in found]


CREATED, ROLLED, DELETED = "NodePool|created replacement", "Deployment|updated", "NodePool|deleted original"


@pytest.mark.parametrize("up", [1], indirect=True)
def test_with_a_spare_machine_a_pod_answers_at_every_moment_of_a_move(project: Project, up: str) -> None:
    old, before = planned_pool(project), pods(project)
    assert set(pools(project)) == {old}
    project.write(up, capacity=["on-demand"])
    new = planned_pool(project)
    said = project.up(up)
    assert min(ready_at_every_moment(project, before)) == 1
    assert order(said, CREATED, ROLLED, DELETED) == sorted(order(said, CREATED, ROLLED, DELETED))
    assert {name: pool["nodeConfig"]["spot"] for name, pool in pools(project).items()} == {new: False}
    outputs = json.loads(project.pulumi("stack", "output", "--json", "-s", up))
    assert outputs["nodePool"] == new != old
    (node,) = until(lambda: found if len(found := project.nodes(up)) == 1 else [])
    assert node["metadata"]["labels"]["cloud.google.com/gke-nodepool"] == new
    project.pulumi("preview", "--expect-no-changes", "-s", up)


@pytest.mark.parametrize("up", [0], indirect=True)
def test_without_a_spare_machine_the_old_pod_stops_first_and_the_endpoint_comes_back(project: Project, up: str) -> None:
    before = pods(project)
    project.write(up, capacity=["on-demand"])
    new, said = planned_pool(project), project.up(up)
    assert order(said, CREATED, ROLLED, DELETED) == sorted(order(said, CREATED, ROLLED, DELETED))
    assert min(ready_at_every_moment(project, before)) == 0
    assert project.deployment(up)["status"]["readyReplicas"] == 1
    assert set(pools(project)) == {new}


@pytest.mark.parametrize("up", [1], indirect=True)
def test_a_change_of_labels_or_zones_keeps_the_pool_and_its_pods(project: Project, up: str) -> None:
    old, before = planned_pool(project), {one["metadata"]["uid"] for one in project.nodes(up)}
    project.write(up, labels={"team": "search"}, replicas={"min": 2, "spare": 1})
    project.up(up)
    assert planned_pool(project) == old
    assert set(pools(project)) == {old}
    assert before <= {one["metadata"]["uid"] for one in project.nodes(up)}


@pytest.mark.parametrize("up", [1], indirect=True)
def test_a_stock_out_of_the_new_machines_leaves_the_old_pod_serving_until_a_second_up(
    project: Project, up: str
) -> None:
    old, before = planned_pool(project), pods(project)
    project.write(up, capacity=["on-demand"])
    new = planned_pool(project)
    project.faults.set_stockout("*", "g2-standard-8")
    said = project.up(up, expect=-1)
    assert f"'{up}' timed out waiting to be Ready" in said
    assert "1 Pods failed to schedule" in said or "Minimum number of Pods" in said
    key = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{up}-keys"}, "data": {"current": "a2V5"}}
    project.api("POST", f"/api/v1/namespaces/{up}/secrets", key)
    status = project.servestack("status", up)
    assert "out of resources" in status.stdout, status.stdout + status.stderr
    assert min(ready_at_every_moment(project, before)) == 1
    assert set(pools(project)) == {old, new}
    project.faults.set_stockout("*", "g2-standard-8", active=False)
    project.up(up)
    assert min(ready_at_every_moment(project, before)) == 1
    assert set(pools(project)) == {new}
    assert project.deployment(up)["status"]["readyReplicas"] == 1
