"""Two endpoints brought up at the same time on one platform."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from benchmarks.resources import resources
from tests.e2e.project import Project

PAIR = ("gemma4-e4b-l4", "gemma4-12b-l4-llamacpp")


def test_two_stacks_brought_up_at_once_do_not_disturb_each_other(project: Project) -> None:
    with ThreadPoolExecutor(len(PAIR)) as pool:
        said = list(pool.map(project.up, PAIR))
    assert all(f"+ {resources(stack)} created" in one for stack, one in zip(PAIR, said, strict=True))
    hosts = []
    for stack in PAIR:
        (pod,) = project.api("GET", f"/api/v1/namespaces/{stack}/pods")["items"]
        (node,) = project.nodes(stack)
        assert pod["spec"]["nodeName"] == node["metadata"]["name"]
        assert project.deployment(stack)["status"]["readyReplicas"] == 1
        hosts.append(pod["spec"]["nodeName"])
    assert len(set(hosts)) == 2

    project.write(PAIR[0], contextLength=8192)
    with ThreadPoolExecutor(len(PAIR)) as pool:
        first = pool.submit(project.up, PAIR[0])
        second = pool.submit(project.pulumi, "destroy", "--yes", "--skip-preview", "-s", PAIR[1])
        assert "2 updated" in first.result()  # the Deployment, and alerts that follow from the context
        assert f"{resources(PAIR[1])} deleted" in second.result()
    assert project.deployment(PAIR[0])["status"]["readyReplicas"] == 1
    assert project.deployment(PAIR[1]) is None
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", PAIR[0])
