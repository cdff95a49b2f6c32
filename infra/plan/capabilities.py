"""What the plan must know of a framework. Each framework fills one; the plan never asks for its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infra.catalog.records import Accelerator, Checkpoint, Model
from infra.plan.demand import HostTerm, Setting, Term
from infra.plan.prefill_shares import TORCH_ENGINES, PrefillShares

MOST_REQUESTS = 4096  # more is not counted where the engine itself names no limit


def _one_tensor(_model: Model, _drafter: bool) -> int:
    return 1


def _one_stage(_model: Model) -> int:
    return 1


def _whole_context(model: Model, _accelerator: Accelerator) -> int:
    return model.max_context_tokens


def _no_settings(_setting: Setting, _have_bytes: int) -> tuple[tuple[str, int], ...]:
    return ()


def _nothing_outside(_setting: Setting) -> int:
    return 0


def _any_precision(_precision: str, _accelerator: Accelerator) -> None:
    return None


def _any_switch(_name: str, _accelerator: Accelerator) -> None:
    return None


def _nothing_to_know(_setting: Setting) -> tuple[str, ...]:
    return ()


def _no_objection(_model: Model, _accelerator: Accelerator) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """How one framework uses accelerators.

    Attributes:
        kinds: kinds of accelerator for which its memory is known.
        utilization: share of an accelerator's memory that it may fill, unless overridden.
        max_nodes: most machines over which one replica may be split, in stages of layers.
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
        host_terms: host memory of the pod.
        settings: further engine settings on which the memory rests, by name with unit, of a setting and the bytes of an
            accelerator that the engine may fill.
        outside_bytes: memory of an accelerator that the share it may fill must leave free.
        pins_revision: whether it can take weights at one commit of the hub.
        limits_media: whether it can be held to the names from which it fetches what requests name by address.
        fetches_media: whether it fetches at all what requests name by address.
        no_adapters: why this version loads no LoRA adapters there, or empty.
        objection: why it does not run a model on an accelerator, or None.
        precision_objection: why it does not run a precision on an accelerator, or None.
        switch_objection: why it does not have on an accelerator what a field of a stack file switches on (or an input,
            by its name), or None.
        drafters: whether a drafter can be deployed with it.
        api_key_name: key of the Secret without which it cannot fetch image and weights; "" where it needs none.
        cautions: what to know before paying for a setting.
        engine_seconds: process start, compilation, graphs and warm-up.
        engine_seconds_by_kind: the same, where a kind of accelerator takes another time.
        prefill_shares: what a prompt reaches of an accelerator's rates; `prefill_shares_by_kind` where a kind differs.
        pre_stop_seconds, drain_seconds: graceful stop on a machine that is not Spot.
    """

    kinds: tuple[str, ...]
    utilization: float
    max_tensor: Callable[[Model, bool], int] = _one_tensor
    max_pipeline: Callable[[Model], int] = _one_stage
    max_data: int = 1
    max_nodes: int = 1
    step_field: str | None
    step_is_shared: bool = False
    step_tokens: Callable[[Model, Accelerator, tuple[str, ...]], tuple[int, ...]]
    step_floor: Callable[[Model, tuple[str, ...]], int]
    max_tokens: Callable[[Model, Accelerator], int] = _whole_context
    max_concurrency: int = MOST_REQUESTS
    kv_cache_dtypes: Callable[[Accelerator], tuple[str, ...]]
    smaller_kv_cache_dtypes: tuple[str, ...]
    unified_slots: bool = False
    weights_bytes: Callable[[Model, Checkpoint, tuple[str, ...]], int | None]
    terms: Callable[[Setting], tuple[Term, ...]]
    host_terms: Callable[[Setting], tuple[HostTerm, ...]]
    settings: Callable[[Setting, int], tuple[tuple[str, int], ...]] = _no_settings
    outside_bytes: Callable[[Setting], int] = _nothing_outside
    pins_revision: bool = True
    limits_media: bool = False
    fetches_media: bool = False
    no_adapters: str = "adapters are planned for vLLM only; use framework: vllm."
    objection: Callable[[Model, Accelerator], str | None] = _no_objection
    precision_objection: Callable[[str, Accelerator], str | None] = _any_precision
    switch_objection: Callable[[str, Accelerator], str | None] = _any_switch
    drafters: bool = True
    api_key_name: str = ""
    cautions: Callable[[Setting], tuple[str, ...]] = _nothing_to_know
    engine_seconds: int
    engine_seconds_by_kind: tuple[tuple[str, int], ...] = ()
    prefill_shares: PrefillShares = TORCH_ENGINES
    prefill_shares_by_kind: tuple[tuple[str, PrefillShares], ...] = ()
    pre_stop_seconds: int
    drain_seconds: int

    def engine_seconds_on(self, kind: str) -> int:
        """Seconds that the engine takes to start on a kind of accelerator."""
        return dict(self.engine_seconds_by_kind).get(kind, self.engine_seconds)

    def prefill_shares_on(self, kind: str) -> PrefillShares:
        """What a prompt reaches of the rates of a kind of accelerator."""
        return dict(self.prefill_shares_by_kind).get(kind, self.prefill_shares)

    def growing_bytes(self, setting: Setting) -> int:
        """All but the weights, with what is uncertain: the part that grows with tokens and concurrency."""
        return sum(term.size_bytes + term.uncertainty_bytes for term in self.terms(setting) if term.kind != "weights")
