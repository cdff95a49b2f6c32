"""What the plan must know of a framework. Each framework fills one; the plan never asks for its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infra.catalog.records import Accelerator, Checkpoint, Model
from infra.plan.demand import HostTerm, Setting, Term

MOST_REQUESTS = 4096  # more is not counted where the engine itself names no limit


@dataclass(frozen=True)
class Capabilities:
    """How one framework uses accelerators.

    Attributes:
        kinds: kinds of accelerator for which its memory is known.
        utilization: share of an accelerator's memory that it may fill, unless overridden.
        max_tensor, max_pipeline, max_data: largest sizes for a model (the first also by whether it has a drafter); 1
            where it does not split so.
        step_field: field of `engine` that sets the tokens per step, or None where it is fixed.
        step_is_shared: whether all running requests share a step, and so need a token each.
        step_tokens: candidates for tokens per engine step, best first, by model, accelerator and inputs.
        step_floor: fewest tokens per step with which the engine starts, by model and inputs.
        max_tokens: longest request on an accelerator, for a model.
        max_concurrency: most requests at once, per data rank.
        kv_cache_dtypes: number formats of the KV cache, by accelerator.
        smaller_kv_cache_dtypes: those that take less than the engine's own, largest first.
        unified_slots: whether all requests can share one cache.
        weights_bytes: size of a checkpoint with what the inputs need; None where not known.
        terms: memory of the fullest accelerator, term by term, with `concurrency` full requests.
        growing_bytes: the part of it that grows with tokens and concurrency.
        host_terms: host memory of the pod.
        settings: further engine settings on which the memory rests, by name with unit, of a setting and the bytes of an
            accelerator that the engine may fill.
        outside_bytes: memory of an accelerator that the share it may fill must leave free.
        pins_revision: whether it can take weights at one commit of the hub.
        objection: why it does not run a model on an accelerator, or None.
        engine_seconds: process start, compilation, graphs and warm-up.
        pre_stop_seconds, drain_seconds: graceful stop on a machine that is not Spot.
    """

    kinds: tuple[str, ...]
    utilization: float
    max_tensor: Callable[[Model, bool], int]
    max_pipeline: Callable[[Model], int]
    max_data: int
    step_field: str | None
    step_is_shared: bool
    step_tokens: Callable[[Model, Accelerator, tuple[str, ...]], tuple[int, ...]]
    step_floor: Callable[[Model, tuple[str, ...]], int]
    max_tokens: Callable[[Model, Accelerator], int]
    max_concurrency: int
    kv_cache_dtypes: Callable[[Accelerator], tuple[str, ...]]
    smaller_kv_cache_dtypes: tuple[str, ...]
    unified_slots: bool
    weights_bytes: Callable[[Model, Checkpoint, tuple[str, ...]], int | None]
    terms: Callable[[Setting], tuple[Term, ...]]
    growing_bytes: Callable[[Setting], int]
    host_terms: Callable[[Setting], tuple[HostTerm, ...]]
    settings: Callable[[Setting, int], tuple[tuple[str, int], ...]]
    outside_bytes: Callable[[Setting], int]
    pins_revision: bool
    objection: Callable[[Model, Accelerator], str | None]
    engine_seconds: int
    pre_stop_seconds: int
    drain_seconds: int
