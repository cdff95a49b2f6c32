"""`gke.network`: the platform's own network, or one that is there."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from infra.spec.fields import Ipv4Range, Strict
from infra.spec.ranges import PRIVATE, addresses_per_node, is_private, nodes_in_pods, nodes_in_subnet

ResourceName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
_OWN = ("nodes", "pods", "services", "maxNodes", "maxPodsPerNode")
_THERE = ("name", "subnetwork", "podsRange", "servicesRange")


def _private(text: str) -> str:
    if not is_private(text):
        raise ValueError(f"{text} is no private range; take one in {', '.join(map(str, PRIVATE))}.")
    return text


def _services(text: str) -> str:
    """GKE: a services range is from /27 to /16 (documentation, VPC-native clusters)."""
    prefix = ipaddress.IPv4Network(text).prefixlen
    if not 16 <= prefix <= 27:
        raise ValueError(f"{text} is no size of a services range; its prefix is from /16 to /27, /20 is usual.")
    return _private(text)


PrivateRange = Annotated[Ipv4Range, AfterValidator(_private)]


class Network(Strict):
    """Network of a created cluster: made with ranges of its own, or one that is there, by the names of its ranges.

    Attributes:
        nodes: first range of the subnet.
        pods, services: its secondary ranges.
        maxNodes: what the ranges must have room for; a cluster's ranges can hardly be changed later.
        podsRange, servicesRange: names of secondary ranges of a subnet that is there.
    """

    create: bool = True
    name: ResourceName | None = None
    subnetwork: ResourceName | None = None
    nodes: PrivateRange = "10.0.0.0/20"
    pods: PrivateRange = "10.4.0.0/14"
    services: Annotated[Ipv4Range, AfterValidator(_services)] = "10.8.0.0/20"
    maxNodes: Annotated[int, Field(ge=4, le=15000)] = 100
    maxPodsPerNode: Annotated[int, Field(ge=8, le=256)] = 110
    podsRange: ResourceName | None = None
    servicesRange: ResourceName | None = None

    @model_validator(mode="after")
    def _made_or_there(self) -> Network:
        if self.create:
            named = [name for name in ("podsRange", "servicesRange") if getattr(self, name)]
            if named:
                raise ValueError(f"{' and '.join(named)}: only of a network that is there; write create: false too.")
            return self
        said = sorted(self.model_fields_set & set(_OWN))
        if said:
            raise ValueError(f"a network that is there has its own {' and '.join(said)}; leave it out.")
        missing = [name for name in _THERE if getattr(self, name) is None]
        if missing:
            raise ValueError(f"a network that is there is named; missing: {', '.join(missing)}.")
        return self

    @model_validator(mode="after")
    def _room(self) -> Network:
        if not self.create:
            return self
        if nodes_in_subnet(self.nodes) < self.maxNodes:
            raise ValueError(
                f"nodes: {self.nodes} has addresses for {nodes_in_subnet(self.nodes)} nodes (4 of a subnet are "
                f"Google's), and maxNodes is {self.maxNodes}; widen the range, or lower maxNodes."
            )
        room, each = nodes_in_pods(self.pods, self.maxPodsPerNode), addresses_per_node(self.maxPodsPerNode)
        if room < self.maxNodes:
            raise ValueError(
                f"pods: {self.pods} has addresses for {room} nodes, as each takes {each} for {self.maxPodsPerNode} "
                f"pods, and maxNodes is {self.maxNodes}; widen the range, or lower maxNodes or maxPodsPerNode."
            )
        return self

    @property
    def ranges(self) -> dict[str, str]:
        """Ranges that are made, by their fields."""
        return {"nodes": self.nodes, "pods": self.pods, "services": self.services} if self.create else {}
