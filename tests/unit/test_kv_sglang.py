"""SGLang's pools: its own solver restated, brute force over layers, and the terms of a plan."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.records import Drafter
from infra.plan.kv_sglang import (
    DEFAULT_RATIO,
    demand_terms,
    duplicated_parameters,
    host_terms,
    pool_bytes,
    pool_tokens,
    sliding_tokens,
    swa_full_tokens_ratio,
)
from tests.unit.test_kv_llamacpp import models, setting

K = 1024
GIB = 2**30
SIZES = st.sampled_from(["12b", "26b-a4b", "31b", "e2b", "e4b"])


def solve(available: int, model: Any, ratio: float, tensor: int, element: int) -> tuple[int, int]:
    """The engine's own direction: pools from bytes, page 1 (pool_configurator.py)."""
    full_layers = model.layers // model.layers_per_global
    full = max(1, model.kv_heads_global // tensor) * 2 * model.head_dim_global * element * full_layers
    sliding = max(1, model.kv_heads_sliding // tensor) * 2 * model.head_dim_sliding * element
    cell = full + ratio * sliding * (model.layers - full_layers)
    tokens = int(available // cell)
    return tokens, int(tokens * ratio)


@given(
    SIZES,
    st.integers(64, 131072),
    st.integers(1, 64),
    st.sampled_from([2048, 8192]),
    st.sampled_from([0.1, 0.25, DEFAULT_RATIO, 1.0]),
    st.sampled_from([1, 2, 4]),
)
def test_given_those_bytes_the_engine_makes_pools_at_least_as_large(
    size: str, tokens: int, concurrency: int, chunk: int, ratio: float, tensor: int
) -> None:
    model = models()[size]
    asked: dict[str, int] = {"tokens": tokens, "concurrency": concurrency, "chunked_prefill_tokens": chunk}
    full, sliding = pool_tokens(model, **asked, ratio=ratio)
    size_bytes = pool_bytes(model, full=full, sliding=sliding, tensor=tensor, element_bytes=2)
    made_full, made_sliding = solve(size_bytes, model, ratio, tensor, 2)
    assert made_full >= full >= tokens * concurrency
    assert made_sliding >= sliding >= sliding_tokens(model, **asked)
    assert sliding > model.sliding_window_tokens - 1 + 1


@given(SIZES, st.integers(64, 131072), st.integers(1, 32))
def test_the_chosen_ratio_never_needs_more_than_the_default(size: str, tokens: int, concurrency: int) -> None:
    model = models()[size]
    asked: dict[str, int] = {"tokens": tokens, "concurrency": concurrency, "chunked_prefill_tokens": 2048}
    ratio = swa_full_tokens_ratio(model, **asked)
    assert 0 < ratio <= 1

    def need(ratio: float) -> int:
        full, sliding = pool_tokens(model, **asked, ratio=ratio)
        return pool_bytes(model, full=full, sliding=sliding, tensor=1, element_bytes=2)

    slack = pool_bytes(model, full=0, sliding=math.ceil(tokens * concurrency / 100) + 1, tensor=1, element_bytes=2)
    assert need(ratio) <= need(DEFAULT_RATIO) + slack


def test_the_default_ratio_nearly_takes_the_window_away_from_31b() -> None:
    model = models()["31b"]
    asked: dict[str, int] = {"tokens": 32 * K, "concurrency": 4, "chunked_prefill_tokens": 8192}

    def gib(ratio: float) -> float:
        full, sliding = pool_tokens(model, **asked, ratio=ratio)
        return pool_bytes(model, full=full, sliding=sliding, tensor=1, element_bytes=2) / GIB

    assert gib(DEFAULT_RATIO) == pytest.approx(90, abs=0.1)
    assert gib(swa_full_tokens_ratio(model, **asked)) == pytest.approx(27, abs=0.5)


def test_every_layer_has_a_place_in_the_pools_and_heads_are_never_split() -> None:
    for model in models().values():
        total = 0
        for layer in range(model.layers):
            full = (layer + 1) % model.layers_per_global == 0
            heads, width, tokens = (
                (model.kv_heads_global, model.head_dim_global, 101)
                if full
                else (model.kv_heads_sliding, model.head_dim_sliding, 51)
            )
            total += 2 * 2 * tokens * max(1, heads // 4) * width
        assert pool_bytes(model, full=100, sliding=50, tensor=4, element_bytes=2) == total


@pytest.mark.parametrize(
    ("size", "parameters"),
    [
        ("31b", 10 * 5376 * 4 * 512),
        ("12b", 8 * 3840 * 512),
        ("26b-a4b", 5 * 2816 * 2 * 512),
        ("e2b", 2 * 1536 * (16 * 256 + 4 * 512)),
        ("e4b", 2 * 2560 * (15 * 512 + 3 * 1024)),
    ],
)
def test_the_fused_matrix_holds_rows_that_the_checkpoint_has_not(size: str, parameters: int) -> None:
    model = models()[size]
    assert duplicated_parameters(model) == parameters
    weights = demand_terms(setting(size, "bf16", batched_tokens=2048))[0]
    assert weights.size_bytes == 2 * (model.text_parameters + parameters)


def test_terms_of_a_split_model_with_images_and_a_drafter() -> None:
    drafter = Drafter("gemma-4-31b-it", "safetensors", "google/assistant", 454700000, 0, 4, (), ())
    one = setting("31b", "bf16", batched_tokens=8192, tensor=2, inputs=("image", "text"), drafter=drafter)
    terms = {term.name: term for term in demand_terms(one)}
    assert {"weights", "towers", "drafter", "token pools", "images in work"} <= set(terms)
    assert all(term.size_bytes > 0 and term.uncertainty_bytes >= 0 and term.source for term in terms.values())
    assert host_terms(one)[0].size_bytes > 0
    whole = {term.name: term for term in demand_terms(dataclasses.replace(one, tensor=1))}
    assert terms["token pools"].size_bytes * 2 == whole["token pools"].size_bytes


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="not known"):
        demand_terms(setting("31b", "w4a16", batched_tokens=8192))
    with pytest.raises(ValueError, match="pipeline"):
        demand_terms(setting("31b", "bf16", batched_tokens=8192, pipeline=2))
    listed = demand_terms(setting("31b", "fp8", batched_tokens=8192, file_bytes=34 * 10**9))[0]
    assert listed.size_bytes == 34 * 10**9
