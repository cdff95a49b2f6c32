"""Google's high-level clients, as people use them, against the loopback Vertex AI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.auth.credentials import AnonymousCredentials

from simulator.managed.faults import Fault, Outcome
from simulator.managed.world import World
from tests.managed.conftest import PROJECT

NAME = "google/gemma4@gemma-4-26b-a4b-it"


@pytest.fixture
def initialised(address: str) -> Iterator[None]:
    import vertexai
    from google.cloud.aiplatform import initializer

    before = dict(vars(initializer.global_config))
    vertexai.init(
        project=PROJECT,
        location="us-central1",
        api_endpoint=address,
        api_transport="rest",
        credentials=AnonymousCredentials(),
    )
    try:
        yield
    finally:
        vars(initializer.global_config).update(before)


def test_what_is_offered_can_be_deployed_and_removed(world: World, initialised: None) -> None:
    from google.cloud import aiplatform
    from vertexai import model_garden

    model = model_garden.OpenModel(NAME)
    offered = {
        (one.machine_type, one.accelerator_type.name, one.accelerator_count)
        for option in model.list_deploy_options()
        for one in [option.dedicated_resources.machine_spec]
    }
    assert offered == {("g4-standard-48", "NVIDIA_RTX_PRO_6000", 1), ("a3-highgpu-1g", "NVIDIA_H100_80GB", 1)}
    world.outcomes += [Outcome(looks=0)] * 3  # the client looks once a second
    for machine, accelerator, count in offered:
        model.deploy(machine_type=machine, accelerator_type=accelerator, accelerator_count=count)
    endpoint = model.deploy()
    resources = endpoint.gca_resource.deployed_models[0].dedicated_resources
    assert resources.machine_spec.machine_type == "g4-standard-48"
    found = aiplatform.Endpoint.list()
    assert len(found) == 3
    for one in found:
        one.delete(force=True)
    assert world.made()["endpoints"] == []
    assert len(world.made()["models"]) == 3  # as on Google: the Registry keeps them


def test_failures_of_a_deployment_reach_the_user(world: World, initialised: None) -> None:
    from google.api_core import exceptions
    from vertexai import model_garden

    model = model_garden.OpenModel(NAME)
    world.faults.append(Fault("deploy", code=7))
    with pytest.raises(exceptions.Forbidden):
        model.deploy()
    world.outcomes.append(Outcome(code=8))
    with pytest.raises(exceptions.ResourceExhausted, match="temporarily unavailable"):
        model.deploy()
    world.outcomes.append(Outcome(looks=None))
    with pytest.raises(TimeoutError):
        model.deploy(deploy_request_timeout=0.01)
    with pytest.raises(exceptions.BadRequest, match="n1-standard-4"):
        model.deploy(machine_type="n1-standard-4", accelerator_type="NVIDIA_TESLA_T4", accelerator_count=1)
