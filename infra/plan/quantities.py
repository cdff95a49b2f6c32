"""What a plan measures of one endpoint: memory, host, times and cost. Their JSON field names are a contract."""

from __future__ import annotations

import math
from dataclasses import dataclass


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
class FirstToken:
    """Estimate of the seconds from a request's arrival to its first token, alone on a replica that is ready.

    Attributes:
        short_prompt_tokens: of a short prompt; `full_prompt_tokens` of the longest that a request may have.
        short_low_seconds, short_high_seconds, full_low_seconds, full_high_seconds: least and most.
        basis: what the range rests on.
    """

    short_prompt_tokens: int
    short_low_seconds: float
    short_high_seconds: float
    full_prompt_tokens: int
    full_low_seconds: float
    full_high_seconds: float
    basis: str

    @property
    def text(self) -> str:
        """Both ranges, in two digits."""
        short = f"{_two_digits(self.short_low_seconds)} to {_two_digits(self.short_high_seconds)} s"
        full = f"{_two_digits(self.full_low_seconds)} to {_two_digits(self.full_high_seconds)} s"
        return f"{short} for {self.short_prompt_tokens:,} tokens, {full} for {self.full_prompt_tokens:,} (estimate)"


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
        first_token: of one request on an idle replica; None where the rates of the accelerator are not known.
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
    first_token: FirstToken | None = None

    @property
    def first_token_text(self) -> str:
        """The estimate in words."""
        return self.first_token.text if self.first_token else "not known: no published rate of this accelerator"


@dataclass(frozen=True)
class Cost:
    """USD. An unknown price is None; `basis` says which price it is.

    Attributes:
        exact: False where the price is only a ceiling.
        hourly_usd: all replicas at their most.
        monthly_usd_min: at the fewest replicas, of the first rung.
        monthly_usd_max: at the most replicas and with all spare machines, of the dearest rung.
        rollout_usd: what the spare machines of one roll-out cost; None where the price is not known.
        usd_per_million_output_tokens: at full load, where a measured throughput is known.
    """

    hourly_usd: float | None
    monthly_usd_min: float | None
    monthly_usd_max: float | None
    exact: bool
    basis: str
    usd_per_million_output_tokens: float | None
    tokens_basis: str
    rollout_usd: float | None = None


def _two_digits(seconds: float) -> str:
    rounded = float(f"{seconds:.1e}")
    return f"{rounded:,.{max(1 - math.floor(math.log10(rounded)), 0)}f}"
