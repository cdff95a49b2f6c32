"""Running `pulumi` itself, literally, in a workspace with the simulator's environment."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.home import Home

PROJECT = "servestack"


@dataclass(frozen=True)
class Engine:
    """The engine in one workspace.

    Attributes:
        home: The simulator's folder.
        workspace: Where it runs.
        variables: What differs from the shell's environment.
    """

    home: Home
    workspace: Path
    variables: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of a command."""
        return dict(os.environ) | dict(self.variables)

    def run(self, *command: str) -> int:
        """Print a command, run it with its output passed through, and return its exit code.

        A command that a signal ended has 128 plus the signal's number, as in a shell. Ctrl-C reaches the
        command, which ends in its own way; this waits for it.

        Raises:
            KeyboardInterrupt: After a command that was interrupted has ended.
        """
        print(f"\n$ {shlex.join(command)}", flush=True)
        process = subprocess.Popen(command, cwd=self.workspace, env=self.environment)
        interrupted = False
        while True:
            try:
                code = process.wait()
                break
            except KeyboardInterrupt:
                interrupted = True
        if interrupted:
            raise KeyboardInterrupt
        return code if code >= 0 else 128 - code

    def start_reading(self, *command: str) -> subprocess.Popen[str]:
        """Start a command whose standard output is read with `read_json`."""
        return subprocess.Popen(
            command,
            cwd=self.workspace,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def stacks(self) -> list[str]:
        """Return the names of all stacks in the backend, sorted."""
        return sorted(file.stem for file in self._state_folder.glob("*.json"))

    def has_cluster(self, stack: str) -> bool:
        """Whether a stack of the backend holds a GKE cluster, which others may run on."""
        file = self._state_folder / f"{stack}.json"
        return file.exists() and "gcp:container/cluster:Cluster" in file.read_text()

    def is_local(self, stack: str) -> bool:
        """Whether a stack of the backend is a service of this machine, and needs no simulator."""
        return "dynamic/local:Service" in (self._state_folder / f"{stack}.json").read_text()

    def ensure_stack(self, stack: str) -> int:
        """Make a stack where it is missing; return the exit code."""
        if stack in self.stacks():
            return 0
        return self.run("pulumi", "stack", "select", "-c", stack)

    def was_interrupted(self, stack: str) -> bool:
        """Whether a run whose process is gone has left its lock on a stack."""
        locks = self.home.backend / ".pulumi" / "locks" / "organization" / PROJECT / stack
        pids = []
        for lock in locks.glob("*.json"):
            try:
                pids.append(int(json.loads(lock.read_text())["pid"]))
            except FileNotFoundError:  # freed just now
                continue
            except (ValueError, KeyError, TypeError):  # the engine itself says what it makes of this one
                return False
        return bool(pids) and not any(_is_engine(pid) for pid in pids)

    @property
    def _state_folder(self) -> Path:
        return self.home.backend / ".pulumi" / "stacks" / PROJECT


def _is_engine(pid: int) -> bool:
    """Whether an engine has this number; after a while the system gives the number of a dead one to others."""
    try:
        return b"pulumi" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def read_json(process: subprocess.Popen[str]) -> Any:
    """Wait for a command of `Engine.start_reading`; return its output, or None when it failed."""
    output, _ = process.communicate()
    if process.returncode:
        return None
    try:
        return json.loads(output)
    except json.JSONDecodeError:
        return None
