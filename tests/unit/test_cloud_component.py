"""What the program declares to Pulumi for a platform: the resources as data say them, and how clusters are reached."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pulumi
import pytest

from infra.cloud.platform import platform_resources
from infra.cloud.resource import CloudResource
from infra.components import cluster_access
from infra.components.cloud import CloudResources
from infra.components.cluster_access import google_provider
from infra.components.deploy import deploy
from infra.errors import PlatformError
from infra.pipeline import Platform
from tests.unit.platform_samples import ADOPTED, CREATED
from tests.unit.test_cluster_check import looked_up


class Google(pulumi.runtime.Mocks):
    """Makes everything, and finds one cluster."""

    def __init__(self, cluster: dict[str, Any] | None = None) -> None:
        self.made: dict[tuple[str, str], pulumi.runtime.MockResourceArgs] = {}
        self.cluster = cluster or {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.made[(args.typ, args.name)] = args
        return f"projects/servestack-dev/made/{args.name}", args.inputs

    def call(self, _args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
        return self.cluster, []


@pytest.fixture(autouse=True)
def _event_loop() -> None:
    asyncio.set_event_loop(asyncio.new_event_loop())


def run(google: Google, act: Any) -> None:
    pulumi.runtime.set_mocks(google, project="servestack", stack="plat", preview=False)

    @pulumi.runtime.test
    def program() -> None:
        act()

    program()


@pytest.mark.parametrize("name", ["plain", "budget by mail", "autopilot"])
def test_every_resource_is_declared_as_its_data_says(name: str) -> None:
    spec, google = CREATED[name], Google()
    resources = platform_resources("plat", spec)
    assert spec.gke
    gke = spec.gke
    run(google, lambda: CloudResources("plat", resources, google_provider(gke)))
    for one in resources:
        declared = google.made[one.token, one.name]
        if one.name == "plat-budget":
            channels = declared.inputs["allUpdatesRule"]["monitoringNotificationChannels"]
            assert channels == [f"projects/servestack-dev/made/plat-budget-email-{index}" for index in (1, 2)]
        else:
            assert declared.inputs == one.inputs
    assert len(google.made) == len(resources) + 2  # the component and the provider


def test_users_of_a_budget_say_which_project_pays_for_asking() -> None:
    for name, wanted in {"plain": None, "budget": "servestack-dev"}.items():
        google, gke = Google(), CREATED[name].gke
        assert gke
        run(google, lambda gke=gke: google_provider(gke))  # type: ignore[misc]
        assert google.made["pulumi:providers:gcp", "google"].inputs.get("billingProject") == wanted


def test_an_adopted_cluster_that_lacks_nothing_deploys_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    google = Google(looked_up(CREATED["plain"], endpoint="203.0.113.9", masterAuth={"clusterCaCertificate": "Q0E="}))
    run(google, lambda: deploy(Platform("prod", ADOPTED)))
    assert not warned
    assert [name for _, name in google.made] == ["google"]


def test_what_an_adopted_cluster_lacks_is_warned_of_and_what_blocks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    there = {"endpoint": "203.0.113.9", "masterAuth": {"clusterCaCertificate": "Q0E="}}
    run(Google(looked_up(CREATED["plain"], gatewayApiConfig=None, **there)), lambda: deploy(Platform("prod", ADOPTED)))
    assert len(warned) == 1
    assert "gcloud container clusters update prod" in warned[0]
    bare = looked_up(CREATED["plain"], workloadIdentityConfig=None, **there)
    with pytest.raises(PlatformError, match="Workload Identity is off"):
        run(Google(bare), lambda: deploy(Platform("prod", ADOPTED)))


def test_a_subnet_that_is_there_must_have_its_ranges_and_should_reach_google(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    spec = CREATED["network there"]
    ranges = [{"rangeName": name, "ipCidrRange": "10.0.0.0/20"} for name in ("p", "s")]
    run(Google({"secondaryIpRanges": ranges, "privateIpGoogleAccess": True}), lambda: deploy(Platform("plat", spec)))
    assert not warned
    run(Google({"secondaryIpRanges": ranges, "privateIpGoogleAccess": False}), lambda: deploy(Platform("plat", spec)))
    assert len(warned) == 1
    assert "gcloud compute networks subnets update gke --region us-central1" in warned[0]
    half = Google({"secondaryIpRanges": ranges[:1], "privateIpGoogleAccess": True})
    with pytest.raises(PlatformError, match=r"subnet gke has no secondary range s: .*it has p"):
        run(half, lambda: deploy(Platform("plat", spec)))
    assert not [name for token, name in half.made if not token.startswith("pulumi:")], "nothing is made then"


def kubeconfig_of(cluster: dict[str, Any]) -> dict[str, Any]:
    found: list[str] = []
    gke = CREATED["plain"].gke
    assert gke

    def act() -> None:
        found.append(cluster_access.find_cluster("plat", gke, google_provider(gke)).kubeconfig)

    run(Google(cluster), act)
    config: dict[str, Any] = json.loads(found[0])
    server: dict[str, Any] = config["clusters"][0]["cluster"]
    return server


def test_a_cluster_is_reached_by_its_dns_name_with_public_trust_else_by_address_with_its_own() -> None:
    there = {"endpoint": "203.0.113.9", "masterAuth": {"clusterCaCertificate": "Q0E="}}
    by_address = looked_up(CREATED["plain"], **there)
    assert kubeconfig_of(by_address) == {"server": "https://203.0.113.9", "certificate-authority-data": "Q0E="}
    named = {"dnsEndpointConfig": {"allowExternalTraffic": True, "endpoint": "gke-0a1b.us-central1.gke.goog"}}
    by_name = looked_up(CREATED["plain"], controlPlaneEndpointsConfig=named, **there)
    assert kubeconfig_of(by_name) == {"server": "https://gke-0a1b.us-central1.gke.goog"}


def test_a_resource_is_treated_as_its_data_says() -> None:
    seen: list[pulumi.ResourceOptions] = []
    one = CloudResource("gcp:storage/bucket:Bucket", "b", {"location": "EU"}, protect=True, ignore=("labels",))

    def act() -> None:
        gke = CREATED["plain"].gke
        assert gke
        provider = google_provider(gke)
        component = CloudResources("plat", (one,), provider)
        seen.append(component._options(one, provider))

    run(Google(), act)
    assert (seen[0].protect, seen[0].ignore_changes) == (True, ["labels"])
