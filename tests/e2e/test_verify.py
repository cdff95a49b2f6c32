"""`servestack verify` reads back what runs: as planned after `up`, and each change by hand by its name."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.e2e.project import Project, until

STACK = "gemma4-e4b-l4"
PATH = f"/apis/apps/v1/namespaces/{STACK}/deployments/{STACK}"
MERGE = "application/merge-patch+json"


def rows(project: Project, expect: int) -> dict[str, dict[str, str]]:
    done = project.servestack("verify", STACK, "--json")
    assert done.returncode == expect, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["asPlanned"] is (expect == 0)
    assert len(found["planHash"]) == 64
    return {one["what"]: one for one in found["rows"]}


def apart(project: Project) -> dict[str, dict[str, str]]:
    return {what: one for what, one in rows(project, 1).items() if one["result"] == "differs"}


@pytest.fixture(scope="module")
def deployed(project: Project) -> Any:
    project.up(STACK)
    return project.deployment(STACK)


def pods(project: Project) -> list[Any]:
    return list(project.api("GET", f"/api/v1/namespaces/{STACK}/pods")["items"])


class ByHand:
    """The Deployment, changed as somebody with kubectl would, and put back."""

    def __init__(self, project: Project, deployed: Any) -> None:
        self.project, self.before = project, deployed

    def template(self, container: dict[str, Any] | None = None, **spec: Any) -> None:
        containers = copy.deepcopy(self.before["spec"]["template"]["spec"]["containers"])
        containers[0] |= container or {}
        change = {"template": {"spec": {"containers": containers}}} | spec
        self.project.api("PATCH", PATH, {"spec": change}, MERGE)
        self._settled()

    def _settled(self) -> None:
        """The controller has seen the change, and old pods are gone."""

        def done() -> bool:
            now = self.project.deployment(STACK)
            status, wanted = now["status"], now["spec"]["replicas"]
            seen = status.get("observedGeneration") == now["metadata"]["generation"]
            return bool(
                seen
                and (status.get("replicas") or 0) == (status.get("updatedReplicas") or 0) == wanted
                and len([pod for pod in pods(self.project) if "deletionTimestamp" not in pod["metadata"]]) == wanted
            )

        until(done, 60)


@pytest.fixture
def by_hand(project: Project, deployed: Any) -> Any:
    one = ByHand(project, deployed)
    yield one
    one.template(replicas=deployed["spec"]["replicas"])
    until(lambda: project.deployment(STACK)["status"].get("readyReplicas") == deployed["spec"]["replicas"], 60)


def test_what_up_made_is_as_planned_and_what_a_fake_kubelet_cannot_tell_is_said(
    project: Project, deployed: Any
) -> None:
    found = rows(project, 0)
    (pod,) = pods(project)
    about = f"pod {pod['metadata']['name']}"
    same = {what for what, one in found.items() if one["result"] == "same"}
    for what in ("replicas", "ready replicas", "Deployment vllm image", "Deployment vllm args"):
        assert what in same, what
    assert f"{about} vllm args" in same
    assert found[f"{about} machine type"]["live"] == "g2-standard-8"
    assert found[f"{about} node's nvidia.com/gpu"]["live"] == "1"
    assert "nvidia.com/gpu=1" in found[f"{about} vllm resources"]["live"].replace("limit ", "")
    unknown = {what for what, one in found.items() if one["result"] == "not read"}
    assert {f"{about} metrics", f"{about} context"} <= unknown
    text = project.servestack("verify", STACK)
    assert text.returncode == 0
    assert "as planned" in text.stdout
    assert f"not read: {about} metrics" in " ".join(text.stdout.split())
    assert all(len(line) <= 80 for line in text.stdout.splitlines())


def test_another_image_is_named(project: Project, by_hand: ByHand) -> None:
    by_hand.template({"image": "registry.example.com/other:1"})
    found = apart(project)
    assert found["Deployment vllm image"]["live"] == "registry.example.com/other:1"
    assert found["Deployment vllm image"]["step"] == f"pulumi up --refresh -s {STACK}"
    assert any(what.startswith("pod ") and what.endswith("vllm image") for what in found)
    assert not any(what.endswith(" args") for what in found)


def test_another_argument_is_named_alone(project: Project, by_hand: ByHand, deployed: Any) -> None:
    args = list(deployed["spec"]["template"]["spec"]["containers"][0]["args"])
    place = next(index for index, word in enumerate(args) if word.startswith("--max-model-len="))
    planned, args[place] = args[place], "--max-model-len=1024"
    by_hand.template({"args": args})
    row = apart(project)["Deployment vllm args"]
    assert (row["planned"], row["live"]) == (planned, "--max-model-len=1024")


def test_another_number_of_replicas_is_named(project: Project, by_hand: ByHand) -> None:
    by_hand.template(replicas=0)
    found = apart(project)
    assert (found["replicas"]["planned"], found["replicas"]["live"]) == ("1", "0")
    assert found["ready replicas"]["step"] == f"servestack status {STACK}"


def test_fewer_accelerators_are_named(project: Project, by_hand: ByHand, deployed: Any) -> None:
    resources = copy.deepcopy(deployed["spec"]["template"]["spec"]["containers"][0]["resources"])
    for kind in ("limits", "requests"):
        resources[kind] = {key: value for key, value in resources.get(kind, {}).items() if key != "nvidia.com/gpu"}
        resources[kind]["nvidia.com/gpu"] = None  # a merge patch replaces lists whole, but not what is within
    resources = {kind: {key: one for key, one in amounts.items() if one} for kind, amounts in resources.items()}
    by_hand.template({"resources": resources})
    row = apart(project)["Deployment vllm resources"]
    assert "nvidia.com/gpu=1" in row["planned"]
    assert "nvidia.com/gpu" not in row["live"]


def test_a_node_of_another_machine_type_is_named(project: Project, deployed: Any) -> None:
    (node,) = project.nodes(STACK)
    path, key = f"/api/v1/nodes/{node['metadata']['name']}", "node.kubernetes.io/instance-type"
    project.api("PATCH", path, {"metadata": {"labels": {key: "g2-standard-96"}}}, MERGE)
    try:
        (row,) = apart(project).values()
        assert (row["planned"], row["live"]) == ("g2-standard-8", "g2-standard-96")
    finally:
        project.api("PATCH", path, {"metadata": {"labels": {key: node["metadata"]["labels"][key]}}}, MERGE)


def test_a_stack_that_is_not_there_is_absent(project: Project) -> None:
    done = project.servestack("verify", "gemma4-e4b-l4-sglang")
    assert done.returncode == 1
    assert "live: absent" in done.stdout
    assert "next: pulumi up -s gemma4-e4b-l4-sglang" in done.stdout
