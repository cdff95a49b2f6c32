"""Faults while a deployment that stands is changed, read or removed, under the real Pulumi engine."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from infra.vertex.session import PACE_VARIABLES
from simulator.binaries import locate
from simulator.managed.faults import Fault
from tests.vertex.conftest import NOTHING, OURS, WANTED, World, serve
from tests.vertex.project import VertexProject

OTHERS: dict[str, Any] = {
    "name": "projects/314159265358/locations/us-central1/endpoints/other",
    "displayName": "fraud-model",
    "deployedModels": [],
}
DENIED, BUSY, GONE_AWAY = 7, 8, 14


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[VertexProject, World]]:
    """A deployment that serves, beside an endpoint of others."""
    with serve() as (world, address):
        world.endpoints["other"] = copy.deepcopy(OTHERS)
        project = VertexProject(tmp_path_factory.mktemp("vertex"), locate(), address)
        project.environment[PACE_VARIABLES["removal_seconds"]] = "2"
        yield project, world


def ours(world: World) -> dict[str, list[str]]:
    """What there is, without what others have, which nothing here may touch."""
    made = {kind: list(names) for kind, names in world.made().items()}
    assert "other" in made["endpoints"]
    assert world.endpoints["other"] == OTHERS
    made["endpoints"].remove("other")
    return made


def faults_of(route: str) -> list[Any]:
    return [
        pytest.param([Fault(route, code=DENIED)], id="403"),
        pytest.param([Fault(route, code=BUSY, times=99)], id="429"),
        pytest.param([Fault(route, code=GONE_AWAY, times=99)], id="503"),
        pytest.param([Fault(route, cut=True, times=99)], id="cut"),
    ]


def serving(project: VertexProject, world: World, **changes: Any) -> None:
    world.faults = []
    project.want(**changes)
    project.up()
    assert ours(world) == OURS


def known(project: VertexProject) -> dict[str, Any]:
    """What the state says of the deployment; which inputs depend on what, the engine leaves out of a refresh."""
    found = project.resource()
    assert found
    return {key: found[key] for key in ("id", "inputs", "outputs")}


@pytest.mark.parametrize("faults", faults_of("endpoint.mutate"))
def test_a_change_that_fails_leaves_what_serves_and_the_next_up_makes_it(
    standing: tuple[VertexProject, World], faults: list[Fault]
) -> None:
    project, world = standing
    serving(project, world)
    first = world.endpoints[WANTED.endpoint_id]["deployedModels"][0]["id"]
    world.faults = faults
    project.want(max_replicas=3)
    assert "Traceback" not in project.up(succeeds=False)
    assert ours(world) == OURS
    serving(project, world, max_replicas=3)
    (deployed,) = world.endpoints[WANTED.endpoint_id]["deployedModels"]
    assert (deployed["id"], deployed["dedicatedResources"]["maxReplicaCount"]) == (first, 3)


@pytest.mark.parametrize("faults", faults_of("endpoint.get"))
def test_a_refresh_that_fails_forgets_nothing(standing: tuple[VertexProject, World], faults: list[Fault]) -> None:
    project, world = standing
    serving(project, world)
    before = known(project)
    world.faults = faults
    assert "Traceback" not in project.pulumi("refresh", "--yes", "--skip-preview", succeeds=False)
    assert ours(world) == OURS
    assert known(project) == before
    world.faults = []
    project.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


@pytest.mark.parametrize(
    "faults", [*faults_of("endpoint.undeploy")[:2], *faults_of("endpoint.delete")[2:], *faults_of("model.delete")[:1]]
)
def test_a_destroy_that_fails_is_finished_by_the_next(
    standing: tuple[VertexProject, World], faults: list[Fault]
) -> None:
    project, world = standing
    serving(project, world)
    world.faults = faults
    assert "Traceback" not in project.pulumi("destroy", "--yes", "--skip-preview", succeeds=False)
    assert project.resource(), "what may still be there stays in the state"
    world.faults = []
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert ours(world) == NOTHING
    assert project.resource() is None
