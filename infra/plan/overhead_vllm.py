"""What vLLM takes of an accelerator beside weights and KV cache, in bytes.

The engine profiles itself at start-up and gives the cache what is left of `--gpu-memory-utilization`: total times
share, less what the process took since its first look at the device, less the peak of a step of
`--max-num-batched-tokens` with `--max-num-seqs` requests, less its estimate of the CUDA graphs (vllm 0.33.0
v1/worker/gpu_worker.py `determine_available_memory`). The CUDA context and NCCL are there before the first look: they
live in the part that the share leaves free, see `outside_share_bytes`.

Calibrated on start-up logs that people published, in GiB of (activations, non-torch, CUDA graphs):

| endpoint | logged | here |
|---|---|---|
| 31B bf16, B300, 8192 tokens a step, 1024 requests, vision | 3.9, 0.25, 0.76 | 3.9, 0.25, 0.90 |
| 31B bf16, RTX PRO 6000, 8192 tokens, 20 requests, vision | 1.74 for two, 0.13 | 1.43, 0.25, 0.11 |
| E4B bf16, 24 GB card, 2048 tokens, 256 requests, all inputs | 1.14 for two, 0.79 | 0.96, 0.25, 0.76 |
| 26B bf16, A100, 2048 tokens, 256 requests, vision, no graphs | 1.2 for two | 0.96, 0.25 |
| 31B with drafter, 28 graphs (vllm-project/vllm issue 41789) | graphs 0.27 | 0.25 |

Graphs are the engine's estimate, which is what it subtracts; capturing took 0.03 to 0.08 less.
"""

from __future__ import annotations

from functools import cache

from infra.plan.demand import Setting, Term

_MIB = 2**20
_BF16_BYTES = 2
_SEQUENCES = 256
# Bytes per logit at the sampler's peak: bf16 logits, their fp32 copy, and the copies that masking and softmax make
# (vllm 0.33.0 v1/worker/gpu/sample/sampler.py); from the B300 log, where the sampler sets the peak.
_LOGIT_BYTES = 15
# Hidden states alive at once in a layer: residual, normed input, output, and the copy that is kept for the sampler.
_HIDDEN_STATES = 4
# Bytes per image patch and per unit of the vision tower's width, at most: the RTX PRO 6000 log bounds it from above.
_PATCH_BYTES_PER_WIDTH = 17
_PATCHES_PER_TOKEN = 9
# The longest item, a video of 32 frames x 78 tokens (vllm-project/vllm issue 42687): the encoders are profiled with one
# at least.
LONGEST_ITEM_TOKENS = 2496
# Width of the vision tower by its parameters.
_VISION_WIDTHS = ((400_000_000, 1152), (100_000_000, 768))
# The unified architecture projects 48-pixel patches of 6912 numbers; one token each.
_UNIFIED_PATCH_NUMBERS = 6912
_GRAPH_BYTES = 9 * _MIB
_GRAPH_SIZES: tuple[int, ...] = (1, 2, 4, *range(8, 256, 8), *range(256, 513, 16))
_NON_TORCH_BYTES = 256 * _MIB
_COLLECTIVES_BYTES = 256 * _MIB
_CONTEXT_BYTES = 640 * _MIB
_PROFILER = "vllm 0.33.0 v1/worker/gpu_worker.py"


def sequences(concurrency: int, batched_tokens: int) -> int:
    """Requests that one step may hold, which the plan sets: the engine's own default on large cards is 1024.

    Each takes 3.75 MiB at the sampler's peak, so that 1024 would cost 3.75 GiB of cache for requests that do not fit.
    """
    return min(max(_SEQUENCES, concurrency), batched_tokens)


def collective(setting: Setting) -> int:
    """Accelerators that work on one request: data ranks of a model with experts share those (vllm 0.33.0 fused_moe)."""
    return setting.tensor * setting.pipeline * (setting.data if setting.model.experts else 1)


def outside_share_bytes(accelerators: int) -> int:
    """Device memory that is taken before the engine first looks, in bytes; the engine refuses to start without it.

    It must be free beside the share that `--gpu-memory-utilization` claims. 0.61 GiB on a B300 with one accelerator;
    the buffers of collectives come on top.
    """
    return _CONTEXT_BYTES + (_COLLECTIVES_BYTES if accelerators > 1 else 0)


def overhead_terms(setting: Setting) -> tuple[Term, ...]:
    """What one accelerator holds beside weights and cache, in bytes, with what each figure may be off by."""
    model = setting.model
    return _overhead_terms(
        model.layers,
        model.hidden,
        max(model.ffn, model.ffn_in_shared_layers or 0),
        model.query_heads * model.head_dim_global,
        max(model.kv_heads_sliding * model.head_dim_sliding, model.kv_heads_global * model.head_dim_global),
        model.experts_per_token,
        model.expert_ffn,
        model.per_layer_embedding,
        model.vocabulary,
        model.max_context_tokens * (model.head_dim_sliding + model.head_dim_global),
        _patch_bytes(model.vision_parameters, model.hidden, setting.inputs),
        setting.batched_tokens,
        sequences(setting.concurrency, setting.batched_tokens),
        setting.tensor,
        collective(setting) > 1,
        setting.drafter is not None,
    )


def _patch_bytes(vision_parameters: int, hidden: int, inputs: tuple[str, ...]) -> int:
    """Bytes that the encoders hold per token of their budget at their peak; 0 for text."""
    if inputs == ("text",):
        return 0
    for parameters, width in _VISION_WIDTHS:
        if vision_parameters >= parameters:
            return _PATCHES_PER_TOKEN * _PATCH_BYTES_PER_WIDTH * width
    return 2 * (_UNIFIED_PATCH_NUMBERS + 2 * hidden) * _BF16_BYTES


@cache
def _graphs(requests: int, batched_tokens: int) -> int:
    """CUDA graphs captured: piecewise ones up to twice the requests and 512 tokens, full ones up to the requests."""
    largest = min(2 * requests, _GRAPH_SIZES[-1], batched_tokens)
    piecewise = sum(size <= largest for size in _GRAPH_SIZES)
    return piecewise + sum(size <= min(requests, largest) for size in _GRAPH_SIZES)


@cache
def _overhead_terms(
    layers: int,
    hidden: int,
    ffn: int,
    query_width: int,
    kv_width: int,
    experts_per_token: int,
    expert_ffn: int,
    per_layer_embedding: int,
    vocabulary: int,
    position_numbers: int,
    patch_bytes: int,
    batched_tokens: int,
    requests: int,
    tensor: int,
    several: bool,
    drafter: bool,
) -> tuple[Term, ...]:
    attention = (2 * query_width + 2 * kv_width) // tensor
    feed_forward = 3 * ffn // tensor
    experts = experts_per_token * (hidden + 3 * expert_ffn // tensor)
    per_layer = 2 * layers * per_layer_embedding
    states = (_HIDDEN_STATES + (2 if drafter else 0)) * hidden
    step = batched_tokens * (states + per_layer + max(attention, feed_forward + experts)) * _BF16_BYTES
    sampler = requests * vocabulary * _LOGIT_BYTES + batched_tokens * hidden * _BF16_BYTES
    budget = max(batched_tokens, LONGEST_ITEM_TOKENS) if patch_bytes else 0
    encoders = budget * patch_bytes
    encoded = budget * hidden * _BF16_BYTES
    activations = max(step, sampler, encoders) + encoded
    graphs = _graphs(requests, batched_tokens) * _GRAPH_BYTES
    buffer = batched_tokens * layers * per_layer_embedding * _BF16_BYTES
    terms = [
        Term(
            "overhead",
            "position tables",
            position_numbers * _BF16_BYTES,
            0,
            "vllm 0.33.0 model_executor/layers/rotary_embedding: one per head size, for the whole context",
        ),
        Term(
            "overhead",
            "activations",
            activations,
            activations // 5 + 64 * _MIB,
            f"{_PROFILER}: the larger of a step, the sampler and the encoders; start-up logs of 31B, 26B and E4B",
        ),
        Term(
            "overhead",
            "CUDA graphs",
            graphs,
            graphs // 4,
            "vllm 0.33.0 config/vllm.py for their number; start-up logs of 31B and E4B for their size",
        ),
        Term(
            "overhead",
            "outside PyTorch",
            _NON_TORCH_BYTES,
            128 * _MIB + (_COLLECTIVES_BYTES if several else 0),
            f"{_PROFILER}: non-torch memory, 0.25 GiB in a log of 31B; with several accelerators, their collectives",
        ),
    ]
    if buffer:
        terms.append(
            Term("overhead", "per-layer embeddings", buffer, 0, "vllm 0.33.0 model_executor/models/gemma4_mm.py")
        )
    return tuple(terms)
