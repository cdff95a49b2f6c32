"""Whole platforms made in the simulated Google Cloud from an empty project, in the order in which data says."""

from __future__ import annotations

from typing import Any

import pytest
from google_harness import Engine
from pulumi.runtime.proto import provider_pb2 as proto

from infra.cloud.cluster_facts import cluster_facts, dns_endpoint
from infra.cloud.platform import platform_resources
from infra.cloud.resource import CloudResource, IdOf
from simulator.google.wire import from_struct, to_struct
from tests.unit.platform_samples import CREATED, platform

pytest_plugins = ["google_fixtures"]
ALONE = sorted(set(CREATED) - {"network there", "own account", "nothing but the cluster"})
"""Those that need nothing made by others before."""


def make(gcp: Engine, resources: tuple[CloudResource, ...]) -> dict[str, str]:
    """Everything in its order; ids by name."""
    made: dict[str, str] = {}
    for one in resources:
        urn = f"urn:pulumi:dev::servestack::{one.token}::{one.name}"
        checked = gcp.check(urn, known(one.inputs, made))
        assert not checked.failures, (one.name, checked.failures)
        made[one.name] = gcp.create(urn, from_struct(checked.inputs)).id
    return made


def known(value: Any, made: dict[str, str]) -> Any:
    if isinstance(value, IdOf):
        return made[value.name]
    if isinstance(value, dict):
        return {key: known(one, made) for key, one in value.items()}
    return [known(one, made) for one in value] if isinstance(value, list) else value


def found(gcp: Engine) -> dict[str, Any]:
    where = {"name": "dev", "location": "us-central1", "project": "servestack-dev"}
    return gcp.invoke("gcp:container/getCluster:getCluster", where)


@pytest.mark.parametrize("name", ALONE)
def test_every_platform_is_made_from_an_empty_project(gcp: Engine, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"project": "servestack-dev", "billingProject": "servestack-dev", "userProjectOverride": "true"}
    gcp.stub.Configure(proto.ConfigureRequest(args=to_struct(words)))
    resources = platform_resources("plat", CREATED[name])
    assert set(make(gcp, resources)) == {one.name for one in resources}


def test_a_created_cluster_is_found_with_all_that_endpoints_need_and_by_its_name(gcp: Engine) -> None:
    make(gcp, platform_resources("plat", CREATED["plain"]))
    cluster = found(gcp)
    assert cluster_facts(cluster).lacks == ()
    assert not cluster_facts(cluster).autopilot
    assert dns_endpoint(cluster)


@pytest.mark.parametrize(
    ("block", "feature"),
    [("gatewayApiConfig", "gateway-api"), ("secretSyncConfig", "secret-sync"), ("addonsConfig", "gcs-fuse")],
)
def test_a_cluster_made_without_a_block_is_found_to_lack_it(gcp: Engine, block: str, feature: str) -> None:
    *others, cluster, _ = platform_resources("plat", platform())
    del cluster.inputs[block]
    make(gcp, (*others, cluster))
    assert cluster_facts(found(gcp)).lacks == (feature,)
