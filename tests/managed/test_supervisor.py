"""A running simulator's managed endpoints: by the variables that `make env` prints, in the cloud's state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google import genai
from google.api_core import exceptions
from google.genai import errors
from google.oauth2.credentials import Credentials

from infra.vertex.calls import Calls, Pace
from infra.vertex.clients import ADDRESS_VARIABLE, connect
from infra.vertex.garden import Garden
from simulator import supervisor
from simulator.binaries import Binaries, locate
from simulator.environment import simulator_variables
from simulator.google import projects
from simulator.google.state import State
from simulator.home import Home
from simulator.managed.google import VERTEX
from simulator.managed.world import World
from tests.vertex.conftest import WANTED
from tests.vertex.project import VertexProject

SERVERLESS = "gemma-4-26b-a4b-it-maas"
QUICK = Pace(poll_seconds=0.01, longest_poll_seconds=0.02, attempts=2, back_off_seconds=0.01)


@pytest.fixture(scope="module")
def binaries() -> Binaries:
    return locate()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    supervisor.stop(home)


def variables(home: Home, binaries: Binaries) -> dict[str, str]:
    running = supervisor.start(home, binaries)
    return simulator_variables(home, binaries, running.ports, managed_port=running.managed_port)


def garden(home: Home, binaries: Binaries) -> Garden:
    return Garden(WANTED, connect(WANTED.location, variables(home, binaries)[ADDRESS_VARIABLE]), Calls(QUICK))


def test_endpoints_are_made_once_the_api_is_on_and_are_there_after_a_restart(home: Home, binaries: Binaries) -> None:
    with pytest.raises(exceptions.Forbidden, match="has not been used in project"):
        garden(home, binaries).create()
    with State(home.root / "google.json").change() as data:
        projects.turn_on(data, WANTED.project, VERTEX)
    made = garden(home, binaries).create()
    assert projects.number(WANTED.project) in made.dedicated_dns
    supervisor.stop(home)
    assert garden(home, binaries).read() == made
    garden(home, binaries).delete()
    assert garden(home, binaries).read() is None


def test_google_s_clients_find_the_simulator_by_the_environment_alone(
    home: Home, binaries: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables(home, binaries).items():
        monkeypatch.setenv(name, value)
    gemini = genai.Client(api_key="AIza-nobody-s")
    with pytest.raises(errors.ClientError, match="API_KEY_INVALID"):
        gemini.models.generate_content(model="gemma-4-31b-it", contents="Hello")
    place = {"project": WANTED.project, "location": "global", "credentials": Credentials(token="x")}
    client = genai.Client(vertexai=True, **place)
    with pytest.raises(errors.ClientError, match="SERVICE_DISABLED"):
        client.models.generate_content(model=SERVERLESS, contents="Hello")
    with State(home.root / "google.json").change() as data:
        projects.turn_on(data, WANTED.project, VERTEX)
    assert SERVERLESS in (client.models.generate_content(model=SERVERLESS, contents="Hello").text or "")


def test_the_real_engine_deploys_in_the_simulator_s_environment_and_sees_no_change_after_a_restart(
    home: Home, binaries: Binaries, tmp_path: Path
) -> None:
    (tmp_path / "engine").mkdir()
    project = VertexProject(tmp_path / "engine", binaries, "")
    project.environment |= variables(home, binaries)
    with State(home.root / "google.json").change() as data:
        projects.turn_on(data, WANTED.project, VERTEX)
    project.pulumi("stack", "init")
    project.up()
    supervisor.stop(home)
    project.environment |= variables(home, binaries)
    assert project.changes("--refresh", "--expect-no-changes") == {}
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert World(path=home.managed_endpoints).made() == {"endpoints": [], "models": []}
