"""Endpoints that Google runs, by the unchanged program: on a project alone, and beside a cluster for their callers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from simulator.google.secrets import secret_value
from simulator.google.state import State
from tests.e2e.project import Project

GARDEN, SERVERLESS, GEMINI = "gemma4-31b-vertex", "gemma4-26b-a4b-vertex-serverless", "gemma4-31b-gemini"
PLATFORM = {GARDEN: "cloud", SERVERLESS: "dev", GEMINI: "dev"}
REGION = "projects/servestack-dev/locations/us-central1"
# What the shell of whoever deploys may hold.
PLANTED = {
    "GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.planted-token-of-a-shell",
    "CLOUDSDK_AUTH_ACCESS_TOKEN": "ya29.planted-token-of-gcloud",
    "GEMINI_API_KEY": "AQ.planted-key-of-a-shell",
    "OPENAI_API_KEY": "sk-planted-key-of-a-shell",
    "HF_TOKEN": "hf_planted-token-of-a-shell",
}


class Loopback:
    """Vertex AI as somebody sees it who is not Pulumi."""

    def __init__(self, project: Project) -> None:
        self._address = project.environment["SERVESTACK_VERTEX_ADDRESS"]

    def ask(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        answer = requests.request(method, f"{self._address}/v1beta1/{path}", json=body or None, timeout=30)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def endpoints(self) -> dict[str, dict[str, Any]]:
        listed = self.ask("GET", f"{REGION}/endpoints").get("endpoints", [])
        return {one["name"].rpartition("/")[2]: one for one in listed}

    def replicas(self, endpoint: str) -> tuple[int, int]:
        (deployed,) = self.endpoints()[endpoint]["deployedModels"]
        resources = deployed["dedicatedResources"]
        return resources["minReplicaCount"], resources["maxReplicaCount"]

    def has_model(self, model: str) -> bool:
        answer = requests.get(f"{self._address}/v1beta1/{REGION}/models/{model}", timeout=30)
        return answer.status_code == 200

    def remove(self, endpoint: str) -> None:
        """Undeploy and delete by hand."""
        for one in self.endpoints()[endpoint].get("deployedModels", []):
            self._finish(self.ask("POST", f"{REGION}/endpoints/{endpoint}:undeployModel", deployedModelId=one["id"]))
        self._finish(self.ask("DELETE", f"{REGION}/endpoints/{endpoint}"))

    def _finish(self, operation: dict[str, Any]) -> None:
        while not operation.get("done"):
            operation = self.ask("GET", operation["name"])
        assert "error" not in operation


@pytest.fixture(scope="module")
def google(project: Project) -> Loopback:
    project.up("cloud")
    return Loopback(project)


def outputs(project: Project, stack: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.pulumi("stack", "output", "--json", "-s", stack))
    return found


def down(project: Project, stack: str) -> str:
    return project.pulumi("destroy", "--yes", "--skip-preview", "--remove", "-s", stack)


@pytest.mark.parametrize("stack", [GARDEN, SERVERLESS, GEMINI])
def test_a_stack_goes_up_stays_as_it_is_and_leaves_nothing(project: Project, google: Loopback, stack: str) -> None:
    project.up(stack, "--policy-pack", "policies")
    told = outputs(project, stack)
    assert told["url"].startswith("https://")
    assert told["requestModel"]
    project.unchanged(stack)
    if PLATFORM[stack] == "dev":
        data = project.api("GET", f"/api/v1/namespaces/{stack}/configmaps/{stack}")["data"]
        assert data == {"OPENAI_BASE_URL": told["url"], "OPENAI_MODEL": told["requestModel"]}
    down(project, stack)
    assert stack not in project.stack_names()
    assert google.endpoints() == {}
    assert not google.has_model(stack)
    left = State(project.home.root / "google.json").read()["resources"] if stack == GEMINI else {}
    assert not [name for name in left if stack in name and "services/" not in name]


def test_a_deployment_changes_in_place_where_it_can_and_is_seen_and_taken_back(
    project: Project, google: Loopback
) -> None:
    project.up(GARDEN)
    first = google.endpoints()[GARDEN]["deployedModels"][0]["id"]
    project.write(
        GARDEN, replicas={"min": 1, "max": 3}, vertex={"autoscaling": {"metric": "accelerator", "target": 70}}
    )
    assert "replaced" not in project.up(GARDEN)
    assert google.replicas(GARDEN) == (1, 3)
    assert google.endpoints()[GARDEN]["deployedModels"][0]["id"] == first
    project.unchanged(GARDEN)

    google.remove(GARDEN)
    assert "deleted" in project.pulumi("refresh", "--yes", "--skip-preview", "-s", GARDEN)
    project.up(GARDEN)
    assert google.replicas(GARDEN) == (1, 3)

    project.write(GARDEN, contextLength=4096)
    assert "replaced" in project.up(GARDEN)
    container = google.ask("GET", f"{REGION}/models/{GARDEN}")["containerSpec"]
    assert "--max-model-len=4096" in container["args"]
    assert list(google.endpoints()) == [GARDEN]
    project.restore(GARDEN)
    down(project, GARDEN)
    assert google.endpoints() == {}


def test_an_up_that_is_killed_while_google_deploys_is_finished_by_the_next(project: Project, google: Loopback) -> None:
    project.start_up_and_kill(GARDEN, at="vertex: deploying")
    project.pulumi("cancel", "--yes", "-s", GARDEN)
    assert project.servestack("recover", GARDEN).returncode == 0
    project.up(GARDEN)
    assert list(google.endpoints()) == [GARDEN]
    project.unchanged(GARDEN)
    down(project, GARDEN)
    assert google.endpoints() == {}


def test_pulumis_own_resource_changes_replicas_in_place_and_leaves_the_registry_entry_behind(project: Project) -> None:
    project.write(GARDEN, vertex={"provider": "native", "acceptLicence": True})
    project.up(GARDEN)
    told = outputs(project, GARDEN)
    assert re.fullmatch(r"[0-9a-z-]+\.us-central1-\d+\.prediction\.vertexai\.goog", told["dedicatedDns"])
    project.write(GARDEN, replicas={"min": 1, "max": 2})
    assert "replaced" not in project.up(GARDEN)
    project.unchanged(GARDEN)
    down(project, GARDEN)
    project.restore(GARDEN)


def test_what_a_shell_holds_reaches_no_file_and_no_output(project: Project, google: Loopback) -> None:
    assert google.endpoints() == {}
    project.environment |= PLANTED
    said = project.up(GARDEN, "--debug", "--diff") + project.up(SERVERLESS, "--debug", "--diff")
    for stack in (GARDEN, SERVERLESS):
        said += project.pulumi("stack", "export", "--show-secrets", "-s", stack)
        said += project.pulumi("preview", "--json", "-s", stack)
        said += project.servestack("plan", stack, "--json").stdout + project.servestack("render", stack).stdout
        down(project, stack)
    for name, value in PLANTED.items():
        assert value not in said, name
        assert not holders(project, value), name
    for name in PLANTED:
        del project.environment[name]


def holders(project: Project, value: str) -> list[Path]:
    """Files below the simulator's folder, the state among them, that hold a value."""
    files = (path for path in project.home.root.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if value.encode() in path.read_bytes()]


def test_the_key_is_in_secret_manager_and_nowhere_else(project: Project) -> None:
    said = project.up(GEMINI, "--debug", "--diff")
    said += project.pulumi("stack", "output", "--json", "-s", GEMINI)
    said += project.pulumi("stack", "export", "-s", GEMINI)
    said += project.pulumi("preview", "--json", "-s", GEMINI)
    said += project.servestack("plan", GEMINI, "--explain").stdout + project.servestack("render", GEMINI).stdout
    google_state = project.home.root / "google.json"
    key = secret_value(State(google_state).read(), "servestack-dev", f"{GEMINI}-key")
    assert key
    assert key.startswith("AQ.")
    assert key not in said
    assert holders(project, key) == [google_state], "Google itself has it"


def test_with_the_key_googles_own_client_is_answered_and_without_it_is_not(project: Project) -> None:
    from google import genai
    from google.genai import errors, types

    def ask(key: str) -> str | None:
        options = types.HttpOptions(
            base_url=project.environment["GOOGLE_GEMINI_BASE_URL"], retry_options=types.HttpRetryOptions(attempts=1)
        )
        client = genai.Client(api_key=key, http_options=options)  # closed when nothing holds it any more
        return client.models.generate_content(model=model, contents="Say one word.").text

    key = secret_value(State(project.home.root / "google.json").read(), "servestack-dev", f"{GEMINI}-key") or ""
    model = outputs(project, GEMINI)["requestModel"]
    assert ask(key)
    with pytest.raises(errors.ClientError, match="API key not valid"):
        ask("AQ.somebody-else")
    down(project, GEMINI)
    with pytest.raises(errors.ClientError):
        ask(key)
