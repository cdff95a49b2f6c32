"""What managed endpoints need, under the real Pulumi engine: keys and secrets that stay hidden, and endpoints."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_kubernetes import FakeApi, FakeStarter
from small_program import small_program

from simulator.binaries import Binaries
from simulator.google import unmanaged
from simulator.google.api_keys import valid_keys
from simulator.google.by_hand import ByHand
from simulator.google.cloud import Cloud
from simulator.google.secrets import secret_value
from simulator.google.server import serve

PROJECT = "acme-models"
PLANTED = "hf_planted-and-not-to-be-seen"
KEYS = f"""
import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()
google = gcp.Provider("google", project="{PROJECT}", region="us-central1")
services = [
    gcp.projects.Service(name, service=f"{{name}}.googleapis.com", opts=pulumi.ResourceOptions(provider=google))
    for name in ("apikeys", "generativelanguage", "iam", "secretmanager")
]
options = pulumi.ResourceOptions(provider=google, depends_on=services)
account = gcp.serviceaccount.Account("caller", account_id="gemini-caller", opts=options)
gcp.serviceaccount.IAMMember(
    "use", service_account_id=account.name, role="roles/iam.serviceAccountUser", member="user:ann@example.com",
    opts=options,
)
key = gcp.projects.ApiKey(
    "gemini",
    display_name=config.get("title") or "gemini",
    service_account_email=account.email,
    restrictions={{"api_targets": [{{"service": "generativelanguage.googleapis.com"}}]}},
    opts=options,
)
secret = gcp.secretmanager.Secret("gemini", secret_id="gemini", replication={{"auto": {{}}}}, opts=options)
gcp.secretmanager.SecretVersion("gemini", secret=secret.id, secret_data=key.key_string, opts=options)
token = gcp.secretmanager.Secret("token", secret_id="token", replication={{"auto": {{}}}}, opts=options)
value = "{PLANTED}" + (config.get("suffix") or "")
gcp.secretmanager.SecretVersion("token", secret=token.name, secret_data=value, opts=options)
gcp.secretmanager.SecretVersion(
    "write-only", secret=token.id, secret_data_wo="{PLANTED}-wo", secret_data_wo_version="1", opts=options
)
pulumi.export("key", key.key_string)
pulumi.export("uid", key.uid)
"""
ALL = 14
"""The stack, the provider, four APIs, an account with a member, a key, two secrets and three versions."""
ENDPOINT = f"""
import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()
google = gcp.Provider("google", project="{PROJECT}", region="us-central1")
service = gcp.projects.Service(
    "vertex", service="aiplatform.googleapis.com", opts=pulumi.ResourceOptions(provider=google)
)
endpoint = gcp.vertex.AiEndpointWithModelGardenDeployment(
    "chat",
    location="us-central1",
    publisher_model_name="publishers/google/models/gemma4@gemma-4-31b-it",
    model_config={{"accept_eula": True}},
    deploy_config={{
        "dedicated_resources": {{
            "machine_spec": {{
                "machine_type": "g4-standard-48",
                "accelerator_type": "NVIDIA_RTX_PRO_6000",
                "accelerator_count": 1,
            }},
            "min_replica_count": 1,
            "max_replica_count": config.get_int("most") or 2,
        }}
    }},
    opts=pulumi.ResourceOptions(provider=google, depends_on=[service]),
)
pulumi.export("endpoint", endpoint.endpoint)
"""


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROJECTS", "new")
    made = Cloud(tmp_path / "google", FakeStarter(), connect=FakeApi)
    yield made
    made.close()


@pytest.fixture
def port(google: Cloud) -> Iterator[int]:
    server, bound = serve(google)
    yield bound
    server.stop(None)


def changes(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    return dict(json.loads(done.stdout)["changeSummary"])


def test_keys_and_values_of_secrets_are_seen_nowhere_but_in_the_cloud(
    tmp_path: Path, binaries: Binaries, port: int, google: Cloud
) -> None:
    pulumi = small_program(tmp_path, binaries, KEYS, "gcp", port)
    seen = []

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = pulumi(*arguments)
        seen.append(done.stdout + done.stderr)
        return done

    assert changes(run("preview", "--json")) == {"create": ALL}
    run("up", "--yes")
    first = google.state.read()
    ((key, use),) = valid_keys(first).items()
    assert key.startswith("AQ.")
    assert use.service_account == f"gemini-caller@{PROJECT}.iam.gserviceaccount.com"
    assert secret_value(first, PROJECT, "gemini") == key
    held = {secret_value(first, PROJECT, "token", version) for version in ("1", "2")}
    assert held == {PLANTED, f"{PLANTED}-wo"}

    assert changes(run("preview", "--json", "--diff", "--expect-no-changes")) == {"same": ALL}
    run("up", "--yes", "--diff", "--expect-no-changes")
    run("refresh", "--yes", "--diff", "--expect-no-changes")
    run("stack", "output", "--json")
    run("stack", "export")

    run("config", "set", "title", "another")
    run("config", "set", "suffix", "changed")
    assert changes(run("preview", "--json", "--diff")) == {"replace": 1, "same": ALL - 2, "update": 1}
    run("up", "--yes", "--diff")
    changed = google.state.read()
    assert list(valid_keys(changed)) == [key]
    assert secret_value(changed, PROJECT, "token") == f"{PLANTED}changed"
    run("stack", "export")

    files = [file for file in (tmp_path / "backend").rglob("*") if file.is_file()]
    assert len(files) > 2
    seen += [file.read_text() for file in files]
    for hidden in (key, PLANTED):
        assert not any(hidden in text for text in seen)
    shown = json.loads(pulumi("stack", "output", "--json", "--show-secrets").stdout)
    assert shown["key"] == key

    run("destroy", "--yes")
    data = google.state.read()
    assert data["resources"] == valid_keys(data) == {}
    assert [one["project"] for one in unmanaged.left(data, unmanaged.API_KEY).values()] == [PROJECT]


def test_an_endpoint_leaks_when_it_fails_and_is_lost_when_it_is_removed_by_hand(
    tmp_path: Path, binaries: Binaries, port: int, google: Cloud
) -> None:
    pulumi = small_program(tmp_path, binaries, ENDPOINT, "gcp", port)
    ByHand(google.state).fail("AiEndpointWithModelGardenDeployment", after_half=True)
    shown = pulumi("up", "--yes", "--skip-preview", succeeds=False).stdout
    assert "Error waiting to create EndpointWithModelGardenDeployment" in shown
    assert len(unmanaged.left(google.state.read(), unmanaged.ENDPOINT)) == 1

    pulumi("up", "--yes", "--skip-preview")
    assert changes(pulumi("preview", "--json", "--expect-no-changes")) == {"same": 4}
    identifier = json.loads(pulumi("stack", "output", "--json").stdout)["endpoint"]
    pulumi("config", "set", "most", "3")
    assert changes(pulumi("preview", "--json")) == {"same": 3, "update": 1}
    pulumi("up", "--yes", "--skip-preview")
    assert json.loads(pulumi("stack", "output", "--json").stdout)["endpoint"] == identifier

    ByHand(google.state).forget(identifier)
    assert changes(pulumi("preview", "--json", "--refresh", "--expect-no-changes")) == {"same": 4}
    shown = pulumi("destroy", "--yes", "--skip-preview", succeeds=False).stdout
    assert "Error undeploying model from EndpointWithModelGardenDeployment: googleapi: Error 404" in shown
    assert len(unmanaged.left(google.state.read(), unmanaged.MODEL)) == 2
