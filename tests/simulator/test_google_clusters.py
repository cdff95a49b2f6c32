"""Clusters and pools: what they must find, what Autopilot refuses, and what a failed creation leaves."""

from __future__ import annotations

from typing import Any

import pytest
from fake_kubernetes import FakeApi, FakeStarter
from google_harness import (
    CLUSTER_ID,
    CLUSTER_INPUTS,
    CLUSTER_URN,
    POOL_INPUTS,
    POOL_URN,
    Engine,
    error_of,
    partial_state,
)
from google_resource_samples import NODES, SAMPLES
from pulumi.runtime.proto import provider_pb2 as proto

from simulator.google.by_hand import ByHand
from simulator.google.cloud import Cloud
from simulator.google.failures import Failures
from simulator.google.wire import from_struct, to_struct

pytest_plugins = ["google_fixtures"]
NETWORK, SUBNETWORK = "gcp:compute/network:Network", "gcp:compute/subnetwork:Subnetwork"
PRIVATE = {
    **CLUSTER_INPUTS,
    "network": "vpc",
    "subnetwork": "nodes",
    "ipAllocationPolicy": {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"},
}


def put(google: Cloud, *tokens: str) -> None:
    for token in tokens:
        ByHand(google.state).put(token, {"project": "p", **SAMPLES[token]})


def refusal(gcp: Engine, inputs: dict[str, Any]) -> str:
    return str(error_of(gcp.create, CLUSTER_URN, inputs).details())


@pytest.mark.parametrize("urn", [CLUSTER_URN, POOL_URN])
def test_without_its_api_there_is_no_gke(gcp: Engine, monkeypatch: pytest.MonkeyPatch, urn: str) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROJECTS", "new")
    inputs = CLUSTER_INPUTS if urn == CLUSTER_URN else POOL_INPUTS
    words = error_of(gcp.create, urn, inputs).details()
    assert "googleapi: Error 403: Kubernetes Engine API has not been used in project" in words


@pytest.mark.usefixtures("cluster")
def test_a_cluster_that_is_there_needs_no_api_to_be_turned_on(gcp: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROJECTS", "new")
    assert gcp.read(CLUSTER_URN, CLUSTER_ID).id == CLUSTER_ID
    assert gcp.create(POOL_URN, POOL_INPUTS).id


def test_a_clusters_network_subnetwork_and_ranges_must_be_there(gcp: Engine, google: Cloud) -> None:
    assert 'googleapi: Error 400: project "p" has no network named "vpc"., badRequest' in refusal(gcp, PRIVATE)
    put(google, NETWORK)
    missing = {**PRIVATE, "subnetwork": None}
    assert 'Network "vpc" uses manual subnet mode and requires specifying a subnetwork.' in refusal(gcp, missing)
    subnetwork = "projects/p/regions/us-central1/subnetworks/nodes"
    assert f'Subnetwork "{subnetwork}" is not valid for Network "vpc".' in refusal(gcp, PRIVATE)
    put(google, SUBNETWORK)
    wrong = {**PRIVATE, "ipAllocationPolicy": {"clusterSecondaryRangeName": "nope"}}
    assert (
        'Pod secondary range "nope" not found in network '
        '"https://www.googleapis.com/compute/v1/projects/p/global/networks/vpc", subnetwork "nodes".'
        in refusal(gcp, wrong)
    )
    made = from_struct(gcp.create(CLUSTER_URN, PRIVATE).properties)
    assert made["network"] == "projects/p/global/networks/vpc"
    assert made["subnetwork"] == subnetwork
    assert (made["clusterIpv4Cidr"], made["servicesIpv4Cidr"]) == ("10.4.0.0/14", "10.8.0.0/20")


def test_a_pools_own_range_must_be_there(gcp: Engine, google: Cloud) -> None:
    put(google, NETWORK, SUBNETWORK)
    gcp.create(CLUSTER_URN, PRIVATE)
    pool = {**POOL_INPUTS, "networkConfig": {"podRange": "nope"}}
    assert 'Pod secondary range "nope" not found in network' in error_of(gcp.create, POOL_URN, pool).details()
    assert gcp.create(POOL_URN, {**POOL_INPUTS, "networkConfig": {"podRange": "pods"}}).id


def test_a_cluster_is_unchanged_whatever_form_its_network_is_named_in(gcp: Engine, google: Cloud) -> None:
    put(google, NETWORK, SUBNETWORK)
    made = from_struct(gcp.create(CLUSTER_URN, PRIVATE).properties)
    link = "https://www.googleapis.com/compute/v1/projects/p/global/networks/vpc"
    for network in ("vpc", "projects/p/global/networks/vpc", link):
        request = proto.DiffRequest(
            urn=CLUSTER_URN, id=CLUSTER_ID, olds=to_struct(made), news=to_struct({**PRIVATE, "network": network})
        )
        assert gcp.stub.Diff(request).changes == proto.DiffResponse.DIFF_NONE, network
    request.news.CopyFrom(to_struct({**PRIVATE, "network": "other"}))
    assert list(gcp.stub.Diff(request).replaces) == ["network"]


def test_what_a_cluster_uses_stays(gcp: Engine, google: Cloud) -> None:
    put(google, NETWORK, SUBNETWORK)
    gcp.create(CLUSTER_URN, PRIVATE)
    network = from_struct(gcp.read(f"urn:pulumi:dev::p::{NETWORK}::vpc", "vpc").properties)
    words = error_of(gcp.delete, f"urn:pulumi:dev::p::{NETWORK}::vpc", network["id"], network).details()
    assert "The network resource 'projects/p/global/networks/vpc' is already being used by" in words
    subnetwork = from_struct(gcp.read(f"urn:pulumi:dev::p::{SUBNETWORK}::nodes", "us-central1/nodes").properties)
    words = error_of(gcp.delete, f"urn:pulumi:dev::p::{SUBNETWORK}::nodes", subnetwork["id"], subnetwork).details()
    assert f"is already being used by '{CLUSTER_ID}', resourceInUseByAnotherResource" in words


@pytest.mark.usefixtures("cluster")
def test_the_account_of_nodes_must_be_there(gcp: Engine, google: Cloud) -> None:
    config = {"serviceAccount": NODES}
    words = f'googleapi: Error 400: Service account "{NODES}" does not exist., badRequest'
    assert words in refusal(gcp, {**CLUSTER_INPUTS, "name": "other", "nodeConfig": config})
    pool = {**POOL_INPUTS, "nodeConfig": {**POOL_INPUTS["nodeConfig"], **config}}
    assert f"error creating NodePool: {words}" in error_of(gcp.create, POOL_URN, pool).details()
    put(google, "gcp:serviceaccount/account:Account")
    assert gcp.create(POOL_URN, pool).id


@pytest.mark.parametrize(
    ("edits", "terraform", "path"),
    [
        ({"removeDefaultNodePool": True}, "remove_default_node_pool", "removeDefaultNodePool"),
        ({"defaultMaxPodsPerNode": 32}, "default_max_pods_per_node", "defaultMaxPodsPerNode"),
        ({"nodePools": [{"name": "a"}]}, "node_pools", "nodePools"),
        ({"enableShieldedNodes": True}, "enable_shielded_nodes", "enableShieldedNodes"),
        (
            {"addonsConfig": {"dnsCacheConfig": {"enabled": True}}},
            "addons_config.0.dns_cache_config",
            "addonsConfig.dnsCacheConfig",
        ),
    ],
)
def test_autopilot_excludes_what_belongs_to_node_pools(
    gcp: Engine, edits: dict[str, Any], terraform: str, path: str
) -> None:
    (failure,) = gcp.check(CLUSTER_URN, {"location": "us-central1", "enableAutopilot": True, **edits}).failures
    assert failure.reason == (
        f'Conflicting configuration arguments. "{terraform}": conflicts with enable_autopilot. '
        f"Examine values at 'dev.{path}'."
    )


def test_an_autopilot_cluster_is_regional_and_takes_no_pools(gcp: Engine) -> None:
    autopilot = {"name": "dev", "location": "us-central1", "enableAutopilot": True, "deletionProtection": False}
    assert "Autopilot clusters must be regional clusters., badRequest" in refusal(
        gcp, {**autopilot, "location": "us-central1-a"}
    )
    made = from_struct(gcp.create(CLUSTER_URN, autopilot).properties)
    assert made["workloadIdentityConfig"] == {"workloadPool": "p.svc.id.goog"}
    assert made["nodePools"] == []
    words = error_of(gcp.create, POOL_URN, POOL_INPUTS).details()
    assert "googleapi: Error 400: Autopilot node pools cannot be accessed or modified., badRequest" in words


def test_endpoints_that_are_asked_for_are_filled_in(gcp: Engine) -> None:
    inputs = {
        **CLUSTER_INPUTS,
        "privateClusterConfig": {"enablePrivateNodes": True},
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}},
    }
    made = from_struct(gcp.create(CLUSTER_URN, inputs).properties)
    assert made["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"].startswith("localhost")
    assert made["privateClusterConfig"]["enablePrivateNodes"] is True
    request = proto.DiffRequest(urn=CLUSTER_URN, id=CLUSTER_ID, olds=to_struct(made), news=to_struct(inputs))
    assert gcp.stub.Diff(request).changes == proto.DiffResponse.DIFF_NONE


def test_a_creation_that_fails_half_way_leaves_a_tainted_cluster_that_is_replaced(
    gcp: Engine, google: Cloud, starter: FakeStarter
) -> None:
    ByHand(google.state).fail("Cluster", after_half=True)
    failed = partial_state(error_of(gcp.create, CLUSTER_URN, CLUSTER_INPUTS))
    assert failed.id == CLUSTER_ID
    assert "Error waiting for creating GKE cluster: Internal error." in failed.reasons[0]
    assert google.state.read()["clusters"][CLUSTER_ID]["status"] == "ERROR"
    assert not starter.started
    state = from_struct(failed.properties)
    request = proto.DiffRequest(
        urn=CLUSTER_URN, id=CLUSTER_ID, olds=failed.properties, news=to_struct({**CLUSTER_INPUTS, "__defaults": []})
    )
    answer = gcp.stub.Diff(request)
    assert list(answer.replaces) == ["name"]
    assert answer.deleteBeforeReplace
    gcp.delete(CLUSTER_URN, CLUSTER_ID, state)
    made = from_struct(gcp.create(CLUSTER_URN, CLUSTER_INPUTS).properties)
    request.olds.CopyFrom(to_struct(made))
    assert gcp.stub.Diff(request).changes == proto.DiffResponse.DIFF_NONE


def test_a_cluster_in_an_error_state_is_left_alone_when_the_simulator_resumes(
    gcp: Engine, google: Cloud, starter: FakeStarter, tmp_path: Any
) -> None:
    ByHand(google.state).fail("Cluster", after_half=True)
    error_of(gcp.create, CLUSTER_URN, CLUSTER_INPUTS)
    again = Cloud(tmp_path, starter, connect=FakeApi)
    again.resume()
    assert not starter.started
    assert again.list_clusters() == [CLUSTER_ID]


def test_operations_on_clusters_fail_at_once_and_permissions_are_googles(gcp: Engine, google: Cloud) -> None:
    ByHand(google.state).fail("container.Cluster", after_half=False)
    assert "googleapi: Error 503: The service is currently unavailable., backendError" in refusal(gcp, CLUSTER_INPUTS)
    Failures(google.state).deny("container.googleapis.com")
    assert (
        'googleapi: Error 403: Required "container.clusters.create" permission(s) for "projects/p"., forbidden'
        in refusal(gcp, CLUSTER_INPUTS)
    )


@pytest.mark.usefixtures("cluster")
def test_a_pools_creation_that_fails_half_way_keeps_it_in_an_error_state(gcp: Engine, google: Cloud) -> None:
    ByHand(google.state).fail("NodePool", after_half=True)
    failed = partial_state(error_of(gcp.create, POOL_URN, POOL_INPUTS))
    assert 'NodePool gpu was created in the error state "RUNNING_WITH_ERROR"' in failed.reasons[0]
    assert google.pools("p", "us-central1", "dev").all()["gpu"]["status"] == "RUNNING_WITH_ERROR"
