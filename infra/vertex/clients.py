"""Clients of the Vertex AI API over HTTPS; over plain HTTP without credentials to a loopback address, for tests."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1beta1 import EndpointServiceClient, ModelGardenServiceClient, ModelServiceClient

from infra.vertex.failures import VertexError

ADDRESS_VARIABLE = "SERVESTACK_VERTEX_ADDRESS"


@dataclass(frozen=True)
class Clients:
    """The three services; v1beta1, for flex-start and licences are not in v1.

    Attributes:
        garden: Model Garden: deploys, and knows what can be deployed.
        endpoints: endpoints and what is deployed to them.
        models: the Model Registry.
    """

    garden: Any
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
    if address:
        options = ClientOptions(api_endpoint=loopback(address))
        settings: dict[str, Any] = {"credentials": AnonymousCredentials()}  # type: ignore[no-untyped-call]
    else:
        options = ClientOptions(api_endpoint=f"{location}-aiplatform.googleapis.com")
        settings = {}
    kinds = (ModelGardenServiceClient, EndpointServiceClient, ModelServiceClient)
    return Clients(*(kind(transport="rest", client_options=options, **settings) for kind in kinds))


def loopback(address: str) -> str:
    """Return an address without its path, once it is known to stay on this machine.

    Raises:
        VertexError: it does not.
    """
    parts = urlsplit(address)
    try:
        inside = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
        port = parts.port
    except ValueError:
        inside, port = False, None
    if not (inside and port and parts.scheme == "http" and parts.username is None and parts.path in ("", "/")):
        raise VertexError(f"{ADDRESS_VARIABLE} must be http://127.0.0.1:PORT: it is for tests on this machine only.")
    return f"http://{parts.netloc}"
