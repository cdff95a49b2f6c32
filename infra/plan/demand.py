"""What an engine asks of one accelerator's memory, term by term, and the setting it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from infra.catalog.records import Accelerator, Checkpoint, Drafter, Model

GIB = 2**30


@dataclass(frozen=True)
class Setting:
    """One candidate way to run a model, complete enough to charge its memory.

    Attributes:
        inputs: what requests may hold, sorted.
        version: of the framework.
        tokens: of one request.
        concurrency: full requests that must fit at once, per replica.
        tensor, pipeline, data: their product is the number of accelerators.
        batched_tokens: tokens per engine step; of llama.cpp the micro-batch; 0 where the engine has none.
        kv_cache_dtype: as in stack files; `auto` for the engine's own.
        unified_slots: llama.cpp: one cache for all slots.
        hybrid_kv: whether this version charges sliding layers for their window only.
        adapters, adapter_rank: LoRA adapters that are loaded at once, and the largest rank among them.
    """

    model: Model
    checkpoint: Checkpoint
    drafter: Drafter | None
    accelerator: Accelerator
    inputs: tuple[str, ...]
    version: str
    tokens: int
    concurrency: int
    tensor: int
    pipeline: int
    data: int
    batched_tokens: int
    kv_cache_dtype: str
    unified_slots: bool
    hybrid_kv: bool = True
    adapters: int = 0
    adapter_rank: int = 0


@dataclass(frozen=True)
class Term:
    """One part of the memory of the fullest accelerator.

    Attributes:
        kind: `weights`, `kv` or `overhead`.
        name: as shown, such as `vision tower`.
        size_bytes: expected size.
        uncertainty_bytes: how much more it may be; kept as headroom.
        source: where the figure or its formula is from.
    """

    kind: str
    name: str
    size_bytes: int
    uncertainty_bytes: int
    source: str


@dataclass(frozen=True)
class HostTerm:
    """One part of the host memory of a pod, in bytes."""

    name: str
    size_bytes: int
    source: str
