"""What a platform makes in Google Cloud: inputs that the SDK has, in an order that works, labelled and protected."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.accounts import NODE_ROLES
from infra.cloud.cluster import CLUSTER
from infra.cloud.node_pool import NODE_POOL
from infra.cloud.platform import platform_resources
from infra.cloud.resource import CloudResource, IdOf
from infra.spec import PlatformSpec
from simulator.google.schema import Kind, failures
from tests.unit.platform_samples import ADOPTED, CREATED, platform

# Of each type: the SDK's module and class, the API that makes it, and where it has labels.
TYPES: dict[str, tuple[str, str, str, str | None]] = {
    "gcp:projects/service:Service": ("projects", "ServiceArgs", "serviceusage", None),
    "gcp:compute/network:Network": ("compute", "NetworkArgs", "compute", None),
    "gcp:compute/subnetwork:Subnetwork": ("compute", "SubnetworkArgs", "compute", None),
    "gcp:compute/router:Router": ("compute", "RouterArgs", "compute", None),
    "gcp:compute/routerNat:RouterNat": ("compute", "RouterNatArgs", "compute", None),
    "gcp:serviceaccount/account:Account": ("serviceaccount", "AccountArgs", "iam", None),
    "gcp:projects/iAMMember:IAMMember": ("projects", "IAMMemberArgs", "cloudresourcemanager", None),
    "gcp:artifactregistry/repository:Repository": ("artifactregistry", "RepositoryArgs", "artifactregistry", "labels"),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": (
        "artifactregistry",
        "RepositoryIamMemberArgs",
        "artifactregistry",
        None,
    ),
    "gcp:storage/bucket:Bucket": ("storage", "BucketArgs", "storage", "labels"),
    "gcp:billing/budget:Budget": ("billing", "BudgetArgs", "billingbudgets", None),
    "gcp:monitoring/notificationChannel:NotificationChannel": (
        "monitoring",
        "NotificationChannelArgs",
        "monitoring",
        "userLabels",
    ),
    CLUSTER: ("container", "ClusterArgs", "container", "resourceLabels"),
    NODE_POOL: ("container", "NodePoolArgs", "container", "nodeConfig.resourceLabels"),
}
ALL = pytest.mark.parametrize("spec", CREATED.values(), ids=list(CREATED))


def kind(token: str) -> Kind:
    module, name, _, _ = TYPES[token]
    return Kind("object", source=getattr(importlib.import_module(f"pulumi_gcp.{module}"), name))


def known(value: Any) -> Any:
    """Inputs as the provider sees them: an id is text."""
    if isinstance(value, IdOf):
        return "projects/p/things/1"
    if isinstance(value, dict):
        return {key: known(one) for key, one in value.items()}
    return [known(one) for one in value] if isinstance(value, list) else value


def made(spec: PlatformSpec) -> dict[str, CloudResource]:
    return {one.name: one for one in platform_resources("plat", spec)}


def before(name: str, resources: dict[str, CloudResource]) -> set[str]:
    """Everything that is there when a resource is made, because it waits for it."""
    found: set[str] = set()
    queue = list(resources[name].after)
    while queue:
        one = queue.pop()
        if one not in found:
            found.add(one)
            queue += resources[one].after
    return found


def of_type(spec: PlatformSpec, word: str) -> list[CloudResource]:
    return [one for one in platform_resources("plat", spec) if one.token.endswith(f":{word}")]


@ALL
def test_every_input_is_one_that_the_sdk_has_of_the_right_type_and_none_is_missing(spec: PlatformSpec) -> None:
    for one in platform_resources("plat", spec):
        assert failures(kind(one.token), known(one.inputs)) == [], one.name


def test_the_check_of_inputs_can_fail() -> None:
    (bucket,) = of_type(platform(), "Bucket")
    assert len(failures(kind(bucket.token), bucket.inputs | {"colour": "red", "labels": 7, "location": None})) == 3


def test_the_samples_make_every_type() -> None:
    assert {one.token for spec in CREATED.values() for one in platform_resources("plat", spec)} == set(TYPES)


@ALL
def test_names_are_unique_and_what_a_resource_waits_for_comes_earlier(spec: PlatformSpec) -> None:
    seen: list[str] = []
    for one in platform_resources("plat", spec):
        assert one.name not in seen
        assert set(one.after) <= set(seen), one.name
        seen.append(one.name)


@ALL
def test_nothing_is_made_before_its_api_is_on_nor_an_id_read_before_it_is_known(spec: PlatformSpec) -> None:
    resources = made(spec)
    on = {one.inputs["service"]: name for name, one in resources.items() if one.token.endswith(":Service")}
    for name, one in resources.items():
        api = f"{TYPES[one.token][2]}.googleapis.com"
        assert on[api] in before(name, resources) or one.inputs.get("service") == api, name
        assert {ref.name for ref in ids(one.inputs)} <= before(name, resources)


def ids(value: Any) -> Iterator[IdOf]:
    if isinstance(value, IdOf):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from ids(one)


@ALL
def test_what_is_billed_has_the_platforms_labels_and_its_own_marks(spec: PlatformSpec) -> None:
    for one in platform_resources("plat", spec):
        where = TYPES[one.token][3]
        found: Any = one.inputs
        for part in where.split(".") if where else ():
            found = found[part]
        if where:
            assert found == {**spec.labels, "managed-by": "servestack", "servestack-platform": "plat"}, one.name
        else:
            fields = kind(one.token).fields
            assert not {"labels", "resourceLabels", "userLabels"} & set(fields), one.name


@ALL
def test_cluster_and_bucket_are_protected_until_the_file_lifts_it(spec: PlatformSpec) -> None:
    assert spec.gke
    protected = {one.token.rpartition(":")[2] for one in platform_resources("plat", spec) if one.protect}
    assert protected == ({"Cluster", "Bucket"} if spec.gke.deletionProtection else set())
    (cluster,) = of_type(spec, "Cluster")
    assert cluster.inputs["deletionProtection"] is spec.gke.deletionProtection
    assert all(one.inputs["forceDestroy"] is False for one in of_type(spec, "Bucket"))


@ALL
def test_names_of_other_resources_are_those_that_are_made(spec: PlatformSpec) -> None:
    assert spec.gke
    own = spec.gke.network.create
    networks = {f"projects/servestack-dev/global/networks/{one.inputs['name']}" for one in of_type(spec, "Network")}
    regional = "projects/servestack-dev/regions/us-central1/subnetworks/"
    subnets = {f"{regional}{one.inputs['name']}": one for one in of_type(spec, "Subnetwork")}
    (cluster,) = of_type(spec, "Cluster")
    assert {cluster.inputs["network"]} == networks or not own
    assert all(one.inputs["network"] in networks for one in subnets.values())
    if own:
        ranges = {one["rangeName"] for one in subnets[cluster.inputs["subnetwork"]].inputs["secondaryIpRanges"]}
        assert set(cluster.inputs["ipAllocationPolicy"].values()) == ranges
        (nat,) = of_type(spec, "RouterNat")
        assert [one["name"] for one in nat.inputs["subnetworks"]] == [cluster.inputs["subnetwork"]]
        assert nat.inputs["router"] == of_type(spec, "Router")[0].inputs["name"]
    accounts = {
        f"{one.inputs['accountId']}@{one.inputs['project']}.iam.gserviceaccount.com" for one in of_type(spec, "Account")
    } or {spec.gke.nodeServiceAccount}
    members = [one.inputs["member"] for one in (*of_type(spec, "IAMMember"), *of_type(spec, "RepositoryIamMember"))]
    assert set(members) <= {f"serviceAccount:{email}" for email in accounts}
    assert {one.inputs["nodeConfig"]["serviceAccount"] for one in of_type(spec, "NodePool")} <= accounts
    repositories = {one.inputs["repositoryId"] for one in of_type(spec, "Repository")}
    assert {one.inputs["repository"] for one in of_type(spec, "RepositoryIamMember")} == repositories


@ALL
def test_nodes_can_fetch_and_are_allowed_to_before_there_are_any(spec: PlatformSpec) -> None:
    resources = made(spec)
    there = before("plat", resources)
    assert {one.name for one in of_type(spec, "RouterNat")} <= there
    assert {one.name for one in of_type(spec, "IAMMember")} <= there
    assert all(one.inputs["privateIpGoogleAccess"] for one in of_type(spec, "Subnetwork") if "role" not in one.inputs)


@ALL
def test_every_name_is_one_that_google_takes(spec: PlatformSpec) -> None:
    for one in platform_resources("plat", spec):
        for key in ("name", "repositoryId"):
            if key in one.inputs and "/" not in one.inputs[key]:
                assert re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", one.inputs[key]), one.name


def test_the_longest_names_stay_within_googles_limits_and_apart() -> None:
    names: set[tuple[str, str]] = set()
    for cluster in ("x" * 40, "x" * 39 + "y"):
        for location in ("northamerica-northeast1", "northamerica-northeast1-a", "northamerica-northeast1-b"):
            where = {"location": location, "cluster": {"name": cluster}, "proxyOnlySubnet": "10.129.0.0/23"}
            for one in platform_resources("q" * 40, platform(project="p" * 30, **where)):
                name = one.inputs.get("repositoryId") or one.inputs.get("name", "")
                if one.token.endswith((":Repository", ":Bucket", ":Network", ":Router", ":RouterNat", ":Subnetwork")):
                    assert len(name) <= 63, name
                if one.token.endswith((":Repository", ":Network", ":Router", ":RouterNat", ":Subnetwork")):
                    assert (one.token, name) not in names
                    names.add((one.token, name))


def test_autopilot_is_told_nothing_that_it_decides_itself() -> None:
    (cluster,) = of_type(CREATED["autopilot"], "Cluster")
    assert cluster.inputs["enableAutopilot"] is True
    refused = {
        "removeDefaultNodePool",
        "initialNodeCount",
        "nodeConfig",
        "defaultMaxPodsPerNode",
        "enableShieldedNodes",
    }
    assert not refused & set(cluster.inputs)
    assert not of_type(CREATED["autopilot"], "NodePool")
    account = cluster.inputs["clusterAutoscaling"]["autoProvisioningDefaults"]["serviceAccount"]
    assert account == "auto-us-central1-nodes@servestack-dev.iam.gserviceaccount.com"


def test_the_api_is_open_by_dns_with_iam_and_by_address_to_named_networks_alone() -> None:
    for name, spec in CREATED.items():
        (cluster,) = of_type(spec, "Cluster")
        endpoints = cluster.inputs["controlPlaneEndpointsConfig"]
        assert endpoints["dnsEndpointConfig"] == {"allowExternalTraffic": True}
        assert endpoints["ipEndpointsConfig"]["enabled"] is (name == "by address")
        assert ("masterAuthorizedNetworksConfig" in cluster.inputs) is (name == "by address")
    (cluster,) = of_type(CREATED["by address"], "Cluster")
    blocks = cluster.inputs["masterAuthorizedNetworksConfig"]["cidrBlocks"]
    assert [one["cidrBlock"] for one in blocks] == ["203.0.113.0/24", "198.51.100.7/32"]


def test_nodes_have_no_role_that_changes_anything_but_their_own_telemetry() -> None:
    assert not [role for role in NODE_ROLES if re.search(r"admin|editor|owner|roles/viewer", role, re.IGNORECASE)]
    assert {one.inputs["role"] for one in of_type(platform(), "RepositoryIamMember")} == {
        "roles/artifactregistry.reader"
    }


def test_a_budget_warns_at_half_at_nine_tenths_at_all_and_when_all_is_foreseen() -> None:
    (budget,) = of_type(CREATED["budget by mail"], "Budget")
    rules = [(one["thresholdPercent"], one["spendBasis"]) for one in budget.inputs["thresholdRules"]]
    assert rules == [(0.5, "CURRENT_SPEND"), (0.9, "CURRENT_SPEND"), (1.0, "CURRENT_SPEND"), (1.0, "FORECASTED_SPEND")]
    assert len(budget.inputs["allUpdatesRule"]["monitoringNotificationChannels"]) == 2
    assert "labels" not in budget.inputs["budgetFilter"]
    (narrow,) = of_type(CREATED["budget of the platform"], "Budget")
    assert narrow.inputs["budgetFilter"]["labels"] == {"servestack-platform": "plat"}


def test_an_adopted_platform_makes_nothing() -> None:
    assert platform_resources("prod", ADOPTED) == ()
