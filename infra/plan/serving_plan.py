"""`ServingPlan`: every decision about one endpoint, frozen and printable. Its JSON field names are a contract."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ModelChoice:
    """Which weights: model name, hub repository (`checkpoint`), commit and file format."""

    id: str
    checkpoint: str
    revision: str | None
    format: str


@dataclass(frozen=True)
class FrameworkChoice:
    """Which engine, at which version, from which image."""

    name: str
    version: str
    image: str


@dataclass(frozen=True)
class AcceleratorChoice:
    """Accelerators of one replica and the machine that carries them."""

    type: str
    count: int
    machine_type: str
    capacity: str
    gke_label: str
    resource: str
    zones: tuple[str, ...]


@dataclass(frozen=True)
class Parallelism:
    """How one replica is split over its accelerators."""

    tensor: int
    pipeline: int


@dataclass(frozen=True)
class Context:
    """Tokens of one request, and how many requests of that length fit at once, guaranteed."""

    max_model_len: int
    max_num_batched_tokens: int | None
    concurrency: int


@dataclass(frozen=True)
class Memory:
    """Accelerator memory per accelerator, in GiB: weights + KV cache + overhead + headroom = the whole.

    Attributes:
        kv_cache_per_request_gib: what one request of full length is charged at admission.
        kv_cache_gib: room for KV cache.
        overhead_gib: activations, graphs, buffers, the CUDA context.
        headroom_gib: left to the driver and fragmentation, never planned.
        need_gib: weights, overhead and the guaranteed requests.
        have_gib: the whole less headroom.
    """

    per_accelerator_gib: float
    weights_gib: float
    kv_cache_per_request_gib: float
    kv_cache_gib: float
    overhead_gib: float
    headroom_gib: float
    need_gib: float
    have_gib: float
    max_concurrent_requests: int
    utilization: float
    kv_cache_dtype: str


@dataclass(frozen=True)
class Host:
    """What the pod asks of its machine, and the machine's disks."""

    cpu: int
    memory_gib: int
    ephemeral_storage_gib: int
    boot_disk_type: str
    boot_disk_gb: int
    local_ssds: int


@dataclass(frozen=True)
class Timing:
    """Seconds and bytes from an empty pool to a ready endpoint, and from SIGTERM to the end.

    Attributes:
        startup_seconds: estimate from an empty pool to ready.
        restart_seconds: the same on a node that is there and has the image.
        timeout_seconds: the one number behind probe, progress deadline and await.
        pre_stop_seconds: delay before SIGTERM, for the endpoint to leave load balancing.
        drain_seconds: time that running answers get after SIGTERM.
    """

    weights_bytes: int
    startup_seconds: int
    restart_seconds: int
    timeout_seconds: int
    pre_stop_seconds: int
    drain_seconds: int


@dataclass(frozen=True)
class Cost:
    """USD for all replicas. `basis` says which price it is; an unknown price is None."""

    hourly_usd: float | None
    monthly_usd_min: float | None
    monthly_usd_max: float | None
    basis: str


@dataclass(frozen=True)
class Rung:
    """One step of the capacity ladder."""

    capacity: str
    machine_type: str
    count: int


@dataclass(frozen=True)
class Rollout:
    """How a new version replaces the old, and what callers see."""

    strategy: str
    downtime: str


@dataclass(frozen=True)
class Decision:
    """One decided value, who decided it (stack, platform, catalogue, derived) and why."""

    field: str
    value: str
    origin: str
    reason: str


@dataclass(frozen=True)
class ServingPlan:
    """The whole plan of one endpoint."""

    stack: str
    platform: str
    model: ModelChoice
    framework: FrameworkChoice
    precision: str
    inputs: tuple[str, ...]
    tools: bool
    reasoning: bool
    accelerator: AcceleratorChoice
    parallelism: Parallelism
    context: Context
    memory: Memory
    host: Host
    timing: Timing
    cost: Cost
    replicas: int
    ladder: tuple[Rung, ...]
    rollout: Rollout
    engine_args: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    decisions: tuple[Decision, ...]

    def summary(self) -> str:
        """The plan in one line, short enough for a preview to show whole."""
        accelerator, memory = self.accelerator, self.memory
        return (
            f"{self.model.checkpoint} ({self.precision}), {accelerator.count} x {accelerator.type} "
            f"({accelerator.machine_type}, {accelerator.capacity}), tensor parallel {self.parallelism.tensor}, "
            f"{self.context.max_model_len:,} tokens, {memory.need_gib:.1f} of {memory.have_gib:.1f} GiB"
        )

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON data: camelCase keys, GiB spelled so, numbers rounded to 0.01."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        plain["labels"] = dict(self.labels)
        return plain


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join("GiB" if word == "gib" else word.capitalize() for word in rest)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_camel(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value
