"""`servestack verify` of a Model Garden endpoint, against the loopback Vertex AI: as deployed, and changed by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main
from infra.garden_deployment import deployment_of
from infra.pipeline import ManagedEndpoint, build
from infra.vertex.calls import Calls, Pace
from infra.vertex.clients import ADDRESS_VARIABLE, connect
from infra.vertex.garden import Garden
from infra.vertex.session import PACE_VARIABLES
from simulator.managed.google import Google
from simulator.managed.server import serving
from simulator.managed.world import World
from tests.unit.files import Files

STACK = "gemma4-31b-vertex"
PLATFORM = """\
apiVersion: servestack/v1
kind: Platform
google: {project: shop-prod, location: us-central1}
"""
ENDPOINT = """\
apiVersion: servestack/v1
kind: Endpoint
platform: cloud
model: gemma-4-31b-it
accelerator: h100
framework: vertex
"""


class Deployed:
    """A deployment as `up` makes it, at a loopback Vertex AI."""

    def __init__(self, world: World, folder: Path, address: str) -> None:
        self.world, self.folder = world, folder
        (folder / "cloud.yaml").write_text(PLATFORM)
        (folder / f"{STACK}.yaml").write_text(ENDPOINT)
        built = build(STACK, Files(cloud=PLATFORM, **{STACK: ENDPOINT}))
        assert isinstance(built, ManagedEndpoint)
        wanted = deployment_of(built)
        pace = Pace(poll_seconds=0.01, longest_poll_seconds=0.02, back_off_seconds=0.01)
        Garden(wanted, connect(wanted.location, address), Calls(pace)).create()

    @property
    def model(self) -> dict[str, Any]:
        (one,) = self.endpoint["deployedModels"]
        found: dict[str, Any] = one["dedicatedResources"]
        return found

    @property
    def endpoint(self) -> dict[str, Any]:
        found: dict[str, Any] = self.world.region("shop-prod", "us-central1").endpoints[STACK]
        return found

    def verify(self, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
        capsys.readouterr()
        code = main(["verify", STACK, "--json", "--stacks", str(self.folder)])
        found = json.loads(capsys.readouterr().out)
        assert found["asPlanned"] is (code == 0)
        return code, {one["what"]: one for one in found["rows"]}


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    world = World(Google())
    with serving(world) as address:
        monkeypatch.setenv(ADDRESS_VARIABLE, address)
        monkeypatch.setenv(PACE_VARIABLES["poll_seconds"], "0.01")
        yield Deployed(world, tmp_path, address)


def apart(rows: dict[str, dict[str, str]]) -> set[str]:
    return {what for what, one in rows.items() if one["result"] == "differs"}


def test_what_was_deployed_is_as_planned(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = deployed.verify(capsys)
    assert (code, apart(rows)) == (0, set())
    assert rows["machine type"]["live"] == "a3-highgpu-1g"
    assert rows["accelerator count"]["live"] == "1"


def test_replicas_by_hand_are_named(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.model["maxReplicaCount"] = 3
    code, rows = deployed.verify(capsys)
    assert (code, apart(rows)) == (1, {"max replicas"})
    assert (rows["max replicas"]["planned"], rows["max replicas"]["live"]) == ("1", "3")
    assert rows["max replicas"]["step"] == f"pulumi up --refresh -s {STACK}"


def test_another_machine_is_named(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.model["machineSpec"]["machineType"] = "g4-standard-48"
    code, rows = deployed.verify(capsys)
    assert (code, apart(rows)) == (1, {"machine type"})


def test_an_undeployed_model_and_a_lost_endpoint_are_named(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.endpoint["deployedModels"] = []
    assert apart(deployed.verify(capsys)[1]) == {"deployed model"}
    deployed.world.region("shop-prod", "us-central1").endpoints.clear()
    code, rows = deployed.verify(capsys)
    assert (code, apart(rows), rows["endpoint"]["step"]) == (1, {"endpoint"}, f"pulumi up -s {STACK}")
