"""The job's script as a pod runs it: a process of its own, killed where a test says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "manifests" / "jobs" / "keras_job.py"
DEADLINE_SECONDS = 180


@dataclass(frozen=True)
class Ended:
    """How a run ended, and what it said."""

    status: int
    said: str


@dataclass(frozen=True)
class Rig:
    """One interpreter, with keras-hub where a test needs it.

    Attributes:
        python: of the interpreter.
        base: arguments of every run.
        folder: of its outputs.
    """

    python: str
    base: tuple[str, ...]
    folder: Path

    def start(self, output: str, *words: str) -> subprocess.Popen[str]:
        """Start a run."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "KERAS_BACKEND": os.environ.get("SERVESTACK_KERAS_BACKEND", "tensorflow"),
            "TF_NUM_INTRAOP_THREADS": "1",
            "TF_ENABLE_ONEDNN_OPTS": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return subprocess.Popen(
            [self.python, str(SCRIPT), "--output", str(self.folder / output), *self.base, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )

    def run(self, output: str, *words: str) -> Ended:
        """Run to the end."""
        return ended(self.start(output, *words))

    def broken(self, output: str, sign: signal.Signals, when: Callable[[Path], bool], *words: str) -> Ended:
        """Run, and send a signal as soon as its output folder is so."""
        process = self.start(output, *words)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not when(self.folder / output / "progress"):
            assert time.monotonic() < deadline, "it never came so far"
            assert process.poll() is None, ended(process).said
            time.sleep(0.001)
        process.send_signal(sign)
        return ended(process)

    def result(self, output: str) -> dict[str, Any]:
        """Its `result.json`."""
        found: dict[str, Any] = json.loads((self.folder / output / "result.json").read_text())
        return found


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for the end."""
    said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    return Ended(process.returncode, said)


def plain(folder: Path, *base: str) -> Rig:
    """A rig without keras-hub: for what is refused before it is needed."""
    return Rig(sys.executable, base, folder)


def lines(path: Path, records: list[dict[str, Any]]) -> Path:
    """Write records as an input."""
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return path
