"""A platform's own network: one subnet, a way out for nodes without addresses of their own, and no way in."""

from __future__ import annotations

from infra.cloud.apis import api_name
from infra.cloud.resource import CloudResource
from infra.plan.platform_names import cut, network_name, subnetwork_name
from infra.spec import Gke

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ROUTER = "gcp:compute/router:Router"
ROUTER_NAT = "gcp:compute/routerNat:RouterNat"
PODS, SERVICES = "pods", "services"


def network_path(gke: Gke) -> str:
    """Full name of the network."""
    return f"projects/{gke.project}/global/networks/{network_name(gke)}"


def subnetwork_path(gke: Gke) -> str:
    """Full name of the nodes' subnet."""
    return f"projects/{gke.project}/regions/{gke.region}/subnetworks/{subnetwork_name(gke)}"


def secondary_ranges(gke: Gke) -> tuple[str, str]:
    """Names of the subnet's ranges for pods and for Services."""
    return gke.network.podsRange or PODS, gke.network.servicesRange or SERVICES


def network_resources(platform: str, gke: Gke) -> tuple[CloudResource, ...]:
    """Nothing where the file names a network that is there."""
    if not gke.network.create:
        return ()
    network, subnet, router = f"{platform}-network", f"{platform}-nodes", f"{platform}-router"
    regional = {"project": gke.project, "region": gke.region}
    ranges = gke.network
    made = [
        CloudResource(
            NETWORK,
            network,
            {
                "name": network_name(gke),
                "project": gke.project,
                "autoCreateSubnetworks": False,
                "routingMode": "REGIONAL",
            },
            after=(api_name(platform, "compute"),),
        ),
        CloudResource(
            SUBNETWORK,
            subnet,
            {
                "name": subnetwork_name(gke),
                **regional,
                "network": network_path(gke),
                "ipCidrRange": ranges.nodes,
                "privateIpGoogleAccess": True,
                "secondaryIpRanges": [
                    {"rangeName": PODS, "ipCidrRange": ranges.pods},
                    {"rangeName": SERVICES, "ipCidrRange": ranges.services},
                ],
            },
            after=(network,),
        ),
    ]
    if gke.proxyOnlySubnet:
        made.append(_proxy_only(platform, gke, gke.proxyOnlySubnet, network))
    router_name = cut(f"{network_name(gke)}-router")
    return (
        *made,
        CloudResource(
            ROUTER, router, {"name": router_name, **regional, "network": network_path(gke)}, after=(network,)
        ),
        CloudResource(
            ROUTER_NAT,
            f"{platform}-nat",
            {
                "name": cut(f"{network_name(gke)}-nat"),
                **regional,
                "router": router_name,
                "natIpAllocateOption": "AUTO_ONLY",
                "sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS",
                "subnetworks": [{"name": subnetwork_path(gke), "sourceIpRangesToNats": ["ALL_IP_RANGES"]}],
                "logConfig": {"enable": True, "filter": "ERRORS_ONLY"},
            },
            after=(router, subnet),
        ),
    )


def network_ready(platform: str, gke: Gke) -> tuple[str, ...]:
    """Resources without which nodes have no addresses, or cannot fetch images and weights."""
    return (f"{platform}-nodes", f"{platform}-nat") if gke.network.create else ()


def _proxy_only(platform: str, gke: Gke, ranges: str, network: str) -> CloudResource:
    """The region's subnet for Google's proxies, from which regional gateways reach pods."""
    return CloudResource(
        SUBNETWORK,
        f"{platform}-proxy-only",
        {
            "name": cut(f"{network_name(gke)}-proxy-only"),
            "project": gke.project,
            "region": gke.region,
            "network": network_path(gke),
            "ipCidrRange": ranges,
            "purpose": "REGIONAL_MANAGED_PROXY",
            "role": "ACTIVE",
        },
        after=(network,),
    )
