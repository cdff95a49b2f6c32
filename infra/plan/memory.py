"""Proof that an endpoint fits its accelerators: need against have, term by term, in GiB per accelerator."""

from __future__ import annotations

from dataclasses import dataclass

from infra.catalog.records import Accelerator, Model
from infra.plan.capabilities import Capabilities, Trial
from infra.plan.serving_plan import Memory
from infra.plan.weights import GIB


@dataclass(frozen=True)
class Fit:
    """A trial with its memory; `fits` says whether need is within have."""

    trial: Trial
    count: int
    memory: Memory

    @property
    def fits(self) -> bool:
        """Whether the guaranteed requests fit beside weights and overhead."""
        return self.memory.need_gib <= self.memory.have_gib


def charge(
    capabilities: Capabilities,
    model: Model,
    accelerator: Accelerator,
    trial: Trial,
    *,
    weights_bytes: int,
    concurrency: int,
    utilization: float,
) -> Fit:
    """Memory of one trial.

    Weights are split evenly by tensor parallelism; need = weights + overhead + concurrency x one full request.
    """
    whole = accelerator.memory_gib
    have = whole * utilization
    weights = weights_bytes / GIB / trial.tensor
    request = capabilities.request_bytes(model, trial) / GIB
    room = max(0.0, have - weights - capabilities.overhead_gib)
    memory = Memory(
        per_accelerator_gib=whole,
        weights_gib=weights,
        kv_cache_per_request_gib=request,
        kv_cache_gib=room,
        overhead_gib=capabilities.overhead_gib,
        headroom_gib=whole - have,
        need_gib=weights + capabilities.overhead_gib + concurrency * request,
        have_gib=have,
        max_concurrent_requests=int(room / request),
        utilization=utilization,
        kv_cache_dtype="fp8" if trial.kv_element_bytes == 1 else "auto",
    )
    return Fit(trial, trial.tensor, memory)


def gib_text(size_gib: float) -> str:
    """A size in GiB with as many digits as a product of it needs to come out right."""
    return f"{size_gib:.2f}" if size_gib >= 0.1 else f"{size_gib:.4f}"


def arithmetic(fit: Fit, concurrency: int) -> str:
    """The proof as a sentence: every term, then need against have."""
    memory = fit.memory
    return (
        f"weights {memory.weights_gib:.2f} + overhead {memory.overhead_gib:.2f} + KV cache "
        f"{concurrency} x {gib_text(memory.kv_cache_per_request_gib)} ({fit.trial.tokens:,} tokens) = "
        f"{memory.need_gib:.2f} GiB needed, {memory.have_gib:.2f} GiB there "
        f"({memory.per_accelerator_gib:.2f} x {memory.utilization:g}) per accelerator with {fit.count} of them"
    )
