"""What must fail, fails as the real thing does, leaves what others made alone, and says the next step."""

from __future__ import annotations

import time
from pathlib import Path

from tests.e2e.project import Project, until

STACK = "gemma4-e2b-l4-llamacpp"
PROGRAMS = Path(__file__).with_name("programs")


def test_an_on_demand_h100_below_eight_is_refused_by_the_plan_before_the_engine_makes_anything(
    project: Project,
) -> None:
    project.write("gemma4-31b-h100", accelerator={"type": "h100", "count": 1}, capacity=["on-demand"])
    said = project.up("gemma4-31b-h100", expect=-1)
    project.restore("gemma4-31b-h100")
    assert "capacity: Compute Engine does not sell a3-highgpu-1g (1 x h100) as on-demand" in said
    assert "Traceback" not in said
    assert set(project.resources("gemma4-31b-h100")) <= {"pulumi:pulumi:Stack::servestack-gemma4-31b-h100"}


def test_a_node_pool_of_on_demand_h100_passes_a_preview_and_is_refused_by_google_in_up(project: Project) -> None:
    folder = PROGRAMS / "on_demand_h100"
    project.pulumi("stack", "select", "-c", "direct", cwd=folder)
    assert "+ 2 to create" in project.pulumi("preview", "-s", "direct", cwd=folder).replace("3 to", "2 to")
    said = project.pulumi("up", "--yes", "--skip-preview", "-s", "direct", expect=-1, cwd=folder)
    assert "googleapi: Error 400" in said
    assert "a3-highgpu-1g" in said
    project.pulumi("destroy", "--yes", "--skip-preview", "--remove", "-s", "direct", cwd=folder)
    (folder / "Pulumi.direct.yaml").unlink(missing_ok=True)


def test_a_missing_platform_names_the_command_that_makes_it(project: Project) -> None:
    project.write("other", **{"apiVersion": "servestack/v1", "kind": "Platform"})
    text = (project.stacks / "dev.yaml").read_text().replace("{name: dev}", "{name: other}")
    (project.stacks / "other.yaml").write_text(text)
    project.write(STACK, platform="other")
    said = project.up(STACK, expect=-1)
    project.restore(STACK)
    assert "platform 'other': cluster 'other' in us-central1 of project 'servestack-dev' does not exist." in said
    assert "Run `pulumi up -s other` first." in said
    assert "Traceback" not in said


def test_a_namespace_that_someone_else_made_is_not_taken_over(project: Project) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STACK, "labels": {"team": "other"}}}
    made = project.api("POST", "/api/v1/namespaces", body)
    said = project.up(STACK, expect=-1)
    assert f'namespaces "{STACK}" already exists' in said
    assert "The resource already exists in the cluster." in said
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    left = project.api("GET", f"/api/v1/namespaces/{STACK}")
    assert left["metadata"]["uid"] == made["metadata"]["uid"]
    assert left["metadata"]["labels"] == made["metadata"]["labels"]
    project.api("DELETE", f"/api/v1/namespaces/{STACK}")
    until(lambda: project.api("GET", f"/api/v1/namespaces/{STACK}") is None)


def test_a_deployment_that_someone_else_made_is_not_taken_over(project: Project) -> None:
    project.up(STACK)
    mine = project.deployment(STACK)
    body = {key: mine[key] for key in ("apiVersion", "kind", "spec")}
    body["metadata"] = {"name": STACK, "labels": {"team": "other"}}
    urn = project.resources(STACK)[f"kubernetes:apps/v1:Deployment::{STACK}"]["urn"]
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK, "--target", urn)
    made = project.api("POST", f"/apis/apps/v1/namespaces/{STACK}/deployments", body)
    said = project.up(STACK, expect=-1)
    assert f'deployments.apps "{STACK}" already exists' in said
    left = project.deployment(STACK)
    assert left["metadata"]["uid"] == made["metadata"]["uid"]
    assert left["metadata"]["labels"] == {"team": "other"}
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)


def test_a_stock_out_fails_within_the_time_limit_and_status_tells_the_schedulers_words(project: Project) -> None:
    project.write(STACK, startupTimeoutSeconds=12)
    project.faults.set_stockout("*", "g2-standard-4")
    began = time.monotonic()
    said = project.up(STACK, expect=-1)
    took = time.monotonic() - began
    assert took < 45, f"{took:.0f} s with a limit of 12"
    assert "timed out waiting to be Ready" in said
    status = project.servestack("status", STACK)
    assert status.returncode == 1
    words = " ".join(status.stdout.split())
    assert "stuck, 0 of 1 replica ready" in words
    assert "nodes are available" in words
    assert "GCE out of resources" in words
    assert "Next: no capacity in these zones now" in words
    project.faults.set_stockout("*", "g2-standard-4", active=False)
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    project.restore(STACK)
