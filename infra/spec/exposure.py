"""`expose`: who may call an endpoint, from where, and through which gateway."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from infra.spec.fields import SecretName, Sentence, Strict
from infra.spec.secrets import KeyReference

# At least two labels, the last one no number, so that no address passes (RFC 1123; Gateway API's `Hostname`).
Hostname = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", max_length=253
    ),
]
DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
CertificateMap = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
LABEL_VALUE = r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"
LABEL_KEY = r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"
PodLabelKey = Annotated[str, StringConstraints(pattern=LABEL_KEY)]
PodLabelValue = Annotated[str, StringConstraints(pattern=LABEL_VALUE)]


class Certificate(Strict):
    """Where a gateway finds its certificate: a Secret in the endpoint's namespace, or a map of Certificate Manager."""

    secret: SecretName | None = None
    map: CertificateMap | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Certificate:
        if (self.secret is None) == (self.map is None):
            raise ValueError("a certificate is {secret: NAME} or {map: NAME}: one of the two.")
        return self


class SharedGateway(Strict):
    """A Gateway of the platform to which the endpoint's route is attached, at its HTTPS listener."""

    name: DnsLabel
    namespace: DnsLabel
    listener: DnsLabel = "https"


class Gateway(Strict):
    """Entrance from outside the cluster: its name and reach, and its certificate or the Gateway that has one."""

    hostname: Hostname
    scope: Literal["external", "internal"]
    certificate: Certificate | None = None
    shared: SharedGateway | None = None

    @model_validator(mode="after")
    def _certificate_or_shared(self) -> Gateway:
        if self.certificate is None and self.shared is None:
            raise ValueError("a gateway speaks TLS only: name its certificate, or the shared Gateway that has one.")
        if self.certificate is not None and self.shared is not None:
            raise ValueError("the shared Gateway has a certificate of its own; leave certificate out.")
        if self.scope == "internal" and self.certificate is not None and self.certificate.map is not None:
            raise ValueError("certificate maps are for global external gateways; write certificate: {secret: NAME}.")
        return self


class Client(Strict):
    """Pods of one namespace that may call: those with all of the labels, or all where none are named."""

    namespace: DnsLabel
    labels: Annotated[dict[PodLabelKey, PodLabelValue], Field(max_length=8)] = {}


def _distinct(clients: list[Client]) -> list[Client]:
    if any(one in clients[:index] for index, one in enumerate(clients)):
        raise ValueError("a client stands twice.")
    return clients


class Expose(Strict):
    """Who may call the endpoint: whoever shows a key, or, with a reason, every client that the network admits."""

    authentication: Literal["key", "none"] = "key"
    reason: Sentence | None = None
    keySecret: KeyReference | None = None
    port: Annotated[int, Field(ge=1024, le=65535)] | None = None
    gateway: Gateway | None = None
    routing: Literal["inference-pool", "service"] = "service"
    clients: Annotated[list[Client], Field(max_length=20), AfterValidator(_distinct)] = []

    @model_validator(mode="after")
    def _reason_for_none_alone(self) -> Expose:
        if self.authentication == "none" and self.reason is None:
            raise ValueError("authentication none needs a reason: who keeps strangers out instead?")
        if self.authentication == "none" and self.keySecret is not None:
            raise ValueError("authentication none reads no Secret; leave keySecret out.")
        if self.authentication == "key" and self.reason is not None:
            raise ValueError("a reason stands beside 'authentication: none' only; leave it out.")
        return self

    @model_validator(mode="after")
    def _closed_to_the_internet(self) -> Expose:
        if self.gateway is None:
            if self.routing == "inference-pool":
                raise ValueError("routing inference-pool is what a gateway does; add gateway, or leave routing out.")
            return self
        if self.authentication == "none" and self.gateway.scope == "external":
            raise ValueError("an external gateway without a key serves everybody; leave authentication out.")
        certificate = self.gateway.certificate
        if self.routing == "inference-pool" and certificate is not None and certificate.map is not None:
            raise ValueError(
                "routing inference-pool needs a regional gateway, and certificate maps are for global ones; "
                "write certificate: {secret: NAME}."
            )
        return self
