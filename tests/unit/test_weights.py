"""Weights under vLLM: exact parameter counts, what start-up logs say, and what parallelism may never do."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.records import Model
from infra.plan.demand import GIB, Term
from infra.plan.kv_vllm import max_pipeline
from infra.plan.weights import has_known_size, text_parameters, weight_terms
from tests.unit.gemma4 import MODELS, checkpoint, drafter, setting

SIZES = sorted(MODELS)
BF16_BYTES = 2


def total_bytes(terms: tuple[Term, ...]) -> int:
    return sum(term.size_bytes for term in terms)


def position_tables_bytes(model: Model) -> int:
    """What the engine counts as weights beside them: see `overhead_vllm`."""
    return model.max_context_tokens * (model.head_dim_sliding + model.head_dim_global) * BF16_BYTES


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_parameters_from_architecture_equal_the_model_classes_to_the_last_digit(model: Model) -> None:
    assert text_parameters(model) == model.text_parameters


def vision_parameters(layers: int, width: int, ffn: int, head_dim: int, hidden: int) -> int:
    """Of Gemma4VisionModel with its projection: patches, positions of both axes, layers of a gated transformer."""
    layer = 4 * width * width + 3 * width * ffn + 4 * width + 2 * head_dim
    return 3 * 16 * 16 * width + 2 * 10240 * width + layers * layer + width * hidden


@pytest.mark.parametrize("size", ["e2b", "e4b"])
def test_small_vision_towers_follow_from_their_architecture(size: str) -> None:
    model = MODELS[size]
    assert vision_parameters(16, 768, 3072, 64, model.hidden) == model.vision_parameters


@pytest.mark.parametrize("size", ["26b-a4b", "31b"])
def test_large_vision_towers_follow_from_their_architecture(size: str) -> None:
    model = MODELS[size]
    assert vision_parameters(27, 1152, 4304, 72, model.hidden) == model.vision_parameters


@pytest.mark.parametrize("size", ["e2b", "e4b"])
def test_audio_towers_are_one_conformer_and_a_projection(size: str) -> None:
    model = MODELS[size]
    assert model.audio_parameters == 304824608 + 1536 * model.hidden


def test_the_unified_size_has_projections_only() -> None:
    patch, width, positions = 48 * 48 * 3, 3840, 1120
    norms = 2 * patch + 4 * width
    assert MODELS["12b"].vision_parameters == patch * width + width + norms + 2 * positions * width + width * width
    assert MODELS["12b"].audio_parameters == 640 * width


@pytest.mark.parametrize(
    ("size", "precision", "listed_bytes", "version", "logged_gib", "within"),
    [
        ("31b", "bf16", None, "0.33.0", 58.99, 0.003),
        ("26b-a4b", "bf16", None, "0.33.0", 48.5, 0.001),
        ("e4b", "bf16", None, "0.28.0", 15.18, 0.007),
        ("26b-a4b", "fp8", None, "0.33.0", 25.67, 0.003),
        ("31b", "fp8", None, "0.33.0", 31.7, 0.008),
        ("31b", "nvfp4", 32_700_000_000, "0.33.0", 31.04, 0.001),
        ("12b", "w4a16", 8_300_000_000, "0.33.0", 8.28, 0.02),
    ],
)
def test_weights_equal_what_start_up_logs_say(
    size: str, precision: str, listed_bytes: int | None, version: str, logged_gib: float, within: float
) -> None:
    model = MODELS[size]
    whole = setting(size, checkpoint=checkpoint(model, precision, listed_bytes), inputs=model.inputs, version=version)
    loaded = total_bytes(weight_terms(whole)) + position_tables_bytes(model)
    assert loaded / GIB == pytest.approx(logged_gib, rel=within)


@pytest.mark.parametrize("size", SIZES)
def test_one_accelerator_holds_every_parameter_and_the_values_that_are_kept_twice(size: str) -> None:
    model = MODELS[size]
    twice = model.global_layers * model.hidden * model.kv_heads_global * model.head_dim_global
    expected = text_parameters(model) + (twice if model.global_layers_without_value else 0)
    assert weight_terms(setting(size))[0].size_bytes == expected * BF16_BYTES


def test_before_030_shared_layers_have_projections_that_nothing_uses() -> None:
    new, old = (weight_terms(setting("e4b", version=version))[0].size_bytes for version in ("0.30.0", "0.29.0"))
    kv = 2 * 2560 * 2 * (15 * 256 + 3 * 512) + 15 * 256 + 3 * 512
    assert old - new == kv * BF16_BYTES


@pytest.mark.parametrize(
    ("size", "inputs", "names"),
    [
        ("e4b", ("text",), ["text model"]),
        ("e4b", ("image", "text"), ["text model", "vision tower"]),
        ("e4b", ("text", "video"), ["text model", "vision tower"]),
        ("e4b", ("audio", "text"), ["text model", "audio tower"]),
        ("31b", ("image", "text", "video"), ["text model", "vision tower"]),
        ("12b", ("text",), ["text model", "vision tower", "audio tower"]),
    ],
)
def test_towers_are_loaded_only_for_what_requests_may_hold(
    size: str, inputs: tuple[str, ...], names: list[str]
) -> None:
    assert [term.name for term in weight_terms(setting(size, inputs=inputs))] == names


def test_a_listed_checkpoint_with_all_towers_adds_up_to_its_listed_size_and_what_is_kept_twice() -> None:
    model = MODELS["31b"]
    listed = checkpoint(model, "nvfp4", 32_700_000_000, 50_000_000)
    terms = weight_terms(setting("31b", checkpoint=listed, inputs=model.inputs))
    twice = model.global_layers * model.hidden * model.kv_heads_global * model.head_dim_global * BF16_BYTES
    assert total_bytes(terms) == pytest.approx(32_700_000_000 + twice, abs=1000)
    assert terms[0].uncertainty_bytes >= 50_000_000
    text_only = weight_terms(setting("31b", checkpoint=listed))
    assert text_only[0].uncertainty_bytes > terms[0].uncertainty_bytes


def test_a_drafter_is_split_like_the_model_and_keeps_its_uncertainty() -> None:
    small = drafter(MODELS["31b"], 469_508_104, 1_000_000)
    term = weight_terms(setting("31b", drafter=small, tensor=2))[-1]
    assert (term.name, term.size_bytes, term.uncertainty_bytes) == ("drafter", 469_508_104, 1_000_000)


def test_unknown_sizes_are_no_guess() -> None:
    model = MODELS["31b"]
    unsized = setting("31b", checkpoint=checkpoint(model, "nvfp4"))
    assert not has_known_size(unsized)
    with pytest.raises(ValueError, match="not known"):
        weight_terms(unsized)
    assert not has_known_size(setting("31b", drafter=drafter(model, None)))
    assert has_known_size(setting("31b", checkpoint=checkpoint(model, "fp8")))


def rank_bytes(model: Model, tensor: int) -> int:
    """bf16 text model of one accelerator, module by module as the engine builds it."""
    total = model.vocabulary // tensor * model.hidden + model.hidden
    for layer in range(model.layers):
        shared = layer >= model.layers - model.kv_shared_layers
        full = (layer + 1) % model.layers_per_global == 0
        head_dim, heads = (
            (model.head_dim_global, model.kv_heads_global) if full else (model.head_dim_sliding, model.kv_heads_sliding)
        )
        query = model.query_heads // tensor * head_dim
        key = 0 if shared else max(1, heads // tensor) * head_dim
        total += model.hidden * (query + 2 * key) + query * model.hidden + head_dim * (1 if shared else 2)
        ffn = (model.ffn_in_shared_layers or model.ffn) if shared else model.ffn
        total += 3 * model.hidden * ffn // tensor + 4 * model.hidden + 1
        if model.experts:
            total += model.experts * 3 * model.hidden * model.expert_ffn // tensor
            total += model.hidden * model.experts + model.hidden + model.experts + 3 * model.hidden
        if model.per_layer_embedding:
            total += 2 * model.hidden * model.per_layer_embedding + model.hidden
    width = model.layers * model.per_layer_embedding
    total += (model.vocabulary * width + model.hidden * width) // tensor + model.per_layer_embedding
    return total * BF16_BYTES


@pytest.mark.parametrize(
    ("size", "tensor"),
    [(size, tensor) for size in SIZES for tensor in (1, 2, 4, 8, 16, 32) if tensor <= MODELS[size].query_heads],
)
def test_one_rank_holds_its_shards_and_what_is_not_split(size: str, tensor: int) -> None:
    assert weight_terms(setting(size, tensor=tensor))[0].size_bytes == rank_bytes(MODELS[size], tensor)


@given(
    st.sampled_from(SIZES),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(1, 10),
    st.sampled_from([("bf16", None), ("fp8", None), ("w4a16", 9_800_000_000), ("nvfp4", 32_700_000_000)]),
)
def test_parallel_parts_hold_the_whole_together_and_never_more_than_it(
    size: str, tensor: int, pipeline: int, weights: tuple[str, int | None]
) -> None:
    model = MODELS[size]
    pipeline = min(pipeline, max_pipeline(model))
    held = checkpoint(model, *weights)
    one = weight_terms(setting(size, checkpoint=held))[0].size_bytes
    part = weight_terms(setting(size, checkpoint=held, tensor=tensor, pipeline=pipeline))[0].size_bytes
    assert one <= part * tensor * pipeline + 1024
    assert part <= one


@given(st.sampled_from(SIZES), st.sampled_from([1, 2, 4, 8]))
def test_fp8_is_smaller_than_bf16_and_larger_than_half_of_it(size: str, tensor: int) -> None:
    model = MODELS[size]
    bf16 = weight_terms(setting(size, tensor=tensor))[0]
    fp8 = weight_terms(setting(size, checkpoint=checkpoint(model, "fp8"), tensor=tensor))[0]
    assert bf16.size_bytes / 2 < fp8.size_bytes < bf16.size_bytes
    assert fp8.uncertainty_bytes > 0


def test_equal_shapes_of_other_models_do_not_share_sizes() -> None:
    narrow = dataclasses.replace(MODELS["31b"], ffn=10752)
    assert weight_terms(setting("31b", model=narrow))[0].size_bytes < weight_terms(setting("31b"))[0].size_bytes
