"""The programs that Servestack is compared with, pinned in `tools/` and built by `make bench` alone."""

from __future__ import annotations

from pathlib import Path

from simulator.binaries import REPOSITORY, Tool, find_in_cache
from simulator.go_build import build

_TOOLS = (
    Tool(
        name="helm",
        module="helm.sh/helm/v4",
        programs={"helm": "helm.sh/helm/v4/cmd/helm"},
        usual_minutes=2,
        version_flags=lambda version: [f"-X helm.sh/helm/v4/internal/version.version={version}"],
    ),
    Tool(
        name="kustomize",
        module="sigs.k8s.io/kustomize/kustomize/v5",
        programs={"kustomize": "sigs.k8s.io/kustomize/kustomize/v5"},
        usual_minutes=0.5,
        version_flags=lambda version: [f"-X sigs.k8s.io/kustomize/api/provenance.version={version}"],
    ),
)


def programs(tools: Path = REPOSITORY / "tools") -> dict[str, Path]:
    """Each program's path by its name and version, such as `helm v4.3.1`; what is missing is built.

    Raises:
        SimulatorError: One could not be built.
    """
    return {
        f"{tool.name} {tool.version(tools)}": (find_in_cache(tool, tools) or build(tool, tools))[tool.name]
        for tool in _TOOLS
    }
