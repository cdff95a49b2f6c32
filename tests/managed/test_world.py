"""What the loopback Vertex AI holds: per project and region, offers by its own table, kept over restarts."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud import aiplatform_v1beta1

from simulator.errors import SimulatorError
from simulator.google import projects
from simulator.managed import model_garden
from simulator.managed.faults import Outcome
from simulator.managed.google import VERTEX
from simulator.managed.server import serving
from simulator.managed.world import World
from tests.managed.conftest import PROJECT, client, deploy

H100 = {"machine": "a3-highgpu-1g", "accelerator": "NVIDIA_H100_80GB"}


def endpoint_names(address: str, project: str, location: str) -> list[str]:
    endpoints = client(aiplatform_v1beta1.EndpointServiceClient, address)
    return [one.name for one in endpoints.list_endpoints(parent=f"projects/{project}/locations/{location}")]


def test_an_endpoint_belongs_to_its_project_and_region(world: World, address: str) -> None:
    deploy(address, "one")
    deploy(address, "one", project="other")
    deploy(address, "one", location="europe-west4")
    number = projects.number(PROJECT)
    assert number != projects.number("other")
    name = f"projects/{number}/locations/us-central1/endpoints/one"
    assert endpoint_names(address, PROJECT, "us-central1") == [name]
    assert endpoint_names(address, number, "us-central1") == [name]
    assert endpoint_names(address, "third", "us-central1") == []
    world.region("other", "us-central1").endpoints.clear()
    assert endpoint_names(address, PROJECT, "us-central1") == [name]


@pytest.mark.parametrize("model", ["gemma-4-e2b-it", "gemma-4-e4b-it", "gemma-4-12b-it", "gemma-4-26b-a4b-it"])
def test_every_gemma_4_is_deployed_on_what_is_offered_and_on_nothing_else(
    world: World, address: str, model: str
) -> None:
    garden = client(aiplatform_v1beta1.ModelGardenServiceClient, address)
    request = aiplatform_v1beta1.types.GetPublisherModelRequest(
        name=f"publishers/google/models/gemma4@{model}",
        include_equivalent_model_garden_model_deployment_configs=True,
    )
    found = garden.get_publisher_model(request=request)
    options = found.supported_actions.multi_deploy_vertex.multi_deploy_vertex
    assert found.version_id == model
    for option in options:
        machine = option.dedicated_resources.machine_spec
        accelerator = aiplatform_v1beta1.types.AcceleratorType(machine.accelerator_type).name
        deploy(address, f"on-{machine.machine_type}", model, machine.machine_type, accelerator)
    assert len(world.made()["endpoints"]) == len(options) == 2
    with pytest.raises(exceptions.BadRequest, match="g2-standard-48"):
        deploy(address, "refused", model, "g2-standard-48", "NVIDIA_L4")
    with pytest.raises(exceptions.BadRequest, match="a3-highgpu-1g"):
        deploy(address, "refused", model, "a3-highgpu-1g", "NVIDIA_L4")
    assert "refused" not in world.made()["endpoints"] + world.made()["models"]


def test_a_model_that_model_garden_has_not_is_missing(world: World, address: str) -> None:
    with pytest.raises(exceptions.NotFound):
        deploy(address, "one", "gemma-4-9b-it")
    garden = client(aiplatform_v1beta1.ModelGardenServiceClient, address)
    for name in ("gemma4@gemma-4-9b-it", "gemma9"):
        with pytest.raises(exceptions.NotFound):
            garden.get_publisher_model(name=f"publishers/google/models/{name}")
    assert world.made() == {"endpoints": [], "models": []}


def test_accelerators_of_the_table_are_vertex_ai_s_own_names() -> None:
    offers = [offer for offers in model_garden.load().offers.values() for offer in offers]
    assert {one.accelerator_type for one in offers} <= set(aiplatform_v1beta1.types.AcceleratorType.__members__)


def test_an_api_that_is_off_and_a_permission_that_is_missing_are_told(world: World, address: str) -> None:
    world.google = replace(world.google, is_on=lambda project, service: (project, service) != ("new", VERTEX))
    with pytest.raises(exceptions.Forbidden, match="Vertex AI API has not been used in project"):
        deploy(address, "one", project="new")
    deploy(address, "one")
    world.google = replace(world.google, is_denied=lambda service: service == VERTEX)
    with pytest.raises(exceptions.Forbidden, match="does not have permission"):
        deploy(address, "two")


def test_endpoints_and_models_outlive_the_server_and_operations_do_not(tmp_path: Path) -> None:
    path = tmp_path / "managed.json"
    first = World(path=path)
    with serving(first) as address:
        deploy(address, "one", **H100)
        first.outcomes.append(Outcome(looks=None))
        parent = f"projects/{PROJECT}/locations/us-central1"
        request = {
            "destination": parent,
            "publisher_model_name": "publishers/google/models/gemma4@gemma-4-31b-it",
            "endpoint_config": {"endpoint_user_id": "half"},
        }
        garden = client(aiplatform_v1beta1.ModelGardenServiceClient, address)
        running = garden.deploy(request=request).operation.name
    second = World(path=path)
    assert second.made() == first.made()
    with serving(second) as address:
        endpoints = client(aiplatform_v1beta1.EndpointServiceClient, address)
        one = endpoints.get_endpoint(name=f"{parent}/endpoints/one")
        assert one.deployed_models[0].dedicated_resources.machine_spec.machine_type == "a3-highgpu-1g"
        assert not endpoints.get_endpoint(name=f"{parent}/endpoints/half").deployed_models
        with pytest.raises(exceptions.NotFound):
            client(aiplatform_v1beta1.ModelGardenServiceClient, address).get_operation(request={"name": running})
        deploy(address, "another")
        new = endpoints.get_endpoint(name=f"{parent}/endpoints/another").deployed_models[0].id
        assert new != one.deployed_models[0].id
    assert sorted(json.loads(path.read_text())) == ["count", "regions", "version"]
    assert os.listdir(tmp_path) == ["managed.json"]  # noqa: PTH208


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "count": 0, "regions": {}}', '{"version": 1, "cou'])
def test_a_file_that_is_not_ours_is_told_and_left(tmp_path: Path, text: str) -> None:
    path = tmp_path / "managed.json"
    path.write_text(text)
    with pytest.raises(SimulatorError, match="cannot be read"):
        World(path=path)
    assert path.read_text() == text
