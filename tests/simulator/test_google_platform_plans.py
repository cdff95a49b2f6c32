"""Every kind of platform on a new project of the simulated Google Cloud: made, unchanged, found again, and gone."""

from __future__ import annotations

import json

import pytest
from google_harness import Engine
from google_platforms import make_all
from pulumi.runtime.proto import provider_pb2 as proto

from infra.cloud.apis import SERVICE
from infra.cloud.platform import platform_resources
from infra.spec import PlatformSpec
from simulator.google.by_hand import ByHand
from simulator.google.cloud import Cloud
from simulator.google.wire import from_struct, to_struct
from tests.unit.platform_samples import CREATED

pytest_plugins = ["google_fixtures"]


def put_what_is_named(google: Cloud, spec: PlatformSpec) -> None:
    """The network and the account that a platform takes as they are."""
    assert spec.gke is not None
    by_hand, gke = ByHand(google.state), spec.gke
    project = {"project": gke.project}
    if gke.nodeServiceAccount:
        by_hand.put("serviceaccount.Account", {**project, "accountId": gke.nodeServiceAccount.partition("@")[0]})
    if not gke.network.create:
        by_hand.put("compute.Network", {**project, "name": gke.network.name, "autoCreateSubnetworks": False})
        ranges = [
            {"rangeName": gke.network.podsRange, "ipCidrRange": "10.4.0.0/14"},
            {"rangeName": gke.network.servicesRange, "ipCidrRange": "10.8.0.0/20"},
        ]
        subnetwork = {"name": gke.network.subnetwork, "network": gke.network.name, "region": "us-central1"}
        by_hand.put(
            "compute.Subnetwork",
            {**project, **subnetwork, "ipCidrRange": "10.0.0.0/20", "secondaryIpRanges": ranges},
        )


@pytest.mark.parametrize("name", CREATED)
def test_a_platform_is_made_as_declared_stays_and_goes(
    gcp: Engine, google: Cloud, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROJECTS", "new")
    spec = CREATED[name]
    assert spec.gke is not None
    put_what_is_named(google, spec)
    before = google.state.read()["resources"].keys()
    config = {"project": spec.gke.project, "billingProject": spec.gke.project, "userProjectOverride": True}
    gcp.stub.Configure(proto.ConfigureRequest(args=to_struct(config)))

    made = make_all(gcp, platform_resources("plat", spec))

    for one in made:
        read = gcp.read(one.urn, one.outputs["id"], one.inputs, one.outputs)
        assert read.id == one.outputs["id"]
        for state in (one.outputs, from_struct(read.properties)):
            answer = gcp.stub.Diff(
                proto.DiffRequest(
                    urn=one.urn,
                    id=read.id,
                    olds=to_struct(state),
                    news=to_struct(one.inputs),
                    old_inputs=to_struct(one.inputs),
                    ignoreChanges=one.declared.ignore,
                )
            )
            assert answer.changes == proto.DiffResponse.DIFF_NONE, (one.declared.name, list(answer.diffs))

    for one in reversed(made):
        gcp.delete(one.urn, one.outputs["id"], {**one.outputs, "deletionProtection": False})
    data = google.state.read()
    assert data["clusters"] == {}
    assert data["resources"].keys() == before, json.dumps(sorted(data["resources"]))
    assert any(one.declared.token == SERVICE for one in made)
