"""Stack files of managed endpoints, and runs of `servestack plan X --live` on them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main
from simulator.managed import server
from simulator.managed.routing import Request, Route
from simulator.managed.world import World
from tests.unit.files import PLATFORM

SECRETS = {
    "GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.planted-access-token",
    "CLOUDSDK_AUTH_ACCESS_TOKEN": "ya29.planted-access-token",
    "GEMINI_API_KEY": "AIzaSyPlanted0123456789abcdefghijklmnopqr",
}
_HEAD = "apiVersion: servestack/v1\nkind: Endpoint\n"
FILES = {
    "cloud": "apiVersion: servestack/v1\nkind: Platform\ngoogle: {project: shop-prod, location: us-central1}\n",
    "dev": PLATFORM,
    "gemma4-31b-vertex": f"{_HEAD}platform: cloud\nmodel: gemma-4-31b-it\naccelerator: h100\nframework: vertex\n",
    "gemma4-31b-vertex-accepts": f"{_HEAD}platform: cloud\nmodel: gemma-4-31b-it\naccelerator: h100\n"
    "framework: vertex\nvertex: {acceptLicence: true}\n",
    "gemma4-31b-vertex-verified": f"{_HEAD}platform: cloud\nmodel: gemma-4-31b-it\naccelerator: h100\n"
    "framework: vertex\nvertex: {container: verified}\n",
    "gemma4-26b-a4b-vertex": f"{_HEAD}platform: cloud\nmodel: gemma-4-26b-a4b-it\naccelerator: rtxpro6000\n"
    "framework: vertex\n",
    "gemma4-26b-a4b-vertex-serverless": f"{_HEAD}platform: cloud\nmodel: gemma-4-26b-a4b-it\nframework: vertex\n"
    "vertex: {serverless: true}\n",
    "gemma4-31b-gemini": f"{_HEAD}platform: cloud\nmodel: gemma-4-31b-it\nframework: gemini\n",
    "gemma4-31b-h100": f"{_HEAD}platform: dev\nmodel: gemma-4-31b-it\naccelerator: h100\nframework: vllm\n"
    "capacity: [spot]\n",
}


@dataclass(frozen=True)
class Run:
    """How a run ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def live(self) -> dict[str, Any]:
        """Key `live` of its JSON."""
        found: dict[str, Any] = json.loads(self.out)["live"]
        return found


class Runs:
    """`servestack plan` in a folder of stack files; no run prints a traceback, a long line or a secret."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capfd = capfd
        for name, text in FILES.items():
            (folder / f"{name}.yaml").write_text(text)

    def plan(self, *arguments: str) -> Run:
        self._capfd.readouterr()
        code = main(["plan", *arguments, "--stacks", str(self._folder)])
        out, err = self._capfd.readouterr()
        assert "Traceback" not in out + err
        assert "a fault of ours" not in err
        assert not [one for one in SECRETS.values() if one in out + err]
        return Run(code, out, err)

    def live(self, stack: str) -> Run:
        """Ask in text; what follows the plan, which is printed first whatever happens."""
        plain = self.plan(stack).out
        done = self.plan(stack, "--live")
        assert done.out.startswith(plain)
        after = done.out.removeprefix(plain)
        assert max((len(line) for line in (after + done.err).splitlines()), default=0) <= 80, after + done.err
        return Run(done.code, after, done.err)


def answer_with(monkeypatch: pytest.MonkeyPatch, route: str, pattern: str, body: Any) -> None:
    """Make the loopback server answer calls of a path that are read with this body."""

    def answer(_world: World, _request: Request) -> Any:
        return body

    monkeypatch.setattr(server, "ROUTES", (Route(route, "GET", re.compile(pattern), answer), *server.ROUTES))
