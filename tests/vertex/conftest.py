"""A loopback Vertex for each test, a deployment to ask for, and the real Google clients in between."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from infra.vertex.calls import Calls, Pace
from infra.vertex.clients import connect
from infra.vertex.deployment import Deployment
from infra.vertex.garden import Garden
from simulator.google import projects
from simulator.managed.google import Google
from simulator.managed.operation import Operation
from simulator.managed.region import Region
from simulator.managed.server import serving
from simulator.managed.world import World as WholeWorld

WANTED = Deployment(
    stack="gemma4-31b-vertex",
    project="shop-prod",
    location="us-central1",
    publisher_model="google/gemma4@gemma-4-31b-it",
    endpoint_id="gemma4-31b-vertex",
    model_id="gemma4-31b-vertex",
    machine_type="a3-highgpu-1g",
    accelerator_type="NVIDIA_H100_80GB",
    accelerator_count=1,
    labels=(("team", "search"),),
    timeout_seconds=60,
)
QUICK = Pace(
    poll_seconds=0.01, longest_poll_seconds=0.02, attempts=3, back_off_seconds=0.01, call_seconds=5, removal_seconds=5
)
NOTHING: dict[str, list[str]] = {"endpoints": [], "models": []}
OURS = {"endpoints": [WANTED.endpoint_id], "models": [WANTED.model_id]}

MakeGarden = Callable[..., Garden]
NUMBERS = {WANTED.project: "314159265358"}


class World(WholeWorld):
    """A world with the wanted region at hand."""

    def __init__(self) -> None:
        super().__init__(Google(number_of=lambda project: NUMBERS.get(project) or projects.number(project)))

    @property
    def here(self) -> Region:
        return self.region(WANTED.project, WANTED.location)

    @property
    def endpoints(self) -> dict[str, dict[str, Any]]:
        return self.here.endpoints

    @endpoints.setter
    def endpoints(self, endpoints: dict[str, dict[str, Any]]) -> None:
        self.here.endpoints = endpoints

    @property
    def models(self) -> dict[str, dict[str, Any]]:
        return self.here.models

    @models.setter
    def models(self, models: dict[str, dict[str, Any]]) -> None:
        self.here.models = models

    @property
    def operations(self) -> dict[str, Operation]:
        return self.here.operations

    @operations.setter
    def operations(self, operations: dict[str, Operation]) -> None:
        self.here.operations = operations


@contextlib.contextmanager
def serve() -> Iterator[tuple[World, str]]:
    """A fresh world and its address."""
    world = World()
    with serving(world) as address:
        yield world, address


@pytest.fixture
def loopback() -> Iterator[tuple[World, str]]:
    with serve() as served:
        yield served


@pytest.fixture
def world(loopback: tuple[World, str]) -> World:
    return loopback[0]


@pytest.fixture
def address(loopback: tuple[World, str]) -> str:
    return loopback[1]


@pytest.fixture
def garden(address: str) -> MakeGarden:
    """A garden for the wanted deployment with some fields changed, at a pace with some fields changed."""

    def make(pace: dict[str, Any] | None = None, **changes: Any) -> Garden:
        calls = Calls(replace(QUICK, **(pace or {})))
        return Garden(replace(WANTED, **changes), connect(WANTED.location, address), calls)

    return make


def foreign_endpoint(world: World, **fields: Any) -> dict[str, Any]:
    """Somebody else's endpoint under the wanted id."""
    made = {
        "name": f"projects/314159265358/locations/us-central1/endpoints/{WANTED.endpoint_id}",
        "displayName": "fraud-model",
        "labels": {"team": "fraud"},
        "deployedModels": [
            {
                "id": "77",
                "model": "projects/314159265358/locations/us-central1/models/fraud",
                "dedicatedResources": {"machineSpec": {"machineType": "n1-standard-4"}, "minReplicaCount": 1},
            }
        ],
        "createTime": "2026-01-01T00:00:00Z",
    } | fields
    world.endpoints[WANTED.endpoint_id] = made
    return made
