"""vLLM's admission charge: points of its own code, published tables, and a walk over every layer."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.records import Model
from infra.plan.demand import GIB
from infra.plan.kv_vllm import (
    block_bytes,
    block_tokens,
    concurrent_batches,
    max_pipeline,
    request_bytes,
    stage_layers,
)
from tests.unit.gemma4 import MODELS

K = 1024
ORACLE: dict[str, Any] = json.loads(Path("tests/facts/vllm-0.33.0-kv.json").read_text(encoding="utf-8"))
# GiB of one request at one accelerator, by the rule's first reading of the engine (facts of 2026-11-24): bf16 at 8192
# batched tokens, bf16 at 4096, fp8 at 8192, and every layer in full.
TABLE = [
    ("e2b", 32, 0.38, 0.29, 0.19, 0.56),
    ("e2b", 128, 0.94, 0.85, 0.47, 2.25),
    ("e4b", 32, 1.15, 0.83, 0.57, 1.75),
    ("e4b", 128, 2.65, 2.33, 1.32, 7.00),
    ("12b", 32, 5.82, 3.32, 2.91, 10.5),
    ("12b", 128, 7.32, 4.82, 3.66, 42.0),
    ("12b", 256, 9.32, 6.82, 4.66, 84.0),
    ("26b-a4b", 32, 3.95, 2.39, 1.97, 6.88),
    ("26b-a4b", 128, 5.82, 4.26, 2.91, 27.5),
    ("26b-a4b", 256, 8.32, 6.76, 4.16, 55.0),
    ("31b", 8, 6.89, 6.89, 3.44, 6.88),
    ("31b", 32, 15.79, 9.54, 7.90, 27.5),
    ("31b", 128, 23.29, 17.04, 11.65, 110.0),
    ("31b", 256, 33.29, 27.04, 16.65, 220.0),
]
ANY_MODEL = st.sampled_from(sorted(MODELS.values(), key=lambda model: model.id))
HOW = st.fixed_dictionaries(
    {
        "tensor": st.sampled_from([1, 2, 4, 8]),
        "batched_tokens": st.integers(256, 16384),
        "concurrent_batches": st.integers(1, 5),
        "element_bytes": st.sampled_from([1, 2]),
        "block_tokens": st.sampled_from([16, 32, 64, 128]),
        "hybrid": st.booleans(),
    }
)


def test_charge_equals_the_engines_own_code_at_every_point() -> None:
    assert len(ORACLE["points"]) > 400
    wrong = []
    for point in ORACLE["points"]:
        row = dict(zip(ORACLE["columns"], point, strict=True))
        model = MODELS[row.pop("size")]
        expected = (row.pop("request_bytes"), row.pop("block_bytes"))
        pool = {name: row[name] for name in ("tensor", "pipeline", "element_bytes", "block_tokens", "hybrid")}
        got = (request_bytes(model, **row), block_bytes(model, **pool))
        if got != expected:
            wrong.append((model.id, row, got, expected))
    assert not wrong


def gib(model: Model, tokens: int, batched: int, element: int, tensor: int = 1, hybrid: bool = True) -> float:
    charged = request_bytes(
        model,
        tokens=tokens * K,
        tensor=tensor,
        pipeline=1,
        batched_tokens=batched,
        concurrent_batches=2,
        element_bytes=element,
        hybrid=hybrid,
    )
    return charged / GIB


@pytest.mark.parametrize(("size", "tokens", "bf16_8192", "bf16_4096", "fp8_8192", "in_full"), TABLE)
def test_charge_equals_the_table_of_the_facts(
    size: str, tokens: int, bf16_8192: float, bf16_4096: float, fp8_8192: float, in_full: float
) -> None:
    model = MODELS[size]
    got = [gib(model, tokens, *how) for how in ((8192, 2), (4096, 2), (8192, 1))]
    got.append(gib(model, tokens, 8192, 2, hybrid=False))
    assert got == pytest.approx([bf16_8192, bf16_4096, fp8_8192, in_full], abs=0.0051, rel=0.005)


@pytest.mark.parametrize(("tensor", "expected"), [(2, 7.90), (4, 3.95), (8, 2.29), (16, 1.46), (32, 1.46)])
def test_tensor_parallelism_never_splits_a_kv_head(tensor: int, expected: float) -> None:
    assert gib(MODELS["31b"], 32, 8192, 2, tensor) == pytest.approx(expected, abs=0.0051)


def walk(model: Model, tokens: int, how: dict[str, Any]) -> int:
    """Bytes of one request by walking its layers one at a time and filling them block by block."""
    per_token = {
        full: max(1, heads // how["tensor"]) * head_dim * 2 * how["element_bytes"]
        for full, heads, head_dim in (
            (False, model.kv_heads_sliding, model.head_dim_sliding),
            (True, model.kv_heads_global, model.head_dim_global),
        )
    }
    page = how["block_tokens"] * max(per_token.values())
    in_flight = how["batched_tokens"] * how["concurrent_batches"]
    total = 0
    for layer in range(model.layers - model.kv_shared_layers):
        full = (layer + 1) % model.layers_per_global == 0
        if not how["hybrid"]:
            total += math.ceil(tokens / how["block_tokens"]) * how["block_tokens"] * per_token[full]
            continue
        held = tokens if full else min(tokens, model.sliding_window_tokens - 1 + in_flight)
        total += (math.ceil(held / (page // per_token[full])) + (not full)) * page
    return total


@given(ANY_MODEL, st.integers(1, 262144), HOW)
def test_charge_equals_a_walk_over_every_layer(model: Model, tokens: int, how: dict[str, Any]) -> None:
    assert request_bytes(model, tokens=tokens, pipeline=1, **how) == walk(model, tokens, how)


@given(ANY_MODEL, st.integers(1, 262143), HOW)
def test_longer_requests_larger_steps_and_fewer_accelerators_never_cost_less(
    model: Model, tokens: int, how: dict[str, Any]
) -> None:
    here = request_bytes(model, tokens=tokens, pipeline=1, **how)
    assert request_bytes(model, tokens=tokens + 1, pipeline=1, **how) >= here
    more = how | {"batched_tokens": how["batched_tokens"] + 1}
    assert request_bytes(model, tokens=tokens, pipeline=1, **more) >= here
    fewer = how | {"tensor": max(1, how["tensor"] // 2)}
    assert request_bytes(model, tokens=tokens, pipeline=1, **fewer) >= here


@given(ANY_MODEL, st.integers(1, 262144), st.integers(1, 10), HOW)
def test_stages_never_hold_more_than_the_whole_nor_less_than_their_share(
    model: Model, tokens: int, pipeline: int, how: dict[str, Any]
) -> None:
    pipeline = min(pipeline, max_pipeline(model))
    whole = request_bytes(model, tokens=tokens, pipeline=1, **how)
    stage = request_bytes(model, tokens=tokens, pipeline=pipeline, **how)
    assert whole / pipeline <= stage <= whole


@given(st.integers(1, 64), st.integers(1, 10))
def test_stages_cover_every_layer_once(layers: int, pipeline: int) -> None:
    covered = [layer for first, end in stage_layers(layers, pipeline) for layer in range(first, end)]
    assert covered == list(range(layers)) or pipeline > layers


def test_stages_before_the_last_take_what_does_not_divide() -> None:
    assert stage_layers(30, 4) == ((0, 7), (7, 15), (15, 23), (23, 30))


def test_sizes_that_share_kv_between_layers_have_one_stage() -> None:
    assert {size: max_pipeline(model) for size, model in MODELS.items()} == {
        "e2b": 1,
        "e4b": 1,
        "12b": 8,
        "26b-a4b": 5,
        "31b": 10,
    }


@pytest.mark.parametrize(
    ("version", "pipeline", "expected"),
    [("0.28.0", 1, 2), ("0.28.0", 2, 2), ("0.29.0", 2, 3), ("0.33.0", 1, 2), ("0.33.0", 4, 5), ("1.0.0", 2, 3)],
)
def test_batches_in_flight_follow_the_model_runner_of_the_version(version: str, pipeline: int, expected: int) -> None:
    assert concurrent_batches(version, pipeline) == expected


def test_blocks_are_whole_kernel_tiles() -> None:
    assert block_tokens("hopper", 1) == 64
    assert block_tokens("hopper", 2) == 16
    assert block_tokens("blackwell-sm100", 2) == 128
    assert block_tokens("blackwell-sm120", 2) == block_tokens("ada", 1) == 16


@given(ANY_MODEL, st.integers(1, 262144), HOW)
def test_larger_blocks_never_cost_less(model: Model, tokens: int, how: dict[str, Any]) -> None:
    small = how | {"block_tokens": 16}
    assert request_bytes(model, tokens=tokens, pipeline=1, **how) >= request_bytes(
        model, tokens=tokens, pipeline=1, **small
    )
