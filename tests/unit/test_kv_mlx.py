"""mlx-vlm's memory: its own cache classes, a walk over chunks and layers, and the terms of a plan."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.records import Drafter, Model
from infra.plan.kv_mlx import cache_bytes, demand_terms, host_terms, mlx_bytes
from infra.plan.weights import text_parameters
from tests.unit.test_kv_llamacpp import models, setting

K = 1024
GIB = 2**30
FACTS: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[1] / "facts/mlx-vlm-0.7.10-cache.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("point", FACTS["points"], ids=lambda point: "-".join(map(str, point[:6])))
def test_cache_holds_what_the_engines_own_classes_hold(point: list[Any]) -> None:
    size, tokens, _prompt, rows, kv_bits, step, prefill, end = point
    charged = cache_bytes(models()[size], tokens=tokens, concurrency=rows, kv_bits=kv_bits, step_tokens=step)
    assert max(prefill, end) <= charged <= 1.2 * max(prefill, end)


def walk(model: Model, tokens: int, rows: int, kv_bits: int | None, step: int) -> tuple[int, int]:
    """Peak and last bytes of rows that prefill together, layer by layer and step by step."""
    owners = range(model.layers - model.kv_shared_layers)
    peak, done, total = 0, 0, 0
    while done < tokens - 1:
        chunk = min(step, tokens - 1 - done)
        before, done, total = done, done + chunk, 0
        for layer in owners:
            if (layer + 1) % model.layers_per_global == 0:
                values = 2 * model.kv_heads_global * model.head_dim_global
                cells = math.ceil(done / 256) * 256
                quantised = kv_bits is not None and layer != owners[-1]
                total += (
                    rows * cells * values * ((kv_bits or 0) * 64 + 32) // 512
                    if quantised
                    else 2 * rows * cells * values
                )
            else:
                cells = min(before, model.sliding_window_tokens - 1) + chunk
                total += 2 * rows * cells * 2 * model.kv_heads_sliding * model.head_dim_sliding
        peak = max(peak, total)
    return peak, total


@given(
    st.sampled_from(["12b", "26b-a4b", "31b", "e2b", "e4b"]),
    st.integers(2, 65536),
    st.integers(1, 8),
    st.sampled_from([None, 4, 8]),
    st.sampled_from([512, 2048]),
)
def test_cache_is_never_below_a_walk_over_steps_and_layers(
    size: str, tokens: int, rows: int, kv_bits: int | None, step: int
) -> None:
    model = models()[size]
    charged = cache_bytes(model, tokens=tokens, concurrency=rows, kv_bits=kv_bits, step_tokens=step)
    assert charged >= walk(model, tokens, rows, kv_bits, step)[0]
    more = cache_bytes(model, tokens=tokens + 1, concurrency=rows + 1, kv_bits=kv_bits, step_tokens=step)
    assert more > charged


def test_quantisation_leaves_sliding_layers_and_the_last_global_one() -> None:
    model = models()["31b"]
    plain = cache_bytes(model, tokens=32 * K, concurrency=1, kv_bits=None)
    packed = cache_bytes(model, tokens=32 * K, concurrency=1, kv_bits=4)
    assert plain - packed == 9 * 2 * 4 * 512 * 32 * K * (64 - 18) // 32


# GiB of the published 4-bit and 8-bit conversions' text weights at 4.5 and 8.5 bits for nearly everything.
@pytest.mark.parametrize("size", ["12b", "26b-a4b", "31b", "e2b", "e4b"])
def test_weights_are_close_to_the_bits_of_their_format(size: str) -> None:
    model = models()[size]
    towers = 2 * (model.vision_parameters + model.audio_parameters)
    parameters = text_parameters(model)
    assert mlx_bytes(model, "bf16") - towers == pytest.approx(2 * parameters, rel=1e-6)
    assert mlx_bytes(model, "8bit") - towers == pytest.approx(8.5 / 8 * parameters, rel=1e-3)
    assert mlx_bytes(model, "4bit") - towers == pytest.approx(4.5 / 8 * parameters, rel=2e-3)
    with pytest.raises(ValueError, match="3bit"):
        mlx_bytes(model, "3bit")


def test_a_prompt_with_an_image_is_one_step_where_the_model_looks_both_ways() -> None:
    def scores(size: str, *inputs: str) -> int:
        one = setting(size, "4bit", "apple", tokens=16 * K, inputs=inputs)
        return next(term.size_bytes for term in demand_terms(one) if term.name == "attention scores")

    assert scores("31b", "image", "text") == 8 * scores("31b", "text") == 32 * (16 * K) ** 2 * 9 // 4
    assert scores("e4b", "image", "text") == scores("e4b", "text")


def test_every_term_has_a_size_and_a_source() -> None:
    drafter = Drafter("gemma-4-e4b-it", "mlx", "mlx-community/assistant", 77700000, 10**5, 4, (), ())
    terms = demand_terms(setting("e4b", "8bit", "apple", concurrency=4, drafter=drafter))
    assert [term.kind for term in terms].count("kv") == 1
    assert all(term.size_bytes > 0 and term.uncertainty_bytes >= 0 and term.source for term in terms)
    assert host_terms(setting("e4b", "8bit", "apple")) == ()
    with pytest.raises(ValueError, match="not known"):
        demand_terms(setting("e4b", "8bit", "apple", drafter=dataclasses.replace(drafter, parameters=None)))


def test_a_listed_size_is_used_as_it_is() -> None:
    term = demand_terms(setting("e4b", "4bit", "apple", file_bytes=5 * 10**9, file_uncertainty=10**8))[0]
    assert (term.size_bytes, term.uncertainty_bytes) == (5 * 10**9, 10**8)
