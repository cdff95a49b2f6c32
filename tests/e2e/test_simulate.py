"""`servestack simulate`: real runs in simulators of their own, of which nothing is left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from simulator.binaries import REPOSITORY
from tests.e2e.project import SERVESTACK
from tests.unit.review_repository import Repository

GOOD, PROCESSOR, GOOGLES = "gemma4-e4b-l4", "gemma4-e2b-cpu-llamacpp", "gemma4-31b-gemini"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where temporary files of a run go, so that what it leaves is seen."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def start(scratch: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if key != "SERVESTACK_SIMULATOR_HOME"}
    return subprocess.Popen(
        [str(SERVESTACK), "simulate", *arguments],
        env=environment | {"TMPDIR": str(scratch)},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def simulate(scratch: Path, *arguments: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    file = scratch.parent / "found.json"
    process = start(scratch, *arguments, "--json", str(file))
    out, err = process.communicate(timeout=300)
    assert file.exists(), f"{out}\n{err}"
    found = json.loads(file.read_text())
    assert "Traceback" not in out + err
    return process.returncode, {one["stack"]: one for one in found}, out


def nothing_is_left(scratch: Path) -> bool:
    processes = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(scratch).encode() in entry.read_bytes():
                processes.append(entry)
        except OSError:
            continue
    return not processes and not list(scratch.iterdir())


def changed(tmp_path: Path) -> Repository:
    """A repository whose last commit changes one stack, refuses another, adds a third and deletes a fourth."""
    made = Repository(tmp_path / "repository")
    shutil.copytree(REPOSITORY / "stacks", made.stacks, dirs_exist_ok=True)
    made.commit()
    files = {name: (made.stacks / f"{name}.yaml").read_text() for name in (GOOD, PROCESSOR, GOOGLES)}
    made.commit(
        **{
            GOOD.replace("-", "_"): files[GOOD] + "tools: true\n",
            PROCESSOR.replace("-", "_"): files[PROCESSOR] + "contextLength: 131072\nconcurrency: 256\n",
            "gemma4_e4b_l4_two": files[GOOD] + "labels: {team: shop}\n",
            GOOGLES.replace("-", "_"): None,
        }
    )
    return made


def test_the_changed_stacks_come_up_and_one_that_cannot_fit_is_refused(tmp_path: Path, scratch: Path) -> None:
    repository = changed(tmp_path)
    (repository.stacks / f"{GOOD}.yaml").write_text("what is not committed: is not simulated\n")
    code, found, out = simulate(scratch, "--stacks", str(repository.stacks), "--base", "HEAD~1")
    assert code == 1
    assert found.keys() == {GOOD, "gemma4-e4b-l4-two", PROCESSOR}
    for name in (GOOD, "gemma4-e4b-l4-two"):
        one = found[name]
        assert (one["state"], one["podsWanted"], one["podsScheduled"]) == ("ready", 1, 1)
        assert 0 <= one["scheduledSeconds"] <= one["readySeconds"] + 1
        assert one["changes"]["create"] > 10
        assert one["planStartSeconds"] > 60
    assert found[PROCESSOR]["state"] == "refused"
    assert "does not fit" in found[PROCESSOR]["reason"]
    assert "1 of 3 stacks would not come up" in out
    assert nothing_is_left(scratch)


def test_machines_that_are_sold_out_are_named_and_the_next_stack_comes_up(tmp_path: Path, scratch: Path) -> None:
    limit = ("--timeout-seconds", "20", "--sold-out", "g2-standard-8")
    code, found, out = simulate(scratch, GOOD, GOOGLES, "laptop", *limit)
    assert code == 1
    assert found[GOOD]["state"] == "not scheduled"
    assert found[GOOD]["podsScheduled"] == 0
    assert "GCE out of resources" in found[GOOD]["reason"]
    assert "GCE out of resources" in " ".join(out.split())
    assert (found[GOOGLES]["kind"], found[GOOGLES]["state"]) == ("managed", "created")
    assert found["laptop"]["state"] == "not simulated"
    assert nothing_is_left(scratch)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_nothing(ending: signal.Signals, scratch: Path) -> None:
    process = start(scratch, GOOD)
    deadline = time.monotonic() + 60
    while not list(scratch.glob("servestack-simulation-*/home/supervisor.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(ending)
    process.communicate(timeout=60)
    assert process.returncode != 0
    deadline = time.monotonic() + 30
    while not nothing_is_left(scratch):
        assert time.monotonic() < deadline, list(scratch.rglob("*"))[:5]
        time.sleep(0.1)


def test_no_change_is_nothing_to_simulate(tmp_path: Path, scratch: Path) -> None:
    repository = changed(tmp_path)
    code, found, out = simulate(scratch, "--stacks", str(repository.stacks), "--base", "HEAD")
    assert (code, found) == (0, {})
    assert "No stack to simulate" in out
