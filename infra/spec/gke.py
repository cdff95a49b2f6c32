"""`gke`: a platform on Google Kubernetes Engine."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints, model_validator

from infra.spec.fields import ClusterName, Ipv4Range, Strict
from infra.spec.weights import ServiceAccountEmail


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
    nodeServiceAccount: ServiceAccountEmail | None = None
    deletionProtection: bool = True

    @model_validator(mode="after")
    def _zones_in_region(self) -> Gke:
        region = "-".join(self.location.split("-")[:2])
        outside = [zone for zone in self.zones if not zone.startswith(f"{region}-")]
        if outside:
            raise ValueError(f"zones {', '.join(outside)} are outside the location's region {region}.")
        return self
