"""A job by the unchanged program: it goes up, runs on its own machine, ends, and leaves nothing."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import ROOT
from tests.e2e.project import Project, until

STACK = "gemma4-e2b-l4-keras"
BUCKET = "servestack-dev-dev-weights"


def job(project: Project) -> dict[str, Any]:
    """The one that is there and is not on its way out."""
    listed = project.api("GET", f"/apis/batch/v1/namespaces/{STACK}/jobs")["items"]
    (found,) = (one for one in listed if "deletionTimestamp" not in one["metadata"])
    assert isinstance(found, dict)
    return found


def complete(project: Project) -> bool:
    return any(
        one["type"] == "Complete" and one["status"] == "True" for one in job(project)["status"].get("conditions", [])
    )


def test_a_job_ends_on_a_spot_machine_of_its_own_and_another_run_of_it_replaces_it(project: Project) -> None:
    project.up(STACK, "--policy-pack", "policies")
    told = json.loads(project.pulumi("stack", "output", "--json", "-s", STACK))
    assert told["result"] == "gs://servestack-dev-dev-weights/e2b/run-1/result.json"
    assert told["cost"]["usdAtMost"] <= 12
    until(lambda: complete(project))
    assert told["job"] == job(project)["metadata"]["name"]
    (pod,) = project.api("GET", f"/api/v1/namespaces/{STACK}/pods")["items"]
    assert pod["status"]["phase"] == "Succeeded"
    (node,) = project.nodes(STACK)
    assert pod["spec"]["nodeName"] == node["metadata"]["name"]
    assert node["metadata"]["labels"]["cloud.google.com/gke-spot"] == "true"
    first = job(project)["metadata"]["uid"]
    project.pulumi("preview", "--expect-no-changes", "-s", STACK)

    content = {"mode": "lora", "sequenceLength": 512, "epochs": 4, "deadlineSeconds": 43200}
    places = {
        "input": {"bucket": BUCKET, "path": "e2b/train.jsonl"},
        "output": {"bucket": BUCKET, "path": "e2b/run-2"},
        "preset": {"bucket": BUCKET, "path": "keras/gemma4_instruct_2b"},
    }
    project.write(STACK, job=content | places)
    project.up(STACK)
    assert job(project)["metadata"]["uid"] != first
    told = json.loads(project.pulumi("stack", "output", "--json", "-s", STACK))
    assert told["result"] == "gs://servestack-dev-dev-weights/e2b/run-2/result.json"
    until(lambda: complete(project))

    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    assert project.nodes(STACK) == []


def test_a_job_on_a_tpu_gets_a_slice_of_one_chip(project: Project) -> None:
    stack = "gemma4-e2b-tpu-v6e-keras"
    example = (ROOT / "tests" / "examples" / "valid" / f"{stack}.yaml").read_text()
    (project.stacks / f"{stack}.yaml").write_text(example.replace("servestack-dev-data", BUCKET))
    project.up(stack, "--policy-pack", "policies")
    (pod,) = until(lambda: project.api("GET", f"/api/v1/namespaces/{stack}/pods")["items"])
    assert pod["spec"]["containers"][0]["resources"]["requests"]["google.com/tpu"] == "1"
    (node,) = until(lambda: project.nodes(stack))
    labels = node["metadata"]["labels"]
    assert labels["cloud.google.com/gke-tpu-accelerator"] == "tpu-v6e-slice"
    assert labels["cloud.google.com/gke-tpu-topology"] == "1x1"
    until(lambda: project.api("GET", f"/api/v1/namespaces/{stack}/pods")["items"][0]["status"]["phase"] == "Succeeded")
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", stack)
    assert project.nodes(stack) == []
