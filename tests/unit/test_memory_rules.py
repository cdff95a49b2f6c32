"""llama.cpp's own arithmetic: what its server prints, and brute force."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.loader import load_catalog
from infra.catalog.records import Model
from infra.plan.kv_cache import llamacpp_request_bytes

MODELS = load_catalog().models
K = 1024
MODEL_STRATEGY = st.sampled_from(sorted(MODELS.values(), key=lambda model: model.id))


@given(MODEL_STRATEGY, st.integers(256, 131072))
def test_llamacpp_sliding_layers_hold_the_window_and_one_batch_only(model: Model, tokens: int) -> None:
    cells = 0
    for layer in range(model.layers - model.kv_shared_layers):
        if (layer + 1) % model.layers_per_global == 0:
            cells += math.ceil(tokens / 256) * 256 * model.kv_heads_global * model.head_dim_global
        else:
            held = math.ceil(min(tokens, model.sliding_window_tokens + 512) / 256) * 256
            cells += held * model.kv_heads_sliding * model.head_dim_sliding
    assert llamacpp_request_bytes(model, tokens=tokens, element_bytes=2) == cells * 4


# MiB, f16, ubatch 512, from the fit pass of llama-server b11434 itself: one slot, then four slots of a quarter each.
LLAMACPP_TABLE = [
    ("31b", 8 * K, 1840, 5440),
    ("31b", 32 * K, 3760, 7360),
    ("31b", 128 * K, 11440, 15040),
    ("e4b", 8 * K, 168, 288),
    ("e4b", 32 * K, 552, 672),
    ("e4b", 128 * K, 2088, 2208),
]


@pytest.mark.parametrize(("size", "context", "one_slot", "four_slots"), LLAMACPP_TABLE)
def test_llamacpp_charge_equals_the_servers_own_fit_pass(
    size: str, context: int, one_slot: int, four_slots: int
) -> None:
    model = MODELS[f"gemma-4-{size}-it"]
    assert llamacpp_request_bytes(model, tokens=context, element_bytes=2) == one_slot * 2**20
    assert 4 * llamacpp_request_bytes(model, tokens=context // 4, element_bytes=2) == four_slots * 2**20
