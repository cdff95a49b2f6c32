"""The stand-in for the gcp provider under the real Pulumi engine and the real Python SDK."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_kubernetes import FakeApi, FakeStarter
from small_program import Pulumi, small_program

from simulator.binaries import Binaries
from simulator.google.by_hand import ByHand
from simulator.google.cloud import Cloud
from simulator.google.server import serve

PROGRAM = """
import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()
project, region = "acme-models", "us-central1"
google = gcp.Provider(
    "google", project=project, region=region, billing_project=project, user_project_override=True,
    default_labels={"owner": config.require("owner")},
)
services = [
    gcp.projects.Service(name, service=f"{name}.googleapis.com", opts=pulumi.ResourceOptions(provider=google))
    for name in (
        "artifactregistry", "billingbudgets", "cloudresourcemanager", "compute", "container", "iam", "secretmanager"
    )
]
options = pulumi.ResourceOptions(provider=google, depends_on=services)
network = gcp.compute.Network("vpc", auto_create_subnetworks=False, opts=options)
subnetwork = gcp.compute.Subnetwork(
    "nodes",
    network=network.id,
    ip_cidr_range="10.0.0.0/20",
    private_ip_google_access=True,
    secondary_ip_ranges=[
        {"range_name": "pods", "ip_cidr_range": "10.4.0.0/14"},
        {"range_name": "services", "ip_cidr_range": "10.8.0.0/20"},
    ],
    opts=options,
)
gcp.compute.Subnetwork(
    "proxies", network=network.id, ip_cidr_range="10.9.0.0/23", purpose="REGIONAL_MANAGED_PROXY", role="ACTIVE",
    opts=options,
)
router = gcp.compute.Router("router", network=network.id, opts=options)
nat = gcp.compute.RouterNat(
    "nat",
    router=router.name,
    nat_ip_allocate_option="AUTO_ONLY",
    source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
    subnetworks=[{"name": subnetwork.self_link, "source_ip_ranges_to_nats": ["ALL_IP_RANGES"]}],
    opts=options,
)
account = gcp.serviceaccount.Account("nodes", account_id="gke-nodes", display_name="nodes", opts=options)
gcp.projects.IAMMember(
    "logs", project=project, role="roles/logging.logWriter", member=account.member, opts=options
)
gcp.serviceaccount.IAMMember(
    "use", service_account_id=account.name, role="roles/iam.serviceAccountUser", member="user:Ann@example.com",
    opts=options,
)
images = gcp.artifactregistry.Repository(
    "images",
    repository_id="images",
    location=region,
    format="docker",
    mode="REMOTE_REPOSITORY",
    remote_repository_config={"docker_repository": {"public_repository": "DOCKER_HUB"}},
    labels={"team": "a"},
    opts=options,
)
gcp.artifactregistry.RepositoryIamMember(
    "pull", repository=images.name, location=region, role="roles/artifactregistry.reader", member=account.member,
    opts=options,
)
bucket = gcp.storage.Bucket(
    "weights", location=region, uniform_bucket_level_access=True, force_destroy=True, labels={"team": "a"}, opts=options
)
regional = {"user_managed": {"replicas": [{"location": region}]}}
secret = gcp.secretmanager.Secret(
    "hub", secret_id="hub", replication=regional if config.get_bool("after") else {"auto": {}}, opts=options
)
channel = gcp.monitoring.NotificationChannel(
    "owners", type="email", labels={"email_address": config.require("mail")}, opts=options
)
number = gcp.organizations.get_project(
    project_id=project, opts=pulumi.InvokeOptions(provider=google)
).number if config.get_bool("after") else "0"
gcp.billing.Budget(
    "platform",
    billing_account="01AB23-45CD67-89EF01",
    amount={"specified_amount": {"currency_code": "USD", "units": config.require("dollars")}},
    threshold_rules=[{"threshold_percent": 0.5}, {"threshold_percent": 1.0, "spend_basis": "FORECASTED_SPEND"}],
    all_updates_rule={"monitoring_notification_channels": [channel.name]},
    opts=options,
)
cluster = gcp.container.Cluster(
    "dev",
    name="dev",
    location=region,
    network=network.name,
    subnetwork=subnetwork.name,
    ip_allocation_policy={"cluster_secondary_range_name": "pods", "services_secondary_range_name": "services"},
    remove_default_node_pool=True,
    initial_node_count=1,
    deletion_protection=False,
    private_cluster_config={"enable_private_nodes": True},
    workload_identity_config={"workload_pool": f"{project}.svc.id.goog"},
    control_plane_endpoints_config={"dns_endpoint_config": {"allow_external_traffic": True}},
    opts=pulumi.ResourceOptions(provider=google, depends_on=[*services, nat]),
)
gcp.container.NodePool(
    "system",
    name="system",
    cluster=cluster.name,
    location=region,
    node_locations=["us-central1-a"],
    initial_node_count=0,
    autoscaling={"total_max_node_count": 2},
    node_config={"machine_type": "e2-standard-4", "service_account": account.email},
    opts=options,
)
engine = f"serviceAccount:{project}.svc.id.goog[llm/engine]"
after_cluster = pulumi.ResourceOptions(provider=google, depends_on=[cluster])
gcp.storage.BucketIAMMember(
    "read", bucket=bucket.name, role="roles/storage.objectViewer", member=engine, opts=after_cluster
)
gcp.secretmanager.SecretIamMember(
    "token", secret_id=secret.id, role="roles/secretmanager.secretAccessor", member=engine, opts=after_cluster
)
pulumi.export("bucket", bucket.url)
pulumi.export("registry", images.registry_uri)
pulumi.export("dns", cluster.control_plane_endpoints_config.dns_endpoint_config.endpoint)
pulumi.export("number", number)
"""
ALL = 27
"""The stack, the provider, seven APIs and eighteen things."""


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROVISION_SECONDS", "0")
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROJECTS", "new")
    made = Cloud(tmp_path / "google", FakeStarter(), connect=FakeApi)
    yield made
    made.close()


@pytest.fixture
def pulumi(tmp_path: Path, binaries: Binaries, google: Cloud) -> Iterator[Pulumi]:
    """Runs the CLI on a small program, with the stand-in attached."""
    server, port = serve(google)
    run = small_program(tmp_path, binaries, PROGRAM, "gcp", port)
    for key, value in (("owner", "ann"), ("mail", "a@example.com"), ("dollars", "1000")):
        run("config", "set", key, value)
    yield run
    server.stop(None)


def changes(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    return dict(json.loads(done.stdout)["changeSummary"])


def test_a_platform_on_a_new_project_lives_through_all_it_may_meet(pulumi: Pulumi, google: Cloud) -> None:
    assert changes(pulumi("preview", "--json")) == {"create": ALL}
    pulumi("up", "--yes", "--skip-preview")
    assert changes(pulumi("preview", "--json", "--expect-no-changes")) == {"same": ALL}
    exported = json.loads(pulumi("stack", "output", "--json").stdout)
    assert exported["bucket"].startswith("gs://weights-")
    assert exported["registry"] == "us-central1-docker.pkg.dev/acme-models/images"
    assert exported["dns"].startswith("localhost")

    pulumi("config", "set", "dollars", "2000")
    pulumi("config", "set", "mail", "b@example.com")
    pulumi("config", "set", "after", "true")
    # The secret keeps its name, so it goes first; the binding on it goes with it.
    assert changes(pulumi("preview", "--json")) == {"replace": 2, "same": ALL - 4, "update": 2}
    pulumi("up", "--yes", "--skip-preview")
    assert json.loads(pulumi("stack", "output", "--json").stdout)["number"].isdigit()

    assert "changes" not in pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes").stderr
    assert changes(pulumi("preview", "--json", "--expect-no-changes")) == {"same": ALL}

    ByHand(google.state).forget("images")
    assert changes(pulumi("preview", "--json", "--refresh")) == {"create": 2, "same": ALL - 2}
    pulumi("up", "--yes", "--skip-preview", "--refresh")
    assert changes(pulumi("preview", "--json", "--expect-no-changes")) == {"same": ALL}

    pulumi("destroy", "--yes", "--skip-preview")
    data = google.state.read()
    assert data["resources"] == data["clusters"] == {}


def test_a_cluster_whose_creation_fails_half_way_is_finished_by_the_next_up(pulumi: Pulumi, google: Cloud) -> None:
    ByHand(google.state).fail("Cluster", after_half=True)
    shown = pulumi("up", "--yes", "--skip-preview", succeeds=False).stdout
    assert "Error waiting for creating GKE cluster: Internal error." in shown
    planned = changes(pulumi("preview", "--json"))
    assert planned["replace"] == 1
    pulumi("up", "--yes", "--skip-preview")
    assert changes(pulumi("preview", "--json", "--expect-no-changes")) == {"same": ALL}
