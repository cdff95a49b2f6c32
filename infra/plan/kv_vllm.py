"""KV cache that vLLM charges one request at admission, exact to the byte.

Source of every rule: vllm 0.33.0 `v1/core/kv_cache_planning.py` and `v1/kv_cache_interface.py`, with the
layer-outermost cache layout that the FlashAttention and Triton back ends get. `tests/facts/vllm-0.33.0-kv.json` holds
points that were computed by that code itself.
"""

from __future__ import annotations

from functools import cache

from infra.catalog.records import Model

# Tokens per block of the pool (vllm 0.33.0 v1/attention/backends/flash_attn.py): 16, but whole kernel tiles where the
# kernels need them.
_BLOCK_TOKENS = 16
_HOPPER_FP8_BLOCK_TOKENS = 64
_BLACKWELL_BLOCK_TOKENS = 128
_TPU_BLOCK_TOKENS = 256
_FULL_PRECISION_BYTES = 2
# First version in which the second model runner, whose batches also overlap across stages, is the default.
_OVERLAPPING_STAGES = (0, 29)


def block_tokens(architecture: str, element_bytes: int) -> int:
    """Tokens per block at most, for a GPU architecture of the catalogue and bytes per cached element.

    Hopper reads FP8 caches in tiles of 64, data-centre Blackwell bf16 ones in tiles of 128. The engine uses the larger
    block only with some attention kernels; it never costs less, so a plan that charges it is safe. TPUs have blocks of
    16 to 256 tokens, by kernel and context (tpu-inference 0021b4a platforms/tpu_platform.py).
    """
    if architecture.startswith("tpu-"):
        return _TPU_BLOCK_TOKENS
    if architecture == "hopper" and element_bytes < _FULL_PRECISION_BYTES:
        return _HOPPER_FP8_BLOCK_TOKENS
    if architecture == "blackwell-sm100" and element_bytes >= _FULL_PRECISION_BYTES:
        return _BLACKWELL_BLOCK_TOKENS
    return _BLOCK_TOKENS


def concurrent_batches(version: str, pipeline: int) -> int:
    """Engine steps that may be in flight at once, with asynchronous scheduling, which is on by default.

    Source: `VllmConfig.max_concurrent_batches` of vllm 0.28.0 to 0.33.0, equal in all. Gemma 4 runs on the first model
    runner in 0.28, which has no asynchronous scheduling over several stages, and on the second since 0.29.
    """
    major, minor = (int(part) for part in version.split(".")[:2])
    if pipeline > 1 and (major, minor) < _OVERLAPPING_STAGES:
        return pipeline
    return pipeline + 1


def max_pipeline(model: Model) -> int:
    """Stages into which a model can be cut.

    Every stage keeps one global layer at least. Layers that read the KV cache of an earlier layer cannot leave its
    stage, and per-layer embeddings are dropped after the first stage (vllm 0.33.0 model_executor/models/gemma4.py), so
    the E sizes have one stage.
    """
    if model.kv_shared_layers or model.per_layer_embedding:
        return 1
    return model.layers // model.layers_per_global


@cache
def stage_layers(layers: int, pipeline: int) -> tuple[tuple[int, int], ...]:
    """First layer of each stage, and the one behind its last.

    Source: `get_pp_indices` of vllm 0.33.0 distributed/utils.py: what does not divide evenly goes to the stages before
    the last one.
    """
    sizes = [layers // pipeline] * pipeline
    for stage in range(layers % pipeline):
        sizes[-stage - 2] += 1
    starts = [sum(sizes[:stage]) for stage in range(pipeline)]
    return tuple((start, start + size) for start, size in zip(starts, sizes, strict=True))


@cache
def _layers_per_block(layers: int, layers_per_global: int, shared: int, pipeline: int) -> tuple[int, int]:
    """Layers that one block spans on the fullest stage, and groups of sliding layers.

    All layers of a group share block numbers. A group has as many layers as there are global ones, spread over the
    model one by one, so that a stage has its share of each.
    """
    owning = layers - shared
    whole = [layer for layer in range(owning) if (layer + 1) % layers_per_global == 0]
    sliding = [layer for layer in range(owning) if (layer + 1) % layers_per_global]
    sliding_groups = -(-len(sliding) // len(whole))
    groups = [whole, *(sliding[group::sliding_groups] for group in range(sliding_groups))]
    stages = stage_layers(layers, pipeline)
    widest = max(sum(first <= layer < end for layer in group) for first, end in stages for group in groups)
    return widest, sliding_groups


@cache
def _layers_by_stage(layers: int, layers_per_global: int, shared: int, pipeline: int) -> tuple[tuple[int, int], ...]:
    """Of each stage, the sliding and the global layers that own a KV cache."""
    ends = ((first, min(end, layers - shared)) for first, end in stage_layers(layers, pipeline))
    counts = ((end - first, end // layers_per_global - first // layers_per_global) for first, end in ends)
    return tuple((count - whole, whole) for count, whole in counts)


def _token_bytes(model: Model, tensor: int, element_bytes: int) -> tuple[int, int]:
    """Bytes per token of a sliding and of a global layer: keys and values of the heads of one accelerator."""
    sliding_heads = max(1, model.kv_heads_sliding // tensor)
    global_heads = max(1, model.kv_heads_global // tensor)
    return (
        sliding_heads * model.head_dim_sliding * 2 * element_bytes,
        global_heads * model.head_dim_global * 2 * element_bytes,
    )


def block_bytes(
    model: Model,
    *,
    tensor: int,
    pipeline: int,
    element_bytes: int,
    block_tokens: int = _BLOCK_TOKENS,
    hybrid: bool = True,
) -> int:
    """Bytes of one block of the pool on the fullest accelerator.

    The engine keeps one block back for itself, so that n requests need n times `request_bytes` plus this.
    """
    sliding, whole = _token_bytes(model, tensor, element_bytes)
    shape = (model.layers, model.layers_per_global, model.kv_shared_layers, pipeline)
    if not hybrid:
        stages = _layers_by_stage(*shape)
        return block_tokens * max(windowed * sliding + full * whole for windowed, full in stages)
    widest, _ = _layers_per_block(*shape)
    return block_tokens * max(sliding, whole) * widest


def request_bytes(
    model: Model,
    *,
    tokens: int,
    tensor: int,
    pipeline: int,
    batched_tokens: int,
    concurrent_batches: int,
    element_bytes: int,
    block_tokens: int = _BLOCK_TOKENS,
    hybrid: bool = True,
) -> int:
    """Bytes that vLLM charges one request of `tokens` tokens at admission, on the fullest accelerator.

    Global layers hold the whole request. Sliding layers hold the window and all tokens in flight (`batched_tokens` of
    each of the `concurrent_batches`), and one block more. The layer kind with the smaller page gets larger blocks until
    pages match; a KV head is never split. Without `hybrid` (before 0.21, on TPU, with KV connectors) every layer holds
    the whole request.
    """
    sliding, whole = _token_bytes(model, tensor, element_bytes)
    shape = (model.layers, model.layers_per_global, model.kv_shared_layers, pipeline)
    if not hybrid:
        stages = _layers_by_stage(*shape)
        return (
            -(-tokens // block_tokens)
            * block_tokens
            * max(windowed * sliding + full * whole for windowed, full in stages)
        )
    widest, sliding_groups = _layers_per_block(*shape)
    page = block_tokens * max(sliding, whole)
    held = min(model.sliding_window_tokens - 1 + batched_tokens * concurrent_batches, tokens)
    blocks = -(-tokens * whole // page) + sliding_groups * (-(-held * sliding // page) + 1)
    return blocks * page * widest
