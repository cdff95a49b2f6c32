"""What a run keeps on disk and says on its way: whole files, records, the claim on a folder, a stop, time left."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class HopelessError(Exception):
    """What no retry gets past."""


class StoppedError(Exception):
    """Someone asked this process to stop, and what is done is kept."""


class Stop:
    """Whether a stop was asked for, and whether it is time to keep what is done."""

    def __init__(self, save_seconds: float) -> None:
        self.asked = False
        self._every = save_seconds
        self._last = time.monotonic()
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True

    def save_due(self) -> bool:
        """Whether to keep what is done now; says yes once for each time."""
        if not self.asked and time.monotonic() - self._last < self._every:
            return False
        self._last = time.monotonic()
        return True


class Progress:
    """Lines with what is done and the time left, from the steps of this run; the first compiles and does not count."""

    def __init__(self, what: str, total: int, done: int) -> None:
        self._what, self._total, self._first, self._done = what, total, done, done
        self._after_first = self._told = 0.0

    def step(self, done: int, more: str = "") -> None:
        """Say how far it is, at most every 10 seconds, and at the end."""
        now = time.monotonic()
        if self._done == self._first:
            self._after_first, self._first = now, done
        self._done = done
        if now - self._told < 10 and done < self._total:
            return
        self._told = now
        steps = done - self._first
        left = f", {clock((now - self._after_first) / steps * (self._total - done))} left" if steps else ""
        say(f"{self._what} {done:,} of {self._total:,}{left}{more}")


def say(text: str) -> None:
    """One line of the log."""
    print(f"keras-job: {text}", flush=True)


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that under its own name there is all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.tmp")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def json_bytes(value: object) -> bytes:
    """A value as the text of a file."""
    return (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def line_bytes(value: object) -> bytes:
    """A value as one line."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n").encode()


def read_records(path: Path, needs: Sequence[str]) -> tuple[list[Record], str]:
    """Records of a file, or of all `.jsonl` files of a folder in the order of their names, and a digest of them.

    Raises:
        HopelessError: there are none, or lines are not as they should be; the first five are named.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise HopelessError(f"{path}: no such file, or a folder without .jsonl files")
    records: list[Record] = []
    faults: list[str] = []
    digest = hashlib.sha256()
    for file in files:
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            digest.update(line + b"\n")
            if not line.strip():
                continue
            fault = ""
            try:
                record = json.loads(line)
            except ValueError:
                fault = "is no JSON"
            else:
                if not isinstance(record, dict):
                    fault = "is no JSON object"
                else:
                    fault = next((f"has no text {n!r}" for n in needs if not isinstance(record.get(n), str)), "")
            if fault:
                faults.append(f"{file.name} line {number} {fault}")
            else:
                records.append({**record, "_at": f"{file.name} line {number}"})
    if faults:
        more = f", and {len(faults) - 5:,} more" if len(faults) > 5 else ""
        raise HopelessError("; ".join(faults[:5]) + more)
    if not records:
        raise HopelessError(f"{path}: no records")
    return records, digest.hexdigest()


@dataclass
class Run:
    """One run: its arguments, its records, its folder, and what tells it from another run."""

    args: argparse.Namespace
    records: list[Record]
    folder: Path
    identity: dict[str, Any]
    stop: Stop

    @property
    def kept(self) -> Path:
        """Folder of what is done so far."""
        return self.folder / "progress"

    def claim(self) -> None:
        """Take the output folder for this run.

        Raises:
            HopelessError: it has the progress or the result of a run that was asked for something else.
        """
        path = self.kept / "run.json"
        held = read_json(path) or (read_json(self.folder / "result.json") or {}).get("run")
        if held is None:
            write_whole(path, json_bytes(self.identity))
        elif held != self.identity:
            keys = sorted(key for key in {*held, *self.identity} if held.get(key) != self.identity.get(key))
            told = ", ".join(f"{key} {held.get(key)!r} -> {self.identity.get(key)!r}" for key in keys)
            raise HopelessError(f"{self.folder} belongs to another run ({told}); name an empty folder, or empty it")

    def done(self) -> bool:
        """Whether the result of this very run is there."""
        return (read_json(self.folder / "result.json") or {}).get("run") == self.identity

    def finish(self, result: dict[str, Any], name: str) -> None:
        """Write the result, and then take away what was kept on the way."""
        data = (self.folder / name).read_bytes()
        about = {"file": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        write_whole(self.folder / "result.json", json_bytes({"run": self.identity, "output": about, **result}))
        for path in self.kept.iterdir():
            path.unlink()
        self.kept.rmdir()
        say(f"done: {self.folder / 'result.json'}")


def read_json(path: Path) -> dict[str, Any] | None:
    """An object of a file; None where there is none, or only a piece of one."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
