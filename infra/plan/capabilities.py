"""What the plan must know of a framework. Each framework fills one; the plan never asks for its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infra.catalog.records import Accelerator, Model


@dataclass(frozen=True)
class Trial:
    """One candidate setting whose memory is to be charged."""

    tokens: int
    tensor: int
    batched_tokens: int
    kv_element_bytes: int


@dataclass(frozen=True)
class Capabilities:
    """How one framework uses accelerators.

    Attributes:
        default_precision: precision of a stack file that names none.
        utilization: share of an accelerator's memory that it may fill, unless overridden.
        overhead_gib: activations, buffers and graphs per accelerator, in GiB.
        max_tensor: largest tensor parallel size for a model; 1 where it does not split heads.
        batched_tokens: candidates for tokens per engine step, best first; 0 where the step is fixed.
        batched_tokens_floor: fewest tokens per step with which the engine starts, by model and inputs.
        request_bytes: bytes of KV cache per accelerator of one full request.
        engine_seconds: process start, compilation, graphs and warm-up.
        kv_cache_dtypes: number formats of the KV cache.
        pre_stop_seconds, drain_seconds: graceful stop on a machine that is not Spot.
        host_overhead_gib: host memory that the engine takes beside the weights it maps.
    """

    default_precision: str
    utilization: float
    overhead_gib: float
    max_tensor: Callable[[Model], int]
    batched_tokens: Callable[[Model, Accelerator, tuple[str, ...]], tuple[int, ...]]
    batched_tokens_floor: Callable[[Model, tuple[str, ...]], int]
    request_bytes: Callable[[Model, Trial], int]
    engine_seconds: int
    kv_cache_dtypes: tuple[str, ...]
    pre_stop_seconds: int
    drain_seconds: int
    host_overhead_gib: int
