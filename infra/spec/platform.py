"""`kind: Platform`: where endpoints run."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from infra.spec.fields import ClusterName, Ipv4Range, Labels, Strict
from infra.spec.monitoring import Monitoring


class Cluster(Strict):
    """GKE cluster of a platform: made by its stack, or adopted as it is."""

    name: ClusterName
    create: bool = True


_LONGEST_PREFIX = 26  # Google: a proxy-only subnet has at least 64 addresses; 512 are advised
_SHORTEST_PREFIX = 16  # a wider range would admit other machines of the network as well
_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")))


def _proxy_only(text: str) -> str:
    """A range from which pods may be reached: never one that strangers have."""
    network = ipaddress.IPv4Network(text)
    if not _SHORTEST_PREFIX <= network.prefixlen <= _LONGEST_PREFIX:
        raise ValueError(f"{text} is no size of a proxy-only subnet; its prefix is from /16 to /26, /23 is advised.")
    if not any(network.subnet_of(private) for private in _PRIVATE):
        raise ValueError(f"{text} is no private range; a proxy-only subnet is in {', '.join(map(str, _PRIVATE))}.")
    return text


class Gke(Strict):
    """A GKE platform."""

    project: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    location: Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}(-[a-z])?$")]
    zones: list[Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}-[a-z]$")]] = []
    cluster: Cluster
    proxyOnlySubnet: Annotated[Ipv4Range, AfterValidator(_proxy_only)] | None = None
    controlPlane: Ipv4Range | None = None
    releaseChannel: Literal["RAPID", "REGULAR", "STABLE"] = "REGULAR"
    deletionProtection: bool = True

    @model_validator(mode="after")
    def _zones_in_region(self) -> Gke:
        region = "-".join(self.location.split("-")[:2])
        outside = [zone for zone in self.zones if not zone.startswith(f"{region}-")]
        if outside:
            raise ValueError(f"zones {', '.join(outside)} are outside the location's region {region}.")
        return self


class Host(Strict):
    """A Mac or Linux machine that is there and is reached by SSH."""

    address: Annotated[
        str, StringConstraints(pattern=r"^([a-z_][a-z0-9_-]{0,31}@)?[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")
    ]
    memoryGiB: Annotated[int, Field(ge=1, le=8192)] | None = None


class Local(Strict):
    """This machine."""

    memoryGiB: Annotated[int, Field(ge=1, le=8192)] | None = None


_HTTP_ADDRESS = r"^https?://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~-]+){0,8}$"


def _http_address(text: str) -> str:
    """The address, which a message never repeats: people write passwords into addresses."""
    if len(text) > 400 or not re.fullmatch(_HTTP_ADDRESS, text):
        raise ValueError("write an address such as http://HOST:9090, without user, password, query and last slash.")
    port = text.split("/")[2].partition(":")[2]
    if port and int(port) > 65535:
        raise ValueError(f"{port} is no port; the highest is 65535.")
    return text


class Prometheus(Strict):
    """Where KEDA asks for the engines' metrics."""

    url: Annotated[str, AfterValidator(_http_address), Field(json_schema_extra={"pattern": _HTTP_ADDRESS})]


class PlatformSpec(Strict):
    """Where endpoints run: exactly one of `gke`, `host` and `local`."""

    apiVersion: Literal["servestack/v1"]
    kind: Literal["Platform"]
    gke: Gke | None = None
    host: Host | None = None
    local: Local | None = None
    monitoring: Monitoring | None = None
    autoscaler: Literal["hpa", "keda"] = "hpa"
    prometheus: Prometheus | None = None
    httpAddOn: bool = False
    labels: Labels = {}

    @model_validator(mode="after")
    def _one_place(self) -> PlatformSpec:
        named = [name for name in ("gke", "host", "local") if getattr(self, name) is not None]
        if len(named) != 1:
            said = f"it has {' and '.join(named)}" if named else "it has none"
            raise ValueError(f"a Platform has exactly one of gke, host and local; {said}.")
        return self

    @model_validator(mode="after")
    def _watched_in_a_cluster(self) -> PlatformSpec:
        if self.gke is None and self.monitoring is not None and self.monitoring.kind != "none":
            raise ValueError(f"monitoring {self.monitoring.kind} watches pods of a cluster; leave it out here.")
        return self

    @model_validator(mode="after")
    def _keda_with_what_it_needs(self) -> PlatformSpec:
        if self.autoscaler == "keda" and self.gke is None:
            raise ValueError("autoscaler keda is for clusters; leave it out beside host and local.")
        if self.autoscaler == "keda" and self.prometheus is None:
            raise ValueError("autoscaler keda asks a Prometheus; write prometheus: {url: http://HOST:9090}.")
        named = [name for name in ("prometheus", "httpAddOn") if getattr(self, name)]
        if self.autoscaler != "keda" and named:
            raise ValueError(f"only KEDA reads {' and '.join(named)}; write autoscaler: keda, or leave it out.")
        return self
