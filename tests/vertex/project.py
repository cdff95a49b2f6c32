"""The real Pulumi engine on a program with one Model Garden deployment, against a loopback Vertex."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from infra.vertex.clients import ADDRESS_VARIABLE
from infra.vertex.session import PACE_VARIABLES
from simulator.binaries import REPOSITORY, Binaries
from tests.vertex.conftest import WANTED

PROGRAM = """
import json
import pathlib

import pulumi

from infra.components.vertex import ModelGardenDeployment
from infra.vertex.deployment import Deployment

wanted = Deployment(**json.loads(pathlib.Path("wanted.json").read_text()))
made = ModelGardenDeployment("endpoint", wanted)
for name in ("endpoint", "base_url", "dedicated_dns", "request_model", "console_url", "deployed_model_id"):
    pulumi.export(name, getattr(made, name))
"""
TOKEN = "ya29.planted-token-that-nobody-may-see"
LIMIT_SECONDS = 120


class VertexProject:
    """One program, one stack `s`, one backend; everything that was ever printed is kept."""

    def __init__(self, folder: Path, binaries: Binaries, address: str) -> None:
        self.folder = folder / "project"
        self.backend = folder / "backend"
        self.folder.mkdir()
        self.backend.mkdir()
        (self.folder / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
        (self.folder / "__main__.py").write_text(PROGRAM)
        self.said = ""
        fallback = REPOSITORY / "simulator" / "bin-fallback"
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(binaries.pulumi.parent), os.environ["PATH"], str(fallback)]),
            # The plugin imports `infra` as an installed package; here it is this working copy's.
            "PYTHONPATH": str(REPOSITORY),
            "PULUMI_BACKEND_URL": f"{self.backend.as_uri()}?metadata=skip",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            ADDRESS_VARIABLE: address,
            PACE_VARIABLES["poll_seconds"]: "0.05",
            # What a user's shell may hold.
            "GOOGLE_OAUTH_ACCESS_TOKEN": TOKEN,
            "CLOUDSDK_AUTH_ACCESS_TOKEN": TOKEN,
        }
        self.pulumi_program = str(binaries.pulumi)
        self.want()
        self.pulumi("stack", "init")
        self.pulumi("config", "set", "--secret", "gcp:accessToken", TOKEN)

    def want(self, **changes: Any) -> None:
        (self.folder / "wanted.json").write_text(json.dumps(asdict(replace(WANTED, **changes))))

    def pulumi(self, *arguments: str, succeeds: bool = True, errors: bool = False) -> str:
        """Run a command to its end; its output, with what it wrote to stderr where asked."""
        done = subprocess.run(
            [self.pulumi_program, *arguments, "--stack=s", "--color=never", "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        self.said += done.stdout + done.stderr
        assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
        return done.stdout + done.stderr if errors or not succeeds else done.stdout

    def up(self, succeeds: bool = True) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", succeeds=succeeds, errors=True)

    def changes(self, *arguments: str) -> dict[str, int]:
        """Number of resources by what a preview would do; the stack itself and looks left out."""
        told = json.loads(self.pulumi("preview", "--json", *arguments))
        self.said += json.dumps(told)
        steps = [one for one in told["steps"] if "vertex" in one["urn"] and one["op"] != "refresh"]
        return {one["op"]: sum(other["op"] == one["op"] for other in steps) for one in steps}

    def resource(self) -> dict[str, Any] | None:
        """The deployment in the stack's state."""
        state = json.loads(self.pulumi("stack", "export"))["deployment"]
        assert not state.get("pending_operations")
        found = [one for one in state.get("resources", []) if "vertex" in one["type"]]
        assert len(found) <= 1
        return found[0] if found else None

    def start_and_kill(self, at: str, command: str) -> None:
        """Start a command and kill the engine with SIGKILL when a line of its output contains `at`."""
        engine = subprocess.Popen(
            [
                self.pulumi_program,
                command,
                "--yes",
                "--skip-preview",
                "--stack=s",
                "--color=never",
                "--non-interactive",
            ],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert engine.stdout is not None
        said = ""
        for line in engine.stdout:
            said += line
            if at in line:
                engine.send_signal(signal.SIGKILL)
                break
        else:
            raise AssertionError(f"{at!r} never came:\n{said}")
        engine.wait()
        engine.stdout.close()
        self.said += said
