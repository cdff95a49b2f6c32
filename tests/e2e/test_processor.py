"""llama.cpp on processors, from stack file to a ready pod and back: a pool without accelerators, of its own."""

from __future__ import annotations

from tests.e2e.project import Project

STACK = "gemma4-e2b-cpu-llamacpp"


def test_up_ends_with_a_ready_pod_on_the_endpoints_own_machine_and_down_leaves_none(project: Project) -> None:
    project.up(STACK)
    assert project.deployment(STACK)["status"]["readyReplicas"] == 1
    (pod,) = project.api("GET", f"/api/v1/namespaces/{STACK}/pods")["items"]
    (node,) = project.nodes(STACK)
    assert pod["spec"]["nodeName"] == node["metadata"]["name"]
    assert node["metadata"]["labels"]["node.kubernetes.io/instance-type"] == "e2-standard-8"
    assert "nvidia.com/gpu" not in node["status"]["allocatable"]
    assert [(one["key"], one["value"]) for one in node["spec"]["taints"]] == [("servestack.dev/endpoint", STACK)]
    project.unchanged(STACK)
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    assert project.nodes(STACK) == []
