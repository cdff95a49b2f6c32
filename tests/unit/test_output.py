"""Where the output goes: closed pipes and full disks end a verb quietly, and never with a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "infra.cli"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("verb", [["plan", "--all"], ["render", "gemma4-e4b-l4"], ["schema"], ["validate"]])
def test_a_reader_that_goes_away_is_no_error_worth_a_word(root: Path, verb: list[str], unbuffered: str) -> None:
    environment = {"PYTHONPATH": str(root), "PYTHONUNBUFFERED": unbuffered}
    process = subprocess.Popen(
        [*COMMAND, *verb], cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_told_in_one_line(root: Path, unbuffered: str) -> None:
    environment = {"PYTHONPATH": str(root), "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "plan", "gemma4-e4b-l4"],
            cwd=root,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "servestack: No space left on device\n")


def test_an_ascii_terminal_gets_every_message(root: Path) -> None:
    environment = {"PYTHONPATH": str(root), "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [*COMMAND, "plan", "gemma4-31b-h100-日本"],
        cwd=root,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"is not a stack name" in done.stderr
