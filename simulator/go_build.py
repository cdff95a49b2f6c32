"""Builds the pinned programs from Go modules into the cache: once, whole or not at all.

Standard library only: the set-up runs before the virtual environment exists.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from simulator import child_process, go_toolchain, progress
from simulator.binaries import Tool, cache_directory, find_in_cache
from simulator.errors import SimulatorError

_SHOWN_LINES = 15


def build(tool: Tool, tools: Path) -> dict[str, Path]:
    """Build every program of a tool, unless another set-up has done it meanwhile.

    The build happens in a temporary sibling that is renamed into place when all is there. Folders that killed
    builds left are removed first.

    Args:
        tool: What to build.
        tools: The folder with one Go module per tool.

    Returns:
        Program name to absolute path.

    Raises:
        SimulatorError: The build failed. The message ends with the last lines of its output.
    """
    key = tool.key(tools)
    final = cache_directory() / key
    _remove_leftovers()
    with go_toolchain.locked(key):
        found = find_in_cache(tool, tools)
        if found:
            return found
        go = go_toolchain.find()
        temporary = final.with_name(f".{key}.building")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        try:
            for program, package in tool.programs.items():
                _build_program(tool, tools, go, program, package, temporary)
            shutil.rmtree(final, ignore_errors=True)
            temporary.rename(final)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return {program: final / program for program in tool.programs}


def _remove_leftovers() -> None:
    """Remove what killed builds left, of this version and of others."""
    for folder in cache_directory().glob(".*.building"):
        with go_toolchain.lock_if_free(folder.name.removeprefix(".").removesuffix(".building")) as is_free:
            if is_free:
                shutil.rmtree(folder, ignore_errors=True)


def _build_program(tool: Tool, tools: Path, go: go_toolchain.Go, program: str, package: str, folder: Path) -> None:
    version = tool.version(tools)
    flags = ["-s", "-w", *tool.version_flags(version)]
    command = [str(go.program), "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-v"]
    command += ["-ldflags", " ".join(flags), "-o", str(folder / program), package]
    log = cache_directory() / "logs" / f"{program}-{version}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    what = f"Building {program} {version} (cold: {tool.usual_minutes:g} min on 2 cores)"
    with progress.step(what) as step, log.open("w") as written:
        process = child_process.start(
            command,
            output=subprocess.PIPE,
            environment=go.environment,
            directory=tool.folder(tools),
            own_group=False,
        )
        assert process.stdout is not None
        packages = 0
        try:
            for line in process.stdout:
                text = line.decode(errors="replace")
                written.write(text)
                downloading = re.match(r"go: downloading (\S+)", text)
                packages += not text.startswith(("go:", "#"))
                step.detail = f"downloading {downloading[1]}" if downloading else f"{packages} packages"
            failed = process.wait() != 0
        finally:
            child_process.stop(process, within_seconds=5)
        if not failed:
            return
    lines = log.read_text().splitlines()
    shown = "\n".join(f"  {line}" for line in lines[-_SHOWN_LINES:])
    raise SimulatorError(
        f"{program} {version} could not be built. The end of the output:\n{shown}\nAll of it: {log}\n"
        "Run the same command again after the cause is gone; what is compiled already is kept."
    )
