"""Models and checkpoints against published figures, written here by hand: nothing in them comes from our code."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from infra.catalog.loader import load_catalog
from infra.frameworks import FRAMEWORKS
from infra.plan.demand import GIB
from infra.plan.weights import text_parameters, weights_bytes

CATALOG = load_catalog()
REPOSITORIES = {one.repository for model in CATALOG.models.values() for one in (*model.checkpoints, *model.drafters)}


class Shape(NamedTuple):
    """A column of the table of architecture numbers: facts of 2026-11-24, from configurations and engines' sources."""

    hub: str
    layers: int
    hidden: int
    ffn: int
    query_heads: int
    kv_heads: tuple[int, int]
    window: int
    layers_that_own_kv: tuple[int, int]
    context: int
    text_parameters: int
    kv_bytes_per_token: tuple[int, int]
    gib: float
    gib_with_audio: float
    inputs: str


PER_LAYER_TABLES = {"e2b": 2_348_810_240, "e4b": 2_818_572_288}
SHAPES = {
    "e2b": Shape("E2B", 35, 1536, 6144, 8, (1, 1), 512, (12, 3), 131072, 4628569379, (12288, 6144), 8.94, 9.51, "aitv"),
    "e4b": Shape(
        "E4B", 42, 2560, 10240, 8, (2, 2), 512, (20, 4), 131072, 7463013418, (40960, 16384), 14.22, 14.79, "aitv"
    ),
    "12b": Shape(
        "12B", 48, 3840, 15360, 16, (8, 1), 1024, (40, 8), 262144, 11907350320, (327680, 16384), 22.2, 22.2, "aitv"
    ),
    "26b-a4b": Shape(
        "26B-A4B", 30, 2816, 2112, 16, (8, 2), 1024, (25, 5), 262144, 25233141790, (204800, 20480), 48.07, 48.07, "itv"
    ),
    "31b": Shape(
        "31B", 60, 5376, 21504, 32, (16, 4), 1024, (50, 10), 262144, 30697345340, (819200, 81920), 58.25, 58.25, "itv"
    ),
}
# GiB of the least that a full request can take: global layers in full, sliding layers their window.
IDEAL = {
    ("e2b", 32): 0.19,
    ("e2b", 128): 0.76,
    ("e4b", 32): 0.52,
    ("e4b", 128): 2.02,
    ("12b", 32): 0.81,
    ("12b", 128): 2.31,
    ("12b", 256): 4.31,
    ("26b-a4b", 32): 0.82,
    ("26b-a4b", 128): 2.70,
    ("26b-a4b", 256): 5.20,
    ("31b", 8): 1.41,
    ("31b", 32): 3.28,
    ("31b", 128): 10.78,
    ("31b", 256): 20.78,
}


@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize("suffix", ["", "-it"])
def test_architecture_numbers_are_those_of_the_table(size: str, suffix: str) -> None:
    model, shape = CATALOG.models[f"gemma-4-{size}{suffix}"], SHAPES[size]
    assert (model.hub_size, model.layers, model.hidden, model.ffn) == shape[:4]
    assert (model.query_heads, (model.kv_heads_sliding, model.kv_heads_global)) == shape[4:6]
    assert (model.sliding_window_tokens, (model.sliding_layers, model.global_layers)) == shape[6:8]
    assert model.max_context_tokens == shape.context
    assert (model.vocabulary, model.head_dim_sliding, model.head_dim_global) == (262144, 256, 512)
    assert "".join(one[0] for one in model.inputs) == shape.inputs
    assert model.vocabulary * model.layers * model.per_layer_embedding == PER_LAYER_TABLES.get(size, 0)
    assert model.bidirectional_over_images == (size not in PER_LAYER_TABLES)
    assert f"google/gemma-4-{shape.hub}{suffix}" in REPOSITORIES


@pytest.mark.parametrize("size", SHAPES)
def test_text_parameters_follow_from_the_catalogue_to_the_last_digit(size: str) -> None:
    model = CATALOG.models[f"gemma-4-{size}"]
    assert text_parameters(model) == model.text_parameters == SHAPES[size].text_parameters


@pytest.mark.parametrize("size", SHAPES)
def test_bf16_weights_are_those_of_the_table(size: str) -> None:
    model, shape = CATALOG.models[f"gemma-4-{size}"], SHAPES[size]
    checkpoint = next(one for one in model.checkpoints if one.format == "safetensors")
    assert (weights_bytes(model, checkpoint) or 0) / GIB == pytest.approx(shape.gib_with_audio, rel=0.004)
    assert 2 * (model.text_parameters + model.vision_parameters) / GIB == pytest.approx(shape.gib, rel=0.004)


@pytest.mark.parametrize(("size", "tokens"), IDEAL)
def test_kv_bytes_per_token_give_the_least_that_a_request_can_take(size: str, tokens: int) -> None:
    model, shape = CATALOG.models[f"gemma-4-{size}"], SHAPES[size]
    sliding = model.sliding_layers * model.kv_heads_sliding * model.head_dim_sliding * 2 * 2
    whole = model.global_layers * model.kv_heads_global * model.head_dim_global * 2 * 2
    assert (sliding, whole) == shape.kv_bytes_per_token
    least = whole * tokens * 1024 + sliding * model.sliding_window_tokens
    assert least / GIB == pytest.approx(IDEAL[size, tokens], abs=0.0051)


@pytest.mark.parametrize(
    "repository",
    [
        *[f"google/gemma-4-{one}-it-assistant" for one in ("E2B", "E4B", "12B", "26B-A4B", "31B")],
        *[f"google/gemma-4-{one}-it-qat-q4_0-gguf" for one in ("E2B", "E4B", "12B", "26B-A4B", "31B")],
        *[f"google/gemma-4-{one}-it-qat-w4a16-ct" for one in ("E2B", "E4B", "12B", "31B")],
        *[f"google/gemma-4-{one}-it-qat-mobile-ct" for one in ("E2B", "E4B")],
        *[f"ggml-org/gemma-4-{one}-it-GGUF" for one in ("E2B", "E4B", "12B", "26B-A4B", "31B")],
        *[f"RedHatAI/gemma-4-{one}-it-FP8-dynamic" for one in ("E2B", "E4B", "26B-A4B", "31B")],
        "RedHatAI/gemma-4-31B-it-FP8-block",
        "RedHatAI/gemma-4-26B-A4B-it-NVFP4",
        "nvidia/Gemma-4-31B-IT-NVFP4",
        "nvidia/Gemma-4-26B-A4B-NVFP4",
        "cyankiwi/gemma-4-31B-it-AWQ-4bit",
        "Intel/gemma-4-31B-it-int4-AutoRound",
        "RedHatAI/gemma-4-26B-A4B-it-speculator.eagle3",
        "RedHatAI/gemma-4-31B-it-speculator.eagle3",
        "RedHatAI/gemma-4-31B-it-speculator.dspark",
        *[
            f"mlx-community/gemma-4-{one}-it-{bits}"
            for one in ("e2b", "e4b", "26b-a4b", "31b")
            for bits in ("4bit", "8bit", "bf16")
        ],
    ],
)
def test_every_published_repository_is_in_the_catalogue(repository: str) -> None:
    assert repository in REPOSITORIES


# GB as cards, tables and download lists give them, and by how much such a figure is rounded; for W4A16 and mobile GiB.
@pytest.mark.parametrize(
    ("repository", "precision", "size_gb", "within"),
    [
        ("google/gemma-4-31B-it", "bf16", 62.6, 0.002),
        ("google/gemma-4-26B-A4B-it", "bf16", 52.0, 0.01),
        ("nvidia/Gemma-4-31B-IT-NVFP4", "nvfp4", 32.7, 0.002),
        ("nvidia/Gemma-4-26B-A4B-NVFP4", "nvfp4", 19.0, 0.02),
        ("google/gemma-4-E2B-it-qat-w4a16-ct", "w4a16", 7.3 * 1.073741824, 0.02),
        ("google/gemma-4-E4B-it-qat-w4a16-ct", "w4a16", 9.8 * 1.073741824, 0.02),
        ("google/gemma-4-12B-it-qat-w4a16-ct", "w4a16", 8.3 * 1.073741824, 0.01),
        ("google/gemma-4-31B-it-qat-w4a16-ct", "w4a16", 19.8 * 1.073741824, 0.01),
        ("google/gemma-4-E2B-it-qat-mobile-ct", "qat-mobile", 2.7 * 1.073741824, 0.02),
        ("google/gemma-4-E4B-it-qat-mobile-ct", "qat-mobile", 3.7 * 1.073741824, 0.02),
        ("google/gemma-4-E2B-it-qat-q4_0-gguf", "q4_0", 3.3, 0.02),
        ("google/gemma-4-E4B-it-qat-q4_0-gguf", "q4_0", 5.15, 0.01),
        ("google/gemma-4-12B-it-qat-q4_0-gguf", "q4_0", 7.0, 0.02),
        ("google/gemma-4-26B-A4B-it-qat-q4_0-gguf", "q4_0", 15.0, 0.04),
        ("google/gemma-4-31B-it-qat-q4_0-gguf", "q4_0", 18.0, 0.02),
        ("unsloth/gemma-4-E4B-it-GGUF", "q4_k_m", 4.977169568, 1e-6),
        ("unsloth/gemma-4-26B-A4B-it-GGUF", "q4_k_m", 17.0, 0.01),
        ("unsloth/gemma-4-31B-it-GGUF", "q4_k_m", 18.3, 0.002),
        ("Intel/gemma-4-31B-it-int4-AutoRound", "int4", 19.22, 0.001),
        ("ggml-org/gemma-4-E2B-it-GGUF", "q8_0", 5.0, 0.01),
        ("ggml-org/gemma-4-E4B-it-GGUF", "q8_0", 7.9, 0.02),
        ("ggml-org/gemma-4-26B-A4B-it-GGUF", "q8_0", 26.9, 0.002),
        ("ggml-org/gemma-4-31B-it-GGUF", "q8_0", 32.6, 0.002),
        ("unsloth/gemma-4-12b-it-GGUF", "q8_0", 12.7, 0.003),
        ("ggml-org/gemma-4-E2B-it-GGUF", "bf16", 9.3, 0.005),
        ("ggml-org/gemma-4-E4B-it-GGUF", "bf16", 14.9, 0.003),
        ("ggml-org/gemma-4-12B-it-GGUF", "bf16", 23.8, 0.002),
        ("ggml-org/gemma-4-26B-A4B-it-GGUF", "bf16", 50.5, 0.002),
        ("ggml-org/gemma-4-31B-it-GGUF", "bf16", 61.4, 0.001),
        ("mlx-community/gemma-4-e2b-it-4bit", "4bit", 3.6, 0.015),
        ("mlx-community/gemma-4-e4b-it-4bit", "4bit", 5.1, 0.012),
        ("mlx-community/gemma-4-26b-a4b-it-4bit", "4bit", 15.3, 0.004),
        ("mlx-community/gemma-4-31b-it-4bit", "4bit", 18.4, 0.002),
        ("mlx-community/gemma-4-e4b-it-8bit", "8bit", 9.0, 0.015),
    ],
)
def test_a_plan_counts_the_bytes_that_were_published(
    repository: str, precision: str, size_gb: float, within: float
) -> None:
    models = CATALOG.models.values()
    (pair,) = [
        (model, one)
        for model in models
        for one in model.checkpoints
        if (one.repository, one.precision) == (repository, precision)
    ]
    model, checkpoint = pair
    name = {"safetensors": "vllm", "gguf": "llamacpp", "mlx": "mlx"}[checkpoint.format]
    size = FRAMEWORKS[name].capabilities.weights_bytes(model, checkpoint, ("text",))
    assert (size or 0) / 1e9 == pytest.approx(size_gb, rel=within)


def test_towers_and_experts_are_those_of_the_model_classes() -> None:
    towers = {
        size: (one.vision_parameters, one.audio_parameters, one.experts, one.experts_per_token, one.expert_ffn)
        for size, one in ((size, CATALOG.models[f"gemma-4-{size}"]) for size in SHAPES)
    }
    assert towers == {
        "e2b": (168_544_256, 307_183_904, 0, 0, 0),
        "e4b": (169_330_688, 308_756_768, 0, 0, 0),
        "12b": (49_922_304, 2_457_600, 0, 0, 0),
        "26b-a4b": (572_794_416, 0, 128, 8, 704),
        "31b": (575_743_536, 0, 0, 0, 0),
    }
    unified = {one.size for one in CATALOG.models.values() if "Unified" in one.architecture}
    assert unified == {"12b"}


def test_drafters_have_the_parameters_and_tokens_of_presets_and_recipes() -> None:
    google = {
        one.model: (one.parameters, one.tokens)
        for model in CATALOG.models.values()
        for one in model.drafters
        if one.repository.startswith("google/")
    }
    assert google == {
        "gemma-4-e2b-it": (77_700_000, 2),
        "gemma-4-e4b-it": (77_700_000, 4),
        "gemma-4-12b-it": (423_000_000, 4),
        "gemma-4-26b-a4b-it": (412_800_000, 4),
        "gemma-4-31b-it": (454_700_000, 4),
    }


@pytest.mark.parametrize(
    ("size", "google_gb"), [("e2b", 0.99), ("e4b", 0.99), ("12b", 0.175), ("26b-a4b", 1.2), ("31b", 1.2)]
)
def test_projectors_are_as_large_as_published(size: str, google_gb: float) -> None:
    listed = [
        one.projector_bytes or 0 for one in CATALOG.models[f"gemma-4-{size}-it"].checkpoints if one.format == "gguf"
    ]
    assert len(listed) >= 4
    assert [one / 1e9 for one in listed] == pytest.approx([google_gb] * len(listed), rel=0.01)


def test_where_and_what_each_kind_of_checkpoint_is_loaded_by() -> None:
    gpus = {"ada", "ampere", "blackwell-sm100", "blackwell-sm120", "grace-blackwell", "hopper"}
    tpus = {"tpu-v6e", "tpu-v7x"}
    for model in CATALOG.models.values():
        for one in model.checkpoints:
            where = set(one.architectures)
            if one.format == "gguf":
                assert (one.frameworks, where) == (("llamacpp",), set()), one
                assert "video" not in one.inputs, one
                continue
            if one.format == "mlx":
                assert (one.frameworks, where) == (("mlx",), {"apple"}), one
            elif one.precision == "nvfp4":
                assert where == {name for name in gpus if "blackwell" in name}, one
            elif one.format == "safetensors":
                on_tpu = one.precision == "bf16" and model.size in ("26b-a4b", "31b")
                assert where == (gpus | tpus if on_tpu else gpus), one
                assert "vllm" in one.frameworks, one
            nim = {("26b-a4b", "bf16"), ("26b-a4b", "nvfp4"), ("31b", "bf16"), ("31b", "nvfp4"), ("31b", "w4a16")}
            assert "nim" not in one.frameworks or (model.size, one.precision) in nim, one


def test_only_these_checkpoints_have_another_licence_than_the_models_and_none_is_gated() -> None:
    rows = [one for model in CATALOG.models.values() for one in model.checkpoints]
    assert not any(one.gated for one in rows)
    assert {one.repository: one.licence for one in rows if one.licence != "Apache-2.0"} == {
        "Intel/gemma-4-31B-it-int4-AutoRound": "not stated",
        "nvidia/Gemma-4-26B-A4B-NVFP4": "other",
        "nvidia/Gemma-4-31B-IT-NVFP4": "other",
    }
