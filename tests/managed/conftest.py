"""A world of managed endpoints on loopback, with a project whose keys are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1beta1

from simulator.managed.google import Google, KeyState, Verdict
from simulator.managed.server import serving
from simulator.managed.world import World

PROJECT = "shop-prod"
KEY = "AQ.accepted"
VERDICTS = {
    KEY: Verdict.ACCEPTED,
    "AIza-maps": Verdict.BLOCKED,
    "AIza-any": Verdict.UNRESTRICTED,
    "AIza-unbound": Verdict.UNBOUND,
}


def accepts(key: str) -> KeyState:
    return KeyState(VERDICTS[key], PROJECT) if key in VERDICTS else KeyState(Verdict.UNKNOWN)


@pytest.fixture
def world() -> World:
    return World(Google(accepts=accepts))


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with serving(world) as address:
        yield address


def client(kind: Any, address: str) -> Any:
    """A raw client of one of Vertex AI's services."""
    options = ClientOptions(api_endpoint=address)
    return kind(transport="rest", client_options=options, credentials=AnonymousCredentials())


def deploy(
    address: str,
    endpoint: str,
    model: str = "gemma-4-31b-it",
    machine: str = "g4-standard-48",
    accelerator: str = "NVIDIA_RTX_PRO_6000",
    project: str = PROJECT,
    location: str = "us-central1",
) -> Any:
    """Deploy by the raw client, and wait for it."""
    types = aiplatform_v1beta1.types
    request = types.DeployRequest(
        destination=f"projects/{project}/locations/{location}",
        publisher_model_name=f"publishers/google/models/gemma4@{model}",
        endpoint_config={"endpoint_user_id": endpoint},
        model_config={"model_user_id": endpoint},
        deploy_config={
            "dedicated_resources": {
                "machine_spec": {
                    "machine_type": machine,
                    "accelerator_type": types.AcceleratorType[accelerator],
                    "accelerator_count": 1,
                },
                "min_replica_count": 1,
            }
        },
    )
    garden = client(aiplatform_v1beta1.ModelGardenServiceClient, address)
    operation = garden.deploy(request=request, retry=None)
    while True:
        found = garden.get_operation(request={"name": operation.operation.name})
        if found.done:
            return found
