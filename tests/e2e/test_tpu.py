"""vLLM on a slice of TPUs, from stack file to a ready pod and back: nothing shows up as a change in between."""

from __future__ import annotations

from tests.e2e.project import Project

STACK = "gemma4-31b-tpu-v6e"


def test_up_ends_with_a_ready_pod_on_a_slice_of_its_own_and_down_leaves_none(project: Project) -> None:
    project.up(STACK)
    assert project.deployment(STACK)["status"]["readyReplicas"] == 1
    (pod,) = project.api("GET", f"/api/v1/namespaces/{STACK}/pods")["items"]
    (node,) = project.nodes(STACK)
    assert pod["spec"]["nodeName"] == node["metadata"]["name"]
    labels = node["metadata"]["labels"]
    assert labels["node.kubernetes.io/instance-type"] == "ct6e-standard-4t"
    assert labels["cloud.google.com/gke-tpu-accelerator"] == "tpu-v6e-slice"
    assert labels["cloud.google.com/gke-tpu-topology"] == "2x2"
    assert node["status"]["allocatable"]["google.com/tpu"] == "4"
    project.unchanged(STACK)
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    assert project.nodes(STACK) == []
