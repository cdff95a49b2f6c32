"""A planned endpoint of Model Garden as the dynamic provider takes it."""

from __future__ import annotations

from infra.pipeline import ManagedEndpoint
from infra.vertex.deployment import Deployment


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
