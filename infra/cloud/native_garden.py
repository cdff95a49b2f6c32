"""A Model Garden endpoint by Pulumi's own resource, in place of the dynamic provider."""

from __future__ import annotations

from typing import Any

from infra.cloud.resource import CloudResource
from infra.frameworks.vertex import VertexContainer
from infra.plan.managed import ManagedPlan

GARDEN_ENDPOINT = "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment"
RESERVATION_KEY = "compute.googleapis.com/reservation-name"


def native_endpoint(plan: ManagedPlan, container: VertexContainer | None, after: tuple[str, ...]) -> CloudResource:
    """The resource. It takes neither ids nor labels nor flex-start (docs/managed.md).

    It is deleted before another is made, as the other provider does: both at once would take twice the quota.

    Args:
        plan: of an endpoint of Model Garden.
        container: that serves; None for Model Garden's own.
        after: names of resources that come first.
    """
    garden = plan.garden
    assert garden is not None
    model: dict[str, Any] = {"acceptEula": garden.accept_licence, "modelDisplayName": garden.model_id}
    if container is not None:
        model["containerSpec"] = _container(container)
    inputs = {
        "project": plan.project,
        "location": plan.location,
        "publisherModelName": publisher_model_name(garden.publisher_model),
        "modelConfig": model,
        "endpointConfig": {"endpointDisplayName": garden.endpoint_id, "dedicatedEndpointEnabled": True},
        "deployConfig": {"dedicatedResources": _resources(plan)},
    }
    return CloudResource(
        GARDEN_ENDPOINT,
        f"{plan.stack}-endpoint",
        inputs,
        after=after,
        timeout_seconds=garden.timeout_seconds,
        delete_first=True,
    )


def publisher_model_name(publisher_model: str) -> str:
    """`publishers/google/models/gemma4@gemma-4-31b-it` of `google/gemma4@gemma-4-31b-it`."""
    publisher, model = publisher_model.split("/", 1)
    return f"publishers/{publisher}/models/{model}"


def _resources(plan: ManagedPlan) -> dict[str, Any]:
    accelerator, garden = plan.accelerator, plan.garden
    assert accelerator is not None
    assert garden is not None
    machine: dict[str, Any] = {
        "machineType": accelerator.machine_type,
        "acceleratorType": garden.accelerator_type,
        "acceleratorCount": accelerator.count,
    }
    if garden.reservation:
        machine["reservationAffinity"] = {
            "reservationAffinityType": "SPECIFIC_RESERVATION",
            "key": RESERVATION_KEY,
            "values": [garden.reservation],
        }
    resources: dict[str, Any] = {
        "machineSpec": machine,
        "minReplicaCount": plan.min_replicas,
        "maxReplicaCount": plan.replicas,
        "spot": accelerator.capacity == "spot",
    }
    if garden.autoscaling is not None:
        metric, target = garden.autoscaling
        resources["autoscalingMetricSpecs"] = [{"metricName": metric, "target": target}]
    return resources


def _container(container: VertexContainer) -> dict[str, Any]:
    return {
        "imageUri": container.image,
        "commands": list(container.command),
        "args": list(container.args),
        "envs": [{"name": name, "value": value} for name, value in container.env],
        "ports": [{"containerPort": container.port}],
        "predictRoute": container.predict_route,
        "healthRoute": container.health_route,
        "sharedMemorySizeMb": str(container.shared_memory_mb),
    }
