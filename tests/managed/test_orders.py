"""Faults of a running simulator from a command line: obeyed at the next call, taken back by `heal`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import aiplatform_v1beta1

from simulator.home import VARIABLE, Home
from simulator.managed.__main__ import main
from simulator.managed.google import Google
from simulator.managed.orders import Orders
from simulator.managed.server import ROUTES, serving
from simulator.managed.world import World
from tests.managed.conftest import KEY, PROJECT, accepts, client, deploy

MODEL = "gemma-4-31b-it"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return Home.current()


@pytest.fixture
def address(home: Home) -> Iterator[str]:
    world = World(Google(accepts=accepts), home.managed_endpoints)
    with serving(world, Orders(home.managed_orders)) as address:
        yield address


def told(address: str) -> int:
    return httpx.get(f"{address}/v1beta/models/{MODEL}", headers={"x-goog-api-key": KEY}).status_code


def status(address: str) -> int:
    body = {"contents": [{"parts": [{"text": "Hello"}]}]}
    url = f"{address}/v1beta/models/{MODEL}:generateContent"
    return httpx.post(url, headers={"x-goog-api-key": KEY}, json=body).status_code


@pytest.mark.parametrize("code", [403, 404, 409, 429, 503])
def test_a_route_fails_as_often_as_it_is_told(home: Home, address: str, code: int) -> None:
    assert main(["fail", "gemini.get", "--status", str(code), "--times", "2", "--after", "1"]) == 0
    assert [told(address) for _ in range(4)] == [200, code, code, 200]


def test_connections_are_cut_and_everything_heals(home: Home, address: str) -> None:
    main(["fail", "gemini.get", "--cut", "--times", "99"])
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            told(address)
    main(["limit", MODEL, "0"])
    assert status(address) == 429
    main(["heal"])
    assert (told(address), status(address)) == (200, 200)


def test_deployments_end_as_they_are_told(home: Home, address: str) -> None:
    main(["deployment", "fails"])
    assert deploy(address, "one").error.code == 8
    main(["deployment", "never-ends"])
    garden = client(aiplatform_v1beta1.ModelGardenServiceClient, address)
    request = {
        "destination": f"projects/{PROJECT}/locations/us-central1",
        "publisher_model_name": f"publishers/google/models/gemma4@{MODEL}",
    }
    operation = garden.deploy(request=request).operation.name
    assert not [1 for _ in range(9) if garden.get_operation(request={"name": operation}).done]


def test_what_a_person_deletes_or_puts_there_is_seen(
    home: Home, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(address, "one")
    assert main(["forget", "two"]) == 1
    assert "Known: one" in capsys.readouterr().err
    endpoints = client(aiplatform_v1beta1.EndpointServiceClient, address)
    name = f"projects/{PROJECT}/locations/us-central1/endpoints/one"
    main(["forget", "one"])
    with pytest.raises(exceptions.NotFound):
        endpoints.get_endpoint(name=name)
    main(["put", PROJECT, "us-central1", "one"])
    main(["show"])
    shown = json.loads(capsys.readouterr().out)
    assert (shown["endpoints"], [one["do"] for one in shown["orders"]]) == ([], ["put"])
    assert endpoints.get_endpoint(name=name).display_name == "made-by-hand"
    main(["show"])
    assert json.loads(capsys.readouterr().out) == {"endpoints": ["one"], "models": ["one"], "orders": []}
    main(["forget", "one", "--with-model"])
    with pytest.raises(exceptions.NotFound):
        endpoints.get_endpoint(name=name)
    assert World(path=home.managed_endpoints).made() == {"endpoints": [], "models": []}


def test_routes_have_names_of_their_own_and_others_are_refused(home: Home) -> None:
    names = [route.name for route in ROUTES]
    assert len(names) == len(set(names))
    with pytest.raises(SystemExit):
        main(["fail", "gemini.nothing"])
    assert not home.managed_orders.exists()


@pytest.mark.parametrize(
    "text", ["", "{", '[{"do": "fault", "nonsense": 1}]', '[{"do": "put"}]', '[{"do": "x"}]', "[1]"]
)
def test_orders_that_nobody_understands_stop_nothing(home: Home, address: str, text: str) -> None:
    home.managed_orders.write_text(text)
    assert told(address) == 200
    assert not home.managed_orders.exists()
