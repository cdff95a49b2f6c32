"""The engines' own arithmetic: published parameter counts, published KV tables, and brute force."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.loader import load_catalog
from infra.catalog.records import Model
from infra.plan.kv_cache import vllm_request_bytes
from infra.plan.weights import GIB, text_parameters

MODELS = load_catalog().models
K = 1024
# GiB of one request at TP 1, block 16: (bf16 at 8192 batched tokens, bf16 at 4096, fp8 at 8192). Computed by vLLM
# 0.32.0's own scheduler code (layer-outermost cache layout).
VLLM_TABLE = [
    ("e2b", 32, 0.38, 0.29, 0.19),
    ("e2b", 128, 0.94, 0.85, 0.47),
    ("e4b", 32, 1.15, 0.83, 0.57),
    ("e4b", 128, 2.65, 2.33, 1.32),
    ("12b", 32, 5.82, 3.32, 2.91),
    ("12b", 128, 7.32, 4.82, 3.66),
    ("12b", 256, 9.32, 6.82, 4.66),
    ("26b-a4b", 32, 3.95, 2.39, 1.97),
    ("26b-a4b", 128, 5.82, 4.26, 2.91),
    ("26b-a4b", 256, 8.32, 6.76, 4.16),
    ("31b", 8, 6.89, 6.89, 3.44),
    ("31b", 32, 15.79, 9.54, 7.90),
    ("31b", 128, 23.29, 17.04, 11.65),
    ("31b", 256, 33.29, 27.04, 16.65),
]
MODEL_STRATEGY = st.sampled_from(sorted(MODELS.values(), key=lambda model: model.id))


def vllm_gib(model: Model, tokens: int, batched: int, element: int, tensor: int = 1) -> float:
    return (
        vllm_request_bytes(
            model,
            tokens=tokens,
            tensor=tensor,
            batched_tokens=batched,
            concurrent_batches=2,
            element_bytes=element,
        )
        / GIB
    )


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_parameters_from_architecture_equal_the_model_classes_to_the_last_digit(model: Model) -> None:
    assert text_parameters(model) == model.text_parameters


@pytest.mark.parametrize(("size", "tokens", "bf16_8192", "bf16_4096", "fp8_8192"), VLLM_TABLE)
def test_vllm_charge_equals_the_engines_own_figures(
    size: str, tokens: int, bf16_8192: float, bf16_4096: float, fp8_8192: float
) -> None:
    model = MODELS[f"gemma-4-{size}-it"]
    got = [vllm_gib(model, tokens * K, *how) for how in ((8192, 2), (4096, 2), (8192, 1))]
    assert got == pytest.approx([bf16_8192, bf16_4096, fp8_8192], abs=0.0051)


@pytest.mark.parametrize(("tensor", "expected"), [(2, 7.90), (4, 3.95), (8, 2.29)])
def test_tensor_parallelism_never_splits_a_kv_head(tensor: int, expected: float) -> None:
    assert vllm_gib(MODELS["gemma-4-31b-it"], 32 * K, 8192, 2, tensor) == pytest.approx(expected, abs=0.005)


def brute_force_blocks(model: Model, tokens: int, batched: int) -> int:
    """Bytes of one request by walking its layers and blocks one at a time, block by block."""
    sliding_token = model.kv_heads_sliding * model.head_dim_sliding * 4
    global_token = model.kv_heads_global * model.head_dim_global * 4
    page = 16 * max(sliding_token, global_token)
    total = 0
    for layer in range(model.layers - model.kv_shared_layers):
        full = (layer + 1) % model.layers_per_global == 0
        per_token = global_token if full else sliding_token
        held = tokens if full else min(tokens, model.sliding_window_tokens - 1 + 2 * batched)
        blocks = math.ceil(held * per_token / page) + (0 if full else 1)
        total += blocks * page
    return total


@given(MODEL_STRATEGY, st.integers(1, 262144), st.sampled_from([256, 2048, 2496, 4096, 8192, 16384]))
def test_vllm_charge_equals_a_walk_over_every_layer(model: Model, tokens: int, batched: int) -> None:
    charged = vllm_request_bytes(
        model, tokens=tokens, tensor=1, batched_tokens=batched, concurrent_batches=2, element_bytes=2
    )
    assert charged == brute_force_blocks(model, tokens, batched)


@given(MODEL_STRATEGY, st.integers(256, 262143), st.sampled_from([1, 2, 4, 8]))
def test_longer_requests_and_fewer_accelerators_never_cost_less(model: Model, tokens: int, tensor: int) -> None:
    here = vllm_gib(model, tokens, 4096, 2, tensor)
    assert vllm_gib(model, tokens + 1, 4096, 2, tensor) >= here
    assert vllm_gib(model, tokens, 4096, 2, max(1, tensor // 2)) >= here
