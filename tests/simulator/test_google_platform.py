"""A platform's cluster and system pool, made by the stand-in as the program declares them, and found again."""

from __future__ import annotations

from typing import Any

import pytest
from google_harness import CLUSTER_URN, POOL_URN, Engine

from infra.cloud.cluster import cluster_inputs, system_pool_inputs
from infra.cloud.cluster_facts import cluster_facts, dns_endpoint
from infra.spec import Cluster, Gke

pytest_plugins = ["google_fixtures"]


def gke(mode: Any) -> Gke:
    return Gke(
        project="servestack-dev",
        location="us-central1",
        cluster=Cluster(name="dev", mode=mode),
        deletionProtection=False,
    )


def found(gcp: Engine) -> dict[str, Any]:
    where = {"name": "dev", "location": "us-central1", "project": "servestack-dev"}
    return gcp.invoke("gcp:container/getCluster:getCluster", where)


def test_a_created_cluster_is_found_with_all_that_endpoints_need_and_by_its_address(gcp: Engine) -> None:
    inputs, pool = cluster_inputs("dev", gke("standard"), {}), system_pool_inputs("dev", gke("standard"), {})
    assert not gcp.check(CLUSTER_URN, inputs).failures
    gcp.create(CLUSTER_URN, inputs)
    assert not gcp.check(POOL_URN, pool).failures
    gcp.create(POOL_URN, pool)
    cluster = found(gcp)
    assert cluster_facts(cluster).lacks == ()
    assert not cluster_facts(cluster).autopilot
    assert dns_endpoint(cluster) == ""
    assert cluster["endpoint"]
    assert cluster["masterAuths"][0]["clusterCaCertificate"]


@pytest.mark.parametrize("block", ["gatewayApiConfig", "workloadIdentityConfig", "addonsConfig"])
def test_a_cluster_made_without_a_block_is_found_to_lack_it(gcp: Engine, block: str) -> None:
    inputs = {key: value for key, value in cluster_inputs("dev", gke("standard"), {}).items() if key != block}
    gcp.create(CLUSTER_URN, inputs)
    names = {
        "gatewayApiConfig": "gateway-api",
        "workloadIdentityConfig": "workload-identity",
        "addonsConfig": "gcs-fuse",
    }
    assert cluster_facts(found(gcp)).lacks == (names[block],)
