"""Room and overlaps of a platform's ranges, against counting and Google's published table."""

from __future__ import annotations

import ipaddress
import random

import pytest
from pydantic import ValidationError

from infra.spec import Network
from infra.spec.ranges import addresses_per_node, is_private, nodes_in_pods, nodes_in_subnet, overlaps
from tests.unit.platform_samples import platform

# GKE documentation, "Configure maximum Pods per node": most pods of a node, and the prefix of the range it takes.
PUBLISHED = {(8, 8): 28, (9, 16): 27, (17, 32): 26, (33, 64): 25, (65, 128): 24, (129, 256): 23}


@pytest.mark.parametrize(("pods", "prefix"), PUBLISHED.items())
def test_addresses_of_a_node_are_those_that_google_publishes(pods: tuple[int, int], prefix: int) -> None:
    for count in range(pods[0], pods[1] + 1):
        assert addresses_per_node(count) == 2 ** (32 - prefix)


@pytest.mark.parametrize("seed", range(20))
def test_overlaps_are_those_that_counting_addresses_finds(seed: int) -> None:
    chance = random.Random(seed)
    ranges = {}
    for name in "abcd":
        prefix = chance.randint(25, 30)
        start = chance.randrange(0, 2**10, 2 ** (32 - prefix))
        ranges[name] = f"{ipaddress.IPv4Address(int(ipaddress.IPv4Address('10.0.0.0')) + start)}/{prefix}"
    sets = {name: set(ipaddress.IPv4Network(text)) for name, text in ranges.items()}
    counted = {(one, two) for one in ranges for two in ranges if one < two and sets[one] & sets[two]}
    assert set(overlaps(ranges)) == counted


@pytest.mark.parametrize("seed", range(20))
def test_room_for_nodes_is_what_handing_out_addresses_gives(seed: int) -> None:
    chance = random.Random(seed)
    subnet = ipaddress.IPv4Network(f"10.0.0.0/{chance.randint(24, 29)}")
    free = set(subnet) - {subnet[0], subnet[1], subnet[-2], subnet[-1]}
    assert nodes_in_subnet(str(subnet)) == len(free)
    pods, most = ipaddress.IPv4Network(f"10.4.0.0/{chance.randint(20, 26)}"), chance.randint(8, 256)
    smallest = next(prefix for prefix in range(32, 0, -1) if 2 ** (32 - prefix) >= 2 * most)
    blocks = len(list(pods.subnets(new_prefix=smallest))) if smallest >= pods.prefixlen else 0
    assert nodes_in_pods(str(pods), most) == blocks


@pytest.mark.parametrize("seed", range(60))
def test_a_network_is_taken_exactly_where_nodes_and_pods_have_room(seed: int) -> None:
    chance = random.Random(seed)
    nodes, pods = chance.randint(20, 28), chance.randint(13, 22)
    most, wanted = chance.choice([8, 32, 64, 110, 256]), chance.choice([4, 12, 60, 250, 1000, 4000])
    room = min(2 ** (32 - nodes) - 4, 2 ** (32 - pods) // addresses_per_node(most))
    fields = {"nodes": f"10.0.0.0/{nodes}", "pods": f"10.64.0.0/{pods}", "maxNodes": wanted, "maxPodsPerNode": most}
    if room >= wanted:
        Network.model_validate(fields)
    else:
        with pytest.raises(ValidationError, match=rf"has addresses for \d+ nodes.*maxNodes is {wanted}"):
            Network.model_validate(fields)


@pytest.mark.parametrize(
    "gke",
    [
        {"network": {"nodes": "10.8.0.0/24"}},
        {"network": {"services": "10.5.0.0/20"}},
        {"proxyOnlySubnet": "10.4.0.0/23"},
        {"controlPlane": "10.0.1.0/28"},
        {"proxyOnlySubnet": "172.16.0.0/23", "controlPlane": "172.16.0.32/28"},
    ],
)
def test_ranges_that_share_addresses_are_refused_with_both(gke: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"\(\d+\..*/\d+\) and .*\(\d+\..*/\d+\) overlap"):
        platform(**gke)


def test_a_network_that_is_there_has_no_ranges_to_compare() -> None:
    there = {"create": False, "name": "vpc", "subnetwork": "gke", "podsRange": "p", "servicesRange": "s"}
    platform(network=there, proxyOnlySubnet="10.4.0.0/23")


def test_only_ranges_that_no_stranger_has_are_private() -> None:
    assert all(map(is_private, ("10.0.0.0/8", "100.64.0.0/24", "172.31.0.0/16", "192.168.255.0/24")))
    assert not any(map(is_private, ("8.8.8.0/24", "172.32.0.0/16", "192.169.0.0/24", "100.128.0.0/24", "8.0.0.0/7")))
