"""Memory of SGLang: two token pools, weights and what it keeps free for the rest.

Source of every formula, where no other is named: sglang 0.5.23, read; nothing was run. All sizes are in bytes, per
accelerator.
"""

from __future__ import annotations

from infra.catalog.records import Model
from infra.plan.demand import HostTerm, Setting, Term
from infra.plan.gguf import tensors
from infra.plan.weights import weights_bytes

MIB = 2**20
DEFAULT_RATIO = 0.8
PAGE_TOKENS = 1
ELEMENT_BYTES = {"auto": 2, "fp8": 1}
_EVICTION_TOKENS = 128
_CHUNKS_IN_FLIGHT = 2
_RUNNING = 32
_DRAFT_LAYERS = 4
_MM_CACHE_BYTES = 100 * MIB
_COLLECTIVE_BYTES = 128 * MIB
_CONTEXT_BYTES, _CONTEXT_UNCERTAINTY_BYTES = 512 * MIB, 512 * MIB
_DRAFT_POOLS = "sglang 0.5.23 pool_configurator.py: layers of the drafter are paid for, though they stay empty"
_BF16_BYTES = 2
_POOLS = "sglang 0.5.23 model_executor/pool_configurator.py, read"
_RESERVE = "sglang 0.5.23 arg_groups/memory_hook.py: its own reserve"
_LOADED = "sglang 0.5.23 models/gemma4_causal.py, read"


def running_requests(concurrency: int) -> int:
    """`--max-running-requests`: short requests may run beside each other where fewer full ones are guaranteed."""
    return max(_RUNNING, concurrency)


def sliding_tokens(
    model: Model, *, tokens: int, concurrency: int, chunked_prefill_tokens: int, verified_tokens: int = 1
) -> int:
    """Tokens that the sliding pool must hold for `concurrency` requests of `tokens` tokens.

    Per request the window, what has slid out but is evicted every 128 steps only, a page for padding, and what a step
    of decode takes: a page, or twice the tokens that are verified at once; two prefill chunks in flight; one page.
    Never more than the requests are long. Source: compute_swa_request_cap.
    """
    decode = PAGE_TOKENS if verified_tokens == 1 else 2 * verified_tokens
    request = model.sliding_window_tokens - 1 + _EVICTION_TOKENS * verified_tokens + PAGE_TOKENS + decode
    needed = request * concurrency + _CHUNKS_IN_FLIGHT * chunked_prefill_tokens + PAGE_TOKENS
    return max(model.sliding_window_tokens + PAGE_TOKENS, min(needed, (tokens + PAGE_TOKENS) * concurrency))


def swa_full_tokens_ratio(
    model: Model, *, tokens: int, concurrency: int, chunked_prefill_tokens: int, verified_tokens: int = 1
) -> float:
    """`--swa-full-tokens-ratio` with which both pools are as small as the requests allow, in hundredths, at most 1.

    The engine's default of 0.8 gives the sliding layers, the larger part of every Gemma 4, nearly the whole context.
    """
    needed = sliding_tokens(
        model,
        tokens=tokens,
        concurrency=concurrency,
        chunked_prefill_tokens=chunked_prefill_tokens,
        verified_tokens=verified_tokens,
    )
    whole = (tokens + PAGE_TOKENS) * concurrency
    return min(100, -(-100 * needed // whole)) / 100


def pool_tokens(
    model: Model,
    *,
    tokens: int,
    concurrency: int,
    chunked_prefill_tokens: int,
    ratio: float,
    verified_tokens: int = 1,
) -> tuple[int, int]:
    """Full and sliding tokens of the smallest pools that hold the requests; sliding = int(full x ratio).

    Source: HybridSWAPoolConfigurator._solve_pool_sizes.
    """
    needed = sliding_tokens(
        model,
        tokens=tokens,
        concurrency=concurrency,
        chunked_prefill_tokens=chunked_prefill_tokens,
        verified_tokens=verified_tokens,
    )
    full = max((tokens + PAGE_TOKENS) * concurrency, int(needed / ratio))
    while int(full * ratio) < needed:
        full += PAGE_TOKENS
    return full, int(full * ratio)


def pool_bytes(model: Model, *, full: int, sliding: int, tensor: int, element_bytes: int) -> int:
    """Both pools; each has a page more than its tokens.

    All layers count, also those that share the cache of another (E2B, E4B): the layer lists come from `layer_types`
    alone. A KV head is never split. Source: SWAKVPool, MHATokenToKVPool, get_hybrid_layer_ids.
    """
    full_layers = model.layers // model.layers_per_global
    full_token = max(1, model.kv_heads_global // tensor) * model.head_dim_global * full_layers
    sliding_token = max(1, model.kv_heads_sliding // tensor) * model.head_dim_sliding * (model.layers - full_layers)
    values = (full + PAGE_TOKENS) * full_token + (sliding + PAGE_TOKENS) * sliding_token
    return 2 * element_bytes * values


def duplicated_parameters(model: Model) -> int:
    """Rows of the fused QKV matrix that the checkpoint has not: V of layers without one, K and V of sharing layers."""
    total = 0
    for layer in range(model.layers):
        full = (layer + 1) % model.layers_per_global == 0
        width = (
            model.kv_heads_global * model.head_dim_global if full else model.kv_heads_sliding * model.head_dim_sliding
        )
        if layer >= model.layers - model.kv_shared_layers:
            total += 2 * model.hidden * width
        elif full and model.global_layers_without_value:
            total += model.hidden * width
    return total


_known: dict[str, tuple[Model, int, int]] = {}


def _parameters(model: Model) -> tuple[int, int]:
    """Parameters of the text model, and those that the engine duplicates."""
    entry = _known.get(model.id)
    if entry is None or entry[0] is not model:
        rope = model.head_dim_global // 2
        entry = (model, sum(values for values, _matrix in tensors(model)) - rope, duplicated_parameters(model))
        _known[model.id] = entry
    return entry[1], entry[2]


def _weight_terms(setting: Setting) -> list[Term]:
    model, checkpoint, tensor = setting.model, setting.checkpoint, setting.tensor
    parameters, duplicated = _parameters(model)
    towers = model.vision_parameters + model.audio_parameters
    if checkpoint.bytes is not None:
        slack = checkpoint.bytes_uncertainty + _BF16_BYTES * duplicated
        terms = [Term("weights", "weights", checkpoint.bytes // tensor, slack // tensor, _LOADED)]
    elif checkpoint.precision == "bf16":
        size = _BF16_BYTES * (parameters + duplicated) // tensor
        slack = _BF16_BYTES * model.tower_parameters_uncertainty
        terms = [Term("weights", "weights", size, 0, _LOADED)]
        if towers:
            terms.append(Term("weights", "towers", _BF16_BYTES * towers, slack, f"{_LOADED}; not split"))
    else:
        file = weights_bytes(model, checkpoint)
        if file is None:
            raise ValueError(f"the size of {checkpoint.repository} is not known")
        size = (file + duplicated) // tensor
        terms = [Term("weights", "weights", size, size // 50, _LOADED)]
    drafter = setting.drafter
    if drafter is not None:
        if drafter.parameters is None:
            raise ValueError(f"the size of {drafter.repository} is not known")
        size, slack = _BF16_BYTES * drafter.parameters, _BF16_BYTES * drafter.parameters_uncertainty
        terms.append(Term("weights", "drafter", size, slack, "bf16; it reads the target's cache"))
    return terms


def demand_terms(setting: Setting) -> tuple[Term, ...]:
    """Every part of the fullest accelerator's memory, with the pools at the ratio of `swa_full_tokens_ratio`.

    `batched_tokens` is `--chunked-prefill-size`. Pipeline stages are not modelled. The towers are loaded and warmed up
    also where only text is served: `--language-model-only` does not take Gemma 4.
    """
    if setting.pipeline != 1:
        raise ValueError("SGLang is planned without pipeline stages")
    model, chunk = setting.model, setting.batched_tokens
    ratio = setting_ratio(setting)
    full, sliding = pool_tokens(
        model,
        tokens=setting.tokens,
        concurrency=setting.concurrency,
        chunked_prefill_tokens=chunk,
        ratio=ratio,
        verified_tokens=verified_tokens(setting),
    )
    element = ELEMENT_BYTES[setting.kv_cache_dtype]
    pools = pool_bytes(model, full=full, sliding=sliding, tensor=setting.tensor, element_bytes=element)
    activations = max(chunk, 2048) * 3 * MIB // 2
    fixed = 512 * MIB + setting.tensor * _COLLECTIVE_BYTES
    terms = _weight_terms(setting)
    terms += [
        Term("kv", "token pools", pools, 0, _POOLS),
        Term("overhead", "activations", activations, activations // 4, _RESERVE),
        Term("overhead", "graphs", 2 * MIB * running_requests(setting.concurrency), 256 * MIB, _RESERVE),
        Term("overhead", "metadata and communication", fixed, 0, _RESERVE),
        Term("overhead", "driver context", _CONTEXT_BYTES, _CONTEXT_UNCERTAINTY_BYTES, "assumed"),
        Term("overhead", "images in work", 1024 * MIB, 1024 * MIB, "assumed; 100 MiB of it are its cache"),
    ]
    if setting.drafter is not None:
        widest = max(
            max(1, model.kv_heads_global // setting.tensor) * model.head_dim_global * full,
            max(1, model.kv_heads_sliding // setting.tensor) * model.head_dim_sliding * sliding,
        )
        terms.append(Term("kv", "pools of the drafter", 2 * element * _DRAFT_LAYERS * widest, 0, _DRAFT_POOLS))
    return tuple(terms)


def verified_tokens(setting: Setting) -> int:
    """`--speculative-num-draft-tokens`: what the drafter proposes and one more; 1 without a drafter."""
    return 1 + (setting.drafter.tokens or 0) if setting.drafter else 1


def setting_ratio(setting: Setting) -> float:
    """`swa_full_tokens_ratio` of a setting."""
    return swa_full_tokens_ratio(
        setting.model,
        tokens=setting.tokens,
        concurrency=setting.concurrency,
        chunked_prefill_tokens=setting.batched_tokens,
        verified_tokens=verified_tokens(setting),
    )


def static_permille(setting: Setting, *, whole_bytes: int, have_bytes: int) -> int:
    """`--mem-fraction-static` in thousandths, with which the guaranteed pools and everything beside them fit.

    The engine takes weights, pools and the cache of images from that share of what is free before it loads weights:
    after the driver's context, and after the buffers of collectives where there are any. The share is the larger of
    what the guaranteed pools need when least is free, and what is left of `have_bytes` beside all that is outside it.
    Source: KVCacheConfigurator._profile_available_bytes, measure_pre_model_load_memory.
    """
    terms = demand_terms(setting)
    inside = sum(one.size_bytes + one.uncertainty_bytes for one in terms if one.kind != "overhead") + _MM_CACHE_BYTES
    beside = sum(one.size_bytes + one.uncertainty_bytes for one in terms if one.kind == "overhead") - _MM_CACHE_BYTES
    most = whole_bytes - _CONTEXT_BYTES - _CONTEXT_UNCERTAINTY_BYTES
    least = most - (setting.tensor * _COLLECTIVE_BYTES if setting.tensor > 1 else 0)
    return max(-(-1000 * inside // least), 1000 * (have_bytes - beside) // most)


def host_terms(_setting: Setting) -> tuple[HostTerm, ...]:
    """Host memory of a pod: two processes with torch, and pinned buffers. Assumed, not measured."""
    return (HostTerm("processes", 8192 * MIB, "assumed"),)
