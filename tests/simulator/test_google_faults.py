"""Faults that a user sets: from the command line, kept over restarts, and refused when they make no sense."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from simulator.errors import SimulatorError
from simulator.google import __main__ as command
from simulator.google.backoff import Backoff
from simulator.google.faults import Faults
from simulator.google.machine_types import load
from simulator.google.state import State
from simulator.google.timing import Timing

SPOT = {
    "nodeConfig": {
        "machineType": "a3-highgpu-1g",
        "spot": True,
        "guestAccelerators": [{"type": "nvidia-h100-80gb", "count": 1}],
    }
}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_HOME", str(tmp_path))
    state = State(tmp_path / "google.json")
    nodes = {"node-1": {"zone": "us-central1-a"}}
    on_demand = {"nodeConfig": {"machineType": "e2-standard-4"}}
    with state.change() as data:
        data["clusters"]["projects/p/locations/us-central1/clusters/dev"] = {
            "inputs": {},
            "status": "RUNNING",
            "nodePools": {
                "spot": {"inputs": SPOT, "nodes": nodes},
                "cpu": {"inputs": on_demand, "nodes": {"node-2": {"zone": "us-central1-a"}}},
            },
        }
    return state


@pytest.fixture
def faults(state: State) -> Faults:
    return Faults(state, load())


def shortage(faults: Faults, zone: str = "us-central1-a") -> str | None:
    found = faults.shortage(zone, load().machine_types["a3-highgpu-1g"], SPOT, 1)
    return found.code if found else None


def test_a_stockout_set_by_the_command_line_is_seen_by_a_running_cloud(faults: Faults) -> None:
    assert command.main(["stockout", "us-central1-a", "a3-highgpu-1g"]) == 0
    assert shortage(faults) == "GCE_STOCKOUT"
    assert shortage(faults, "us-central1-c") is None
    assert command.main(["stockout", "us-central1-a", "a3-highgpu-1g", "--end"]) == 0
    assert shortage(faults) is None


def test_a_quota_counts_the_nodes_that_are_there(faults: Faults) -> None:
    assert command.main(["quota", "PREEMPTIBLE_NVIDIA_H100", "us-central1", "2"]) == 0
    assert shortage(faults) is None
    assert command.main(["quota", "PREEMPTIBLE_NVIDIA_H100", "us-central1", "1"]) == 0
    assert shortage(faults) == "GCE_QUOTA_EXCEEDED"
    assert shortage(faults, "us-east4-a") is None
    assert command.main(["quota", "PREEMPTIBLE_NVIDIA_H100", "us-central1", "none"]) == 0
    assert shortage(faults) is None


def test_a_quota_for_on_demand_does_not_touch_spot(faults: Faults) -> None:
    faults.set_quota("NVIDIA_H100", "us-central1", 0)
    assert shortage(faults) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stockout", "*", "a3-highgpu-3g"], "unknown machine type 'a3-highgpu-3g'. Known: e2-medium"),
        (["quota", "H100", "us-central1", "1"], "unknown GPU family 'H100'. Known: NVIDIA_A100"),
        (["preempt", "node-9"], "unknown node 'node-9'. Known: node-1, node-2"),
        (["preempt", "node-2"], "node-2 is not a Spot node"),
    ],
)
@pytest.mark.usefixtures("state")
def test_a_fault_that_makes_no_sense_is_refused_with_what_is_known(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(arguments) == 1
    assert message in capsys.readouterr().err


def test_show_prints_faults_and_nodes(faults: Faults, capsys: pytest.CaptureFixture[str]) -> None:
    faults.preempt("node-1")
    assert command.main(["show"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["faults"]["preemptions"] == ["node-1"]
    assert shown["nodes"]["projects/p/locations/us-central1/clusters/dev"] == ["node-1", "node-2"]


def test_changes_from_many_threads_are_all_kept(state: State) -> None:
    def add(index: int) -> None:
        with state.change() as data:
            data.setdefault("numbers", []).append(index)

    threads = [threading.Thread(target=add, args=(index,)) for index in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(state.read()["numbers"]) == list(range(20))


def test_a_change_that_fails_is_not_written(state: State) -> None:
    before = state.read()

    def fail() -> None:
        with state.change() as data:
            data["clusters"].clear()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert state.read() == before


def test_back_off_grows_to_thirty_minutes_and_starts_anew_after_three_hours() -> None:
    timing, backoff, group = Timing(), Backoff(), ("gpu", "us-central1-a")
    now = 0.0
    for minutes in (5, 10, 20, 30, 30):
        backoff.fail(group, now, timing)
        assert backoff.is_active(group, now + minutes * 60 - 1)
        assert not backoff.is_active(group, now + minutes * 60)
        now += minutes * 60
    backoff.fail(group, 4 * 3600, timing)
    assert not backoff.is_active(group, 4 * 3600 + 300)
    backoff.fail(group, 4 * 3600 + 300, timing)
    backoff.succeed(group)
    assert not backoff.is_active(group, 4 * 3600 + 301)


def test_timing_comes_from_the_state_before_the_environment() -> None:
    environment = {
        "SERVESTACK_SIMULATOR_PROVISION_SECONDS": "7",
        "SERVESTACK_SIMULATOR_SCALE_DOWN_SECONDS": "8",
    }
    timing = Timing.current({"timing": {"provision_seconds": 3}}, environment)
    assert (timing.provision_seconds, timing.scale_down_seconds, timing.scan_seconds) == (3, 8, 0.5)


@pytest.mark.parametrize(
    "text", ["", '{"clusters": {"a', "[]", "{}", '{"version": 2, "clusters": {}, "faults": {}}', "\0"]
)
def test_a_file_that_cannot_be_read_is_named_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = tmp_path / "google.json"
    file.write_text(text)
    monkeypatch.setenv("SERVESTACK_SIMULATOR_HOME", str(tmp_path))
    for arguments in (["show"], ["quota", "NVIDIA_L4", "us-central1", "0"]):
        assert command.main(arguments) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"error: {file}: what the simulated Google Cloud remembers cannot be read: ")
        assert "`make clean`" in said
    assert file.read_text() == text


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf", ""])
def test_a_duration_that_is_none_is_named(value: str) -> None:
    environment = {"SERVESTACK_SIMULATOR_SCAN_SECONDS": value}
    with pytest.raises(SimulatorError, match=f"SERVESTACK_SIMULATOR_SCAN_SECONDS={value}: a number of seconds"):
        Timing.current({}, environment)
