"""Requests in Vertex AI's own types: what is wanted, as the API takes it."""

from __future__ import annotations

from google.cloud.aiplatform_v1beta1 import types
from google.protobuf.duration_pb2 import Duration

from infra.vertex.deployment import Deployment

_RESERVATION_KEY = "compute.googleapis.com/reservation-name"


def deploy_request(wanted: Deployment) -> types.DeployRequest:
    """Everything in one call: Registry entry, endpoint, deployment."""
    request = types.DeployRequest
    model = request.ModelConfig(
        model_user_id=wanted.model_id, model_display_name=wanted.display_name, accept_eula=wanted.accept_eula
    )
    if wanted.container_image:
        model.container_spec = _container(wanted)
    endpoint = request.EndpointConfig(
        endpoint_user_id=wanted.endpoint_id,
        endpoint_display_name=wanted.display_name,
        dedicated_endpoint_enabled=wanted.dedicated_endpoint,
        dedicated_endpoint_disabled=not wanted.dedicated_endpoint,
    )
    return request(
        destination=wanted.parent,
        publisher_model_name=wanted.publisher_model_name,
        model_config=model,
        endpoint_config=endpoint,
        deploy_config=request.DeployConfig(dedicated_resources=_dedicated_resources(wanted)),
    )


def _container(wanted: Deployment) -> types.ModelContainerSpec:
    """What replaces the verified container: nothing of that one stays."""
    container = types.ModelContainerSpec(
        image_uri=wanted.container_image,
        command=list(wanted.container_command),
        args=list(wanted.container_args),
        env=[types.EnvVar(name=name, value=value) for name, value in wanted.container_env],
        predict_route=wanted.predict_route,
        health_route=wanted.health_route,
        shared_memory_size_mb=wanted.shared_memory_mb,
    )
    if wanted.container_port:
        container.ports = [types.Port(container_port=wanted.container_port)]
    return container


def _dedicated_resources(wanted: Deployment) -> types.DedicatedResources:
    machine = types.MachineSpec(
        machine_type=wanted.machine_type,
        accelerator_type=types.AcceleratorType[wanted.accelerator_type],  # type: ignore[misc]
        accelerator_count=wanted.accelerator_count,
    )
    if wanted.reservation:
        machine.reservation_affinity = types.ReservationAffinity(
            reservation_affinity_type=types.ReservationAffinity.Type.SPECIFIC_RESERVATION,
            key=_RESERVATION_KEY,
            values=[wanted.reservation],
        )
    resources = types.DedicatedResources(
        machine_spec=machine,
        min_replica_count=wanted.min_replicas,
        max_replica_count=wanted.max_replicas,
        spot=wanted.spot,
        autoscaling_metric_specs=_metrics(wanted),
    )
    if wanted.flex_start_seconds:
        resources.flex_start = types.FlexStart(max_runtime_duration=Duration(seconds=wanted.flex_start_seconds))
    return resources


def _metrics(wanted: Deployment) -> list[types.AutoscalingMetricSpec]:
    return [types.AutoscalingMetricSpec(metric_name=name, target=target) for name, target in wanted.autoscaling]


def mutate_request(wanted: Deployment, deployed_model_id: str, metrics: bool) -> types.MutateDeployedModelRequest:
    """A change of replicas, and of autoscaling where asked, without a new deployment."""
    resources = types.DedicatedResources(
        min_replica_count=wanted.min_replicas,
        max_replica_count=wanted.max_replicas,
        autoscaling_metric_specs=_metrics(wanted),
    )
    changed = ["min_replica_count", "max_replica_count"] + (["autoscaling_metric_specs"] if metrics else [])
    return types.MutateDeployedModelRequest(
        endpoint=wanted.endpoint_name,
        deployed_model=types.DeployedModel(id=deployed_model_id, dedicated_resources=resources),
        update_mask={"paths": [f"dedicated_resources.{name}" for name in changed]},
    )


def label_request(wanted: Deployment, labels: dict[str, str]) -> types.UpdateEndpointRequest:
    """A change of the endpoint's labels."""
    endpoint = types.Endpoint(name=wanted.endpoint_name, labels=labels)
    return types.UpdateEndpointRequest(endpoint=endpoint, update_mask={"paths": ["labels"]})
