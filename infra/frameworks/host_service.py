"""A plan as a service of one machine: the engine's own arguments, without pod, image and proxy.

Paths are below the folder in which the service runs, so that the service is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.frameworks.llamacpp import server_arguments
from infra.plan.serving_plan import ServingPlan

HOSTED = ("llamacpp",)
"""Frameworks of which this version makes services."""


@dataclass(frozen=True)
class WeightsFile:
    """One file that the engine reads.

    Attributes:
        path: where it is, below the service's folder; absolute for a file of the user.
        origin: `hub`, `file` or `tiny`.
        address: on the hub, `REPOSITORY/resolve/REVISION/FILE`; empty for others.
        sha256: what it has to be; empty where only the hub says it, or nobody.
    """

    path: str
    origin: str
    address: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class HostService:
    """What runs on a machine.

    Attributes:
        program: name of the engine's binary.
        arguments: its words.
        environment: variables beside the few that every service has.
        port: on loopback.
        health_path: answers 200 once the model is loaded.
        files: weights.
        key_file: one API key per line, or empty where no key is asked for.
        start_seconds: after which a start has failed.
    """

    program: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    port: int
    health_path: str
    files: tuple[WeightsFile, ...]
    key_file: str
    start_seconds: int

    @property
    def url(self) -> str:
        """OpenAI-compatible base address."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def metrics_url(self) -> str:
        """Where the engine answers in Prometheus' format."""
        return f"http://127.0.0.1:{self.port}/metrics"


def host_service(plan: ServingPlan, *, port: int, sha256: str = "") -> HostService:
    """The service of a plan.

    Args:
        plan: of an endpoint on a platform that is one machine.
        port: of its own, on loopback.
        sha256: of the user's own weights file, where the stack file names it.
    """
    key_file = f"services/{plan.stack}/key" if plan.access.authentication == "key" else ""
    arguments = server_arguments(plan, port=port)
    return HostService(
        program="llama-server",
        arguments=(*arguments, "--api-key-file", key_file) if key_file else arguments,
        environment=(("LLAMA_CACHE", "cache"),),
        port=port,
        health_path="/health",
        files=_files(plan, sha256),
        key_file=key_file,
        start_seconds=plan.timing.timeout_seconds,
    )


def _files(plan: ServingPlan, sha256: str) -> tuple[WeightsFile, ...]:
    weights = plan.weights
    if weights.source in ("file", "tiny"):
        return (WeightsFile(weights.model_path, weights.source, sha256=sha256),)
    return tuple(
        WeightsFile(f"{one.folder}/{name}", "hub", f"{one.repository}/resolve/{one.revision}/{name}")
        for one in weights.downloads
        for name in one.files
    )
