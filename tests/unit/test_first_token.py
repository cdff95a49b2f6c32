"""The first token's estimate: its arithmetic against brute force, its range against times that others published."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.catalog.compute import Compute
from infra.catalog.loader import load_catalog
from infra.catalog.records import Model
from infra.page import serving
from infra.pipeline import Endpoint, build
from infra.plan.first_token import first_token, prompt_seconds
from infra.plan.prefill import active_weights, attention_flops, linear_flops, read_weights
from infra.plan.prefill_shares import LLAMACPP, TORCH_ENGINES, TORCH_ENGINES_ON_TPU, PrefillShares
from infra.plan.quantities import FirstToken
from infra.plan.weights import text_parameters
from infra.report import plan_text
from infra.stack_folder import StackFolder
from tests.conftest import ROOT
from tests.unit.gemma4 import MODELS, checkpoint, setting

CATALOG = load_catalog()
PUBLISHED = yaml.safe_load((Path(__file__).parents[1] / "facts" / "first-token.yaml").read_text(encoding="utf-8"))
ENGINES = {"torch": TORCH_ENGINES, "tpu": TORCH_ENGINES_ON_TPU, "llamacpp": LLAMACPP}
SIZES = st.sampled_from(sorted(MODELS))
CARDS = st.sampled_from(sorted(CATALOG.compute))
SHARES = st.sampled_from([TORCH_ENGINES, TORCH_ENGINES_ON_TPU, LLAMACPP])
PRECISIONS = st.sampled_from(["bf16", "fp8", "nvfp4", "w4a16", "q4_0"])


def is_global(model: Model, layer: int) -> bool:
    return (layer + 1) % model.layers_per_global == 0


def matrices_of(model: Model, layer: int) -> dict[str, tuple[int, int]]:
    """Every matrix of a layer's own, as the reference implementation names it: rows by columns."""
    hidden, shared = model.hidden, layer >= model.layers - model.kv_shared_layers
    head_dim = model.head_dim_global if is_global(model, layer) else model.head_dim_sliding
    kv_heads = model.kv_heads_global if is_global(model, layer) else model.kv_heads_sliding
    ffn = model.ffn_in_shared_layers if shared and model.ffn_in_shared_layers else model.ffn
    found = {
        "self_attn.q_proj": (hidden, model.query_heads * head_dim),
        "self_attn.o_proj": (model.query_heads * head_dim, hidden),
        "mlp.gate_proj": (hidden, ffn),
        "mlp.up_proj": (hidden, ffn),
        "mlp.down_proj": (ffn, hidden),
    }
    if not shared:
        found["self_attn.k_proj"] = (hidden, kv_heads * head_dim)
        if not (is_global(model, layer) and model.global_layers_without_value):
            found["self_attn.v_proj"] = (hidden, kv_heads * head_dim)
    if model.per_layer_embedding:
        found["per_layer_input_gate"] = (hidden, model.per_layer_embedding)
        found["per_layer_projection"] = (model.per_layer_embedding, hidden)
        found["this layer's part of per_layer_model_projection"] = (hidden, model.per_layer_embedding)
    if model.experts:
        found["router.proj"] = (hidden, model.experts)
    return found


def expert_weights(model: Model) -> int:
    return 3 * model.hidden * model.expert_ffn


@pytest.mark.parametrize("size", sorted(MODELS))
def test_a_token_meets_the_matrices_of_every_layer_and_of_experts_only_its_own(size: str) -> None:
    model = MODELS[size]
    total = 0
    for layer in range(model.layers):
        total += sum(rows * columns for rows, columns in matrices_of(model, layer).values())
        total += sum(expert_weights(model) for _ in range(model.experts_per_token))
    assert active_weights(model) == total
    assert linear_flops(model, 3) == 3 * 2 * total + 2 * model.vocabulary * model.hidden


@pytest.mark.parametrize("size", sorted(MODELS))
def test_what_a_token_meets_is_all_parameters_but_embeddings_vectors_and_experts_of_others(size: str) -> None:
    model = MODELS[size]
    looked_up = model.vocabulary * (model.hidden + model.layers * model.per_layer_embedding)
    others = model.layers * (model.experts - model.experts_per_token) * expert_weights(model)
    vectors = text_parameters(model) - looked_up - others - active_weights(model)
    assert 0 < vectors < 0.0004 * active_weights(model)


def test_the_mixture_of_experts_has_the_active_parameters_that_its_name_and_card_tell() -> None:
    model = MODELS["26b-a4b"]
    assert (active_weights(model) + model.vocabulary * model.hidden) / 1e9 == pytest.approx(3.8, abs=0.05)


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(1, 2500))
def test_attention_is_the_sum_over_layers_and_positions_of_what_each_token_sees(size: str, tokens: int) -> None:
    model, total = MODELS[size], 0
    seen = {
        True: sum(position + 1 for position in range(tokens)),
        False: sum(min(position + 1, model.sliding_window_tokens) for position in range(tokens)),
    }
    for layer in range(model.layers):
        head_dim = model.head_dim_global if is_global(model, layer) else model.head_dim_sliding
        scores_and_values = 2 * (2 * head_dim * seen[is_global(model, layer)])
        total += model.query_heads * scores_and_values
    assert attention_flops(model, tokens) == total


@pytest.mark.parametrize("size", sorted(MODELS))
def test_only_global_layers_grow_with_the_square(size: str) -> None:
    model = MODELS[size]
    window_only = dataclasses.replace(model, layers_per_global=model.layers + 1)
    assert attention_flops(model, 131072) / attention_flops(model, 65536) > 3
    assert attention_flops(window_only, 131072) / attention_flops(window_only, 65536) == pytest.approx(2, rel=0.01)


def test_a_long_step_reads_all_experts_and_a_single_token_its_own() -> None:
    model = MODELS["26b-a4b"]
    every = sum(math.prod(one) for layer in range(model.layers) for one in matrices_of(model, layer).values())
    all_experts = model.layers * model.experts * expert_weights(model)
    assert read_weights(model, 1) == pytest.approx(active_weights(model))
    assert read_weights(model, 512) == pytest.approx(every + all_experts)
    assert read_weights(MODELS["31b"], 1) == read_weights(MODELS["31b"], 512) == active_weights(MODELS["31b"])


def seconds(
    size: str,
    compute: Compute,
    shares: PrefillShares,
    tokens: int,
    precision: str = "bf16",
    **changes: Any,
) -> tuple[float, float]:
    model = MODELS[size]
    asked = setting(size, checkpoint=checkpoint(model, precision), **changes)
    return prompt_seconds(asked, compute, shares, tokens=tokens, weights_bytes=2 * text_parameters(model))


@settings(max_examples=150, deadline=None)
@given(SIZES, CARDS, SHARES, PRECISIONS, st.integers(1, 131071), st.integers(1, 5000), st.sampled_from([0, 512, 2048]))
def test_more_tokens_are_never_faster_and_low_is_below_high(
    size: str, card: str, shares: PrefillShares, precision: str, tokens: int, more: int, step: int
) -> None:
    short = seconds(size, CATALOG.compute[card], shares, tokens, precision, batched_tokens=step)
    longer = seconds(size, CATALOG.compute[card], shares, tokens + more, precision, batched_tokens=step)
    assert 0 < short[0] < short[1]
    assert longer[0] >= short[0]
    assert longer[1] >= short[1]


@settings(max_examples=150, deadline=None)
@given(SIZES, CARDS, st.integers(1, 131071), st.sampled_from([1, 2, 4, 8]), st.integers(1, 8), st.booleans())
def test_more_accelerators_are_never_slower_at_best_and_never_faster_than_their_sum(
    size: str, card: str, tokens: int, tensor: int, pipeline: int, wider: bool
) -> None:
    compute, shares = CATALOG.compute[card], TORCH_ENGINES
    few = seconds(size, compute, shares, tokens, tensor=tensor, pipeline=pipeline)
    grown = {"tensor": 2 * tensor, "pipeline": pipeline} if wider else {"tensor": tensor, "pipeline": pipeline + 1}
    many = seconds(size, compute, shares, tokens, **grown)
    one = seconds(size, compute, shares, tokens)
    assert many[0] <= few[0]
    work = one[0] - shares.request_least_seconds
    assert many[0] - shares.request_least_seconds >= work / (grown["tensor"] * grown["pipeline"]) - 1e-9
    assert many[1] <= few[1]


@settings(max_examples=60, deadline=None)
@given(SIZES, CARDS, st.integers(1, 131071))
def test_replicas_of_the_weights_do_not_speed_up_one_request(size: str, card: str, tokens: int) -> None:
    compute = CATALOG.compute[card]
    assert seconds(size, compute, TORCH_ENGINES, tokens, data=4) == seconds(size, compute, TORCH_ENGINES, tokens)


def test_a_step_of_one_stage_after_another_is_simulated_alike() -> None:
    """Equal steps through equal stages: each stage takes a step when it is free and the one before has passed it on."""
    steps, stages = 7, 4
    free = [0.0] * stages
    for _ in range(steps):
        ready = 0.0
        for stage in range(stages):
            ready = free[stage] = max(ready, free[stage]) + 1 / (steps * stages)
    compute, shares = CATALOG.compute["h100"], dataclasses.replace(TORCH_ENGINES, request_least_seconds=0.0)
    alone = seconds("31b", compute, shares, 7 * 2048, batched_tokens=2048)[0]
    staged = seconds("31b", compute, shares, 7 * 2048, batched_tokens=2048, pipeline=stages)[0]
    assert staged / alone == pytest.approx(free[-1])


def test_small_steps_on_slow_memory_wait_for_the_weights() -> None:
    slow = dataclasses.replace(CATALOG.compute["h100"], memory_gb_per_second=50.0)
    shares = dataclasses.replace(TORCH_ENGINES, request_least_seconds=0.0)
    low, _ = seconds("31b", slow, shares, 2048, batched_tokens=128)
    read_bytes = 2 * (16 * active_weights(MODELS["31b"]) + MODELS["31b"].vocabulary * MODELS["31b"].hidden)
    assert low == pytest.approx(read_bytes / 50e9)
    assert low > seconds("31b", slow, shares, 2048, batched_tokens=2048)[0]


def test_formats_of_weights_alone_are_multiplied_in_16_bits_and_others_at_best_in_their_own() -> None:
    compute = CATALOG.compute["b200"]
    low = {name: seconds("31b", compute, TORCH_ENGINES, 8000, name)[0] for name in ("bf16", "w4a16", "fp8", "nvfp4")}
    assert low["w4a16"] == low["bf16"] > low["fp8"] > low["nvfp4"]
    ampere = CATALOG.compute["a100-80gb"]
    assert len({seconds("31b", ampere, TORCH_ENGINES, 8000, name)[0] for name in ("bf16", "fp8", "nvfp4")}) == 1


@pytest.mark.parametrize("precision", sorted({p for one in CATALOG.frameworks.values() for p in one.precisions}))
def test_every_precision_of_the_catalogue_has_a_rate(precision: str) -> None:
    assert seconds("e4b", CATALOG.compute["l4"], TORCH_ENGINES, 512, precision)[0] > 0


def test_without_a_rate_nothing_is_told() -> None:
    assert first_token(setting("e4b"), None, TORCH_ENGINES, weights_bytes=1) is None


def test_a_context_below_the_short_prompt_is_the_short_prompt() -> None:
    found = first_token(setting("e4b", tokens=256), CATALOG.compute["l4"], TORCH_ENGINES, weights_bytes=10**10)
    assert found is not None
    assert found.short_prompt_tokens == found.full_prompt_tokens == 255


def test_every_self_hosted_plan_tells_it_or_that_it_is_not_known() -> None:
    agreed = {"shortPromptTokens", "shortLowSeconds", "shortHighSeconds", "basis"}
    agreed |= {"fullPromptTokens", "fullLowSeconds", "fullHighSeconds"}
    folder, kinds = StackFolder(ROOT / "stacks"), set()
    for name in folder.names():
        endpoint = build(name, folder)
        if not isinstance(endpoint, Endpoint):
            continue
        plan, found = endpoint.plan, endpoint.plan.to_json()["timing"]["firstToken"]
        kinds.add(plan.accelerator.kind)
        known = plan.accelerator.kind in ("gpu", "tpu")
        assert (set(found) == agreed) if known else found is None, name
        assert f"  first token {'0.' if known else 'not known'}" in plan_text(plan), name
        assert "timing.firstToken" in {one.field for one in plan.decisions}, name
        assert not found or found["fullPromptTokens"] == plan.context.max_model_len - 1, name
        assert ("First token", plan.timing.first_token_text) in serving.rows(plan), name
    assert kinds == {"gpu", "tpu", "apple", "cpu"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0123, "0.012"), (0.0999, "0.10"), (1.26, "1.3"), (9.97, "10"), (118.4, "120"), (4321, "4,300")],
)
def test_numbers_are_shown_in_two_digits(value: float, shown: str) -> None:
    text = FirstToken(512, value, value, 1000, 1.0, 1.0, "").text
    assert text.startswith(f"{shown} to {shown} s for 512 tokens, ")


def published_model(name: str) -> Model:
    if name in MODELS:
        return MODELS[name]
    row = dict(PUBLISHED["models"][name])
    kv_heads, head_dim, window = row.pop("kv_heads"), row.pop("head_dim"), row.pop("window")
    return dataclasses.replace(
        MODELS["31b"],
        **row,
        kv_heads_sliding=kv_heads,
        kv_heads_global=kv_heads,
        head_dim_sliding=head_dim,
        head_dim_global=head_dim,
        sliding_window_tokens=window,
        global_layers_without_value=False,
    )


def published_range(row: dict[str, Any], tokens: int) -> tuple[float, float]:
    said = row["setting"]
    compute = CATALOG.compute.get(said["card"]) or Compute(
        said["card"], fp8_tflops=None, fp4_tflops=None, int8_tops=None, sources=(), **PUBLISHED["cards"][said["card"]]
    )
    model = published_model(said["model"])
    asked = setting(
        "31b",
        model=model,
        checkpoint=checkpoint(model, said["precision"]),
        batched_tokens=said["step"],
        tensor=said.get("tensor", 1),
        pipeline=said.get("pipeline", 1),
    )
    return prompt_seconds(
        asked, compute, ENGINES[said["engine"]], tokens=tokens, weights_bytes=int(said["weights_gb"] * 1e9)
    )


@pytest.mark.parametrize(
    ("row", "tokens"),
    [
        pytest.param(row, tokens, id=f"{row['source'].split(':')[0]} {tokens}")
        for row in PUBLISHED["measured"]
        for tokens in row["seconds"]
    ],
)
def test_times_that_others_published_lie_in_the_range(row: dict[str, Any], tokens: int) -> None:
    low, high = published_range(row, tokens)
    assert low <= row["seconds"][tokens] <= high


@pytest.mark.parametrize("tokens", [40002, 81653, 163336])
def test_whole_requests_that_others_published_agree_with_the_range_of_long_prompts(tokens: int) -> None:
    (row,) = PUBLISHED["whole"]
    low, high = published_range(row, tokens)
    prompt = row["seconds"][tokens] - min(row["seconds"].values())
    assert low <= prompt <= high


def test_most_published_times_are_well_inside_so_that_the_range_is_not_fitted_to_its_edges() -> None:
    places = []
    for row in PUBLISHED["measured"]:
        for tokens, measured in row["seconds"].items():
            low, high = published_range(row, tokens)
            places.append(math.log(measured / low) / math.log(high / low))
    assert sum(0.1 < place < 0.9 for place in places) > 0.75 * len(places)
    assert sum(place < 0.5 for place in places) < 0.9 * len(places)


def test_a_range_is_no_wider_than_what_is_stated() -> None:
    for card, compute in CATALOG.compute.items():
        for size in MODELS:
            low, high = seconds(size, compute, TORCH_ENGINES, 8191)
            assert high - TORCH_ENGINES.request_most_seconds < 16 * low, (card, size)
