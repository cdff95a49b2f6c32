"""The supervisor alone, with servers that crash, stay deaf or talk too much."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import supervisor
from infra.local.managers import end, is_held, status
from simulator.binaries import REPOSITORY
from tests.e2e.project import until


class Folder:
    """Folder of one service whose server is a shell script."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def serve(self, script: str) -> subprocess.Popen[bytes]:
        content = {"program": "/bin/sh", "arguments": ["-c", script], "environment": {}, "cwd": str(self.path)}
        (self.path / "service.json").write_text(json.dumps(content))
        command = [sys.executable, "-m", "infra.local.supervisor", str(self.path)]
        return subprocess.Popen(command, env={"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]})

    def status(self) -> dict[str, Any]:
        return status(self.path)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path)
    yield made
    end(tmp_path)


def test_a_crashed_server_is_started_again_and_its_exit_is_known(folder: Folder) -> None:
    process = folder.serve("echo up; exit 3")
    until(lambda: folder.status().get("starts", 0) >= 2)
    assert folder.status()["lastExit"] == 3
    process.terminate()
    assert process.wait(20) == 0
    assert folder.status()["state"] == "stopped"
    assert (folder.path / "server.log").read_text().count("up") >= 2


def test_a_second_supervisor_leaves_the_first_alone_and_a_look_does_not_keep_one_out(folder: Folder) -> None:
    with (folder.path / "supervisor.lock").open("w") as look:
        fcntl.flock(look, fcntl.LOCK_EX)
        first = folder.serve("exec sleep 300")
        fcntl.flock(look, fcntl.LOCK_UN)
    until(lambda: folder.status().get("server"))
    known = folder.status()
    second = folder.serve("exec sleep 301")
    assert second.wait(20) == 0
    assert folder.status() == known
    assert first.poll() is None
    first.terminate()
    first.wait(20)


def test_a_server_that_was_left_over_ends_before_another_starts(folder: Folder) -> None:
    left = subprocess.Popen(["/bin/sh", "-c", "sleep 302; true"])
    (folder.path / "status.json").write_text(json.dumps({"server": left.pid}))
    process = folder.serve("exec sleep 300")
    assert left.wait(20) == -signal.SIGTERM
    until(lambda: folder.status().get("server") not in (None, left.pid))
    process.terminate()
    process.wait(20)


def test_a_number_that_went_to_another_program_is_not_ended(folder: Folder) -> None:
    other = subprocess.Popen(["sleep", "303"])
    (folder.path / "status.json").write_text(json.dumps({"server": other.pid}))
    process = folder.serve("exec sleep 300")
    until(lambda: folder.status().get("server") not in (None, other.pid))
    assert other.poll() is None
    other.kill()
    other.wait()
    process.terminate()
    process.wait(20)


def test_a_log_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOG_BYTES", 1000)
    log = tmp_path / "server.log"
    for number in range(100):
        supervisor.append(log, f"{number:099d}\n".encode())
    assert log.read_text().splitlines()[-1] == f"{99:099d}"
    assert sum(one.stat().st_size for one in tmp_path.iterdir()) <= 2000
    assert log.stat().st_mode & 0o777 == 0o600


def test_what_is_not_held_is_not_ended_by_a_number_of_the_past(folder: Folder) -> None:
    other = subprocess.Popen(["sleep", "304"])
    (folder.path / "status.json").write_text(json.dumps({"supervisor": other.pid, "server": other.pid}))
    assert not is_held(folder.path)
    end(folder.path)
    assert other.poll() is None
    other.kill()
    other.wait()
