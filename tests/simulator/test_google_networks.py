"""Networks, subnetworks, routers and NATs: names, ranges, and what is in use."""

from __future__ import annotations

from typing import Any

import pytest
from google_harness import Engine, error_of
from google_resource_samples import (
    ACCOUNT,
    NAT,
    NETWORK,
    ROUTER,
    SAMPLES,
    SECRET,
    SUBNETWORK,
    Make,
    Refused,
    failure,
    urn,
)
from pulumi.runtime.proto import provider_pb2 as proto

from simulator.google.wire import to_struct

pytest_plugins = ["google_fixtures", "google_resource_fixtures"]


def test_names_of_networks_are_checked_before_anything_is_made(gcp: Engine) -> None:
    assert failure(gcp, NETWORK, name="My_Net") == (
        '"name" ("My_Net") doesn\'t match regexp "^(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$". '
        "Examine values at 'one.name'."
    )
    assert '"account_id" ("abc") doesn\'t match regexp' in failure(gcp, ACCOUNT, accountId="abc")
    assert '"secret_id" ("a b") doesn\'t match regexp' in failure(gcp, SECRET, secretId="a b")


def test_a_subnetwork_needs_its_network(refused: Refused) -> None:
    assert refused(SUBNETWORK) == (
        "Error creating Subnetwork: googleapi: Error 404: The resource 'projects/p/global/networks/vpc' was not "
        "found, notFound"
    )


@pytest.mark.parametrize(
    ("edits", "field", "taken"),
    [
        ({"ipCidrRange": "10.0.8.0/24", "secondaryIpRanges": []}, "ipCidrRange", "10.0.8.0/24"),
        (
            {
                "ipCidrRange": "10.100.0.0/24",
                "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.5.0.0/16"}],
            },
            "secondaryIpRanges[0].ipCidrRange",
            "10.5.0.0/16",
        ),
    ],
)
def test_ranges_of_a_network_do_not_overlap(
    make: Make, refused: Refused, edits: dict[str, Any], field: str, taken: str
) -> None:
    make(NETWORK)
    make(SUBNETWORK)
    assert refused(SUBNETWORK, name="other", region="us-east1", **edits) == (
        f"Error creating Subnetwork: googleapi: Error 400: Invalid value for field 'resource.{field}': '{taken}'. "
        f"Invalid IPCidrRange: {taken} conflicts with existing subnetwork 'nodes' in region 'us-central1'., invalid"
    )
    make(NETWORK, name="other-vpc")
    make(SUBNETWORK, name="other", network="other-vpc", region="us-east1", **edits)


def test_a_network_that_makes_its_own_subnetworks_keeps_their_range(make: Make, refused: Refused) -> None:
    make(NETWORK, autoCreateSubnetworks=True)
    words = refused(SUBNETWORK, ipCidrRange="10.200.0.0/16", secondaryIpRanges=[])
    assert "Extended subnetworks in auto subnet mode networks cannot overlap with 10.128.0.0/9" in words


def test_one_proxy_only_subnetwork_is_active_in_a_region(make: Make, refused: Refused) -> None:
    make(NETWORK)
    proxy = {"name": "proxy", "purpose": "REGIONAL_MANAGED_PROXY", "secondaryIpRanges": []}
    assert (
        "Invalid value for field 'resource.role': 'UNSPECIFIED_ROLE'. Subnetwork role must be specified when purpose "
        "set to REGIONAL_MANAGED_PROXY., invalid" in refused(SUBNETWORK, **proxy)
    )
    assert "REGIONAL_MANAGED_PROXY must have a range of at least /26" in refused(
        SUBNETWORK, **proxy, role="ACTIVE", ipCidrRange="10.9.0.0/27"
    )
    make(SUBNETWORK, **proxy, role="ACTIVE", ipCidrRange="10.9.0.0/23")
    second = {**proxy, "name": "second", "ipCidrRange": "10.9.8.0/23"}
    assert "There is already an ACTIVE subnetwork" in refused(SUBNETWORK, **second, role="ACTIVE")
    make(SUBNETWORK, **second, role="BACKUP")
    make(SUBNETWORK, **{**second, "name": "third", "region": "us-east1", "ipCidrRange": "10.9.10.0/23"}, role="ACTIVE")


def test_a_larger_range_is_an_update_and_a_smaller_one_a_replacement(gcp: Engine, make: Make) -> None:
    make(NETWORK)
    state = make(SUBNETWORK)
    for cidr, replaces in (("10.0.0.0/18", []), ("10.0.0.0/24", ["ipCidrRange"]), ("10.1.0.0/20", ["ipCidrRange"])):
        news = SAMPLES[SUBNETWORK] | {"ipCidrRange": cidr}
        request = proto.DiffRequest(urn=urn(SUBNETWORK), id=state["id"], olds=to_struct(state), news=to_struct(news))
        assert list(gcp.stub.Diff(request).replaces) == replaces


def test_what_is_in_use_stays(gcp: Engine, make: Make) -> None:
    network, subnetwork = make(NETWORK), make(SUBNETWORK)
    router = make(ROUTER)
    listed = {"sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS"}
    nat = make(NAT, **listed, subnetworks=[{"name": subnetwork["selfLink"], "sourceIpRangesToNats": ["ALL_IP_RANGES"]}])
    error = error_of(gcp.delete, urn(NETWORK), network["id"], network)
    assert (
        "Error waiting for Deleting Network: The network resource 'projects/p/global/networks/vpc' is already being "
        "used by 'projects/p/regions/us-central1/routers/router'" in error.details()
    )
    error = error_of(gcp.delete, urn(SUBNETWORK), subnetwork["id"], subnetwork)
    assert (
        f"Error when reading or editing Subnetwork: googleapi: Error 400: The subnetwork resource '{subnetwork['id']}' "
        "is already being used by 'projects/p/regions/us-central1/routers/router', resourceInUseByAnotherResource"
        in error.details()
    )
    gcp.delete(urn(ROUTER), router["id"], router)
    assert gcp.read(urn(NAT), nat["id"]).id == ""
    gcp.delete(urn(SUBNETWORK), subnetwork["id"], subnetwork)
    gcp.delete(urn(NETWORK), network["id"], network)


def test_a_nat_needs_its_router(make: Make, refused: Refused) -> None:
    assert "The resource 'projects/p/regions/us-central1/routers/router' was not found" in refused(NAT)


def test_names_that_are_taken_are_409(make: Make, refused: Refused) -> None:
    for token, noun in ((NETWORK, "Network"), (SUBNETWORK, "Subnetwork"), (ROUTER, "Router")):
        identifier = make(token)["id"]
        assert refused(token) == (
            f"Error creating {noun}: googleapi: Error 409: The resource '{identifier}' already exists, alreadyExists"
        )
    make(NAT)
    assert refused(NAT) == "Unable to create RouterNat, existing object already found: map[name:nat]"
