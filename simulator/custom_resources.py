"""The custom resource definitions of a production cluster: read once from pinned Go modules, kept in the user's cache.

The only place of a pin is `tools/crds/go.mod` with its `go.sum`. Standard library only: the set-up runs before the
virtual environment exists.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator import go_toolchain, progress
from simulator.binaries import REPOSITORY, cache_directory
from simulator.errors import SimulatorError

WRITTEN_HERE = Path(__file__).parent / "crds"
ADD_ONS_VARIABLE = "SERVESTACK_SIMULATOR_ADD_ONS"
_SHOWN_LINES = 15
_LAYOUT = b"1"
"""Part of the key: changes when this file stores something else for the same pins."""


@dataclass(frozen=True)
class Source:
    """Definitions of one origin.

    Attributes:
        files: Paths in the module, or names of files that are written here.
        module: The Go module; empty for those that are written here.
        by_gke: Whether GKE installs them itself. The others are add-ons that a platform team installs.
        for_gitops: Whether they are of what applies a rendered tree. `examples/` is judged by them; no simulated
            cluster has them.
    """

    files: Sequence[str]
    module: str = ""
    by_gke: bool = False
    for_gitops: bool = False


def _named(pattern: str, *names: str) -> Sequence[str]:
    return tuple(pattern.format(name) for name in names)


SOURCES = (
    # With the Gateway API's standard channel (gateway_api_config) GKE installs its classes and its own policies, and
    # from 1.34.0-gke.1626000 on the InferencePool; managed Prometheus and FQDN policies come with their settings.
    Source(
        module="sigs.k8s.io/gateway-api",
        files=_named(
            "config/crd/standard/gateway.networking.k8s.io_{}.yaml",
            *("gatewayclasses", "gateways", "httproutes", "referencegrants"),
        ),
        by_gke=True,
    ),
    Source(
        module="github.com/GoogleCloudPlatform/gke-gateway-api",
        files=_named(
            "config/crd/networking.gke.io_{}.yaml",
            *("gcpbackendpolicies", "gcpgatewaypolicies", "healthcheckpolicies"),
            *("gcpsessionaffinitypolicies", "gcptrafficdistributionpolicies"),
        ),
        by_gke=True,
    ),
    Source(
        module="github.com/GoogleCloudPlatform/gke-networking-api",
        files=_named("config/crds/networking.gke.io_{}.yaml", "fqdnnetworkpolicies"),
        by_gke=True,
    ),
    Source(
        module="sigs.k8s.io/gateway-api-inference-extension",
        files=_named("config/crd/bases/inference.networking.k8s.io_{}.yaml", "inferencepools"),
        by_gke=True,
    ),
    Source(
        module="github.com/GoogleCloudPlatform/prometheus-engine",
        files=_named(
            "charts/operator/crds/monitoring.googleapis.com_{}.yaml",
            *("podmonitorings", "clusterpodmonitorings", "rules", "clusterrules", "globalrules"),
        ),
        by_gke=True,
    ),
    Source(
        module="github.com/kedacore/keda/v2",
        files=_named(
            "config/crd/bases/keda.sh_{}.yaml",
            *("scaledobjects", "triggerauthentications", "clustertriggerauthentications"),
        ),
    ),
    Source(
        module="github.com/prometheus-operator/prometheus-operator",
        files=_named(
            "example/prometheus-operator-crd/monitoring.coreos.com_{}.yaml",
            *("podmonitors", "prometheusrules", "servicemonitors"),
        ),
    ),
    Source(
        module="sigs.k8s.io/lws",
        files=_named("config/crd/bases/leaderworkerset.x-k8s.io_{}.yaml", "leaderworkersets"),
    ),
    Source(
        files=_named(
            "{}.yaml",
            "computeclasses.cloud.google.com",
            *("secretproviderclasses.secrets-store.csi.x-k8s.io", "secretsyncs.secret-sync.gke.io"),
        ),
        by_gke=True,
    ),
    Source(
        files=_named(
            "{}.yaml",
            "disaggregatedsets.disaggregatedset.x-k8s.io",
            *("inferenceobjectives.llm-d.ai", "interceptorroutes.http.keda.sh"),
        )
    ),
    Source(
        module="github.com/argoproj/argo-cd/v3",
        files=_named("manifests/crds/{}-crd.yaml", "application", "applicationset", "appproject"),
        for_gitops=True,
    ),
    Source(
        module="github.com/fluxcd/kustomize-controller",
        files=_named("config/crd/bases/kustomize.toolkit.fluxcd.io_{}.yaml", "kustomizations"),
        for_gitops=True,
    ),
    Source(
        module="github.com/fluxcd/source-controller",
        files=_named("config/crd/bases/source.toolkit.fluxcd.io_{}.yaml", "gitrepositories"),
        for_gitops=True,
    ),
)


@dataclass(frozen=True)
class Pin:
    """A module at the version and the checksum (h1 of its zip) that the repository names."""

    module: str
    version: str
    checksum: str


def pins(tools: Path = REPOSITORY / "tools") -> Mapping[str, Pin]:
    """Return the pin of every module.

    Raises:
        SimulatorError: A module has no version in go.mod, or no checksum in go.sum.
    """
    go_mod, go_sum = (tools / "crds" / name for name in ("go.mod", "go.sum"))
    found = {}
    for module in (source.module for source in SOURCES if source.module):
        version = re.search(rf"^\s*(?:require\s+)?{re.escape(module)}\s+(v\S+)", go_mod.read_text(), re.M)
        if not version:
            raise SimulatorError(f"{go_mod}: no version of {module} is pinned. Restore the file from git.")
        line = rf"^{re.escape(module)} {re.escape(version[1])} (h1:\S+)$"
        checksum = re.search(line, go_sum.read_text(), re.M)
        if not checksum:
            raise SimulatorError(
                f"{go_sum}: no checksum of {module} {version[1]} is pinned. Restore the file from git."
            )
        found[module] = Pin(module, version[1], checksum[1])
    return found


def key(tools: Path = REPOSITORY / "tools") -> str:
    """Return the name in the cache: changes with every pin and with the files that are taken."""
    digest = hashlib.sha256(_LAYOUT + repr([pins(tools), SOURCES]).encode())
    return f"crds-{digest.hexdigest()[:12]}"


def has_add_ons(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether clusters get the definitions of add-ons; SERVESTACK_SIMULATOR_ADD_ONS=none leaves them out.

    Raises:
        SimulatorError: The variable says something else.
    """
    value = environment.get(ADD_ONS_VARIABLE, "all")
    if value not in ("all", "none"):
        raise SimulatorError(f"{ADD_ONS_VARIABLE} is {value!r}: say all or none.")
    return value == "all"


def locate(tools: Path = REPOSITORY / "tools", *, add_ons: bool = True, gitops: bool = False) -> list[Path]:
    """Return the files of all definitions, YAML with one object each, fetching what is not in the cache.

    Args:
        tools: The folder with one Go module per tool.
        add_ons: Whether to include what GKE itself does not install.
        gitops: Whether to include those of Argo CD and Flux, which no simulated cluster has.

    Raises:
        SimulatorError: They could not be fetched. The message ends with the last lines of what Go said.
    """
    folder = cache_directory() / key(tools)
    if not folder.is_dir():
        _fetch(folder, tools)
    found = []
    for source in SOURCES:
        if gitops if source.for_gitops else add_ons or source.by_gke:
            home = folder / source.module if source.module else WRITTEN_HERE
            found += [home / Path(file).name for file in source.files]
    return found


def _fetch(final: Path, tools: Path) -> None:
    """Fill a folder of the cache: whole by construction, as it is renamed into place at the end."""
    with go_toolchain.locked(final.name):
        if final.is_dir():
            return
        temporary = final.with_name(f".{final.name}.building")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        try:
            with progress.step("Fetching custom resource definitions (cold: 0.5 min)") as step:
                for pin in pins(tools).values():
                    step.detail = pin.module
                    module = _download(pin, tools, temporary / "modules")
                    _keep(pin, module, temporary / "kept" / pin.module)
            (temporary / "kept").rename(final)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _download(pin: Pin, tools: Path, modules: Path) -> Path:
    """Download one module into a folder of its own, as some are large and only few files are kept.

    Go compares it with the checksum in go.sum, which `pins` has seen there.
    """
    go = go_toolchain.find()
    users = subprocess.run(
        [str(go.program), "env", "GOMODCACHE", "GOPROXY"],
        env=go.environment,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    environment = {**go.environment, "GOFLAGS": "-modcacherw", "GOMODCACHE": str(modules)}
    if len(users) == 2:  # what the user has already is not downloaded again
        environment["GOPROXY"] = f"{(Path(users[0]) / 'cache' / 'download').as_uri()},{users[1]}"
    run = subprocess.run(
        [str(go.program), "mod", "download", "-json", f"{pin.module}@{pin.version}"],
        env=environment,
        cwd=tools / "crds",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    try:
        answer = json.loads(run.stdout)
    except json.JSONDecodeError:
        answer = {}
    if run.returncode or "Dir" not in answer:
        said = str(answer.get("Error", run.stdout)).splitlines()
        shown = "\n".join(f"  {line}" for line in said[-_SHOWN_LINES:])
        raise SimulatorError(
            f"The custom resource definitions of {pin.module} {pin.version} could not be downloaded:\n{shown}\n"
            "Run the same command again when the Go module proxy can be reached."
        )
    return Path(answer["Dir"])


def _keep(pin: Pin, module: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for source in SOURCES:
        for file in source.files if source.module == pin.module else ():
            if not (module / file).is_file():
                raise SimulatorError(f"{pin.module} {pin.version} has no {file}. Correct {Path(__file__).name}.")
            shutil.copyfile(module / file, folder / Path(file).name)
    licence = next(module.glob("LICENSE*"), None)
    if licence:
        shutil.copyfile(licence, folder / "LICENSE")
