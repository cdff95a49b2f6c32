"""A team's whole life with two clusters: platforms and endpoints come, an ordinary day passes, and all of it goes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from tests.conftest import ROOT
from tests.e2e.project import Project, fresh, until

FIRST, SECOND = "gemma4-e4b-l4-scaled", "gemma4-12b-l4-llamacpp"
THIRD = "gemma4-e2b-l4-llamacpp"
EAST = "east"
CLUSTERS = {"dev": "us-central1_dev", EAST: "us-east4_east"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project in which nothing was ever made."""
    with fresh(tmp_path_factory.mktemp("two-clusters")) as made:
        yield made


def serving(project: Project, stack: str, platform: str) -> str:
    """Name of the one node on which a stack's one pod serves."""
    cluster = CLUSTERS[platform]
    assert project.deployment(stack, cluster)["status"]["readyReplicas"] >= 1
    pods = project.api("GET", f"/api/v1/namespaces/{stack}/pods", cluster=cluster)["items"]
    nodes = {node["metadata"]["name"] for node in project.nodes(stack, cluster)}
    assert {pod["spec"]["nodeName"] for pod in pods} <= nodes
    return str(pods[0]["spec"]["nodeName"])


def test_one_platform_and_two_endpoints_then_a_second_platform(empty: Project) -> None:
    project = empty
    project.write(FIRST, platform="dev", scaling=None, replicas={"min": 1, "max": 3})
    project.up("dev")
    project.unchanged("dev")
    for stack in (FIRST, SECOND):
        project.up(stack)
        project.unchanged(stack)
    assert serving(project, FIRST, "dev") != serving(project, SECOND, "dev")

    east = yaml.safe_load((ROOT / "stacks" / "dev.yaml").read_text())
    east["gke"] |= {
        "location": "us-east4",
        "cluster": {"name": EAST},
        "proxyOnlySubnet": "10.129.0.0/23",
        "budget": {"billingAccount": "0A1B2C-3D4E5F-678901", "usdPerMonth": 5000, "emails": ["team@example.com"]},
    }
    project.write(EAST, **east)
    project.write(THIRD, platform=EAST)
    project.up(EAST)
    project.up(THIRD)
    assert serving(project, THIRD, EAST)
    for stack in ("dev", FIRST, SECOND, EAST, THIRD):
        project.unchanged(stack)


def test_what_an_ordinary_day_does_is_no_drift(empty: Project) -> None:
    """More replicas by the autoscaler's hand, more machines for them, and a machine lost."""
    project = empty
    cluster = CLUSTERS["dev"]
    scale = f"/apis/apps/v1/namespaces/{FIRST}/deployments/{FIRST}/scale"
    before = project.api("GET", scale, cluster=cluster)
    project.api("PUT", scale, before | {"spec": {"replicas": 3}}, cluster=cluster)
    until(lambda: len(project.nodes(FIRST, cluster)) == 3 or None)
    until(lambda: project.deployment(FIRST, cluster)["status"].get("readyReplicas") == 3 or None)
    for stack in ("dev", FIRST):
        project.unchanged(stack)
    lost = serving(project, SECOND, "dev")
    project.api("DELETE", f"/api/v1/nodes/{lost}", cluster=cluster)
    for stack in ("dev", SECOND):
        project.unchanged(stack)


def test_a_platform_changes_in_place_and_hands_its_labels_on(empty: Project) -> None:
    project = empty
    east = yaml.safe_load((project.stacks / f"{EAST}.yaml").read_text())
    east["labels"] = {"team": "search"}
    east["gke"] |= {"authorizedNetworks": ["203.0.113.0/24"], "releaseChannel": "RAPID"}
    east["gke"]["budget"] |= {"usdPerMonth": 6000, "emails": ["team@example.com", "boss@example.com"]}
    project.write(EAST, **east)
    steps = json.loads(project.pulumi("preview", "--json", "-s", EAST))["steps"]
    assert {step["op"] for step in steps} == {"same", "update", "create"}
    assert [step["urn"].rpartition("$")[2] for step in steps if step["op"] == "create"] == [
        "gcp:monitoring/notificationChannel:NotificationChannel::east-budget-email-2"
    ]
    project.up(EAST)
    project.up(THIRD)
    for stack in (EAST, THIRD):
        project.unchanged(stack)
    assert serving(project, THIRD, EAST)
    (cluster,) = (one for name, one in project.google()["clusters"].items() if name.endswith(f"/{EAST}"))
    assert cluster["inputs"]["resourceLabels"]["team"] == "search"


def test_everything_billable_says_whose_it_is(empty: Project) -> None:
    kept = empty.google()
    for record in kept["resources"].values():
        labels = record.get("labels")
        assert labels is None or labels["managed-by"] == "servestack", record
    for cluster in kept["clusters"].values():
        assert cluster["inputs"]["resourceLabels"]["servestack-platform"] in CLUSTERS
        for pool in cluster["nodePools"].values():
            assert pool["inputs"]["nodeConfig"]["resourceLabels"]["managed-by"] == "servestack"


def test_destroying_all_of_it_leaves_nothing_behind(empty: Project) -> None:
    project = empty
    for stack in (THIRD, SECOND, FIRST, EAST, "dev"):
        project.pulumi("destroy", "--yes", "--skip-preview", "-s", stack)
        state = json.loads(project.pulumi("stack", "export", "-s", stack))["deployment"]
        assert [one["type"] for one in state.get("resources") or []] in ([], ["pulumi:pulumi:Stack"])
    kept = project.google()
    assert kept["clusters"] == {}
    left = [name for name, record in kept["resources"].items() if "services" not in name]
    assert left == []
