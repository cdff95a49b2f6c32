"""`simulate`: stacks brought up, each by itself, in a simulator that is made for it and gone afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator import supervisor
from simulator.binaries import locate
from simulator.engine import Engine, read_json
from simulator.environment import simulator_variables
from simulator.google import machine_types
from simulator.google.faults import Faults
from simulator.google.state import State
from simulator.home import Home
from simulator.pod_times import PodTimes, pod_times
from simulator.stack_contents import StackContents
from simulator.workspace import ensure_workspace

# Machines come at once: how long real ones take is the plan's to say.
_QUICK = {"SERVESTACK_SIMULATOR_PROVISION_SECONDS": "0.2", "SERVESTACK_SIMULATOR_SCAN_SECONDS": "0.2"}
_GRACE_SECONDS = 15.0
_UP = ("up", "--yes", "--skip-preview", "--non-interactive", "--color", "never", "-s")


@dataclass
class Outcome:
    """What came of one stack; times are wall seconds of the simulation.

    Attributes:
        kind: `platform`, `endpoint`, `job`, `managed` or `machine`, which is a stack of a machine that is there.
        state: `ready`, `created`, `refused`, `not scheduled`, `not ready`, `failed` or `not simulated`.
        reason: why it is not ready, in the words of whoever refuses it.
        plan_seconds: until it was checked, with its objects judged by every rule.
        up_seconds: of `pulumi up`.
        ready_seconds: until the engine saw all of it ready; None where it did not.
        start_seconds: what the plan says of a real start; None where nothing starts.
        changes: resources by what was done with them.
    """

    stack: str
    kind: str
    state: str = "failed"
    reason: str = ""
    plan_seconds: float = 0.0
    up_seconds: float = 0.0
    pods: PodTimes = field(default_factory=PodTimes)
    ready_seconds: float | None = None
    start_seconds: int | None = None
    changes: dict[str, int] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether nothing keeps it from being deployed."""
        return self.state in ("ready", "created", "not simulated")

    def to_json(self) -> dict[str, Any]:
        """As `servestack simulate --json` writes it: a contract."""
        return {
            "stack": self.stack,
            "kind": self.kind,
            "state": self.state,
            "reason": self.reason,
            "planSeconds": round(self.plan_seconds, 2),
            "upSeconds": round(self.up_seconds, 2),
            "podsWanted": self.pods.wanted,
            "podsScheduled": self.pods.scheduled,
            "podsReady": self.pods.ready,
            "scheduledSeconds": self.pods.scheduled_seconds,
            "readySeconds": None if self.ready_seconds is None else round(self.ready_seconds, 1),
            "planStartSeconds": self.start_seconds,
            "changes": self.changes,
        }


def simulate(names: Sequence[str], stacks: Path, file: Path, timeout_seconds: float, sold_out: Sequence[str]) -> int:
    """Bring stacks up and write what came of each; 1 where any is not ready.

    Args:
        names: of the stacks.
        stacks: the folder of stack files, which is only read.
        file: JSON that is written when all are done.
        timeout_seconds: after which one `pulumi up` is given up.
        sold_out: machine types that no zone has.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    root = Path(tempfile.mkdtemp(prefix="servestack-simulation-"))
    home = Home(root / "home")
    try:
        os.environ.update({name: value for name, value in _QUICK.items() if name not in os.environ})
        own = root / "stacks"
        own.mkdir()
        for path in (*stacks.glob("*.yaml"), *stacks.glob("servestack.lock")):
            shutil.copy(path, own, follow_symlinks=False)
        run = _Run(home, StackContents(own), timeout_seconds, tuple(sold_out))
        outcomes = list(run.all(names))
    finally:
        with contextlib.suppress(KeyboardInterrupt):
            supervisor.stop(home)
        shutil.rmtree(root, ignore_errors=True)
    file.write_text(json.dumps([one.to_json() for one in outcomes], indent=2) + "\n", encoding="utf-8")
    return 0 if all(one.good for one in outcomes) else 1


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


class _Run:
    """One simulator, and the platforms that are up in it."""

    def __init__(self, home: Home, contents: StackContents, timeout_seconds: float, sold_out: tuple[str, ...]) -> None:
        self._home = home
        self._contents = contents
        self._timeout_seconds = timeout_seconds
        self._sold_out = sold_out
        self._engine: Engine | None = None
        self._platforms: dict[str, str] = {}  # why each is not up; empty where it is

    def all(self, names: Sequence[str]) -> Iterator[Outcome]:
        """One outcome after the other; a platform that is named comes before what runs on it."""
        ordered = sorted(names, key=lambda name: self._contents.kind(name) != "platform")
        for place, name in enumerate(ordered, 1):
            began = time.monotonic()
            print(f"[{place}/{len(ordered)}] {name} ...", file=sys.stderr, flush=True)
            found = self._one(name)
            seconds = time.monotonic() - began
            print(f"[{place}/{len(ordered)}] {name}: {found.state}, {seconds:.1f} s", file=sys.stderr, flush=True)
            yield found

    def _one(self, name: str) -> Outcome:
        outcome = Outcome(name, self._contents.kind(name))
        began = time.monotonic()
        outcome.reason = self._refusal(name)
        outcome.plan_seconds = time.monotonic() - began
        if outcome.reason:
            outcome.state = "refused"
            return outcome
        if outcome.kind == "machine":
            outcome.state, outcome.reason = "not simulated", "it runs on a machine that is there"
            return outcome
        if outcome.kind == "platform":
            outcome.reason = self._platform(name, outcome)
            outcome.state = "failed" if outcome.reason else "created"
            return outcome
        platform = self._contents.platform(name)
        fault = self._platform(platform, Outcome(platform, "platform"))
        if fault:
            outcome.reason = f"its platform {platform} did not come up: {fault}"
            return outcome
        self._endpoint(name, platform, outcome)
        return outcome

    def _endpoint(self, name: str, platform: str, outcome: Outcome) -> None:
        engine, began = self._attached(), time.time()
        plan = read_json(engine.start_reading("servestack", "plan", name, "--json", "--stacks", str(self._folder)))
        outcome.start_seconds = ((plan or {}).get("timing") or {}).get("startupSeconds")
        said = self._up(name, outcome)
        if outcome.kind in ("managed", "job"):
            outcome.state, outcome.reason = ("failed", said) if said else ("created", "")
            return
        outcome.pods = pod_times(self._home, self._contents.context(platform), name, began)
        status = self._status(name)
        if status.get("state") in ("serving", "locked") and not said:
            # The engine has waited for it; stand-ins of kubelets date a pod's own condition back to its creation.
            outcome.state, outcome.ready_seconds = "ready", outcome.up_seconds
            return
        outcome.state = "not ready" if outcome.pods.scheduled else "not scheduled"
        if not outcome.pods.wanted:
            outcome.state = "refused"
        outcome.reason = _findings(status) or said or "not ready in time"

    def _platform(self, name: str, outcome: Outcome) -> str:
        """Bring a platform up once; why it is not, or an empty text."""
        if name not in self._platforms:
            self._attached()
            self._contents.adopt(self._home, name)
            self._platforms[name] = self._up(name, outcome)
        return self._platforms[name]

    def _up(self, name: str, outcome: Outcome) -> str:
        """`pulumi up`: an empty text, or the last things that it said."""
        engine, began = self._attached(), time.monotonic()
        if name not in engine.stacks():
            code, said = self._command("pulumi", "stack", "init", name, "--non-interactive", "--color", "never")
            if code:
                return _tail(said)
        code, said = self._command("pulumi", *_UP, name)
        outcome.up_seconds = time.monotonic() - began
        history = read_json(
            engine.start_reading("pulumi", "stack", "history", "--json", "--page-size", "1", "-s", name)
        )
        outcome.changes = dict(history[0].get("resourceChanges") or {}) if history else {}
        return _tail(said) if code else ""

    def _refusal(self, name: str) -> str:
        """Why `servestack validate` refuses it; empty where it does not."""
        code, said = self._command("servestack", "validate", name, "--stacks", str(self._folder))
        return said.replace(f"{self._folder}/", "").strip() if code else ""

    def _status(self, name: str) -> dict[str, Any]:
        command = ("servestack", "status", name, "--json", "--stacks", str(self._folder))
        output, _ = self._attached().start_reading(*command).communicate()
        try:
            found = json.loads(output)
        except json.JSONDecodeError:
            return {}
        return found if isinstance(found, dict) else {}

    def _command(self, *command: str) -> tuple[int, str]:
        """Run one with its output kept; one that takes too long is asked to end, then ended."""
        engine = self._attached()
        process = subprocess.Popen(
            command,
            cwd=engine.workspace,
            env=engine.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=self._timeout_seconds)
            return process.returncode, said
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            try:
                said, _ = process.communicate(timeout=_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                said = ""
            return 1, f"{said}\nnot done within {self._timeout_seconds:g} s"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def _folder(self) -> Path:
        return self._contents.folder

    def _attached(self) -> Engine:
        if self._engine is None:
            binaries = locate()
            running = supervisor.start(self._home, binaries)
            faults = Faults(State(self._home.root / "google.json"), machine_types.load())
            for machine_type in self._sold_out:
                faults.set_stockout("*", machine_type)
            variables = simulator_variables(self._home, binaries, running.ports, managed_port=running.managed_port)
            self._engine = Engine(self._home, ensure_workspace(self._home, self._folder), variables)
        return self._engine


def _findings(status: dict[str, Any]) -> str:
    """What the control plane says, each message once; that there is no key yet is no fault of the stack."""
    found = {
        one["message"]: one["reason"] for one in reversed(status.get("findings") or []) if one["reason"] != "Missing"
    }
    return "\n".join(f"{reason}: {message}" for message, reason in reversed(found.items()))


def _tail(said: str) -> str:
    """The engine's diagnostics, or else its last lines."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("error:", "* ")) or "error:" in line]
    return "\n".join(dict.fromkeys(errors or lines[-6:]))
