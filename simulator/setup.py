"""Everything that a fresh clone needs: `python3 -m simulator.setup`. Runs in well under a second when done.

Standard library only, as it runs before the virtual environment exists.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from simulator import custom_resources, progress
from simulator.binaries import REPOSITORY, locate
from simulator.errors import SimulatorError, system_error
from simulator.home import Home

OLDEST_PYTHON = (3, 11)
_PINS = ("requirements.txt", "tools/build-requirements.txt")
_SHOWN_LINES = 15


def check_python() -> None:
    """Refuse a Python that is too old or cannot make virtual environments.

    Raises:
        SimulatorError: With the next step.
    """
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SimulatorError(
            f"Python {found} is too old: 3.11 or newer is needed.\nName one: make PYTHON=python3.12 up STACK=..."
        )
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        raise SimulatorError(
            f"{sys.executable} has no 'venv' or 'ensurepip' module, so it cannot make .venv.\n"
            "On Debian and Ubuntu: sudo apt-get install python3-venv"
        )


def ensure_environment(repository: Path = REPOSITORY) -> bool:
    """Make `.venv` with the pinned dependencies and the project, unless it is there and up to date.

    The stamp is written last, so an interrupted installation is done again from the start.

    Args:
        repository: The project's root.

    Returns:
        Whether anything was installed.

    Raises:
        SimulatorError: pip failed. The message ends with the last lines of its output.
    """
    environment = repository / ".venv"
    stamp = environment / "servestack-stamp"
    wanted = _fingerprint(repository)
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    with Home(repository / ".servestack").locked("setup", "another set-up of this clone"):
        if stamp.exists() and stamp.read_text() == wanted:
            return False
        _install(repository, environment, stamp)
        stamp.write_text(wanted)
    return True


def _install(repository: Path, environment: Path, stamp: Path) -> None:
    log = repository / ".servestack" / "logs" / "setup.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    python = environment / "bin" / "python"
    if not stamp.exists() or not python.exists():
        shutil.rmtree(environment, ignore_errors=True)
        _run("Making .venv", log, repository, [sys.executable, "-m", "venv", str(environment)])
    stamp.unlink(missing_ok=True)
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-deps"]
    for pins in _PINS:
        pinned = ["--require-hashes", "-r", str(repository / pins)]
        _run(f"Installing {pins} into .venv", log, repository, [*pip, *pinned])
    project = ["--no-build-isolation", "-e", str(repository)]
    _run("Installing the project into .venv", log, repository, [*pip, *project])


def _fingerprint(repository: Path) -> str:
    """Return what an installation depends on; the settings of linters and tests are not part of it."""
    digest = hashlib.sha256(repr((sys.version_info[:3], str(repository))).encode())
    for pins in _PINS:
        digest.update((repository / pins).read_bytes())
    with (repository / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    installed = [project["project"], project["build-system"], project["tool"]["setuptools"]]
    digest.update(json.dumps(installed).encode())
    return digest.hexdigest()


def _run(what: str, log: Path, repository: Path, command: Sequence[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with progress.step(what), log.open("a") as output:
        code = subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, cwd=repository, env=environment, check=False
        ).returncode
        if code == 0:
            return
        lines = log.read_text(errors="replace").splitlines()
        shown = "\n".join(f"  {line}" for line in lines[-_SHOWN_LINES:])
        raise SimulatorError(
            f"{what} failed. The end of the output:\n{shown}\nAll of it: {log}\n"
            "Run the same command again after the cause is gone."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the set-up; return the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m simulator.setup", description=__doc__)
    parser.add_argument("--only-python", action="store_true", help="make .venv, and build no programs")
    options = parser.parse_args(arguments)
    try:
        check_python()
        ensure_environment()
        if not options.only_python:
            locate()
            custom_resources.locate()
    except SimulatorError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(system_error(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. Run the same command again; it goes on where it stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
