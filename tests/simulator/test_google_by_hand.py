"""Verbs of the command line for resources and APIs, beside a simulator that runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fake_kubernetes import FakeStarter
from google_harness import CLUSTER_ID, CLUSTER_INPUTS, CLUSTER_URN, POOL_INPUTS, POOL_URN, Engine, error_of
from google_resource_samples import SAMPLES, urn

from simulator.google import __main__ as command
from simulator.google.cloud import Cloud
from simulator.google.wire import from_struct

pytest_plugins = ["google_fixtures"]
NETWORK, BUCKET = "gcp:compute/network:Network", "gcp:storage/bucket:Bucket"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, google: Cloud) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_HOME", str(tmp_path))


def test_a_failure_a_denial_and_a_deletion_are_seen_by_a_running_simulator(gcp: Engine) -> None:
    assert command.main(["fail", "compute.Network"]) == 0
    assert "Error 503" in error_of(gcp.create, urn(NETWORK), SAMPLES[NETWORK]).details()
    assert command.main(["permission-denied", "compute.googleapis.com"]) == 0
    assert (
        "Required 'compute.networks.create' permission"
        in error_of(gcp.create, urn(NETWORK), SAMPLES[NETWORK]).details()
    )
    assert command.main(["permission-denied", "off"]) == 0
    made = gcp.create(urn(NETWORK), SAMPLES[NETWORK])
    assert command.main(["forget", "vpc"]) == 0
    assert gcp.read(urn(NETWORK), made.id).id == ""


def test_a_thing_made_by_hand_is_found_and_imported(gcp: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["put", "Bucket", json.dumps({"project": "p", **SAMPLES[BUCKET]})]) == 0
    assert capsys.readouterr().out == "p-weights\n"
    assert gcp.invoke("gcp:storage/getBucket:getBucket", {"name": "p-weights"})["url"] == "gs://p-weights"
    read = gcp.read(urn(BUCKET), "p-weights")
    assert from_struct(read.properties)["effectiveLabels"] == {"team": "a"}
    assert command.main(["put-object", "p-weights", "a/b.safetensors"]) == 0
    words = error_of(gcp.delete, urn(BUCKET), "p-weights", from_struct(read.properties)).details()
    assert "without `force_destroy` set to true" in words
    assert command.main(["resources"]) == 0
    assert capsys.readouterr().out == "p-weights\n"


@pytest.mark.usefixtures("cluster")
def test_a_cluster_deleted_by_hand_stops_and_comes_back_with_the_next_creation(
    gcp: Engine, starter: FakeStarter
) -> None:
    assert command.main(["forget", "dev"]) == 0
    assert gcp.read(CLUSTER_URN, CLUSTER_ID).id == ""
    assert starter.planes[0].stopped
    assert "Not found" in error_of(gcp.create, POOL_URN, POOL_INPUTS).details()
    assert gcp.create(CLUSTER_URN, CLUSTER_INPUTS).id == CLUSTER_ID
    assert len(starter.started) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fail", "IAMMember"], "'IAMMember' names no one resource type. Known: gcp:artifactregistry/repository"),
        (["fail", "compute.Firewall"], "names no one resource type."),
        (["forget", "nothing"], "'nothing' names no one thing. Known: none"),
        (["put", "Network", '{"name": "vpc"}'], "project: required field is not set"),
        (["put", "Network", '{"project": "p", "name": "VPC"}'], "doesn't match regexp"),
        (["put", "Cluster", "{}"], "make a cluster or a node pool with a program"),
        (["put", "Network", "{"], "Expecting property name"),
        (["put-object", "b", "o"], "unknown bucket 'b'. Known: none"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_is_known(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[Any]
) -> None:
    assert command.main(arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert words in said
