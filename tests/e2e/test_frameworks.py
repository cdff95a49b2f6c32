"""Every other framework that serves on a cluster is brought up once, and a second look finds nothing to change."""

from __future__ import annotations

import json

import pytest

from tests.e2e.project import Project

STACKS = {"gemma4-31b-h100-nim": 4, "gemma4-12b-h100-trtllm": 1, "gemma4-e4b-l4-sglang": 1}


@pytest.mark.parametrize("stack", STACKS)
def test_a_framework_comes_up_on_its_own_pool_and_stays_as_it_is(project: Project, stack: str) -> None:
    project.up(stack)
    assert project.deployment(stack)["status"]["readyReplicas"] == 1
    (node,) = project.nodes(stack)
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == str(STACKS[stack])
    steps = json.loads(project.pulumi("preview", "--json", "-s", stack))["steps"]
    assert {step["op"] for step in steps} == {"same"}
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", stack)
    assert project.deployment(stack) is None
