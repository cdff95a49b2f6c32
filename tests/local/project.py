"""The unchanged program under the real Pulumi engine, with a data folder and stack files of the test's own."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import requests
import yaml

from infra.local.home import VARIABLE
from simulator.binaries import REPOSITORY, Binaries

LIMIT_SECONDS = 120
TINY = "gemma4-tiny-local"


def free_port() -> int:
    """A free port below those that the system gives to whoever asks for any: the engine takes some of them."""
    for port in random.sample(range(20000, 30000), 50):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


class LocalProject:
    """One backend and one data folder; everything that was ever printed is kept."""

    def __init__(self, folder: Path, binaries: Binaries, path: str = "") -> None:
        self.folder, self.backend, self.data = folder / "project", folder / "backend", folder / "data"
        self.folder.mkdir()
        self.backend.mkdir()
        for name in ("Pulumi.yaml", "infra", "manifests"):
            (self.folder / name).symlink_to(REPOSITORY / name)
        self.stacks = self.folder / "stacks"
        self.stacks.mkdir()
        for name in ("laptop", TINY):
            shutil.copy(REPOSITORY / "stacks" / f"{name}.yaml", self.stacks)
        self.said = ""
        self.port = free_port()
        self.program = str(binaries.pulumi)
        fallback = REPOSITORY / "simulator" / "bin-fallback"
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join(
                one for one in (path, str(binaries.pulumi.parent), os.environ["PATH"], str(fallback)) if one
            ),
            "PYTHONPATH": str(REPOSITORY),
            "PULUMI_BACKEND_URL": f"{self.backend.as_uri()}?metadata=skip",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            VARIABLE: str(self.data),
        }
        self.write(TINY, expose={"port": self.port})

    def write(self, stack: str, **changes: Any) -> None:
        """Change fields of a stack file; None removes one."""
        file = self.stacks / f"{stack}.yaml"
        content = yaml.safe_load(file.read_text()) if file.exists() else {}
        content = {key: value for key, value in (content | changes).items() if value is not None}
        file.write_text(yaml.safe_dump(content, sort_keys=False))

    def pulumi(self, *arguments: str, stack: str = TINY, succeeds: bool = True) -> str:
        done = subprocess.run(
            [self.program, *arguments, "--stack", stack, "--color=never", "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        self.said += done.stdout + done.stderr
        assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
        return done.stdout if succeeds else done.stdout + done.stderr

    def up(self, stack: str = TINY, *, succeeds: bool = True) -> str:
        if not (self.backend / ".pulumi" / "stacks" / "servestack" / f"{stack}.json").exists():
            self.pulumi("stack", "init", stack=stack)
        return self.pulumi("up", "--yes", "--skip-preview", stack=stack, succeeds=succeeds)

    def destroy(self, stack: str = TINY) -> None:
        self.pulumi("destroy", "--yes", "--skip-preview", stack=stack)

    def outputs(self, stack: str = TINY) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json", stack=stack))
        return found

    def status(self, stack: str = TINY) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "services" / stack / "status.json").read_text())
        return found

    def key(self, stack: str = TINY) -> str:
        return (self.data / "services" / stack / "key").read_text().strip()

    def ask(self, path: str = "/v1/models", port: int | None = None, key: str | None = None) -> requests.Response:
        heads = {"Authorization": f"Bearer {self.key() if key is None else key}"}
        return requests.get(f"http://127.0.0.1:{port or self.port}{path}", headers=heads, timeout=10)

    def providers(self) -> list[Path]:
        """Processes of dynamic resources that were started for this project."""
        return [one for one in Path("/proc").glob("[0-9]*") if self._is_provider(one)]

    def _is_provider(self, process: Path) -> bool:
        try:
            words, variables = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:  # it ended meanwhile
            return False
        return b"pulumi.dynamic" in words and str(self.data).encode() in variables

    def processes(self) -> list[str]:
        """Command lines of this project's services, supervisors and servers alike."""
        shown = subprocess.run(["ps", "-eww", "-o", "pid,args"], capture_output=True, text=True, check=True).stdout
        servers = [f"--port {self.port}", str(self.data)]
        return [line for line in shown.splitlines() if any(word in line for word in servers)]
