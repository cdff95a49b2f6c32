"""A Model Garden deployment as a resource of the program."""

from __future__ import annotations

import pulumi
from pulumi.dynamic import Resource

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
