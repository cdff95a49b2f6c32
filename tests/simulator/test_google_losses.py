"""Reservations, notices, ends of run time and slow machines: set by a user, carried out, and over again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google_harness import POOL_INPUTS, POOL_URN, Engine, error_of
from scaling_harness import CLUSTER_ID, Scaling, label

from simulator.google import __main__ as command
from simulator.google.cloud import Cloud
from simulator.google.nodes import end_of
from simulator.google.state import State

pytest_plugins = ["google_fixtures"]
ZONE = "us-central1-a"
RESERVED = {
    "consumeReservationType": "SPECIFIC_RESERVATION",
    "key": "compute.googleapis.com/reservation-name",
    "values": ["r"],
}
NOT_FOUND = "Reservation not found or incorrectly shared"


def pool(**config: Any) -> dict[str, Any]:
    return {
        "nodeLocations": [ZONE],
        "autoscaling": {"totalMaxNodeCount": 3, "locationPolicy": "ANY"},
        "nodeConfig": {
            "machineType": "g2-standard-8",
            "guestAccelerators": [{"type": "nvidia-l4", "count": 1}],
            **config,
        },
    }


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (None, NOT_FOUND),
        (("r", "us-central1-b", "g2-standard-8", 5), NOT_FOUND),
        (("s", ZONE, "g2-standard-8", 5), NOT_FOUND),
        (
            ("r", ZONE, "g2-standard-12", 5),
            "Invalid Reservation: Reservation 'r' is for machine type g2-standard-12, not g2-standard-8",
        ),
        (("r", ZONE, "g2-standard-8", 0), "Reservation capacity exceeded"),
    ],
)
def test_a_reservation_that_does_not_serve_fails_the_scale_up(tmp_path: Path, made: Any, reason: str) -> None:
    scaling = Scaling(tmp_path, {"a": pool(reservationAffinity=RESERVED)})
    if made:
        scaling.faults.reservations.set(*made)
    scaling.add_pod("p")
    scaling.rounds(3)
    assert scaling.nodes() == []
    text = f"Node scale up in zones {ZONE} associated with this pod failed: {reason}. Pod is at risk of"
    assert scaling.events("FailedScaleUp")[0].startswith(text[:250])


def test_a_reservation_gives_as_many_as_it_has_and_knows_no_stockout(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path, {"a": pool(reservationAffinity=RESERVED)})
    scaling.faults.reservations.set("r", ZONE, "g2-standard-8", 2)
    scaling.faults.set_stockout("*", "*")
    for index in range(3):
        scaling.add_pod(f"p{index}")
    scaling.rounds(4)
    assert len(scaling.nodes()) == 2
    assert {label(node, "cloud.google.com/reservation-name") for node in scaling.nodes()} == {"r"}
    assert "Reservation capacity exceeded" in scaling.events("FailedScaleUp")[0]


def test_a_class_takes_its_reservation_first_and_then_the_next_rung(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.faults.reservations.set("r", ZONE, "a3-ultragpu-8g", 1)
    scaling.faults.reservations.set("r", "us-central1-b", "a3-ultragpu-8g", 1)
    reserved = {
        "machineType": "a3-ultragpu-8g",
        "reservations": {"affinity": "Specific", "specific": [{"name": "r", "zones": ["us-central1-b"]}]},
    }
    rungs = [reserved, {"machineType": "g4-standard-384"}]
    scaling.add_class("c", rungs, nodePoolAutoCreation={"enabled": True})
    for index in range(2):
        scaling.add_pod(f"p{index}", {"nvidia.com/gpu": "8"}, "c")
    scaling.rounds(5)
    assert scaling.machines() == ["a3-ultragpu-8g", "g4-standard-384"]
    assert scaling.rung("c", 0) == {"ProvisioningSuspended": "ReservationCapacityExceeded"}


def test_a_rung_without_zones_goes_where_its_reservation_is(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.faults.reservations.set("r", "us-central1-c", "g2-standard-8", 1)
    rule = {"machineType": "g2-standard-8", "reservations": {"affinity": "Specific", "specific": [{"name": "r"}]}}
    scaling.add_class("c", [rule], nodePoolAutoCreation={"enabled": True})
    scaling.add_pod("p", chosen="c")
    scaling.rounds(2)
    assert [label(node, "topology.kubernetes.io/zone") for node in scaling.nodes()] == ["us-central1-c"]
    assert scaling.events("FailedScaleUp") == []


@pytest.mark.parametrize(
    ("machine", "rung", "why"),
    [
        ("a3-highgpu-8g", {}, "local SSD count 0, machine type a3-highgpu-8g has 16"),
        ("a3-megagpu-8g", {"storage": {"localSSDCount": 16}}, "machine type a3-highgpu-8g"),
        (
            "a3-highgpu-8g",
            {"storage": {"localSSDCount": 16}, "location": {"zones": [ZONE]}},
            "location config with specific reservations enabled",
        ),
        ("a3-highgpu-8g", {"storage": {"localSSDCount": 16}}, ""),
    ],
)
def test_a_rung_that_does_not_describe_its_reservation_never_scales_and_says_so(
    tmp_path: Path, machine: str, rung: dict[str, Any], why: str
) -> None:
    scaling = Scaling(tmp_path)
    scaling.faults.reservations.set("r", ZONE, machine, 1)
    affinity = {"affinity": "Specific", "specific": [{"name": "r", "zones": [ZONE]}]}
    rule = {"machineType": "a3-highgpu-8g", "reservations": affinity, **rung}
    scaling.add_class("c", [rule], nodePoolAutoCreation={"enabled": True})
    scaling.add_pod("p", {"nvidia.com/gpu": "8"}, "c")
    scaling.rounds(3)
    assert len(scaling.nodes()) == (0 if why else 1)
    text = f'Reservation "r" is incompatible with priority rule configuration ({why}).'
    if why:
        assert scaling.conditions("c")["CrdMisconfigured"] == ("True", "ReservationUnusable", text)
    assert scaling.conditions("c")["Health"][0] == ("False" if why else "True")


def test_a_pool_whose_first_nodes_are_not_reserved_is_refused(gcp: Engine, cluster: Any, google: Cloud) -> None:
    assert cluster
    google.faults.reservations.set("r", ZONE, "g2-standard-8", 1)
    inputs = POOL_INPUTS | {"initialNodeCount": 2, "nodeConfig": pool(reservationAffinity=RESERVED)["nodeConfig"]}
    details = error_of(gcp.create, POOL_URN, inputs).details()
    assert (
        "error creating NodePool: googleapi: Error 429: Reservation does not have enough resources for the request: "
        'specific reservation "r" is insufficient for node pool "gpu" at zone "us-central1-a": required 2 and short of '
        "1 VM count of machine type g2-standard-8., rateLimitExceeded"
    ) in details
    gcp.create(POOL_URN, inputs | {"initialNodeCount": 1})


def test_a_pool_in_error_does_not_grow(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path, {"a": pool()})
    with scaling.state.change() as data:
        data["clusters"][CLUSTER_ID]["nodePools"]["a"]["status"] = "ERROR"
    scaling.add_pod("p")
    scaling.rounds(2)
    assert scaling.nodes() == []


def test_a_queued_pool_does_not_grow_for_a_plain_pod(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path, {"a": pool() | {"queuedProvisioning": {"enabled": True}}})
    scaling.add_pod("p", tolerations=[{"operator": "Exists"}])
    scaling.rounds(2)
    assert scaling.nodes() == []


def test_a_node_that_has_its_notice_takes_no_pod_and_goes_at_the_end_of_it(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path, {"a": pool(spot=True)})
    scaling.add_pod("p")
    scaling.rounds(2)
    (node,) = scaling.nodes()
    name = node["metadata"]["name"]
    scaling.faults.preempt(name, 30)
    scaling.rounds(1)
    (noticed,) = scaling.nodes()
    assert noticed["spec"]["unschedulable"]
    assert noticed["spec"]["taints"][-1]["key"] == "cloud.google.com/impending-node-termination"
    scaling.now += 28
    scaling.rounds(1)
    assert [one["metadata"]["name"] for one in scaling.nodes()] == [name]
    scaling.now += 5
    scaling.rounds(2)
    assert name not in [one["metadata"]["name"] for one in scaling.nodes()]
    assert len(scaling.nodes()) == 1, "the instance group asks for the instance again"
    assert scaling.state.read()["faults"]["notices"] == {}


def test_a_node_at_the_end_of_its_run_time_goes_for_good(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path, {"a": pool(maxRunDuration="3600s")})
    scaling.add_pod("p")
    scaling.rounds(2)
    (node,) = scaling.nodes()
    created = next(iter(scaling.pools()["a"]["nodes"].values()))["createdAt"]
    end = node["metadata"]["annotations"]["node.gke.io/machine-termination-datetime"]
    assert end == end_of(pool(maxRunDuration="3600s"), created) > created
    scaling.faults.expire(node["metadata"]["name"])
    scaling.rounds(3)
    assert scaling.nodes() == []
    assert scaling.state.read()["faults"]["expired"] == []


def test_run_time_also_ends_by_itself(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path, {"a": pool(maxRunDuration="60s")})
    scaling.add_pod("p")
    scaling.rounds(2)
    with scaling.state.change() as data:
        for node in data["clusters"][CLUSTER_ID]["nodePools"]["a"]["nodes"].values():
            node["createdAt"] = "2026-01-01T00:00:00Z"
    scaling.rounds(1)
    assert scaling.nodes() == []


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_HOME", str(tmp_path))
    state = State(tmp_path / "google.json")
    nodes = {"cpu-1": {"zone": ZONE, "createdAt": "2026-01-01T00:00:00Z"}}
    with state.change() as data:
        record = {"inputs": {}, "nodePools": {"cpu": {"inputs": {}, "nodes": nodes}}}
        data["clusters"][CLUSTER_ID] = record
    return state


def test_the_command_line_sets_and_ends_each_fault(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["reservation", "r", ZONE, "a3-highgpu-8g", "2"]) == 0
    assert command.main(["slow", "60"]) == 0
    assert command.main(["show"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["reservations"] == [{"name": "r", "zone": ZONE, "machineType": "a3-highgpu-8g", "count": 2}]
    assert state.read()["timing"] == {"provision_seconds": 60}
    for ending in (["reservation", "r", ZONE, "a3-highgpu-8g", "none"], ["slow", "off"]):
        assert command.main(ending) == 0
    left = state.read()
    assert (left["reservations"], left["timing"]) == ([], {})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reservation", "r", ZONE, "a3-highgpu-3g", "1"], "unknown machine type 'a3-highgpu-3g'. Known: e2-medium"),
        (["reservation", "r", "us-central1-z", "e2-medium", "1"], "unknown zone 'us-central1-z'. Known in us-central1"),
        (["reservation", "r", ZONE, "e2-medium", "many"], "invalid literal for int()"),
        (["reservation", "r", ZONE, "e2-medium", "-1"], "a number from 0 on is needed"),
        (["slow", "soon"], "could not convert string to float: 'soon'"),
        (["slow", "nan"], "a number from 0 on is needed"),
        (["expire", "cpu-1"], "cpu-1 has no end: its pool has neither maxRunDuration nor flexStart."),
        (["expire", "cpu-2"], "unknown node 'cpu-2'. Known: cpu-1"),
        (["preempt", "cpu-1", "--notice", "30"], "cpu-1 is not a Spot node"),
        (["preempt", "cpu-1", "--notice", "-3"], "a number from 0 on is needed"),
    ],
)
@pytest.mark.usefixtures("state")
def test_a_fault_that_makes_no_sense_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(arguments) == 1
    assert message in capsys.readouterr().err
