"""From an empty project to a served model while Google says no: what a user sees, and that another `up` ends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.google.by_hand import ByHand
from simulator.google.failures import Failures
from simulator.google.state import State
from tests.e2e.project import Project, fresh

STACK = "gemma4-e4b-l4"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project of yesterday: only the APIs are on that Google switches on by itself, and the two of the guide."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERVESTACK_SIMULATOR_PROJECTS", "new")
        with fresh(tmp_path_factory.mktemp("new-project")) as made:
            for api in ("serviceusage", "cloudresourcemanager"):
                inputs = {"project": "servestack-dev", "service": f"{api}.googleapis.com"}
                hand(made).put("projects.Service", inputs)
            yield made


def hand(project: Project) -> ByHand:
    return ByHand(State(project.home.root / "google.json"))


def timing(project: Project, **seconds: float) -> None:
    with State(project.home.root / "google.json").change() as data:
        data["timing"] = seconds


def failures(project: Project) -> Failures:
    return Failures(State(project.home.root / "google.json"))


def test_a_permission_that_is_missing_is_named_and_another_run_goes_on(empty: Project) -> None:
    failures(empty).deny("artifactregistry.googleapis.com")
    said = empty.up("dev", expect=-1)
    assert "403" in said
    assert "ermission" in said
    assert "Traceback" not in said
    made = set(empty.resources("dev"))
    assert any("Network" in name for name in made)
    failures(empty).deny(None)


def test_a_cluster_whose_creation_fails_half_way_is_made_anew_by_another_run(empty: Project) -> None:
    hand(empty).fail("Cluster", after_half=True)
    said = empty.up("dev", expect=-1)
    assert "rror waiting for creating GKE cluster" in said or "rror creating" in said
    assert "Traceback" not in said
    empty.up("dev")
    empty.unchanged("dev")
    (cluster,) = empty.google()["clusters"].values()
    assert set(cluster["nodePools"]) == {"system"}


def test_a_pool_whose_creation_fails_half_way_is_finished_by_another_run(empty: Project) -> None:
    hand(empty).fail("NodePool", after_half=True)
    said = empty.up(STACK, expect=-1)
    assert "NodePool" in said
    assert "Traceback" not in said
    empty.up(STACK)
    assert empty.deployment(STACK)["status"]["readyReplicas"] == 1
    empty.pulumi("preview", "--expect-no-changes", "-s", STACK)
    empty.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)


def test_without_quota_status_names_the_quota_and_another_run_ends_it_once_there_is_some(empty: Project) -> None:
    timing(empty, backoff_seconds=0.5)
    empty.faults.set_quota("NVIDIA_L4", "us-central1", 0)
    empty.write(STACK, startupTimeoutSeconds=12)
    empty.up(STACK, expect=-1)
    words = " ".join(empty.servestack("status", STACK).stdout.split())
    assert "quota" in words.lower()
    assert "Next:" in words
    empty.faults.set_quota("NVIDIA_L4", "us-central1", None)
    empty.write(STACK, startupTimeoutSeconds=60)
    empty.up(STACK)
    assert empty.deployment(STACK)["status"]["readyReplicas"] == 1
    empty.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)
    empty.restore(STACK)


def test_a_zone_that_is_sold_out_sends_the_pod_to_another(empty: Project) -> None:
    sold_out = [f"us-central1-{letter}" for letter in "abc"]
    for zone in sold_out:
        empty.faults.set_stockout(zone, "g2-standard-8")
    empty.up(STACK)
    (node,) = empty.nodes(STACK)
    assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] not in sold_out
    for zone in sold_out:
        empty.faults.set_stockout(zone, "g2-standard-8", active=False)
    empty.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)


def test_machines_that_come_slowly_are_waited_for(empty: Project) -> None:
    timing(empty, provision_seconds=6)
    empty.up(STACK)
    assert empty.deployment(STACK)["status"]["readyReplicas"] == 1
    timing(empty)
    for stack in (STACK, "dev"):
        empty.pulumi("destroy", "--yes", "--skip-preview", "-s", stack)
    assert empty.google()["clusters"] == {}
