"""An endpoint with secrets of Secret Manager: its rights come before its pods, and no value is anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.project import Project

STACK = "gemma4-e4b-l4-secrets"
PROGRAMS = Path(__file__).parent / "programs"
PLANTED = {"HF_TOKEN": "hf_PlantedPlantedPlanted", "VLLM_API_KEY": "sk-PlantedPlantedPlanted"}


def members(project: Project) -> set[tuple[str, str, str]]:
    found = (one["inputs"] for one in project.resources(STACK).values() if "member" in one.get("inputs", {}))
    return {
        (one.get("secretId") or one["bucket"], one["role"], one["member"].rpartition("/subject/")[2]) for one in found
    }


def condition(project: Project, name: str, status: str, reason: str) -> None:
    """What GKE's controller would say."""
    said: dict[str, Any] = {"type": "SecretCreated", "status": status, "reason": reason, "message": "no such version"}
    said["lastTransitionTime"] = "2026-11-24T12:00:00Z"
    path = f"/apis/secret-sync.gke.io/v1/namespaces/{STACK}/secretsyncs/{name}/status"
    project.api("PATCH", path, {"status": {"conditions": [said]}}, "application/merge-patch+json")


def test_rights_come_first_pods_after_them_and_no_value_is_kept(project: Project) -> None:
    assert "secret" in project.up(STACK, expect=-1).lower(), "what the endpoint names must be there"
    folder = PROGRAMS / "secrets"
    project.pulumi("stack", "select", "-c", "secrets", cwd=folder)
    project.pulumi("up", "--yes", "--skip-preview", "-s", "secrets", cwd=folder)
    project.environment |= PLANTED
    project.up(STACK, "--policy-pack", "policies")
    assert project.deployment(STACK)["status"]["readyReplicas"] == 1
    account = f"ns/{STACK}/sa/{STACK}"
    role = "roles/secretmanager.secretAccessor"
    assert members(project) == {("gemma-keys", role, account), ("hub-token", role, account)}
    steps = json.loads(project.pulumi("preview", "--json", "-s", STACK))["steps"]
    assert {step["op"] for step in steps} == {"same"}
    kept = [
        path for path in project.home.root.rglob("*") if path.is_file() and path.suffix in (".json", ".yaml", ".log")
    ]
    assert kept
    for value in PLANTED.values():
        assert not [path for path in kept if value.encode() in path.read_bytes()]


def test_status_says_what_gke_could_not_fill_and_how_the_secret_is_made(project: Project) -> None:
    condition(project, f"{STACK}-keys", "False", "ProviderError")
    said = project.servestack("status", STACK)
    text = " ".join(said.stdout.split())
    assert said.returncode == 1
    assert f"{STACK}: locked, 1 of 1 replica ready" in text
    assert f"secretsync {STACK}-keys: ProviderError: no such version" in text
    assert f"secret {STACK}-hub: Missing: no pod starts without it" in text
    assert "gcloud secrets create gemma-keys --project=servestack-dev" in text
    for name, key in ((f"{STACK}-keys", "current"), (f"{STACK}-hub", "token")):
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {key: "a2V5"}}
        project.api("POST", f"/api/v1/namespaces/{STACK}/secrets", body)
        condition(project, name, "True", "CreateSuccessful")
    said = project.servestack("status", STACK)
    assert (said.returncode, said.stderr) == (0, "")


def test_a_rotation_leaves_the_pods_as_they_are(project: Project) -> None:
    path = f"/apis/apps/v1/namespaces/{STACK}/deployments/{STACK}"
    before = project.api("GET", path)["metadata"]["generation"]
    project.write(STACK, expose={"keySecret": {"current": {"secretManager": "gemma-keys", "version": 2}}})
    project.up(STACK)
    assert project.api("GET", path)["metadata"]["generation"] == before
    sync = project.api("GET", f"/apis/secret-sync.gke.io/v1/namespaces/{STACK}/secretsyncs/{STACK}-keys")
    assert [one["targetKey"] for one in sync["spec"]["secretObject"]["data"]] == ["current"]
    project.restore(STACK)


def test_destroying_takes_the_rights_back_and_leaves_the_secrets(project: Project) -> None:
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    assert members(project) == set()
    folder = PROGRAMS / "secrets"
    project.pulumi("preview", "--expect-no-changes", "--refresh", "-s", "secrets", cwd=folder)
    (folder / "Pulumi.secrets.yaml").unlink(missing_ok=True)


def test_a_bucket_is_read_with_the_endpoints_own_right(project: Project) -> None:
    weights = {"source": "gcs", "bucket": "example-models", "path": "gemma-4-e4b-it/bf16"}
    project.write(STACK, weights=weights, expose=None)
    project.up(STACK)
    assert members(project) == {("example-models", "roles/storage.objectViewer", f"ns/{STACK}/sa/{STACK}")}
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    project.restore(STACK)
