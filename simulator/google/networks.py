"""VPC networks, Cloud Routers and their NATs.

Sources: magic-modules mmv1/products/compute/{Network,Router,RouterNat}.yaml for what replaces, what Google fills in,
ids and choices; Google's words as each function says.
"""

from __future__ import annotations

import hashlib
from typing import Any

from simulator.google.errors import GoogleApiError, GoogleError, compute_not_found, in_use
from simulator.google.projects import COMPUTE
from simulator.google.resource_type import Pattern, Request, ResourceType, key, relative
from simulator.google.wire import Properties

NETWORK, ROUTER, ROUTER_NAT = (
    "gcp:compute/network:Network",
    "gcp:compute/router:Router",
    "gcp:compute/routerNat:RouterNat",
)
SUBNETWORK_TOKEN = "gcp:compute/subnetwork:Subnetwork"
LINK = "https://www.googleapis.com/compute/v1/"
NAME = Pattern("name", r"(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)")
"""verify.ValidateGCEName."""
_DEFAULT = "default"


def network_id(project: str, given: str) -> str:
    """Full name of a network that is given by name or by link."""
    given = relative(given)
    if given.startswith("projects/"):
        return given
    return f"projects/{project}/global/networks/{given.rpartition('/')[2]}"


def numeric_id(identifier: str) -> str:
    """The number that Google gives a thing."""
    return str(10**18 + int(hashlib.sha256(identifier.encode()).hexdigest(), 16) % 10**18)


def network_inputs(data: dict[str, Any], identifier: str) -> Properties | None:
    """What a network was made with; None if there is none. The network "default" is there with the Compute API."""
    record = data["resources"].get(key(COMPUTE, identifier))
    if record is not None:
        return dict(record["inputs"])
    return {"autoCreateSubnetworks": True} if identifier.endswith(f"/{_DEFAULT}") else None


def members(data: dict[str, Any], network: str, tokens: tuple[str, ...]) -> list[str]:
    """Subnetworks or routers of a network: their full names."""
    return [
        one["id"]
        for one in data["resources"].values()
        if one["type"] in tokens and network_id(one["project"], one["inputs"]["network"]) == network
    ]


def network_exists(request: Request) -> None:
    """A network that is named must be there: 404, the words of terraform-google-cloud-nat #74."""
    network = network_id(request.project, str(request.inputs["network"]))
    if network_inputs(request.data, network) is None:
        raise compute_not_found(network)


def compute_taken(request: Request) -> GoogleError:
    """A name that is taken (GoogleCloudPlatform/terraform-dynamic-python-webapp #60)."""
    return GoogleApiError(409, f"The resource '{request.identifier}' already exists", "alreadyExists")


def _nat_taken(request: Request) -> GoogleError:
    """The provider looks into the router first (the nested_query of RouterNat.yaml)."""
    return GoogleError(f"Unable to create RouterNat, existing object already found: map[name:{request.inputs['name']}]")


def _nat_words(_verb: str, _request: Request, error: GoogleError) -> str:
    return str(error) if str(error).startswith("Unable to create") else ""


def _network_is_free(request: Request) -> None:
    """A network with subnetworks, routers or clusters stays (terraform-google-three-tier-web-app #167)."""
    holders = members(request.data, request.identifier, (SUBNETWORK_TOKEN, ROUTER))
    holders += [
        cluster
        for cluster, record in request.data["clusters"].items()
        if network_id(cluster.split("/")[1], record["inputs"].get("network") or _DEFAULT) == request.identifier
    ]
    if holders:
        raise in_use("network", request.identifier, sorted(holders)[0])


def _network_words(verb: str, request: Request, error: GoogleError) -> str:  # noqa: ARG001
    """A network that is in use fails in its deletion's operation, so without the number of an answer."""
    if verb == "delete" and isinstance(error, GoogleApiError) and error.reason == "resourceInUseByAnotherResource":
        return f"Error waiting for Deleting Network: {error.message}"
    return ""


def router_id(request: Request) -> str:
    """Full name of the router of a NAT."""
    region = str(request.inputs.get("region") or request.configuration.get("region") or "")
    name = relative(str(request.inputs["router"])).rpartition("/")[2]
    return f"projects/{request.project}/regions/{region}/routers/{name}"


def _router_exists(request: Request) -> None:
    router = router_id(request)
    if key(COMPUTE, router) not in request.data["resources"]:
        raise compute_not_found(router)


def nat_subnetworks_exist(request: Request) -> None:
    """Subnetworks that a NAT lists must be there."""
    for one in request.inputs.get("subnetworks") or []:
        name = relative(str(one["name"]))
        if name.startswith("projects/") and key(COMPUTE, name) not in request.data["resources"]:
            raise compute_not_found(name)


def _forget_nats(request: Request) -> None:
    """A NAT is a part of its router."""
    resources = request.data["resources"]
    for name, record in list(resources.items()):
        if record["type"] == ROUTER_NAT and record["made"].get("router") == request.identifier:
            del resources[name]


def _network_outputs(request: Request) -> Properties:
    return {
        "gatewayIpv4": "",
        "networkId": numeric_id(request.identifier),
        "numericId": numeric_id(request.identifier),
        "selfLink": LINK + request.identifier,
        "mtu": request.inputs.get("mtu") or 1460,
        "routingMode": request.inputs.get("routingMode") or "REGIONAL",
        "bgpBestPathSelectionMode": request.inputs.get("bgpBestPathSelectionMode") or "LEGACY",
        "internalIpv6Range": request.inputs.get("internalIpv6Range") or "",
    }


def _router_outputs(request: Request) -> Properties:
    network = network_id(request.project, str(request.inputs["network"]))
    return {"network": LINK + network, "selfLink": LINK + request.identifier}


def _nat_outputs(request: Request) -> Properties:
    return {
        "minPortsPerVm": request.inputs.get("minPortsPerVm") or 0,
        "endpointTypes": request.inputs.get("endpointTypes") or ["ENDPOINT_TYPE_VM"],
        "enableDynamicPortAllocation": bool(request.inputs.get("enableDynamicPortAllocation")),
        "autoNetworkTier": request.inputs.get("autoNetworkTier") or "PREMIUM",
        "natIps": request.inputs.get("natIps") or [],
        "drainNatIps": request.inputs.get("drainNatIps") or [],
        "region": request.identifier.split("/")[1],
    }


TYPES = (
    ResourceType(
        token=NETWORK,
        sdk="compute.NetworkArgs",
        noun="Network",
        service=COMPUTE,
        identifier="projects/{project}/global/networks/{name}",
        force_new=(
            "autoCreateSubnetworks",
            "description",
            "internalIpv6Range",
            "name",
            "networkProfile",
            "params",
            "project",
        ),
        computed=(
            "bgpAlwaysCompareMed",
            "bgpBestPathSelectionMode",
            "bgpInterRegionCost",
            "deletionPolicy",
            "internalIpv6Range",
            "mtu",
            "project",
            "routingMode",
        ),
        unknown=("gatewayIpv4", "mtu", "networkId", "numericId", "project", "routingMode", "selfLink"),
        defaults={
            "autoCreateSubnetworks": True,
            "deleteBgpAlwaysCompareMed": False,
            "deleteDefaultRoutesOnCreate": False,
            "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
        },
        patterns=(NAME,),
        choices={
            "routingMode": ("REGIONAL", "GLOBAL"),
            "bgpBestPathSelectionMode": ("LEGACY", "STANDARD"),
            "bgpInterRegionCost": ("DEFAULT", "ADD_COST_TO_MED"),
            "networkFirewallPolicyEnforcementOrder": ("BEFORE_CLASSIC_FIREWALL", "AFTER_CLASSIC_FIREWALL"),
        },
        outputs=_network_outputs,
        delete_rules=(_network_is_free,),
        taken=compute_taken,
        wrap=_network_words,
    ),
    ResourceType(
        token=ROUTER,
        sdk="compute.RouterArgs",
        noun="Router",
        service=COMPUTE,
        identifier="projects/{project}/regions/{region}/routers/{name}",
        force_new=("encryptedInterconnectRouter", "name", "nccGateway", "network", "params", "project", "region"),
        computed=("deletionPolicy", "project", "region"),
        unknown=("creationTimestamp", "project", "region", "selfLink"),
        links=("network",),
        patterns=(NAME,),
        choices={"bgp.advertiseMode": ("DEFAULT", "CUSTOM")},
        outputs=_router_outputs,
        create_rules=(network_exists,),
        after_delete=_forget_nats,
        taken=compute_taken,
    ),
    ResourceType(
        token=ROUTER_NAT,
        sdk="compute.RouterNatArgs",
        noun="RouterNat",
        service=COMPUTE,
        identifier="{project}/{region}/{router}/{name}",
        force_new=("endpointTypes", "initialNatIps", "name", "project", "region", "router", "type"),
        computed=(
            "autoNetworkTier",
            "deletionPolicy",
            "drainNatIps",
            "enableDynamicPortAllocation",
            "endpointTypes",
            "minPortsPerVm",
            "natIps",
            "project",
            "region",
        ),
        unknown=("autoNetworkTier", "endpointTypes", "minPortsPerVm", "natIps", "project", "region"),
        defaults={
            "icmpIdleTimeoutSec": 30,
            "tcpEstablishedIdleTimeoutSec": 1200,
            "tcpTimeWaitTimeoutSec": 120,
            "tcpTransitoryIdleTimeoutSec": 30,
            "type": "PUBLIC",
            "udpIdleTimeoutSec": 30,
        },
        links=("router", "subnetworks.name"),
        sets=("drainNatIps", "initialNatIps", "natIps", "subnetworks.sourceIpRangesToNats"),
        patterns=(NAME,),
        choices={
            "autoNetworkTier": ("PREMIUM", "STANDARD"),
            "logConfig.filter": ("ERRORS_ONLY", "TRANSLATIONS_ONLY", "ALL"),
            "natIpAllocateOption": ("MANUAL_ONLY", "AUTO_ONLY"),
            "sourceSubnetworkIpRangesToNat": (
                "ALL_SUBNETWORKS_ALL_IP_RANGES",
                "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES",
                "LIST_OF_SUBNETWORKS",
            ),
            "type": ("PUBLIC", "PRIVATE"),
        },
        assigned=lambda request: {"router": router_id(request)},
        outputs=_nat_outputs,
        create_rules=(_router_exists,),
        change_rules=(nat_subnetworks_exist,),
        taken=_nat_taken,
        wrap=_nat_words,
    ),
)
