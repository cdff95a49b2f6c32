"""A replica of several machines comes up, survives the loss of one, and goes, by the real controller."""

from __future__ import annotations

import json

from tests.e2e.project import Project, until

STACK, NODES = "gemma4-31b-l4-group", 5
GROUPS = f"/apis/leaderworkerset.x-k8s.io/v1/namespaces/{STACK}/leaderworkersets"


def pods(project: Project) -> dict[str, dict[str, str]]:
    """Name to uid, node and component of the pods that are ready."""
    return {
        one["metadata"]["name"]: {
            "uid": one["metadata"]["uid"],
            "node": one["spec"]["nodeName"],
            "component": one["metadata"]["labels"]["app.kubernetes.io/component"],
        }
        for one in project.api("GET", f"/api/v1/namespaces/{STACK}/pods")["items"]
        if any(c["type"] == "Ready" and c["status"] == "True" for c in one["status"].get("conditions", []))
    }


def test_a_replica_of_several_machines_is_up_when_all_its_pods_are_and_starts_anew_when_one_is_lost(
    project: Project,
) -> None:
    project.up(STACK)
    first = pods(project)
    assert len({one["node"] for one in first.values()}) == len(project.nodes(STACK)) == NODES
    components = sorted(one["component"] for one in first.values())
    assert components == ["inference-server", *["inference-worker"] * (NODES - 1)]
    steps = json.loads(project.pulumi("preview", "--json", "-s", STACK))["steps"]
    assert {step["op"] for step in steps} == {"same"}
    project.pulumi("preview", "--refresh", "--expect-no-changes", "-s", STACK)
    assert "1 of 1 replica ready" in project.servestack("status", STACK).stdout
    verified = project.servestack("verify", STACK)
    assert (verified.returncode, "as planned" in verified.stdout) == (0, True), verified.stdout + verified.stderr

    lost = next(name for name, one in first.items() if one["component"] == "inference-worker")
    project.api("DELETE", f"/api/v1/namespaces/{STACK}/pods/{lost}")
    old = {one["uid"] for one in first.values()}

    def all_new() -> bool:
        now = pods(project)
        return len(now) == NODES and not old & {one["uid"] for one in now.values()}

    until(all_new, within_seconds=60)

    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    assert not project.nodes(STACK)
