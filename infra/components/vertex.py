"""A Model Garden deployment as a resource of the program."""

from __future__ import annotations

import pulumi
from pulumi.dynamic import Resource

from infra.pipeline import ManagedEndpoint
from infra.vertex.deployment import Deployment, to_inputs
from infra.vertex.provider import VERSION, ModelGardenProvider


class ModelGardenDeployment(Resource, module="vertex", name="ModelGardenDeployment"):
    """One model, on one endpoint of Vertex AI.

    Attributes:
        endpoint: id of the endpoint.
        dedicated_dns: host name of its own; empty where it shares the region's.
        base_url: OpenAI-compatible; takes a Google access token as bearer.
        request_model: name to send as `model`; empty where Google named none.
        console_url: the endpoint in Google's console.
        deployed_model_id: Google's id of the model on the endpoint.
    """

    endpoint: pulumi.Output[str]
    dedicated_dns: pulumi.Output[str]
    base_url: pulumi.Output[str]
    request_model: pulumi.Output[str]
    console_url: pulumi.Output[str]
    deployed_model_id: pulumi.Output[str]

    def __init__(self, name: str, deployment: Deployment, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(
            ("endpoint", "dedicated_dns", "base_url", "request_model", "console_url", "deployed_model_id")
        )
        inputs = to_inputs(deployment) | {"provider_version": VERSION}
        super().__init__(ModelGardenProvider(), name, {**outputs, **inputs}, opts)


def deployment_of(endpoint: ManagedEndpoint) -> Deployment:
    """The deployment of one endpoint of Model Garden."""
    plan, container = endpoint.plan, endpoint.container
    garden, accelerator = plan.garden, plan.accelerator
    assert garden is not None
    assert accelerator is not None
    planned = (
        {
            "container_image": container.image,
            "container_command": container.command,
            "container_args": container.args,
            "container_env": tuple(sorted(container.env)),
            "container_port": container.port,
            "predict_route": container.predict_route,
            "health_route": container.health_route,
            "shared_memory_mb": container.shared_memory_mb,
        }
        if container
        else {}
    )
    return Deployment(
        stack=plan.stack,
        project=plan.project,
        location=plan.location,
        publisher_model=garden.publisher_model,
        endpoint_id=garden.endpoint_id,
        model_id=garden.model_id,
        machine_type=accelerator.machine_type,
        accelerator_type=garden.accelerator_type,
        accelerator_count=accelerator.count,
        min_replicas=plan.min_replicas,
        max_replicas=plan.replicas,
        autoscaling=(garden.autoscaling,) if garden.autoscaling else (),
        spot=accelerator.capacity == "spot",
        reservation=garden.reservation,
        flex_start_seconds=garden.flex_start_seconds,
        accept_eula=garden.accept_licence,
        labels=plan.labels,
        timeout_seconds=garden.timeout_seconds,
        **planned,  # type: ignore[arg-type]
    )
