"""Arithmetic of a prompt, from the architecture: floating-point operations, and the weights that are read for it."""

from __future__ import annotations

from infra.catalog.records import Model


def linear_flops(model: Model, tokens: int) -> int:
    """Operations of a prompt's matrix products with weights: two per weight and token that it meets.

    The output layer runs for the last token only. Embeddings are looked up, and cost none. Source: Kaplan et al. 2020,
    Scaling Laws for Neural Language Models, table 1 (2 N per token); one term per matrix as in transformers 5.23.0
    modeling_gemma4.py.
    """
    return 2 * (tokens * active_weights(model) + model.vocabulary * model.hidden)


def attention_flops(model: Model, tokens: int) -> int:
    """Operations of scores and weighted values: four per query head, dimension and pair of a token with one it sees.

    A token sees itself and all before it on global layers, at most the window on sliding ones; layers that share a KV
    cache attend as others do. Tokens of images, which see each other both ways, are not counted apart. Source: Kaplan
    et al. 2020, table 1, summed over positions.
    """
    full, sliding = _layers(model, model.layers)
    window = min(tokens, model.sliding_window_tokens)
    seen_global = tokens * (tokens + 1) // 2
    seen_sliding = window * (window + 1) // 2 + (tokens - window) * window
    widths = full * model.head_dim_global * seen_global + sliding * model.head_dim_sliding * seen_sliding
    return 4 * model.query_heads * widths


def active_weights(model: Model) -> int:
    """Weights of matrices that one token meets in all layers: of experts those it is sent to, with the router."""
    experts = 3 * model.hidden * model.expert_ffn * model.experts_per_token + model.hidden * model.experts
    return _weights_beside_experts(model) + (model.layers * experts if model.experts else 0)


def read_weights(model: Model, tokens: int) -> float:
    """Weights that one step over so many tokens reads: of experts those that any token is sent to.

    Which those are depends on the text; expected is what even routing gives.
    """
    router = model.layers * model.hidden * model.experts
    if not model.experts:
        return _weights_beside_experts(model)
    unused = (1 - model.experts_per_token / model.experts) ** tokens
    all_experts = model.layers * 3 * model.hidden * model.expert_ffn * model.experts
    return _weights_beside_experts(model) + router + (1 - unused) * all_experts


def _weights_beside_experts(model: Model) -> int:
    hidden, heads = model.hidden, model.query_heads
    full, sliding = _layers(model, model.layers)
    total = 2 * hidden * heads * (full * model.head_dim_global + sliding * model.head_dim_sliding)
    full, sliding = _layers(model, model.layers - model.kv_shared_layers)
    matrices = 1 if model.global_layers_without_value else 2
    total += matrices * full * hidden * model.kv_heads_global * model.head_dim_global
    total += 2 * sliding * hidden * model.kv_heads_sliding * model.head_dim_sliding
    shared_ffn = model.ffn_in_shared_layers or model.ffn
    total += 3 * hidden * (model.ffn * (full + sliding) + shared_ffn * model.kv_shared_layers)
    return total + 3 * model.layers * hidden * model.per_layer_embedding


def _layers(model: Model, first: int) -> tuple[int, int]:
    """Of the first layers, those with full and those with sliding-window attention."""
    full = first // model.layers_per_global
    return full, first - full
