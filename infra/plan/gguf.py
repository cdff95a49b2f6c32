"""Tensor bytes of a Gemma 4 GGUF file, from the architecture."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from infra.catalog.records import Model

WEIGHT_BYTES = {"bf16": Fraction(2), "q8_0": Fraction(34, 32)}
_ALIGNMENT = 32


def tensors(model: Model) -> Iterator[tuple[int, bool]]:
    """Values of every tensor that a converter writes, and whether it is a matrix: vectors and routers stay f32."""
    hidden, per_layer = model.hidden, model.per_layer_embedding
    yield model.vocabulary * hidden, True
    yield from ((hidden, False), (model.head_dim_global // 2, False))
    if per_layer:
        width = model.layers * per_layer
        yield from ((model.vocabulary * width, True), (hidden * width, True), (per_layer, False))
    for layer in range(model.layers):
        shared = layer >= model.layers - model.kv_shared_layers
        full = (layer + 1) % model.layers_per_global == 0
        head_dim = model.head_dim_global if full else model.head_dim_sliding
        queries = hidden * model.query_heads * head_dim
        ffn = model.ffn_in_shared_layers if shared and model.ffn_in_shared_layers else model.ffn
        yield from ((queries, True), (queries, True), (head_dim, False), (1, False))
        yield from ((hidden * ffn, True),) * 3
        yield from ((hidden, False),) * 4
        if not shared:
            key = hidden * head_dim * (model.kv_heads_global if full else model.kv_heads_sliding)
            yield from ((key, True), (head_dim, False))
            if not (full and model.global_layers_without_value):
                yield key, True
        if per_layer:
            yield from ((hidden * per_layer, True), (hidden * per_layer, True), (hidden, False))
        if model.experts:
            experts = hidden * model.expert_ffn * model.experts
            yield from ((hidden * model.experts, False), (2 * experts, True), (experts, True), (model.experts, False))
            yield from ((hidden, False),) * 4


def gguf_bytes(model: Model, precision: str) -> int:
    """Tensor bytes of a GGUF file in `bf16` or `q8_0` as the converter writes it; tensors are aligned to 32 bytes.

    Layers without a cache of their own count no K and V: the engine needs none. Source: conversion/base.py.
    """
    size = WEIGHT_BYTES[precision]
    total = 0
    for values, matrix in tensors(model):
        tensor = values * size.numerator // size.denominator if matrix else values * 4
        total += -(-tensor // _ALIGNMENT) * _ALIGNMENT
    return total


def unused_kv_bytes(model: Model, precision: str) -> int:
    """K and V of the layers without a cache: checkpoints carry them and the converter does not drop them (read)."""
    size, values = WEIGHT_BYTES[precision], 0
    for layer in range(model.layers - model.kv_shared_layers, model.layers):
        full = (layer + 1) % model.layers_per_global == 0
        heads, head_dim = (
            (model.kv_heads_global, model.head_dim_global) if full else (model.kv_heads_sliding, model.head_dim_sliding)
        )
        values += 2 * model.hidden * heads * head_dim
    return values * size.numerator // size.denominator
