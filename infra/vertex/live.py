"""What is there: an endpoint as Vertex AI tells it, whose it is, and the inputs it amounts to. No calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from google.cloud.aiplatform_v1beta1 import types

from infra.vertex.deployment import MANAGED_BY, OWN_LABELS, STACK, Deployment

_CONSOLE = "https://console.cloud.google.com/vertex-ai/online-prediction"


@dataclass(frozen=True)
class Live:
    """A deployment that is there.

    Attributes:
        deployment: the wanted one, with what Google has in the place of what was wanted.
        deployed_model_id: Google's id of the model on the endpoint; empty where it was undeployed by hand.
        dedicated_dns: host name of its own; empty where it shares the region's.
        request_model: name to send as `model` in requests; empty where Google named none.
    """

    deployment: Deployment
    deployed_model_id: str
    dedicated_dns: str
    request_model: str = ""

    def outputs(self) -> dict[str, Any]:
        """Outputs of the resource."""
        one = self.deployment
        host = self.dedicated_dns or f"{one.location}-aiplatform.googleapis.com"
        return {
            "endpoint": one.endpoint_id,
            "dedicated_dns": self.dedicated_dns,
            "base_url": f"https://{host}/v1/{one.endpoint_name}",
            "request_model": self.request_model,
            "console_url": f"{_CONSOLE}/locations/{one.location}/endpoints/{one.endpoint_id}?project={one.project}",
            "deployed_model_id": self.deployed_model_id,
        }


def is_ours(wanted: Deployment, found: Any) -> bool:
    """Whether an endpoint or model carries the stack's mark: its labels, or its name where there are no such labels."""
    if MANAGED_BY in found.labels:
        return bool(found.labels[MANAGED_BY] == "servestack" and found.labels.get(STACK) == wanted.stack)
    return bool(found.display_name == wanted.display_name)


def last_part(name: str) -> str:
    """Id at the end of a full name, whose project may be a number, without a model's version."""
    return name.rpartition("/")[2].partition("@")[0]


def our_models(wanted: Deployment, endpoint: Any) -> list[Any]:
    """What is deployed of our own."""
    return [one for one in endpoint.deployed_models if last_part(one.model) == wanted.model_id]


def other_models(wanted: Deployment, endpoint: Any) -> list[Any]:
    """What others have deployed to the endpoint."""
    return [one for one in endpoint.deployed_models if last_part(one.model) != wanted.model_id]


def publisher_model(model: Any) -> str:
    """Model Garden's name of what a Registry entry was made from; empty where Google tells none."""
    source = model.base_model_source.model_garden_source
    name = source.public_model_name.removeprefix("publishers/").replace("/models/", "/")
    return name if "@" in name or not source.version_id else f"{name}@{source.version_id}"


def read_live(wanted: Deployment, endpoint: Any, model: Any | None, request_model: str = "") -> Live:
    """Return what is deployed, in the words of what was wanted; with no replicas where nothing of ours is.

    Image and arguments are taken as wanted: Model Garden adds arguments of its own to a container. So is the
    autoscaling where none was wanted: Vertex then fills in its own.
    """
    deployed = next(iter(our_models(wanted, endpoint)), None)
    if deployed is None:
        return Live(replace(wanted, min_replicas=0, max_replicas=0), "", endpoint.dedicated_endpoint_dns, request_model)
    resources, machine = deployed.dedicated_resources, deployed.dedicated_resources.machine_spec
    dns = endpoint.dedicated_endpoint_dns
    accelerator = types.AcceleratorType(machine.accelerator_type)
    metrics = tuple(sorted((one.metric_name, one.target) for one in resources.autoscaling_metric_specs))
    flex_start = resources.flex_start.max_runtime_duration if "flex_start" in resources else None
    deployment = replace(
        wanted,
        publisher_model=(publisher_model(model) if model else "") or wanted.publisher_model,
        machine_type=machine.machine_type,
        accelerator_type=accelerator.name,
        accelerator_count=machine.accelerator_count,
        min_replicas=resources.min_replica_count,
        max_replicas=resources.max_replica_count or resources.min_replica_count,
        autoscaling=metrics if wanted.autoscaling else (),
        spot=resources.spot,
        reservation=next(iter(machine.reservation_affinity.values), ""),
        flex_start_seconds=int(flex_start.total_seconds()) if flex_start else 0,
        labels=tuple(sorted((key, value) for key, value in endpoint.labels.items() if key not in OWN_LABELS)),
        dedicated_endpoint=bool(endpoint.dedicated_endpoint_enabled or dns),
    )
    return Live(deployment, deployed.id, dns, request_model)
