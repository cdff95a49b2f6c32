"""Platforms on clusters that others made: looked at, never changed, and refused where nothing could run on them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from simulator import supervisor
from simulator.adopted_cluster import make_adopted
from simulator.own_cluster import make_own
from tests.conftest import ROOT
from tests.e2e.project import Project, fresh

STACK = "gemma4-26b-a4b-rtxpro6000"
CLUSTER = "us-central1_prod"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project in which nothing was made by this program."""
    with fresh(tmp_path_factory.mktemp("adopted")) as made:
        yield made


def adopt(project: Project, platform: str) -> None:
    running = supervisor.find(project.home)
    assert running
    gke = yaml.safe_load((project.stacks / f"{platform}.yaml").read_text())["gke"]
    assert make_adopted(running.ports["gcp"], gke)
    assert not make_adopted(running.ports["gcp"], gke)


def test_a_cluster_that_is_not_there_is_refused_before_anything_is_made(theirs: Project) -> None:
    theirs.pulumi("stack", "select", "-c", "prod")
    said = theirs.pulumi("preview", "-s", "prod", expect=-1)
    assert "cluster 'prod' in us-central1 of project 'servestack-prod' does not exist" in said
    assert "Traceback" not in said


def test_a_cluster_without_workload_identity_is_refused_in_the_preview_with_the_command(theirs: Project) -> None:
    old = yaml.safe_load((ROOT / "stacks" / "prod.yaml").read_text())
    old["gke"]["cluster"] = {"name": "old", "create": False, "lacks": ["workload-identity", "secret-sync"]}
    theirs.write("old", **old)
    adopt(theirs, "old")
    theirs.pulumi("stack", "select", "-c", "old")
    said = theirs.pulumi("preview", "-s", "old", expect=-1)
    assert "Workload Identity is off" in said
    assert "gcloud container clusters update old --location us-central1 --project servestack-prod" in said
    assert "--workload-pool=servestack-prod.svc.id.goog" in said
    assert "Traceback" not in said


def test_an_endpoint_comes_and_goes_and_the_cluster_stays_as_it_was(theirs: Project) -> None:
    adopt(theirs, "prod")
    before = theirs.google()["clusters"]
    theirs.up("prod")
    theirs.pulumi("preview", "--expect-no-changes", "-s", "prod")
    theirs.write(STACK, platform="prod")
    theirs.up(STACK)
    theirs.unchanged(STACK)
    assert theirs.deployment(STACK, CLUSTER)["status"]["readyReplicas"] == 1
    for stack in (STACK, "prod"):
        theirs.pulumi("destroy", "--yes", "--skip-preview", "-s", stack)
    kept = theirs.google()
    assert {name: one["inputs"] for name, one in kept["clusters"].items()} == {
        name: one["inputs"] for name, one in before.items()
    }
    assert [set(one["nodePools"]) for one in kept["clusters"].values()] == [{"default-pool"}] * 2


def test_every_family_of_labels_is_found_on_a_cluster_of_a_context(theirs: Project) -> None:
    running = supervisor.find(theirs.home)
    assert running
    size = {"vcpus": 48, "memoryGiB": 192, "machines": 1, "count": 4}
    groups = [
        *({**size, "accelerator": gpu, "labels": "nvidia"} for gpu in ("a100-40gb", "h100", "h200", "l4", "t4")),
        *({**size, "accelerator": gpu, "labels": "gke"} for gpu in ("a100-80gb", "b200", "l4", "rtxpro6000")),
        {**size, "accelerator": "l4", "labels": "karpenter"},
        {**size, "accelerator": "t4", "labels": "eks-auto"},
        {**size, "accelerator": "l4", "labels": "eks", "instanceType": "g6.12xlarge"},
        {**size, "accelerator": "a100-80gb", "labels": "aks", "instanceType": "Standard_NC96ads_A100_v4"},
        {**size, "accelerator": "h100", "labels": {"pool": "big"}},
    ]
    where = {"context": "arn:aws:eks:eu-west-1:1:cluster/ml", "nodes": groups}
    assert make_own(theirs.home, running.ports["gcp"], where)
    assert not make_own(theirs.home, running.ports["gcp"], where)
    theirs.write("elsewhere", apiVersion="servestack/v1", kind="Platform", kubernetes=where)
    theirs.up("elsewhere")
    groups.append({**size, "accelerator": "l4", "labels": {"pool": "missing"}})
    theirs.write("elsewhere", kubernetes={**where, "nodes": groups})
    said = theirs.pulumi("preview", "-s", "elsewhere", expect=-1)
    assert "pool" in said
    assert "missing" in said
    assert "Traceback" not in said
