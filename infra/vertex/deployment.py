"""A Model Garden deployment as data: its fields, its rules, and which changes it takes in place. Pure.

Field names are those of the Pulumi resource's inputs. Limits are those of the Vertex AI API's own reference
(`google.cloud.aiplatform_v1beta1` 2.7.0: DeployRequest, DedicatedResources, Endpoint).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from infra.vertex import reading
from infra.vertex.offer import published_name

MANAGED_BY = "managed-by"
STACK = "servestack-stack"
OPERATION = "servestack-operation"
OWN_LABELS = frozenset({MANAGED_BY, STACK, OPERATION})
"""Labels that the provider sets itself: who made the endpoint, for which stack, by which operation while it runs."""

MUTABLE = frozenset({"min_replicas", "max_replicas", "autoscaling", "labels"})
"""Changed in place by a call (MutateDeployedModelRequest, UpdateEndpointRequest)."""
LOCAL = frozenset({"timeout_seconds", "accept_eula", "provider_version"})
"""Changed in place without a call: they matter only while something is made."""

_LONGEST_ID = 63
_HASH = 8


@dataclass(frozen=True)
class Deployment:
    """What is wanted.

    Attributes:
        stack: stack that owns it; the mark of ownership at Google.
        project: project id.
        location: region, such as `us-central1`.
        publisher_model: Model Garden's name, such as `google/gemma4@gemma-4-31b-it`.
        endpoint_id: id of the endpoint, chosen by us, so that it is found again.
        model_id: id of the entry in the Model Registry, chosen by us.
        machine_type: such as `a3-highgpu-1g`.
        accelerator_type: Vertex's name, such as `NVIDIA_H100_80GB`.
        accelerator_count: accelerators of one replica.
        min_replicas: replicas that always run, at least 1.
        max_replicas: most replicas.
        autoscaling: metric to target; empty for Vertex's own.
        spot: on spare capacity that can be taken away.
        reservation: full name of a Compute Engine reservation to run in; empty for none.
        flex_start_seconds: longest run of a flex-start deployment, up to 7 days; 0 for none.
        container_image: replaces the verified container; empty for that.
        container_command, container_args: words of `container_image`; without a command its own entry point runs.
        container_env: its environment variables.
        container_port: where it listens; 0 for Vertex AI's own choice.
        predict_route, health_route: its HTTP paths; empty for Vertex AI's own.
        shared_memory_mb: its shared memory; 0 for Vertex AI's own.
        accept_eula: accept the model's licence agreement in the name of the user.
        labels: labels of the endpoint, besides our own.
        dedicated_endpoint: serve at a host name of its own.
        timeout_seconds: longest wait for a deployment.
    """

    stack: str
    project: str
    location: str
    publisher_model: str
    endpoint_id: str
    model_id: str
    machine_type: str
    accelerator_type: str
    accelerator_count: int
    min_replicas: int = 1
    max_replicas: int = 1
    autoscaling: tuple[tuple[str, int], ...] = ()
    spot: bool = False
    reservation: str = ""
    flex_start_seconds: int = 0
    container_image: str = ""
    container_command: tuple[str, ...] = ()
    container_args: tuple[str, ...] = ()
    container_env: tuple[tuple[str, str], ...] = ()
    container_port: int = 0
    predict_route: str = ""
    health_route: str = ""
    shared_memory_mb: int = 0
    accept_eula: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    dedicated_endpoint: bool = True
    timeout_seconds: int = 3600

    @property
    def display_name(self) -> str:
        """Name of endpoint and model in the console: the mark of ownership until the labels are set."""
        return f"servestack/{self.stack}"

    @property
    def publisher_model_name(self) -> str:
        """`publishers/google/models/gemma4@gemma-4-31b-it`."""
        return published_name(self.publisher_model)

    @property
    def parent(self) -> str:
        """`projects/P/locations/L`."""
        return f"projects/{self.project}/locations/{self.location}"

    @property
    def endpoint_name(self) -> str:
        """Full name of the endpoint, with the project's id."""
        return f"{self.parent}/endpoints/{self.endpoint_id}"

    @property
    def model_name(self) -> str:
        """Full name of the model, with the project's id."""
        return f"{self.parent}/models/{self.model_id}"

    @property
    def all_labels(self) -> dict[str, str]:
        """The endpoint's labels, ours included."""
        return dict(self.labels) | {MANAGED_BY: "servestack", STACK: self.stack}


FIELDS = tuple(field.name for field in fields(Deployment))


def resource_id(name: str) -> str:
    """Id for an endpoint or model, the same for the same name: a letter, then up to 62 of `[a-z0-9-]`.

    A name that is too long keeps its beginning and ends in a hash of the whole, so that two never meet.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not plain[:1].isalpha():
        plain = f"s-{plain}".rstrip("-")
    if len(plain) <= _LONGEST_ID and plain == name:
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{plain[: _LONGEST_ID - _HASH - 1].rstrip('-')}-{digest}"


def from_inputs(inputs: Mapping[str, Any]) -> Deployment:
    """Read the inputs of the resource, whose numbers arrive as floats.

    Raises:
        ValueError: where `reading.problems` finds one.
    """
    return Deployment(**{name: reading.READERS[name](inputs[name]) for name in FIELDS if name in inputs})


def to_inputs(deployment: Deployment) -> dict[str, Any]:
    """Write a deployment as inputs: the reverse of `from_inputs`, every field named."""
    plain = {name: getattr(deployment, name) for name in FIELDS}
    return plain | {
        "autoscaling": dict(deployment.autoscaling),
        "labels": dict(deployment.labels),
        "container_command": list(deployment.container_command),
        "container_args": list(deployment.container_args),
        "container_env": dict(deployment.container_env),
    }


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Names of the inputs that differ, in the order of the fields; a default left out equals the default given."""
    defaults: dict[str, Any] = {
        "autoscaling": {},
        "labels": {},
        "container_command": [],
        "container_args": [],
        "container_env": {},
        **{one.name: one.default for one in fields(Deployment) if isinstance(one.default, str | int)},
    }
    names = (*FIELDS, "provider_version")
    return [name for name in names if old.get(name, defaults.get(name)) != new.get(name, defaults.get(name))]


def replacing(names: list[str]) -> list[str]:
    """Those of the changed inputs that need a new deployment."""
    return [name for name in names if name not in MUTABLE | LOCAL]
