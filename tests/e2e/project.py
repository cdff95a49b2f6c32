"""The unchanged program in a simulator of its own, with stack files that a test may write."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import requests
import yaml

from simulator import supervisor
from simulator.binaries import REPOSITORY, Binaries, locate
from simulator.environment import simulator_variables
from simulator.google import machine_types
from simulator.google.faults import Faults
from simulator.google.state import State
from simulator.home import Home
from simulator.workspace import ensure_workspace

T = TypeVar("T")
LIMIT_SECONDS = 120
# Machines come at once: what is tested is what happens then.
QUICK = {"SERVESTACK_SIMULATOR_PROVISION_SECONDS": "0.2", "SERVESTACK_SIMULATOR_SCAN_SECONDS": "0.2"}
# Gives up soon, and stops at once.
BRIEF_ENDPOINT: dict[str, Any] = {
    "apiVersion": "servestack/v1",
    "kind": "Endpoint",
    "platform": "dev",
    "model": "gemma-4-e4b-it",
    "accelerator": "l4",
    "framework": "vllm",
    "startupTimeoutSeconds": 10,
    "longestAnswerSeconds": 1,
}
SERVESTACK = REPOSITORY / ".venv" / "bin" / "servestack"


class Project:
    """One simulator, one backend, one folder of stack files."""

    def __init__(self, folder: Path, binaries: Binaries) -> None:
        self.home = Home(folder / "home")
        self.stacks = folder / "stacks"
        shutil.copytree(REPOSITORY / "stacks", self.stacks)
        os.environ |= QUICK
        running = supervisor.start(self.home, binaries)
        self.workspace = ensure_workspace(self.home, self.stacks)
        variables = simulator_variables(self.home, binaries, running.ports, managed_port=running.managed_port)
        self.environment = dict(os.environ) | variables
        self.supervisor_pid = running.pid

    def close(self) -> None:
        supervisor.stop(self.home)

    def write(self, stack: str, **changes: Any) -> None:
        """Change fields of a stack file; None removes one."""
        file = self.stacks / f"{stack}.yaml"
        content = yaml.safe_load(file.read_text()) if file.exists() else {}
        content = {key: value for key, value in (content | changes).items() if value is not None}
        file.write_text(yaml.safe_dump(content, sort_keys=False))

    def restore(self, stack: str) -> None:
        shutil.copy(REPOSITORY / "stacks" / f"{stack}.yaml", self.stacks)

    def pulumi(self, *arguments: str, expect: int = 0, cwd: Path | None = None) -> str:
        """Run `pulumi` to its end; its whole output, colourless. `expect` is the exit code, -1 for any failure."""
        try:
            done = subprocess.run(
                ["pulumi", *arguments, "--color", "never", "--non-interactive"],
                cwd=cwd or self.workspace,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=LIMIT_SECONDS,
            )
        except subprocess.TimeoutExpired as late:
            os.kill(self.supervisor_pid, signal.SIGUSR1)
            said = (late.output or b"").decode()
            raise AssertionError(f"pulumi {' '.join(arguments)}: not within {LIMIT_SECONDS} s\n{said}") from None
        failed = done.returncode != 0 if expect == -1 else done.returncode == expect
        assert failed, f"pulumi {' '.join(arguments)} -> {done.returncode}\n{done.stdout}"
        return done.stdout

    def up(self, stack: str, *arguments: str, expect: int = 0) -> str:
        if stack not in self.stack_names():
            self.pulumi("stack", "select", "-c", stack)
        return self.pulumi("up", "--yes", "--skip-preview", "-s", stack, *arguments, expect=expect)

    def unchanged(self, stack: str) -> None:
        """See that neither the program nor the cloud has anything new to say of a stack that is up."""
        self.pulumi("preview", "--expect-no-changes", "-s", stack)
        self.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "-s", stack)

    def stack_names(self) -> set[str]:
        return {file.stem for file in (self.home.backend / ".pulumi" / "stacks" / "servestack").glob("*.json")}

    def resources(self, stack: str) -> dict[str, dict[str, Any]]:
        """State of a stack: resource by the last two parts of its URN."""
        state = json.loads(self.pulumi("stack", "export", "-s", stack))["deployment"]
        assert not state.get("pending_operations")
        found = state.get("resources", [])
        return {"::".join(one["urn"].split("::")[-2:]).rpartition("$")[2]: one for one in found}

    def servestack(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(SERVESTACK), *arguments, "--stacks", "stacks"]
        return subprocess.run(
            command, cwd=self.workspace, env=self.environment, capture_output=True, text=True, timeout=120
        )

    def start_up_and_kill(self, stack: str, at: str) -> None:
        """Start `up` and kill the engine with SIGKILL when a line of its output contains `at`."""
        if stack not in self.stack_names():
            self.pulumi("stack", "select", "-c", stack)
        engine = subprocess.Popen(
            ["pulumi", "up", "--yes", "--skip-preview", "-s", stack, "--color", "never"],
            cwd=self.workspace,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        said = []
        assert engine.stdout is not None
        for line in engine.stdout:
            said.append(line)
            if at in line:
                engine.send_signal(signal.SIGKILL)
                break
        else:
            raise AssertionError(f"{at!r} never came:\n{''.join(said)}")
        engine.wait()
        engine.stdout.close()

    @property
    def faults(self) -> Faults:
        return Faults(State(self.home.root / "google.json"), machine_types.load())

    def api(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", *, cluster: str = ""
    ) -> Any:
        """One call of a cluster's API (the first one's where none is named) as its administrator; None for 404."""
        answer = self._ask(method, path, None if body is None else json.dumps(body), content_type, cluster)
        if answer.status_code == 404:
            return None
        assert answer.ok, answer.text
        return answer.json()

    def lines(self, path: str) -> list[str]:
        """Lines of a watch that ends by itself."""
        answer = self._ask("GET", path, None, "application/json")
        assert answer.ok, answer.text
        return answer.text.splitlines()

    def _ask(self, method: str, path: str, body: str | None, content_type: str, named: str = "") -> requests.Response:
        config = yaml.safe_load(self.home.kubeconfig.read_text())
        cluster = next(one["cluster"] for one in config["clusters"] if one["name"].endswith(named))
        authority = self.home.root / f"ca-{named}.pem"
        authority.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        return requests.request(
            method,
            f"{cluster['server']}{path}",
            data=body,
            headers={"Authorization": f"Bearer {self.home.token}", "Content-Type": content_type},
            verify=str(authority),
            timeout=10,
        )

    def deployment(self, stack: str, cluster: str = "") -> Any:
        return self.api("GET", f"/apis/apps/v1/namespaces/{stack}/deployments/{stack}", cluster=cluster)

    def nodes(self, stack: str, cluster: str = "") -> list[Any]:
        query = f"labelSelector=servestack.dev/endpoint={stack}"
        return list(self.api("GET", f"/api/v1/nodes?{query}", cluster=cluster)["items"])

    def google(self) -> dict[str, Any]:
        """What the simulated Google Cloud has and remembers."""
        return State(self.home.root / "google.json").read()


@contextlib.contextmanager
def fresh(folder: Path) -> Iterator[Project]:
    """A project in which nothing was ever made."""
    made = Project(folder, locate())
    try:
        yield made
    finally:
        made.close()


def until(check: Callable[[], T], within_seconds: float = 30) -> T:
    """Poll until `check` returns something true."""
    deadline = time.monotonic() + within_seconds
    while True:
        found = check()
        if found or time.monotonic() > deadline:
            assert found, f"not within {within_seconds:g} s; last seen {found!r}"
            return found
        time.sleep(0.05)
