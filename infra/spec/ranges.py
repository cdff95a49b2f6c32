"""Ranges of addresses: which ones a platform may have, and whether they keep apart."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")))
_KEPT_BY_GOOGLE = 4  # of a subnet's first range: network, gateway, last but one, broadcast (VPC documentation, subnets)


def proxy_only(text: str) -> str:
    """A range from which pods may be reached: never one that strangers have.

    Google: a proxy-only subnet has at least 64 addresses; 512 are advised. A range wider than /16 would admit other
    machines of the network as well.
    """
    network = ipaddress.IPv4Network(text)
    if not 16 <= network.prefixlen <= 26:
        raise ValueError(f"{text} is no size of a proxy-only subnet; its prefix is from /16 to /26, /23 is advised.")
    if not is_private(text):
        raise ValueError(f"{text} is no private range; a proxy-only subnet is in {', '.join(map(str, PRIVATE))}.")
    return text


def is_private(text: str) -> bool:
    """Whether the range is none that the internet has."""
    network = ipaddress.IPv4Network(text)
    return any(network.subnet_of(private) for private in PRIVATE)


def overlaps(ranges: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs of names whose ranges share addresses."""
    names = list(ranges)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            if ipaddress.IPv4Network(ranges[one]).overlaps(ipaddress.IPv4Network(ranges[other])):
                yield one, other


def nodes_in_subnet(nodes: str) -> int:
    """How many nodes a subnet's first range has addresses for."""
    return max(0, ipaddress.IPv4Network(nodes).num_addresses - _KEPT_BY_GOOGLE)


def addresses_per_node(max_pods: int) -> int:
    """Pod addresses that each node takes: the smallest power of two that is at least twice its pods.

    Source: GKE documentation, "Configure maximum Pods per node": 110 pods take a /24, 8 take a /28.
    """
    return 1 << (2 * max_pods - 1).bit_length()


def nodes_in_pods(pods: str, max_pods: int) -> int:
    """How many nodes a range of pods is for."""
    return ipaddress.IPv4Network(pods).num_addresses // addresses_per_node(max_pods)
