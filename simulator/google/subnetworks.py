"""Subnetworks: their ranges, and what they are for.

Sources: magic-modules mmv1/products/compute/Subnetwork.yaml; Google's words as each rule says.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from typing import Any

from simulator.google.errors import in_use, invalid_field
from simulator.google.networks import (
    LINK,
    NAME,
    ROUTER_NAT,
    SUBNETWORK_TOKEN,
    compute_taken,
    members,
    network_exists,
    network_id,
    network_inputs,
    numeric_id,
)
from simulator.google.projects import COMPUTE
from simulator.google.resource_type import Request, ResourceType, key, relative
from simulator.google.wire import Properties

SUBNETWORK = SUBNETWORK_TOKEN
_PROXY = "REGIONAL_MANAGED_PROXY"
_Block = ipaddress.IPv4Network | ipaddress.IPv6Network
_AUTO_RANGE = ipaddress.ip_network("10.128.0.0/9")
_SMALLEST_PROXY_PREFIX = 26
"""A proxy-only subnetwork has at least 64 addresses (load balancing docs, proxy-only subnets)."""


def subnetwork_id(project: str, region: str, given: str) -> str:
    """Full name of a subnetwork that is given by name or by link."""
    given = relative(given)
    if given.startswith("projects/"):
        return given
    return f"projects/{project}/regions/{region}/subnetworks/{given.rpartition('/')[2]}"


def _ranges(inputs: Properties) -> Iterator[tuple[str, str]]:
    if inputs.get("ipCidrRange"):
        yield "ipCidrRange", str(inputs["ipCidrRange"])
    for index, one in enumerate(inputs.get("secondaryIpRanges") or []):
        if one.get("ipCidrRange"):
            yield f"secondaryIpRanges[{index}].ipCidrRange", str(one["ipCidrRange"])


def _network_of(text: str) -> _Block | None:
    try:
        return ipaddress.ip_network(text, strict=True)
    except ValueError:
        return None


def _ranges_are_free(request: Request) -> None:
    """No range may overlap another of its network.

    The words: terraform-google-network #20 for an overlap, bosh-google-cpi-release #262 for a network that makes its
    own subnetworks; those for what is no range are without a source.
    """
    network = network_id(request.project, str(request.inputs["network"]))
    automatic = (network_inputs(request.data, network) or {}).get("autoCreateSubnetworks", True)
    others = [
        (request.data["resources"][key(COMPUTE, one)], one)
        for one in members(request.data, network, (SUBNETWORK,))
        if one != request.identifier
    ]
    mine: list[_Block] = []
    for name, text in _ranges(request.inputs):
        block = _network_of(text)
        if block is None:
            raise invalid_field(name, text, "Must be a CIDR address range.")
        if automatic and _overlap(block, _AUTO_RANGE):
            why = f"Extended subnetworks in auto subnet mode networks cannot overlap with {_AUTO_RANGE}"
            raise invalid_field(name, text, why)
        if any(_overlap(block, other) for other in mine):
            own = request.identifier.rpartition("/")[2]
            raise invalid_field(name, text, _conflict(text, own, request.identifier.split("/")[3]))
        mine.append(block)
        for record, other in others:
            for _, taken in _ranges(record["inputs"]):
                if _overlap(block, _network_of(taken)):
                    parts = other.split("/")
                    raise invalid_field(name, text, _conflict(text, parts[5], parts[3]))


def _overlap(one: _Block, other: _Block | None) -> bool:
    return other is not None and one.version == other.version and one.overlaps(other)


def _conflict(text: str, name: str, region: str) -> str:
    return f"Invalid IPCidrRange: {text} conflicts with existing subnetwork '{name}' in region '{region}'."


def _proxy_rules(request: Request) -> None:
    """A proxy-only subnetwork has a role, no flow logs, 64 addresses, and is the only active one.

    The words: terraform-provider-google #13438 for the role, terraform-google-network #371 for logs; for the size and
    the second active one (load balancing docs, proxy-only subnets) there is no source for the wording.
    """
    if request.inputs.get("purpose") != _PROXY:
        return
    role = request.inputs.get("role")
    if not role:
        why = f"Subnetwork role must be specified when purpose set to {_PROXY}."
        raise invalid_field("role", "UNSPECIFIED_ROLE", why)
    if request.inputs.get("logConfig"):
        why = f"Invalid field set in subnetwork with purpose {_PROXY}."
        raise invalid_field("logConfig", request.inputs["logConfig"], why)
    block = _network_of(str(request.inputs.get("ipCidrRange")))
    if block is not None and block.prefixlen > _SMALLEST_PROXY_PREFIX:
        why = f"Subnetwork with purpose {_PROXY} must have a range of at least /{_SMALLEST_PROXY_PREFIX}."
        raise invalid_field("ipCidrRange", request.inputs["ipCidrRange"], why)
    region = request.identifier.split("/")[3]
    for one in members(request.data, network_id(request.project, str(request.inputs["network"])), (SUBNETWORK,)):
        inputs = request.data["resources"][key(COMPUTE, one)]["inputs"]
        both = inputs.get("purpose") == _PROXY and inputs.get("role") == role == "ACTIVE"
        if one != request.identifier and one.split("/")[3] == region and both:
            why = f"There is already an ACTIVE subnetwork with purpose {_PROXY} in this region and network: '{one}'."
            raise invalid_field("role", role, why)


def _subnetwork_is_free(request: Request) -> None:
    """A subnetwork that a cluster or a NAT uses stays (genevieve/leftovers #6, terraform-provider-google #26776).

    What holds it is a node of the cluster; for a cluster without nodes there is no source for the holder's name.
    """
    _, project, _, region, _, _ = request.identifier.split("/")
    for cluster, record in sorted(request.data["clusters"].items()):
        given = record["inputs"].get("subnetwork")
        if given and subnetwork_id(cluster.split("/")[1], region, str(given)) == request.identifier:
            nodes = [
                f"projects/{project}/zones/{node['zone']}/instances/{name}"
                for pool in record["nodePools"].values()
                for name, node in pool["nodes"].items()
            ]
            raise in_use("subnetwork", request.identifier, sorted(nodes)[0] if nodes else cluster)
    for record in request.data["resources"].values():
        listed = record["inputs"].get("subnetworks") or [] if record["type"] == ROUTER_NAT else []
        if any(subnetwork_id(project, region, str(one["name"])) == request.identifier for one in listed):
            raise in_use("subnetwork", request.identifier, str(record["made"]["router"]))


def _shrinks(path: str, old: Any, new: Any) -> bool:
    """Only a range that gets smaller replaces (Subnetwork.yaml: ForceNewIfChange IsShrinkageIpCidr)."""
    if path != "ipCidrRange":
        return True
    before, after = _network_of(str(old)), _network_of(str(new))
    if before is None or after is None or before.version != after.version:
        return True
    return not (after.prefixlen < before.prefixlen and before.network_address in after)


def _outputs(request: Request) -> Properties:
    block = _network_of(str(request.inputs.get("ipCidrRange")))
    return {
        "network": LINK + network_id(request.project, str(request.inputs["network"])),
        "gatewayAddress": str(block.network_address + 1) if block else "",
        "fingerprint": numeric_id(json.dumps(request.inputs, sort_keys=True))[:12],
        "selfLink": LINK + request.identifier,
        "subnetworkId": int(numeric_id(request.identifier)[:9]),
        "purpose": request.inputs.get("purpose") or "PRIVATE",
        "privateIpGoogleAccess": bool(request.inputs.get("privateIpGoogleAccess")),
        "privateIpv6GoogleAccess": request.inputs.get("privateIpv6GoogleAccess") or "DISABLE_GOOGLE_ACCESS",
        "stackType": request.inputs.get("stackType") or "IPV4_ONLY",
        "secondaryIpRanges": request.inputs.get("secondaryIpRanges") or [],
        "allowSubnetCidrRoutesOverlap": bool(request.inputs.get("allowSubnetCidrRoutesOverlap")),
        "externalIpv6Prefix": "",
        "internalIpv6Prefix": "",
        "ipv6CidrRange": "",
        "ipv6GceEndpoint": "",
        "state": "",
    }


TYPES = (
    ResourceType(
        token=SUBNETWORK,
        sdk="compute.SubnetworkArgs",
        noun="Subnetwork",
        service=COMPUTE,
        identifier="projects/{project}/regions/{region}/subnetworks/{name}",
        force_new=(
            "description",
            "externalIpv6Prefix",
            "internalIpv6Prefix",
            "ipCidrRange",
            "ipCollection",
            "name",
            "network",
            "params",
            "project",
            "purpose",
            "region",
            "reservedInternalRange",
        ),
        computed=(
            "allowSubnetCidrRoutesOverlap",
            "deletionPolicy",
            "externalIpv6Prefix",
            "internalIpv6Prefix",
            "ipCidrRange",
            "privateIpGoogleAccess",
            "privateIpv6GoogleAccess",
            "project",
            "purpose",
            "region",
            "secondaryIpRanges",
            "stackType",
        ),
        unknown=(
            "creationTimestamp",
            "fingerprint",
            "gatewayAddress",
            "privateIpv6GoogleAccess",
            "project",
            "purpose",
            "region",
            "secondaryIpRanges",
            "selfLink",
            "stackType",
            "subnetworkId",
        ),
        links=("network",),
        patterns=(NAME,),
        choices={
            "role": ("ACTIVE", "BACKUP"),
            "stackType": ("IPV4_ONLY", "IPV4_IPV6", "IPV6_ONLY"),
            "ipv6AccessType": ("EXTERNAL", "INTERNAL"),
        },
        outputs=_outputs,
        create_rules=(network_exists,),
        change_rules=(_ranges_are_free, _proxy_rules),
        delete_rules=(_subnetwork_is_free,),
        replaces=_shrinks,
        taken=compute_taken,
    ),
)
