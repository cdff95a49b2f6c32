"""The dynamic provider under the real Pulumi engine: its life, drift, faults, and an engine killed half-way."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.vertex.clients import ADDRESS_VARIABLE
from infra.vertex.session import PACE_VARIABLES
from simulator.binaries import Binaries, locate
from simulator.managed.faults import Fault, Outcome
from tests.e2e.project import until
from tests.vertex.conftest import NOTHING, OURS, WANTED, World, foreign_endpoint, serve
from tests.vertex.project import TOKEN, VertexProject

ANOTHER_MACHINE = {"machine_type": "g4-standard-48", "accelerator_type": "NVIDIA_RTX_PRO_6000"}


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    return locate()


@pytest.fixture
def project(tmp_path: Path, binaries: Binaries, address: str) -> VertexProject:
    return VertexProject(tmp_path, binaries, address)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, binaries: Binaries) -> Iterator[tuple[VertexProject, World]]:
    """One project for the faults of a create, each of which leaves nothing."""
    with serve() as (world, address):
        yield VertexProject(tmp_path_factory.mktemp("vertex"), binaries, address), world


def replicas(world: World) -> tuple[int, int]:
    resources = world.endpoints[WANTED.endpoint_id]["deployedModels"][0]["dedicatedResources"]
    return resources["minReplicaCount"], resources["maxReplicaCount"]


def readable(said: str) -> str:
    """What the engine prints about the deployment at the end, once it fits a terminal and has no traceback."""
    assert "Traceback" not in said, said
    found = re.search(r"ModelGardenDeployment \(endpoint\):\n(.*?)\n\n", said, re.DOTALL)
    assert found, said
    assert max(len(line) for line in found[1].splitlines()) <= 80, found[1]
    return found[1]


def test_create_preview_update_replace_and_destroy(project: VertexProject, world: World) -> None:
    assert project.changes() == {"create": 1}
    assert not world.calls
    project.up()
    assert world.made() == OURS
    made = project.resource()
    assert made
    outputs = made["outputs"]
    assert outputs["base_url"].endswith(f"/v1/{WANTED.endpoint_name}")
    assert outputs["dedicated_dns"] in outputs["base_url"]
    assert project.changes("--expect-no-changes") == {}
    assert project.changes("--refresh", "--expect-no-changes") == {}

    project.want(min_replicas=2, max_replicas=4)
    assert project.changes() == {"update": 1}
    project.up()
    assert replicas(world) == (2, 4)
    changed = project.resource()
    assert changed
    assert changed["outputs"]["deployed_model_id"] == outputs["deployed_model_id"]
    assert world.routes().count("deploy") == 1
    assert project.changes("--expect-no-changes") == {}

    project.want(labels=(("team", "ads"),))
    assert project.changes() == {"update": 1}
    project.up()
    assert world.endpoints[WANTED.endpoint_id]["labels"]["team"] == "ads"

    project.want(**ANOTHER_MACHINE)
    assert project.changes() == {"replace": 1}
    project.up()
    machine = world.endpoints[WANTED.endpoint_id]["deployedModels"][0]["dedicatedResources"]["machineSpec"]
    assert machine["machineType"] == "g4-standard-48"
    routes = world.routes()
    assert max(i for i, route in enumerate(routes) if route == "endpoint.delete") < max(
        i for i, route in enumerate(routes) if route == "deploy"
    )
    assert world.made() == OURS

    project.pulumi("destroy", "--yes", "--skip-preview")
    assert world.made() == NOTHING
    assert project.resource() is None


def test_replicas_changed_by_hand_are_seen_by_refresh_and_taken_back(project: VertexProject, world: World) -> None:
    project.up()
    resources = world.endpoints[WANTED.endpoint_id]["deployedModels"][0]["dedicatedResources"]
    resources |= {"minReplicaCount": 3, "maxReplicaCount": 3}
    assert project.changes() == {}
    assert project.changes("--refresh") == {"update": 1}
    project.pulumi("refresh", "--yes", "--skip-preview")
    drifted = project.resource()
    assert drifted
    assert drifted["inputs"]["min_replicas"] == 3
    assert project.changes() == {"update": 1}
    project.up()
    assert replicas(world) == (1, 1)
    assert project.changes("--expect-no-changes") == {}


def test_an_endpoint_deleted_by_hand_is_seen_by_refresh_and_made_again(project: VertexProject, world: World) -> None:
    project.up()
    world.endpoints.clear()
    project.pulumi("refresh", "--yes", "--skip-preview")
    assert project.resource() is None
    assert project.changes() == {"create": 1}
    project.up()
    assert world.made() == OURS
    world.endpoints.clear()
    world.models.clear()
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert project.resource() is None
    assert world.made() == NOTHING


def test_a_model_undeployed_by_hand_stays_in_the_state_and_is_deployed_again(
    project: VertexProject, world: World
) -> None:
    project.up()
    world.endpoints[WANTED.endpoint_id]["deployedModels"] = []
    project.pulumi("refresh", "--yes", "--skip-preview")
    assert project.changes() == {"update": 1}
    project.up()
    assert replicas(world) == (1, 1)
    world.endpoints[WANTED.endpoint_id]["deployedModels"] = []
    project.pulumi("destroy", "--yes", "--skip-preview", "--refresh")
    assert world.made() == NOTHING


def test_an_endpoint_that_others_made_in_the_place_of_ours_is_left_alone(project: VertexProject, world: World) -> None:
    project.up()
    theirs = copy.deepcopy(foreign_endpoint(world))
    project.pulumi("refresh", "--yes", "--skip-preview")
    assert project.resource() is None
    assert "left alone" in readable(project.up(succeeds=False))
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert world.endpoints == {WANTED.endpoint_id: theirs}


def test_a_lost_state_is_taken_over(project: VertexProject, world: World) -> None:
    project.up()
    first = project.resource()
    project.pulumi("stack", "rm", "--force", "--yes", "--preserve-config")
    project.pulumi("stack", "init")
    assert project.changes() == {"create": 1}
    project.up()
    again = project.resource()
    assert first
    assert again
    assert again["outputs"] == first["outputs"]
    assert world.routes().count("deploy") == 1
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert world.made() == NOTHING


@pytest.mark.parametrize(
    ("faults", "outcome", "said"),
    [
        ([Fault("deploy", code=7)], None, "roles/aiplatform.user"),
        ([Fault("deploy", code=5)], None, "Model Garden"),
        ([Fault("deploy", code=8, times=99)], None, "quota"),
        ([Fault("deploy", code=14, times=99)], None, "(503)"),
        ([Fault("endpoint.get", cut=True, times=99)], None, "no answer from Google"),
        ([], Outcome(code=8), "temporarily unavailable"),
        ([], Outcome(looks=None), "not done within"),
        ([], Outcome(looks=None, cancellable=False), "not done within"),
    ],
    ids=["403", "404", "429", "503", "cut", "fails late", "never ends", "never ends, cannot be cancelled"],
)
def test_a_create_that_fails_is_told_in_short_lines_and_leaves_nothing(
    standing: tuple[VertexProject, World], faults: list[Fault], outcome: Outcome | None, said: str
) -> None:
    project, world = standing
    others = {"name": "projects/314159265358/locations/us-central1/endpoints/other", "deployedModels": []}
    world.endpoints, world.models, world.operations = {"other": others}, {}, {}
    world.outcomes, world.faults = [outcome] if outcome else [], faults
    project.want(timeout_seconds=1)
    project.environment[PACE_VARIABLES["removal_seconds"]] = "2"
    text = readable(project.up(succeeds=False))
    assert said in " ".join(text.split())
    for operation in world.operations.values():
        assert operation.kind != "Deploy" or operation.name in text
    assert project.resource() is None
    assert world.made() == {"endpoints": ["other"], "models": []}
    assert world.endpoints["other"] is others


def test_wrong_inputs_are_refused_before_anything_is_called(project: VertexProject, world: World) -> None:
    project.want(min_replicas=0, location="moon", endpoint_id="Upper_case")
    said = project.pulumi("preview", succeeds=False)
    for field in ("min_replicas", "location", "endpoint_id"):
        assert field in said
    assert "Traceback" not in said
    assert not world.calls


def processes_in(folder: Path) -> list[str]:
    """What runs in a folder; the plugin of a killed engine would."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def kill_during(project: VertexProject, at: str, *command: str) -> None:
    """Kill the engine, wait until its plugin is gone too, and free the stack as Pulumi's documentation says."""
    project.start_and_kill(at, *command)
    if Path("/proc/self").exists():
        until(lambda: not processes_in(project.folder))
    project.pulumi("cancel", "--yes")


@pytest.mark.parametrize("meanwhile", ["goes on", "ended", "failed"])
def test_an_up_whose_engine_is_killed_during_the_deployment_is_finished_by_the_next(
    project: VertexProject, world: World, meanwhile: str
) -> None:
    world.outcomes.append(Outcome(looks=None))
    kill_during(project, "operation", "up")
    with world.lock:
        assert world.made() == OURS
        (running,) = world.operations.values()
        running.looks = 2
        if meanwhile == "failed":
            running.code, running.message = 8, "temporarily unavailable"
    if meanwhile != "goes on":
        world.end_all()
    project.up()
    assert world.made() == OURS
    assert len(world.endpoints[WANTED.endpoint_id]["deployedModels"]) == 1
    assert world.routes().count("deploy") == (2 if meanwhile == "failed" else 1)
    project.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    assert project.resource()
    assert project.changes("--expect-no-changes") == {}
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert world.made() == NOTHING


def test_a_killed_engine_s_plugin_ends_and_removes_nothing(project: VertexProject, world: World) -> None:
    world.outcomes.append(Outcome(looks=None))
    project.want(timeout_seconds=3600)
    kill_during(project, "operation", "up")
    assert world.made() == OURS
    assert not {"endpoint.delete", "operation.cancel"} & set(world.routes())


def test_a_destroy_whose_engine_is_killed_is_finished_by_the_next(project: VertexProject, world: World) -> None:
    project.up()
    kill_during(project, "deleting the endpoint", "destroy")
    world.end_all()
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert world.made() == NOTHING
    assert project.resource() is None


def test_a_planted_token_is_in_no_state_plan_log_or_call(project: VertexProject, world: World) -> None:
    plan = project.folder / "plan.json"
    project.pulumi("preview", f"--save-plan={plan}")
    said = project.up()
    world.faults.append(Fault("endpoint.mutate", code=7, message=f"Bearer {TOKEN} may not"))
    project.want(min_replicas=2, max_replicas=2)
    failed = project.up(succeeds=False)
    assert "may not" in readable(failed)
    assert TOKEN not in said + failed + project.said
    for file in [plan, *(one for one in project.backend.rglob("*") if one.is_file())]:
        assert TOKEN.encode() not in file.read_bytes(), file
    assert not [call for call in world.calls if "Authorization" in call.headers or TOKEN in str(call)]
    made = project.resource()
    assert made
    pickled = base64.b64decode(made["inputs"]["__provider"])
    assert b"infra.vertex.provider" in pickled
    assert len(pickled) < 100
    assert "127.0.0.1" not in str(made)


def test_the_environment_s_address_must_be_on_this_machine(project: VertexProject, world: World) -> None:
    project.environment[ADDRESS_VARIABLE] = "http://10.1.2.3:80"
    assert "for tests on this machine only" in " ".join(readable(project.up(succeeds=False)).split())
    assert not world.calls
