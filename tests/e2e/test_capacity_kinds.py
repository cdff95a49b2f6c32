"""Each way to buy a machine, from stack file to a Ready pod: how its machine looks, how it ends, and what follows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from simulator.google.state import State
from tests.e2e.project import BRIEF_ENDPOINT, Project, fresh, until

FLEX, RESERVED, SPOT = "gemma4-e4b-h100-flex", "gemma4-e4b-l4-kept", "gemma4-e4b-l4-spot"
DISKS, GROUP = "gemma4-e4b-a100-80gb", "gemma4-31b-l4-group"
MACHINE, ZONE, RESERVATION = "g2-standard-8", "us-central1-a", "gemma"
IMAGE = "us-docker.pkg.dev/p/r/vllm@sha256:" + "0" * 64


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A platform whose autoscaler tries again at once after it got no machine."""
    with fresh(tmp_path_factory.mktemp("kinds")) as made:
        made.up("dev")
        with State(made.home.root / "google.json").change() as data:
            data.setdefault("timing", {})["backoff_seconds"] = 0.5
        yield made


def destroy(project: Project, stack: str) -> None:
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", stack)
    assert project.nodes(stack) == []


def pods(project: Project, stack: str) -> list[Any]:
    return list(project.api("GET", f"/api/v1/namespaces/{stack}/pods")["items"])


def node_of_ready_pod(project: Project, stack: str, *, other_than: str = "") -> str:
    """Name of the node with a Ready pod, "" while there is none on another than one."""
    for pod in pods(project, stack):
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))
        if ready and not pod["metadata"].get("deletionTimestamp") and pod["spec"]["nodeName"] != other_than:
            return str(pod["spec"]["nodeName"])
    return ""


def labels(project: Project, stack: str) -> dict[str, str]:
    (node,) = project.nodes(stack)
    return dict(node["metadata"]["labels"])


def pool(project: Project, stack: str) -> dict[str, Any]:
    """Node settings of the stack's one pool, as Google has them."""
    name = json.loads(project.pulumi("stack", "output", "--json", "-s", stack))["nodePool"]
    (cluster,) = project.google()["clusters"].values()
    return dict(cluster["nodePools"][name]["inputs"]["nodeConfig"])


def test_a_flex_start_machine_ends_and_its_pod_comes_back_on_another(project: Project) -> None:
    project.write(
        FLEX, **BRIEF_ENDPOINT | {"accelerator": "h100"}, capacity=["flex-start"], nodePool={"maxRunSeconds": 3600}
    )
    project.up(FLEX)
    project.unchanged(FLEX)
    assert pool(project, FLEX)["maxRunDuration"] == "3600s"
    assert labels(project, FLEX)["cloud.google.com/gke-flex-start"] == "true"
    first = node_of_ready_pod(project, FLEX)
    project.faults.expire(first)
    assert until(lambda: node_of_ready_pod(project, FLEX, other_than=first))
    until(lambda: first not in {node["metadata"]["name"] for node in project.nodes(FLEX)})
    project.unchanged(FLEX)
    destroy(project, FLEX)


def test_a_reservation_that_is_missing_is_named_and_a_second_up_ends_well_once_it_is_made(project: Project) -> None:
    project.write(RESERVED, **BRIEF_ENDPOINT, capacity=[{"reservation": RESERVATION}])
    said = project.up(RESERVED, expect=-1)
    assert f"'{RESERVED}' timed out waiting to be Ready" in said
    assert "Traceback" not in said
    key = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{RESERVED}-keys"}, "data": {"current": "a2V5"}}
    project.api("POST", f"/api/v1/namespaces/{RESERVED}/secrets", key)
    status = project.servestack("status", RESERVED)
    assert "eservation not found" in status.stdout, status.stdout + status.stderr
    project.faults.reservations.set(RESERVATION, ZONE, MACHINE, 1)
    project.up(RESERVED)
    assert node_of_ready_pod(project, RESERVED)
    assert labels(project, RESERVED)["topology.kubernetes.io/zone"] == ZONE
    assert pool(project, RESERVED)["reservationAffinity"]["values"] == [RESERVATION]
    project.unchanged(RESERVED)
    destroy(project, RESERVED)


def test_the_pod_of_a_spot_machine_leaves_within_the_notice_and_comes_back_on_another(project: Project) -> None:
    project.write(SPOT, **BRIEF_ENDPOINT, capacity=["spot"])
    project.up(SPOT)
    (pod,) = pods(project, SPOT)
    first = node_of_ready_pod(project, SPOT)
    assert labels(project, SPOT)["cloud.google.com/gke-spot"] == "true"
    assert pod["spec"]["terminationGracePeriodSeconds"] <= 25
    project.faults.preempt(first, notice_seconds=1)
    told = until(lambda: _disruption(project, first))
    assert told
    second = until(lambda: node_of_ready_pod(project, SPOT, other_than=first))
    assert second != first
    until(lambda: first not in {node["metadata"]["name"] for node in project.nodes(SPOT)})
    project.unchanged(SPOT)
    destroy(project, SPOT)


def _disruption(project: Project, node: str) -> list[Any]:
    """Conditions by which pods of a node were told that it goes; a failed pod keeps them."""
    found = [one for one in pods(project, SPOT) if one["spec"].get("nodeName") == node]
    conditions = [condition for one in found for condition in one["status"].get("conditions") or []]
    return [one for one in conditions if one["type"] == "DisruptionTarget" and one["status"] == "True"]


def test_a_machine_with_local_ssds_has_them_as_pod_storage_and_streams_images(project: Project) -> None:
    asked = BRIEF_ENDPOINT | {"accelerator": "a100-80gb", "engine": {"image": IMAGE}}
    project.write(DISKS, **asked)
    project.up(DISKS)
    found, settings = labels(project, DISKS), pool(project, DISKS)
    assert found["node.kubernetes.io/instance-type"] == "a2-ultragpu-1g"
    assert found["cloud.google.com/gke-accelerator"] == "nvidia-a100-80gb"
    assert found["cloud.google.com/gke-ephemeral-storage-local-ssd"] == "true"
    assert found["cloud.google.com/gke-image-streaming"] == "true"
    assert settings["ephemeralStorageLocalSsdConfig"] == {"localSsdCount": 1}
    (node,) = project.nodes(DISKS)
    assert node_of_ready_pod(project, DISKS) == node["metadata"]["name"]
    project.unchanged(DISKS)
    destroy(project, DISKS)


def test_a_group_of_machines_fits_a_platform_sized_for_exactly_its_nodes(project: Project) -> None:
    def size(nodes: int) -> None:
        gke = yaml.safe_load((project.stacks / "dev.yaml").read_text())["gke"]
        project.write("dev", gke=gke | {"network": {"maxNodes": nodes}})

    plan = json.loads(project.servestack("plan", GROUP, "--json").stdout)
    machines = int(plan["accelerator"]["nodes"])  # of its one replica
    size(machines + 2)  # and three of the cluster's own are one too many
    refused = project.servestack("plan", GROUP)
    assert refused.returncode == 3, refused.stdout
    assert f"{machines} machines and 3 of the cluster's own are {machines + 3} nodes" in refused.stdout + refused.stderr
    size(machines + 3)
    project.up("dev")
    project.up(GROUP)
    assert len(project.nodes(GROUP)) == machines
    project.unchanged(GROUP)
    destroy(project, GROUP)
    project.restore("dev")
