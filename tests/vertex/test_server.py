"""The loopback Vertex answers Google's own clients: gapic v1 and v1beta1, and the newer high-level one."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1, aiplatform_v1beta1

from simulator.managed.faults import Fault
from tests.vertex.conftest import NOTHING, WANTED, World

PARENT = "projects/shop-prod/locations/us-central1"
PUBLISHED = "publishers/google/models/gemma4@gemma-4-31b-it"


def client(kind: Any, address: str) -> Any:
    options = ClientOptions(api_endpoint=address)
    return kind(transport="rest", client_options=options, credentials=AnonymousCredentials())


@pytest.mark.parametrize("api", [aiplatform_v1, aiplatform_v1beta1])
def test_a_whole_life_by_gapic_in_both_versions(world: World, address: str, api: Any) -> None:
    garden = client(api.ModelGardenServiceClient, address)
    endpoints, models = client(api.EndpointServiceClient, address), client(api.ModelServiceClient, address)
    types = api.types
    request = types.DeployRequest(
        destination=PARENT,
        publisher_model_name=PUBLISHED,
        endpoint_config={"endpoint_user_id": "one", "endpoint_display_name": "One"},
        model_config={"model_user_id": "two"},
        deploy_config={
            "dedicated_resources": {
                "machine_spec": {
                    "machine_type": "a3-highgpu-1g",
                    "accelerator_type": types.AcceleratorType.NVIDIA_H100_80GB,
                    "accelerator_count": 1,
                },
                "min_replica_count": 1,
            }
        },
    )
    made = garden.deploy(request=request).result(timeout=30)
    assert made.endpoint == "projects/314159265358/locations/us-central1/endpoints/one"
    assert [one.display_name for one in endpoints.list_endpoints(parent=PARENT)] == ["One"]
    endpoint = endpoints.get_endpoint(name=f"{PARENT}/endpoints/one")
    (deployed,) = endpoint.deployed_models
    changed = types.Endpoint(name=endpoint.name, labels={"snake_case": "kept", "kebab-case": "kept"})
    labelled = endpoints.update_endpoint(endpoint=changed, update_mask={"paths": ["labels"]})
    assert dict(labelled.labels) == {"snake_case": "kept", "kebab-case": "kept"}
    with pytest.raises(exceptions.BadRequest, match="still has models"):
        endpoints.delete_endpoint(name=endpoint.name)
    with pytest.raises(exceptions.BadRequest, match="deployed to an Endpoint"):
        models.delete_model(name=f"{PARENT}/models/two")
    more = types.DeployedModel(id=deployed.id, dedicated_resources={"min_replica_count": 3})
    mask = {"paths": ["dedicated_resources.min_replica_count"]}
    request = types.MutateDeployedModelRequest(endpoint=endpoint.name, deployed_model=more, update_mask=mask)
    answer = endpoints.mutate_deployed_model(request=request).result(timeout=30)
    assert answer.deployed_model.dedicated_resources.min_replica_count == 3
    endpoints.undeploy_model(endpoint=endpoint.name, deployed_model_id=deployed.id, traffic_split={}).result(timeout=30)
    endpoints.delete_endpoint(name=endpoint.name).result(timeout=30)
    models.delete_model(name=f"{PARENT}/models/two").result(timeout=30)
    assert world.made() == NOTHING
    with pytest.raises(exceptions.NotFound):
        endpoints.get_endpoint(name=endpoint.name)


def test_the_licence_is_checked_and_accepted(world: World, address: str) -> None:
    world.licence_asked = True
    garden = client(aiplatform_v1beta1.ModelGardenServiceClient, address)
    asked = {"parent": "projects/shop-prod", "publisher_model": "publishers/google/models/gemma4"}
    check = aiplatform_v1beta1.types.CheckPublisherModelEulaAcceptanceRequest(**asked)
    accept = aiplatform_v1beta1.types.AcceptPublisherModelEulaRequest(**asked)
    assert not garden.check_publisher_model_eula_acceptance(request=check).publisher_model_eula_acked
    assert garden.accept_publisher_model_eula(request=accept).publisher_model_eula_acked
    assert garden.check_publisher_model_eula_acceptance(request=check).publisher_model_eula_acked


def test_the_newer_sdk_s_mixed_spelling_is_understood(world: World, address: str) -> None:
    import agentplatform
    from google.oauth2.credentials import Credentials

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        newer = agentplatform.Client(
            project="shop-prod",
            location="us-central1",
            credentials=Credentials(token="x"),
            http_options={"base_url": address},
        )
        newer.model_garden.deploy_publisher_model(
            model=WANTED.publisher_model,
            config={
                "machine_type": "a3-highgpu-1g",
                "accelerator_type": "NVIDIA_H100_80GB",
                "accelerator_count": 1,
                "min_replica_count": 1,
                "max_replica_count": 2,
                "poll_interval_seconds": 0.01,
                "endpoint_display_name": "newer",
            },
        )
    (made,) = world.endpoints.values()
    assert made["displayName"] == "newer"
    resources = made["deployedModels"][0]["dedicatedResources"]
    assert resources["machineSpec"]["acceleratorType"] == "NVIDIA_H100_80GB"
    assert resources["maxReplicaCount"] == 2


def test_fields_that_the_api_does_not_have_are_refused(address: str) -> None:
    import requests

    body = {"publisherModelName": PUBLISHED, "endpointConfig": {"endpointLabels": {}}}
    answer = requests.post(f"{address}/v1beta1/{PARENT}:deploy", json=body, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    flex = {"deployConfig": {"dedicatedResources": {"flexStart": {"maxRuntimeDuration": "60s"}}}}
    answer = requests.post(f"{address}/v1/{PARENT}:deploy", json={"publisherModelName": PUBLISHED} | flex, timeout=10)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        (7, exceptions.Forbidden),
        (5, exceptions.NotFound),
        (6, exceptions.Conflict),
        (8, exceptions.TooManyRequests),
        (14, exceptions.ServiceUnavailable),
    ],
)
def test_faults_reach_the_client_as_google_s_errors(world: World, address: str, code: int, raised: Any) -> None:
    world.faults.append(Fault("endpoint.get", code=code))
    with pytest.raises(raised):
        client(aiplatform_v1beta1.EndpointServiceClient, address).get_endpoint(
            name=f"{PARENT}/endpoints/one", retry=None
        )
