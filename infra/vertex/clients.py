"""Clients of the Vertex AI API over HTTPS; over plain HTTP without credentials to a loopback address, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1beta1 import EndpointServiceClient, ModelGardenServiceClient, ModelServiceClient

from infra.vertex.addresses import is_loopback
from infra.vertex.failures import VertexError

ADDRESS_VARIABLE = "SERVESTACK_VERTEX_ADDRESS"
CATALOGUE_LOCATION = "us-central1"
"""Where publisher models are read, whatever the region (vertexai.model_garden of google-cloud-aiplatform 2.7.0)."""


@dataclass(frozen=True)
class Clients:
    """The services; v1beta1, for flex-start and licences are not in v1.

    Attributes:
        garden: Model Garden: deploys.
        catalogue: Model Garden where its catalogue is: knows what can be deployed.
        endpoints: endpoints and what is deployed to them.
        models: the Model Registry.
    """

    garden: Any
    catalogue: Any
    endpoints: Any
    models: Any


def connect(location: str, address: str = "") -> Clients:
    """Make clients for one region.

    Args:
        location: region, part of the host's name.
        address: `http://127.0.0.1:PORT` instead of Google; no credentials are looked for, and none are sent.

    Raises:
        VertexError: the address is not a loopback one.
        google.auth.exceptions.DefaultCredentialsError: there are no credentials on this machine.
    """
    base = loopback(address) if address else ""
    settings: dict[str, Any] = {"credentials": AnonymousCredentials()} if base else {}  # type: ignore[no-untyped-call]

    def client(kind: Any, region: str) -> Any:
        options = ClientOptions(api_endpoint=base or f"{region}-aiplatform.googleapis.com")
        return kind(transport="rest", client_options=options, **settings)

    garden = client(ModelGardenServiceClient, location)
    return Clients(
        garden=garden,
        catalogue=garden if location == CATALOGUE_LOCATION else client(ModelGardenServiceClient, CATALOGUE_LOCATION),
        endpoints=client(EndpointServiceClient, location),
        models=client(ModelServiceClient, location),
    )


def loopback(address: str) -> str:
    """Return an address without its path, once it is known to stay on this machine.

    Raises:
        VertexError: it does not.
    """
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if not (
        is_loopback(parts.hostname)
        and port
        and parts.scheme == "http"
        and parts.username is None
        and parts.path in ("", "/")
    ):
        raise VertexError(f"{ADDRESS_VARIABLE} must be http://127.0.0.1:PORT: it is for tests on this machine only.")
    return f"http://{parts.netloc}"
