"""Two replicas on Spot machines with a spare one: a machine is taken away, and a new version is rolled out."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.e2e.project import Project, until

STACK = "gemma4-e4b-l4-spare"
EXAMPLE = ROOT / "tests" / "examples" / "valid" / f"{STACK}.yaml"


@pytest.fixture(scope="module")
def up(project: Project) -> str:
    project.write(STACK, **yaml.safe_load(EXAMPLE.read_text()) | {"capacity": ["spot"]})
    project.up(STACK)
    return STACK


def pods(project: Project) -> list[Any]:
    return list(project.api("GET", f"/api/v1/namespaces/{STACK}/pods")["items"])


def is_ready(pod: Any) -> bool:
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = pod["status"].get("conditions") or []
    running = pod["status"].get("phase") == "Running"
    return running and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def budget(project: Project) -> tuple[int, int, int]:
    status = project.api("GET", f"/apis/policy/v1/namespaces/{STACK}/poddisruptionbudgets/{STACK}")["status"]
    return status["expectedPods"], status["currentHealthy"], status["disruptionsAllowed"]


def moments(project: Project, listed: Any) -> list[tuple[int, int]]:
    """After every change to a pod since a list: pods that were asked for, and those that answered."""
    version = listed["metadata"]["resourceVersion"]
    path = f"/api/v1/namespaces/{STACK}/pods?watch=1&timeoutSeconds=1&resourceVersion={version}"
    known = {pod["metadata"]["uid"]: pod for pod in listed["items"]}
    seen = []
    for line in project.lines(path):
        event = json.loads(line)
        pod = event["object"]
        known[pod["metadata"]["uid"]] = pod
        if event["type"] == "DELETED":
            del known[pod["metadata"]["uid"]]
        asked = [one for one in known.values() if not one["metadata"].get("deletionTimestamp")]
        seen.append((len(asked), sum(map(is_ready, asked))))
    return seen


def test_a_machine_that_is_taken_away_is_replaced_and_the_budget_agrees(project: Project, up: str) -> None:
    nodes = {node["metadata"]["name"] for node in project.nodes(up)}
    assert len(nodes) == 2
    until(lambda: budget(project) == (2, 2, 1))
    lost = sorted(nodes)[0]
    project.faults.preempt(lost)
    until(lambda: project.api("GET", f"/api/v1/nodes/{lost}") is None)

    def hosts() -> set[str]:
        return {pod["spec"]["nodeName"] for pod in pods(project) if is_ready(pod)}

    assert until(lambda: len(hosts()) == 2 and lost not in hosts() and hosts() != nodes)
    until(lambda: budget(project) == (2, 2, 1))
    assert project.deployment(up)["status"]["availableReplicas"] == 2


def test_a_roll_out_takes_the_spare_machine_and_every_replica_stays(project: Project, up: str) -> None:
    before = project.api("GET", f"/api/v1/namespaces/{up}/pods")
    project.write(up, contextLength=8192)
    project.up(up)
    seen = moments(project, before)
    failed = sum(pod["status"]["phase"] == "Failed" for pod in before["items"])
    assert max(asked for asked, _ in seen) - failed == 3
    assert min(ready for _, ready in seen) == 2
    assert len(project.nodes(up)) == 3
    assert all("--max-model-len=8192" in one["spec"]["containers"][0]["args"] for one in pods(project) if is_ready(one))
