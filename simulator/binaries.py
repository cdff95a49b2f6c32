"""The pinned programs: found on PATH, or built once from Go modules into the user's cache.

The only place of a pin is `tools/<tool>/go.mod`. Standard library only: the set-up runs before the virtual
environment exists.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.errors import SimulatorError

REPOSITORY = Path(__file__).resolve().parent.parent
OLDEST_PULUMI = (3, 245)
VERSION_LIMIT_SECONDS = 10.0


def cache_directory() -> Path:
    """Return the user's cache folder for everything that Servestack builds.

    A relative XDG_CACHE_HOME counts as none, as its specification wants it.

    Raises:
        SimulatorError: There is no home folder to put one in.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():
        return named / "servestack"
    try:
        home = Path.home()
    except RuntimeError as error:
        raise SimulatorError(
            "There is no home folder to keep builds in: HOME is not set, and this user has none.\n"
            "Name a folder: XDG_CACHE_HOME=/some/folder make ..."
        ) from error
    return home / ".cache" / "servestack"


@dataclass(frozen=True)
class Binaries:
    """Absolute paths of the programs that the simulator runs."""

    pulumi: Path
    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kube_scheduler: Path
    kwok: Path
    lws_manager: Path


def _same_minor(found: tuple[int, ...], pinned: tuple[int, ...]) -> bool:
    return found[:2] == pinned[:2]


@dataclass(frozen=True)
class Tool:
    """One folder below `tools/`: a Go module that pins one version and builds one or more programs."""

    name: str
    module: str
    programs: Mapping[str, str]
    """Program name to Go package."""
    usual_minutes: float
    """Cold build on two cores, for the progress line."""
    version_arguments: Sequence[str] = ("--version",)
    version_flags: Callable[[str], Sequence[str]] = lambda _version: ()
    """Linker settings that make the program report its version, as the official builds do."""
    accepts: Callable[[tuple[int, ...], tuple[int, ...]], bool] = _same_minor
    """Whether a version found on PATH will do, given the pinned one."""

    def folder(self, tools: Path) -> Path:
        """Return the Go module that pins this tool."""
        return tools / self.name

    def version(self, tools: Path) -> str:
        """Return the pinned version, such as "v1.36.4".

        Raises:
            SimulatorError: go.mod does not require the module.
        """
        go_mod = self.folder(tools) / "go.mod"
        found = re.search(rf"^\s*(?:require\s+)?{re.escape(self.module)}\s+(v\S+)", go_mod.read_text(), re.M)
        if not found:
            raise SimulatorError(f"{go_mod}: no version of {self.module} is pinned. Restore the file from git.")
        return found[1]

    def key(self, tools: Path) -> str:
        """Return the name in the cache: changes with the version, any dependency, and the platform."""
        folder = self.folder(tools)
        pins = hashlib.sha256((folder / "go.mod").read_bytes() + (folder / "go.sum").read_bytes()).hexdigest()
        machine = platform.machine().lower()
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
        return f"{self.name}-{self.version(tools)}-{pins[:12]}-{platform.system().lower()}-{machine}"


def _kubernetes_flags(version: str) -> Sequence[str]:
    major, minor, _ = version.removeprefix("v").split(".", 2)
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return [f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items()]


TOOLS = (
    Tool(
        name="pulumi",
        module="github.com/pulumi/pulumi/pkg/v3",
        programs={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
        usual_minutes=5.5,
        version_arguments=("version",),
        version_flags=lambda version: [f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}"],
        accepts=lambda found, pinned: found[:2] >= OLDEST_PULUMI and found[0] == pinned[0],
    ),
    Tool(
        name="etcd",
        module="go.etcd.io/etcd/server/v3",
        programs={"etcd": "go.etcd.io/etcd/server/v3"},
        usual_minutes=0.5,
    ),
    Tool(
        name="kwok",
        module="sigs.k8s.io/kwok",
        programs={"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
        usual_minutes=2,
    ),
    Tool(
        name="lws",
        module="sigs.k8s.io/lws",
        programs={"lws-manager": "sigs.k8s.io/lws/cmd"},
        usual_minutes=2,
        version_flags=lambda version: [f"-X sigs.k8s.io/lws/pkg/version.GitVersion={version}"],
    ),
    Tool(
        name="kubernetes",
        module="k8s.io/kubernetes",
        programs={
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        },
        usual_minutes=5,
        version_flags=_kubernetes_flags,
    ),
)


def parse_version(text: str) -> tuple[int, ...] | None:
    """Return the first version in a program's output as numbers, or None when there is none."""
    found = re.search(r"\bv?(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups() if part is not None) if found else None


def find_on_path(tool: Tool, tools: Path) -> dict[str, Path] | None:
    """Return the tool's programs from PATH, or None unless all are there in a version that will do.

    A program inside our own cache or the simulator's home does not count: it is found by its key instead.
    """
    ours = [cache_directory().resolve()]
    if os.environ.get("SERVESTACK_SIMULATOR_HOME"):
        ours.append(Path(os.environ["SERVESTACK_SIMULATOR_HOME"]).resolve())
    search = os.pathsep.join(
        place
        for place in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if not any(folder == Path(place).resolve() or folder in Path(place).resolve().parents for folder in ours)
    )
    pinned = parse_version(tool.version(tools)) or ()
    found: dict[str, Path] = {}
    for program in tool.programs:
        place = shutil.which(program, path=search)
        if place is None or cache_directory().resolve() in Path(place).resolve().parents:
            return None
        version = parse_version(output_of([place, *tool.version_arguments]))
        if version is None or not tool.accepts(version, pinned):
            return None
        found[program] = Path(place).resolve()
    return found


def output_of(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Return what a program says when asked for its version; nothing when it fails or hangs.

    A program that hangs is killed with all that it has started.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            text=True,
            errors="replace",
        )
    except OSError:
        return ""
    try:
        output, errors = process.communicate(timeout=VERSION_LIMIT_SECONDS)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            late = f"it did not tell its version in {VERSION_LIMIT_SECONDS:g} s"
            print(f"{command[0]} is not used: {late}.", file=sys.stderr)
            return ""
        raise
    return (output or errors) if process.returncode == 0 else ""


def find_in_cache(tool: Tool, tools: Path) -> dict[str, Path] | None:
    """Return the tool's programs from the cache, or None when they are not built.

    A folder in the cache is whole by construction: it is renamed into place after the build.
    """
    folder = cache_directory() / tool.key(tools)
    found = {program: folder / program for program in tool.programs}
    return found if folder.is_dir() and all(os.access(place, os.X_OK) for place in found.values()) else None


def locate(tools: Path = REPOSITORY / "tools") -> Binaries:
    """Return where every program is, building what is missing.

    Raises:
        SimulatorError: Something could not be built.
    """
    places: dict[str, Path] = {}
    for tool in TOOLS:
        found = find_on_path(tool, tools) or find_in_cache(tool, tools)
        if found is None:
            from simulator.go_build import build  # only when needed: most runs build nothing

            found = build(tool, tools)
        places.update(found)
    return Binaries(**{name.replace("-", "_"): place for name, place in places.items()})
