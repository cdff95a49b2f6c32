"""Where programs are looked for, on machines that are set up in unusual ways."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator import binaries
from simulator.binaries import REPOSITORY, TOOLS, cache_directory, find_on_path
from simulator.errors import SimulatorError

PULUMI = next(tool for tool in TOOLS if tool.name == "pulumi")
TOOLS_FOLDER = REPOSITORY / "tools"


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `pulumi` first on PATH, to be written."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    program = folder / "pulumi"
    program.touch(mode=0o755)
    return program


def test_a_relative_cache_folder_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache_directory() == Path("/home/someone/.cache/servestack")


def test_a_user_without_a_home_is_told_to_name_a_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(binaries.Path, "home", refuse)
    with pytest.raises(SimulatorError, match="XDG_CACHE_HOME=/some/folder"):
        cache_directory()


def test_a_pulumi_that_hangs_is_given_up_with_all_that_it_started(
    pulumi: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    until: Callable[..., object],
) -> None:
    monkeypatch.setattr(binaries, "VERSION_LIMIT_SECONDS", 0.3)
    child = tmp_path / "child"
    pulumi.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > '{child}'\nwait\n")
    began = time.monotonic()
    assert find_on_path(PULUMI, TOOLS_FOLDER) is None
    assert time.monotonic() - began < 5
    assert f"{pulumi} is not used: it did not tell its version in 0.3 s." in capsys.readouterr().err
    state = Path("/proc", child.read_text().strip(), "stat")
    until(lambda: not state.exists() or state.read_text().split()[2] == "Z", what="the child is gone")


@pytest.mark.parametrize(
    "content", [b"#!/bin/sh\nprintf '\\377\\376'\n", b"#!/no/such/program\n", b"\x7fELF", b"#!/bin/sh\nexit 3\n"]
)
def test_a_pulumi_that_does_not_work_is_not_used(pulumi: Path, content: bytes) -> None:
    pulumi.write_bytes(content)
    assert find_on_path(PULUMI, TOOLS_FOLDER) is None
