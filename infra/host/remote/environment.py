"""The isolated Python environment of a service: made anew whenever its lock changes, from wheels with known hashes."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from infra.host.remote.failures import HostError, last_lines

_PIP = ("install", "--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:")


def ensure(folder: Path, lock: str, package: str, version: str) -> bool:
    """Have an environment with exactly what the lock names.

    Args:
        folder: where it is.
        lock: requirements with hashes.
        package: the engine's, as its folder is named.
        version: which has to be there; another one was put there by hand.

    Returns:
        Whether it was made anew.

    Raises:
        HostError: it cannot be made.
    """
    mark = folder / "lock.sha256"
    seal = f"{hashlib.sha256(lock.encode()).hexdigest()} {sys.version_info[0]}.{sys.version_info[1]}"
    made = mark.read_text(encoding="utf-8") if mark.exists() else ""
    if (folder / "bin" / "python").exists() and made == seal and version_of(folder, package) == version:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    print("environment: installing", file=sys.stderr, flush=True)
    _call([sys.executable, "-m", "venv", str(folder)])
    wanted = folder / "lock.txt"
    wanted.write_text(lock, encoding="utf-8")
    _call([str(folder / "bin" / "python"), "-m", "pip", *_PIP, "--requirement", str(wanted)])
    mark.write_text(seal, encoding="utf-8")
    return True


def lock_of(folder: Path) -> str:
    """SHA-256 of the lock of which an environment was made; empty where there is none."""
    mark = folder / "lock.sha256"
    return mark.read_text(encoding="utf-8").partition(" ")[0] if mark.exists() else ""


def version_of(folder: Path, package: str) -> str:
    """Version of a package that is installed; empty where it is not."""
    found = [one.name for one in folder.glob(f"lib/python3*/site-packages/{package}-*.dist-info")]
    versions = [one[len(package) + 1 : -len(".dist-info")] for one in found]
    return versions[0] if len(versions) == 1 and re.fullmatch(r"[0-9a-z.+]+", versions[0]) else ""


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        said = f"{done.stdout}\n{done.stderr}"
        why = "disk full: " if "No space left" in said else ""
        raise HostError(f"{why}the Python environment cannot be made (exit code {done.returncode}).{last_lines(said)}")
