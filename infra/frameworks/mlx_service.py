"""A plan as a service of Macs: arguments of `mlx_vlm.server`, ports, and how callers reach it.

The service's folder has links of the names that the engine is given, so that the model's name in requests, in the
engine and in its answers is the plan's: the engine takes any other for another model, and unloads this one.
"""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass
from typing import Any, TypeVar

from infra.plan.kv_mlx import KV_BITS, STEP_TOKENS
from infra.plan.refusal import RefusedError
from infra.plan.serving_plan import ServingPlan, camel

PORTS = 20_000, 5_000
"""First port of gateways, and how many there are; an engine's is as many further on. All below what macOS lends."""
LOCKED = ("0.7.10",)
"""Versions of mlx-vlm of which the packages are listed, each with its SHA-256."""
_DRAFTER = "drafter"
_LOG_BYTES, _LOG_FILES = 10 * 2**20, 5
_FOLDER = ".servestack/services"
Text = TypeVar("Text")


@dataclass(frozen=True)
class MlxService:
    """What runs on each of the machines.

    Attributes:
        stack: its name.
        addresses: of the machines, as `ssh` takes them.
        model: name in requests.
        inputs: what a request may hold beside text.
        version: of mlx-vlm.
        weights: repository, revision and name in the service's folder.
        arguments: words of Python that start the engine.
        environment: its variables.
        port, engine_port: of the gateway, and of the engine on loopback.
        interface: whose address the gateway listens on; empty for loopback.
        proxy_url: of a proxy of the user, which passes calls to the machines; empty without one.
    """

    stack: str
    addresses: tuple[str, ...]
    model: str
    inputs: tuple[str, ...]
    version: str
    weights: tuple[tuple[str, str, str], ...]
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    port: int
    engine_port: int
    interface: str
    proxy_url: str
    drain_seconds: int
    start_seconds: int
    keep_weights: bool
    log_bytes: int = _LOG_BYTES
    log_files: int = _LOG_FILES

    def record(self) -> dict[str, Any]:
        """What a reviewer sees of it: every decided value, in plain data."""
        names = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        lists = ("addresses", "arguments", "inputs")
        found = {camel(name): list(value) if name in lists else value for name, value in names.items()}
        found["environment"] = dict(self.environment)
        found["weights"] = [dict(zip(("repository", "revision", "name"), one, strict=True)) for one in self.weights]
        return {"hostService": found}

    @property
    def tunnels(self) -> bool:
        """Whether callers come through `ssh`."""
        return not self.interface and not self.proxy_url

    def url(self, index: int, host: Text) -> Text | str:
        """OpenAI-compatible base address of one machine: at the tunnel's end, or as the machine says."""
        if self.interface:
            return _address(host, self.port)
        return f"http://127.0.0.1:{self.port + (index if self.tunnels else 0)}/v1"

    def tunnel_command(self, index: int) -> str:
        """Opens the tunnel; one machine's end beside the other's."""
        ends = f"127.0.0.1:{self.port + index}:127.0.0.1:{self.port}"
        return f"ssh -N -o ExitOnForwardFailure=yes -L {ends} {self.addresses[index]}"

    def key_command(self, address: str) -> str:
        """Prints the key."""
        return f"ssh {address} cat {_FOLDER}/{self.stack}/key"

    def log_command(self, address: str) -> str:
        """Shows the log as it grows."""
        return f"ssh {address} tail -n 50 -F {_FOLDER}/{self.stack}/server.log"


def _address(host: Text, port: int) -> Text | str:
    if hasattr(host, "apply"):  # an output, known when the machine has answered
        made: Text = host.apply(lambda known: f"http://{known}:{port}/v1")
        return made
    return f"http://{host}:{port}/v1"


def mlx_service(
    plan: ServingPlan, addresses: tuple[str, ...], interface: str, proxy_url: str, *, keep: bool
) -> MlxService:
    """The service of a plan.

    Args:
        plan: of an endpoint on machines reached by SSH.
        addresses: of all machines of the platform; the first ones serve, as many as there are replicas.
        interface: whose address callers come to; empty for loopback.
        proxy_url: of a proxy before the machines; empty without one.
        keep: whether weights outlive the stack.

    Raises:
        RefusedError: more replicas than machines, or what such a service does not do.
    """
    if plan.replicas > len(addresses):
        raise RefusedError(
            ("replicas",),
            f"{plan.replicas} replicas need as many machines; platform {plan.platform} names {len(addresses)}. "
            "Add to host.addresses there, or ask for fewer.",
        )
    if plan.access.authentication != "key":
        raise RefusedError(
            ("expose", "authentication"),
            "a host always asks for a key, as every program of the machine reaches the service's port; leave it out.",
        )
    if plan.weights.source != "hugging-face" or plan.weights.token_secret:
        raise RefusedError(
            ("weights",),
            "a host fetches its weights from the hub, without a token; leave all but checkpoint and revision out.",
        )
    if plan.framework.version not in LOCKED:
        raise RefusedError(
            ("engine", "version"),
            f"the packages of mlx-vlm {plan.framework.version} are not listed with their SHA-256. Listed: "
            f"{', '.join(LOCKED)}.",
        )
    first, many = PORTS
    port = first + zlib.crc32(plan.stack.encode()) % many
    downloads = plan.weights.downloads
    names = (plan.model.id, _DRAFTER)
    return MlxService(
        stack=plan.stack,
        addresses=addresses[: plan.replicas],
        model=plan.model.id,
        inputs=tuple(one for one in plan.inputs if one in ("audio", "image")),
        version=plan.framework.version,
        weights=tuple((one.repository, one.revision, name) for one, name in zip(downloads, names, strict=False)),
        arguments=_arguments(plan, port + many),
        environment=(
            ("HF_HUB_DISABLE_TELEMETRY", "1"),
            ("HF_HUB_OFFLINE", "1"),
            ("TRANSFORMERS_OFFLINE", "1"),
        ),
        port=port,
        engine_port=port + many,
        interface=interface,
        proxy_url=f"{proxy_url}/v1" if proxy_url else "",
        drain_seconds=plan.timing.drain_seconds,
        start_seconds=plan.timing.timeout_seconds,
        keep_weights=keep,
    )


def _arguments(plan: ServingPlan, port: int) -> tuple[str, ...]:
    """Words of Python. `--max-kv-size` is the longest request: its prompt and what it may answer (mlx-vlm 0.7.10)."""
    words = [
        "-m",
        "mlx_vlm.server",
        f"--model={plan.model.id}",
        "--host=127.0.0.1",
        f"--port={port}",
        f"--max-kv-size={plan.context.max_model_len}",
        f"--max-num-seqs={max(plan.context.concurrency, plan.memory.max_concurrent_requests)}",
        f"--prefill-step-size={STEP_TOKENS}",
        "--log-level=INFO",
    ]
    bits = KV_BITS[plan.memory.kv_cache_dtype]
    if bits is not None:
        words += [f"--kv-bits={bits}", "--kv-group-size=64", "--kv-quant-scheme=uniform", "--quantized-kv-start=0"]
    if plan.model.drafter is not None:
        words += [f"--draft-model={_DRAFTER}", "--draft-kind=mtp"]
    return tuple(words)
