"""Bytes of KV cache that one request of full length costs, by the engines' own rules."""

from __future__ import annotations

from infra.catalog.records import Model

_BASE_BLOCK_TOKENS = 16
_LLAMACPP_CELL_PADDING = 256
LLAMACPP_UBATCH_TOKENS = 512


def vllm_request_bytes(
    model: Model, *, tokens: int, tensor: int, batched_tokens: int, concurrent_batches: int, element_bytes: int
) -> int:
    """What vLLM charges one request of `tokens` tokens at admission, per accelerator, in bytes.

    Source: vllm 0.33.0 v1/core/kv_cache_planning.py and v1/kv_cache_interface.py. Global layers hold the whole
    request; sliding layers hold the window plus all tokens in flight (batched tokens of every concurrent batch), plus
    one block. The layer kind with the smaller page gets larger blocks until pages match. A KV head is never split.
    """
    sliding_heads = max(1, model.kv_heads_sliding // tensor)
    global_heads = max(1, model.kv_heads_global // tensor)
    sliding_token = sliding_heads * model.head_dim_sliding * 2 * element_bytes
    global_token = global_heads * model.head_dim_global * 2 * element_bytes
    page = _BASE_BLOCK_TOKENS * max(sliding_token, global_token)
    sliding_block, global_block = page // sliding_token, page // global_token
    in_flight = batched_tokens * concurrent_batches
    held = min(model.sliding_window_tokens - 1 + in_flight, tokens)
    groups = -(-model.sliding_layers // model.global_layers)
    blocks = -(-tokens // global_block) + groups * (-(-held // sliding_block) + 1)
    return blocks * page * model.global_layers


def llamacpp_request_bytes(model: Model, *, tokens: int, element_bytes: int) -> int:
    """What one llama-server slot of `tokens` tokens holds, in bytes.

    Source: llama.cpp b11434 llama-kv-cache-iswa.cpp: global layers hold the context, sliding layers
    `pad256(min(context, window + ubatch))` cells. Equal to the server's own fit pass, byte for byte.
    """
    cells = llamacpp_slot_tokens(tokens)
    sliding_cells = llamacpp_slot_tokens(min(cells, model.sliding_window_tokens + LLAMACPP_UBATCH_TOKENS))
    sliding = model.sliding_layers * model.kv_heads_sliding * model.head_dim_sliding * sliding_cells
    whole = model.global_layers * model.kv_heads_global * model.head_dim_global * cells
    return (sliding + whole) * 2 * element_bytes


def llamacpp_slot_tokens(tokens: int) -> int:
    """Cells of a slot for `tokens` tokens: llama-server rounds up to a multiple of 256."""
    return -(-tokens // _LLAMACPP_CELL_PADDING) * _LLAMACPP_CELL_PADDING
