"""`ServingPlan`: every decision about one endpoint, frozen and printable. Its JSON field names are a contract."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from infra.plan.access import Access


@dataclass(frozen=True)
class ModelChoice:
    """Which weights: model name, hub repository (`checkpoint`), commit, file format, drafter's repository, licence."""

    id: str
    checkpoint: str
    revision: str | None
    format: str
    drafter: str | None
    draft_tokens: int | None
    licence: str
    gated: bool


@dataclass(frozen=True)
class FrameworkChoice:
    """Which engine, at which version, from which image."""

    name: str
    version: str
    image: str


@dataclass(frozen=True)
class AcceleratorChoice:
    """Accelerators of one replica and the machine that carries them.

    Attributes:
        kind: `gpu`, `tpu`, `apple` or `cpu`.
        capacity: how the machine is bought; `own` for one that is there.
        reservation: its name, where capacity is `reservation`.
        gke_label, resource: node label value and Kubernetes resource; empty where there is none.
    """

    type: str
    kind: str
    count: int
    machine_type: str
    capacity: str
    reservation: str | None
    gke_label: str
    resource: str
    zones: tuple[str, ...]


@dataclass(frozen=True)
class Parallelism:
    """How one replica is split over its accelerators."""

    tensor: int
    pipeline: int
    data: int


@dataclass(frozen=True)
class Context:
    """Tokens of one request, and how many requests of that length fit at once, guaranteed."""

    max_model_len: int
    max_num_batched_tokens: int | None
    concurrency: int


@dataclass(frozen=True)
class MemoryTerm:
    """One part of an accelerator's memory: `weights`, `kv` or `overhead`; `uncertainty_gib` may come on top."""

    kind: str
    name: str
    size_gib: float
    uncertainty_gib: float
    source: str


@dataclass(frozen=True)
class Memory:
    """Memory of the fullest accelerator, in GiB: weights + KV cache + overhead + headroom = the whole.

    Attributes:
        kv_cache_per_request_gib: what one request of full length is charged at admission.
        kv_cache_gib: room for KV cache.
        overhead_gib: activations, graphs, buffers, the CUDA context: expected size.
        uncertainty_gib: how much more weights and overhead may take; kept free, part of headroom.
        headroom_gib: left to the driver and fragmentation, and what is uncertain; never planned.
        need_gib: weights, overhead, what is uncertain, and the guaranteed requests.
        have_gib: what the engine may fill.
        max_concurrent_requests: full requests that fit at the planned context, all replicas' share of one replica.
        max_context_tokens: longest request that fits at the planned concurrency.
        terms: every part.
    """

    per_accelerator_gib: float
    weights_gib: float
    kv_cache_per_request_gib: float
    kv_cache_gib: float
    overhead_gib: float
    uncertainty_gib: float
    headroom_gib: float
    need_gib: float
    have_gib: float
    max_concurrent_requests: int
    max_context_tokens: int
    utilization: float
    kv_cache_dtype: str
    terms: tuple[MemoryTerm, ...]


@dataclass(frozen=True)
class Host:
    """What the pod asks of its machine, and the machine's disks. `need_gib` is what the engine uses of host memory."""

    cpu: int
    memory_gib: int
    need_gib: float
    ephemeral_storage_gib: int
    boot_disk_type: str
    boot_disk_gb: int
    local_ssds: int


@dataclass(frozen=True)
class TimeTerm:
    """One part of a time, in seconds, and what it rests on."""

    name: str
    seconds: float
    basis: str


@dataclass(frozen=True)
class Timing:
    """Seconds and bytes from an empty pool to a ready endpoint, and from SIGTERM to the end.

    Attributes:
        weights_bytes: loaded once per replica.
        startup_seconds: estimate from an empty pool to ready.
        restart_seconds: the same on a node that is there and has the image.
        timeout_seconds: the one number behind probe, progress deadline and await.
        pre_stop_seconds: delay before SIGTERM, for the endpoint to leave load balancing.
        drain_seconds: time that running answers get after SIGTERM.
        grace_seconds: whole time from deletion to SIGKILL.
        notice_seconds: what the capacity leaves of it when the machine is taken, or None.
        startup_terms, stop_terms: the parts.
    """

    weights_bytes: int
    startup_seconds: int
    restart_seconds: int
    timeout_seconds: int
    pre_stop_seconds: int
    drain_seconds: int
    grace_seconds: int
    notice_seconds: int | None
    startup_terms: tuple[TimeTerm, ...]
    stop_terms: tuple[TimeTerm, ...]


@dataclass(frozen=True)
class Cost:
    """USD. An unknown price is None; `basis` says which price it is.

    Attributes:
        exact: False where the price is only a ceiling.
        hourly_usd: all replicas at their most.
        monthly_usd_min: at the fewest replicas, of the first rung.
        monthly_usd_max: at the most replicas, of the dearest rung.
        usd_per_million_output_tokens: at full load, where a measured throughput is known.
    """

    hourly_usd: float | None
    monthly_usd_min: float | None
    monthly_usd_max: float | None
    exact: bool
    basis: str
    usd_per_million_output_tokens: float | None
    tokens_basis: str


@dataclass(frozen=True)
class Rung:
    """One step of the capacity ladder: a plan of its own, in short.

    Attributes:
        max_concurrent_requests: full requests that fit at its context.
        loses: what it is worse at than the first rung, in words.
    """

    capacity: str
    reservation: str | None
    machine_type: str
    count: int
    parallelism: Parallelism
    precision: str
    checkpoint: str
    context: Context
    need_gib: float
    have_gib: float
    drain_seconds: int
    hourly_usd: float | None
    monthly_usd_min: float | None
    monthly_usd_max: float | None
    exact: bool
    max_concurrent_requests: int
    loses: tuple[str, ...]


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
    """The whole plan of one endpoint.

    Attributes:
        replicas: the most; `min_replicas` the fewest.
        settings: further engine settings on which the memory proof rests.
        cautions: what to know before paying, in words.
        only_planned: why this version does not deploy it; empty where it does.
    """

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
    unified_slots: bool
    settings: tuple[tuple[str, int], ...]
    min_replicas: int
    replicas: int
    ladder: tuple[Rung, ...]
    rollout: Rollout
    access: Access
    engine_args: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    decisions: tuple[Decision, ...]
    cautions: tuple[str, ...]
    only_planned: tuple[str, ...]

    def summary(self) -> str:
        """The plan in one line, short enough for a preview to show whole."""
        accelerator, memory = self.accelerator, self.memory
        return (
            f"{self.model.checkpoint} ({self.precision}), {accelerator.count} x {accelerator.type} "
            f"({accelerator.machine_type}, {accelerator.capacity}), tensor parallel {self.parallelism.tensor}, "
            f"{self.context.max_model_len:,} tokens, {memory.need_gib:.1f} of {memory.have_gib:.1f} GiB"
        )

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON data: camelCase keys, GiB spelled so, numbers rounded to 0.0001."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        plain["labels"] = dict(self.labels)
        plain["settings"] = dict(self.settings)
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
