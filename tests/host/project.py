"""The whole program under the real Pulumi engine, with stack files of its own and a Mac on loopback."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from infra.host.locks import FOLDER_VARIABLE
from infra.host.ssh import CONFIG_VARIABLE
from simulator.binaries import REPOSITORY, Binaries
from tests.host.hub import REVISION
from tests.host.mac import NAME, Mac

STACK = "gemma4-e4b-apple-64gb-mlx"
PROGRAM = """
import pathlib

import pulumi

from infra.components.deploy import deploy
from infra.errors import StackError
from infra.pipeline import build
from infra.stack_folder import StackFolder

try:
    deploy(build(pulumi.get_stack(), StackFolder(pathlib.Path("stacks"))))
except StackError as error:
    raise pulumi.RunError(str(error)) from None
"""
LIMIT_SECONDS = 240


class HostProject:
    """One stack; everything that was ever printed is kept in `said`."""

    def __init__(self, folder: Path, binaries: Binaries, mac: Mac) -> None:
        self.folder, self.backend, self.said = folder / "project", folder / "backend", ""
        for one in (self.folder, self.backend, self.folder / "stacks"):
            one.mkdir(parents=True)
        (self.folder / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
        (self.folder / "__main__.py").write_text(PROGRAM)
        fallback = REPOSITORY / "simulator" / "bin-fallback"
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(binaries.pulumi.parent), os.environ["PATH"], str(fallback)]),
            "PYTHONPATH": str(REPOSITORY),
            "PULUMI_BACKEND_URL": f"{self.backend.as_uri()}?metadata=skip",
            "PULUMI_HOME": str(folder / "pulumi-home"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            CONFIG_VARIABLE: str(mac.ssh_config),
            FOLDER_VARIABLE: str(mac.locks),
        }
        self._pulumi = str(binaries.pulumi)
        self.want()
        self.pulumi("stack", "init")

    def want(self, host: dict[str, Any] | None = None, **changes: Any) -> None:
        """Write the stack files."""
        head = {"apiVersion": "servestack/v1"}
        platform = {**head, "kind": "Platform", "host": host or {"address": NAME}}
        endpoint = {
            **head,
            "kind": "Endpoint",
            "platform": "studio",
            "model": "gemma-4-e4b-it",
            "accelerator": "apple-64gb",
            "framework": "mlx",
            "inputs": ["text", "image", "audio"],
            "weights": {"revision": REVISION},
            "longestAnswerSeconds": 5,
            **changes,
        }
        for name, content in (("studio", platform), (STACK, endpoint)):
            (self.folder / "stacks" / f"{name}.yaml").write_text(yaml.safe_dump(content))

    def pulumi(self, *arguments: str, succeeds: bool = True) -> str:
        done = subprocess.run(
            [self._pulumi, *arguments, f"--stack={STACK}", "--color=never", "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        self.said += done.stdout + done.stderr
        assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
        return done.stdout + ("" if succeeds else done.stderr)

    def up(self, succeeds: bool = True) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", succeeds=succeeds)

    def refresh(self, succeeds: bool = True) -> str:
        return self.pulumi("refresh", "--yes", "--skip-preview", succeeds=succeeds)

    def destroy(self, succeeds: bool = True) -> str:
        return self.pulumi("destroy", "--yes", "--skip-preview", succeeds=succeeds)

    def changes(self) -> dict[str, int]:
        told = json.loads(self.pulumi("preview", "--json"))
        steps = [one["op"] for one in told["steps"] if "HostService" in one["urn"] and one["op"] != "same"]
        return {one: steps.count(one) for one in steps}

    def services(self) -> list[dict[str, Any]]:
        """The services in the stack's state."""
        state = json.loads(self.pulumi("stack", "export"))["deployment"]
        return [one for one in state.get("resources", []) if "HostService" in one["type"]]

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json"))
        return found
