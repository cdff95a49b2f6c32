"""The init container of a rendered endpoint, run as it stands against a hub on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.pipeline import Endpoint, build
from infra.render import render
from infra.stack_folder import StackFolder
from tests.conftest import ROOT
from tests.weights.hub import Hub

LIMIT_SECONDS = 60
# A write beyond this many blocks of 512 bytes fails, as it does on a disk that is full.
FULL_AFTER_BLOCKS = 200


@dataclass
class Run:
    """How one run ended: exit code, what it told, its last words, and where its files are."""

    code: int
    told: str
    last_words: str
    folder: Path

    def files(self) -> dict[str, bytes]:
        """Files that an engine would find, by name."""
        hidden = (".verified", ".part")
        return {
            one.name: one.read_bytes()
            for one in sorted(self.folder.rglob("*"))
            if one.is_file() and ".cache" not in one.parts and not one.name.endswith(hidden)
        }


def container(folder: str, name: str) -> tuple[Endpoint, dict[str, Any]]:
    """The init container `weights` of a stack, as rendered."""
    built = build(name, StackFolder(ROOT / folder))
    assert isinstance(built, Endpoint)
    (deployment,) = [
        one
        for one in render(built.workload)
        if one["kind"] == "Deployment" and one["metadata"]["name"] == built.plan.stack
    ]
    (found,) = [one for one in deployment["spec"]["template"]["spec"]["initContainers"] if one["name"] == "weights"]
    return built, found


@dataclass
class Pod:
    """A pod's volumes in a folder of the test; every `run` is one start of its init container."""

    body: dict[str, Any]
    root: Path

    def run(self, hub: Hub, *, token: str = "", full: bool = False, pause: str = "0", tries: str = "6") -> Run:
        """Run the container once. What differs from the rendered one is paths, the hub's address and the pause."""
        for folder in ("cache", "tmp"):
            (self.root / folder).mkdir(exist_ok=True)
        last_words = self.root / "termination-log"
        last_words.unlink(missing_ok=True)
        command = [self._moved(word) for word in self.body["command"]]
        if full:
            limit = f"trap '' XFSZ; ulimit -f {FULL_AFTER_BLOCKS}; exec \"$@\""
            command = ["sh", "-c", limit, "limited", *command]
        env = {one["name"]: self._moved(one["value"]) for one in self.body["env"] if "value" in one}
        env |= {"HF_ENDPOINT": hub.url, "WEIGHTS_PAUSE_SECONDS": pause, "WEIGHTS_TRIES": tries, "PATH": tool_path()}
        if token:
            env["HF_TOKEN"] = token
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False, cwd="/"
        )
        words = last_words.read_text(encoding="utf-8") if last_words.exists() else ""
        return Run(done.returncode, done.stderr, words, self.root / "cache" / "weights")

    def _moved(self, word: str) -> str:
        """A path of the pod as one of the test; the script itself is left as it is."""
        if "\n" in word:
            return word
        for mount, place in (("/cache", "cache"), ("/tmp", "tmp"), ("/dev/termination-log", "termination-log")):
            if word == mount or word.startswith(f"{mount}/"):
                return f"{self.root}/{place}{word.removeprefix(mount)}"
        return word


def tool_path() -> str:
    """Where sh, curl and hf are."""
    return os.pathsep.join([str(Path(sys.executable).parent), *os.environ["PATH"].split(os.pathsep)])


NEEDS_HF = pytest.mark.skipif(shutil.which("hf", path=tool_path()) is None, reason="no command hf (huggingface_hub)")
NEEDS_CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="no command curl")
