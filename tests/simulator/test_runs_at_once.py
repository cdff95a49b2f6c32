"""Runs that meet: `down` below an `up`, a start that is interrupted, locks that a dead engine left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.engine import Engine
from simulator.home import Home

Until = Callable[..., object]
STACK = "gemma4-e4b-l4"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "a home")


def start(home: Home, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        env={**os.environ, "SERVESTACK_SIMULATOR_HOME": str(home.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def is_used(home: Home) -> bool:
    """Whether a process lives that was started for a home."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(home.root).encode() in environment and folder.name != str(os.getpid()):
            return True
    return False


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_down_waits_for_a_run_that_uses_the_simulator(home: Home) -> None:
    with home.locked("in-use", "nobody", shared=True):
        down = start(home, "down")
        assert first_line(down).startswith("Waiting for `make up` or `make preview`")
    assert "Nothing is up." in down.communicate(timeout=20)[0]


@pytest.mark.parametrize("verb", ["up", "preview"])
def test_a_run_waits_for_down(home: Home, verb: str) -> None:
    with home.locked("in-use", "nobody"):
        run = start(home, verb, STACK)
        assert first_line(run).startswith("Waiting for `make down`")
        run.send_signal(signal.SIGINT)
        assert "Interrupted." in run.communicate(timeout=20)[0]
    assert not is_used(home)


def test_an_interrupted_start_leaves_no_process(home: Home, until: Until) -> None:
    run = start(home, "start")
    assert first_line(run).startswith("Starting the simulator")
    until(lambda: (home.logs / "supervisor.log").exists(), what="the supervisor is started")
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=20)
    assert run.returncode == 130, output
    assert "Traceback" not in output
    until(lambda: not is_used(home), what="nothing runs")


def test_a_simulator_that_cannot_read_what_it_remembers_says_so(home: Home) -> None:
    home.ensure()
    (home.root / "google.json").write_text('{"clus')
    run = start(home, "start")
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 1
    assert f"{home.root}/google.json: what the simulated Google Cloud remembers cannot be read" in output
    assert "Traceback" not in output


@pytest.fixture
def lock(home: Home) -> Path:
    folder = home.backend / ".pulumi" / "locks" / "organization" / "servestack" / STACK
    folder.mkdir(parents=True)
    return folder / "lock.json"


def test_lock_of_an_engine_whose_number_another_process_has_is_a_dead_ones(home: Home, lock: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as another:
        lock.write_text(json.dumps({"pid": another.pid}))
        interrupted = Engine(home, home.root, {}).was_interrupted(STACK)
        another.kill()
    assert interrupted


def test_lock_of_a_living_engine_is_its_own(home: Home, lock: Path, until: Until) -> None:
    with subprocess.Popen(["pulumi", "60"], executable="/bin/sleep") as engine:
        lock.write_text(json.dumps({"pid": engine.pid}))
        until(lambda: not Engine(home, home.root, {}).was_interrupted(STACK), what="the engine runs")
        engine.kill()


@pytest.mark.parametrize("text", ["", '{"pid"', "[]", '{"pid": null}'])
def test_lock_that_cannot_be_read_is_left_to_the_engine(home: Home, lock: Path, text: str) -> None:
    lock.write_text(text)
    assert not Engine(home, home.root, {}).was_interrupted(STACK)


def test_lock_that_is_freed_meanwhile_is_none(home: Home, lock: Path) -> None:
    lock.symlink_to("gone")
    assert not Engine(home, home.root, {}).was_interrupted(STACK)
