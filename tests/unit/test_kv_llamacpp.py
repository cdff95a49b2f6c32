"""llama.cpp's memory: every point of its own fit pass, layer-by-layer brute force, and the terms of a plan."""

from __future__ import annotations

import dataclasses
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.records import Accelerator, Checkpoint, Drafter, Model
from infra.plan.demand import Setting
from infra.plan.gguf import gguf_bytes, unused_kv_bytes
from infra.plan.kv_llamacpp import (
    CHECKPOINT_BUDGET_BYTES,
    ELEMENT_BYTES,
    MIB,
    cache_bytes,
    checkpoints,
    compute_bytes,
    context_checkpoint_bytes,
    context_size,
    demand_terms,
    host_terms,
    prompt_cache_bytes,
    slot_tokens,
)

K = 1024
GIB = 2**30
ROOT = Path(__file__).resolve().parents[2]
FACTS: dict[str, Any] = json.loads((ROOT / "tests/facts/llama-server-b11434-memory.json").read_text(encoding="utf-8"))


@cache
def models() -> dict[str, Model]:
    """The five sizes from the catalogue's file, read by its field names."""
    facts = yaml.safe_load((ROOT / "infra/catalog/models.yaml").read_text(encoding="utf-8"))
    shared = {"vocabulary": 262144, "head_dim_sliding": 256, "head_dim_global": 512, "licence": "", "gated": False}
    shared |= {"instruct": True, "drafters": (), "checkpoints": (), "tower_parameters_uncertainty": 10**6}
    fields = [field.name for field in dataclasses.fields(Model)]
    rows = [row | {key: value for key, value in shared.items() if key in fields} for row in facts["sizes"]]
    return {row["size"]: Model(**{name: row[name] for name in fields}) for row in rows}


def accelerator(kind: str) -> Accelerator:
    """One of that kind; only the kind matters here."""
    values = {field.name: None for field in dataclasses.fields(Accelerator)}
    return Accelerator(**values | {"kind": kind})  # type: ignore[arg-type]


def setting(size: str = "31b", precision: str = "q8_0", kind: str = "gpu", **changes: Any) -> Setting:
    """One slot of 8k tokens, text only, unless changed."""
    checkpoint = Checkpoint(
        model=f"gemma-4-{size}-it",
        precision=precision,
        format="gguf",
        repository="ggml-org/gemma",
        revision=None,
        bytes=changes.pop("file_bytes", None),
        bytes_uncertainty=changes.pop("file_uncertainty", 0),
        projector_bytes=changes.pop("projector_bytes", None),
        file=None,
        projector_file=None,
        frameworks=("llamacpp",),
        architectures=(),
        licence="Apache-2.0",
        gated=False,
        inputs=("image", "text"),
        sources=(),
    )
    values: dict[str, Any] = {
        "model": models()[size],
        "checkpoint": checkpoint,
        "drafter": None,
        "accelerator": accelerator(kind),
        "inputs": ("text",),
        "version": "b11434",
        "tokens": 8 * K,
        "concurrency": 1,
        "tensor": 1,
        "pipeline": 1,
        "data": 1,
        "batched_tokens": 512,
        "kv_cache_dtype": "auto",
        "unified_slots": False,
    }
    return Setting(**values | changes)


def arguments(point: list[Any]) -> tuple[Model, dict[str, Any]]:
    """A row of the table as the arguments of `cache_bytes` and `compute_bytes`: the flag is the total context."""
    size, _weights, context, slots, unified, kv_type, ubatch, batch, sliding_full = point[:9]
    return models()[size], {
        "tokens": slot_tokens(context) // slots,
        "slots": slots,
        "unified": bool(unified),
        "ubatch_tokens": ubatch,
        "kv_type": kv_type,
        "batch_tokens": batch,
        "sliding_full": bool(sliding_full),
    }


def test_the_tables_are_whole() -> None:
    assert (len(FACTS["cpu"]), len(FACTS["device"])) == (818, 121)
    assert {point[0] for point in FACTS["cpu"]} == set(models())
    assert {point[5] for point in FACTS["cpu"]} == set(ELEMENT_BYTES)


def test_cache_equals_the_fit_pass_byte_for_byte_at_every_point() -> None:
    for point in FACTS["cpu"] + FACTS["device"]:
        model, given_arguments = arguments(point)
        assert cache_bytes(model, **given_arguments) == point[10], point


def test_weights_equal_the_fit_pass_byte_for_byte_at_every_point() -> None:
    for point in FACTS["cpu"]:
        model = models()[point[0]]
        output_copy = math.prod((model.vocabulary, model.hidden, 2 if point[1] == "bf16" else 34)) // (
            1 if point[1] == "bf16" else 32
        )
        assert gguf_bytes(model, point[1]) + output_copy == point[9], point


def test_compute_buffer_is_never_a_kibibyte_short_of_the_fit_pass() -> None:
    for point in FACTS["cpu"]:
        model, given_arguments = arguments(point)
        if given_arguments["kv_type"] == "f32":
            continue
        assert -K <= compute_bytes(model, **given_arguments) - point[11] <= MIB, point


def test_device_and_host_share_equal_the_fit_pass_with_a_device() -> None:
    for point in FACTS["device"]:
        model, given_arguments = arguments(point)
        assert compute_bytes(model, **given_arguments, place="device") == pytest.approx(point[11], abs=K)
        assert compute_bytes(model, **given_arguments, place="host") == pytest.approx(point[13], abs=K)
        weights = demand_terms(setting(point[0], point[1]))[0]
        assert weights.size_bytes == point[9], point
        tables = next(term for term in host_terms(setting(point[0], point[1])) if term.name == "embedding tables")
        assert tables.size_bytes == point[12], point


def test_a_context_checkpoint_equals_the_engines_own_state_size() -> None:
    tiny = dataclasses.replace(
        models()["31b"], layers=6, kv_heads_sliding=2, head_dim_sliding=64, sliding_window_tokens=128
    )
    for slots, unified, kv_type, tokens, size in FACTS["checkpoints"]:
        held = dataclasses.replace(tiny, sliding_window_tokens=min(tokens, 128))
        empty_streams = 0 if unified else slots - 1
        assert context_checkpoint_bytes(held, kv_type) + 4 * empty_streams == size


SIZES = st.sampled_from(["12b", "26b-a4b", "31b", "e2b", "e4b"])
KV_TYPES = st.sampled_from(sorted(ELEMENT_BYTES))
UBATCHES = st.sampled_from([64, 256, 512, 1024, 2048, 4096])


def brute_force(model: Model, tokens: int, slots: int, unified: bool, ubatch: int, kv_type: str) -> int:
    """Bytes by walking every layer of every stream, K and V row by row in blocks of the type."""
    block = {"f32": (1, 4), "f16": (1, 2), "bf16": (1, 2), "q8_0": (32, 34), "q4_0": (32, 18), "iq4_nl": (32, 18)}
    block |= {"q4_1": (32, 20), "q5_0": (32, 22), "q5_1": (32, 24)}
    values, width = block[kv_type]
    total = 0
    context = math.ceil(tokens / 256) * 256 * slots
    streams = [context] if unified else [context // slots] * slots
    for cells in streams:
        for layer in range(model.layers - model.kv_shared_layers):
            if (layer + 1) % model.layers_per_global == 0:
                row, held = model.kv_heads_global * model.head_dim_global, cells
            else:
                row = model.kv_heads_sliding * model.head_dim_sliding
                windows = model.sliding_window_tokens * (slots if unified else 1)
                held = math.ceil(min(cells, windows + min(ubatch, 2048)) / 256) * 256
            total += 2 * held * (row // values * width)
    return total


@given(SIZES, st.integers(1, 262144), st.integers(1, 32), st.booleans(), UBATCHES, KV_TYPES)
def test_cache_equals_a_walk_over_every_layer(
    size: str, tokens: int, slots: int, unified: bool, ubatch: int, kv_type: str
) -> None:
    model = models()[size]
    charged = cache_bytes(model, tokens=tokens, slots=slots, unified=unified, ubatch_tokens=ubatch, kv_type=kv_type)
    assert charged == brute_force(model, tokens, slots, unified, ubatch, kv_type)


@given(SIZES, st.integers(256, 131072), st.integers(1, 16), st.booleans())
def test_more_tokens_or_slots_never_need_less(size: str, tokens: int, slots: int, unified: bool) -> None:
    def whole(tokens: int, slots: int) -> int:
        given_arguments: dict[str, Any] = {"tokens": tokens, "slots": slots, "unified": unified}
        given_arguments |= {"ubatch_tokens": 512, "kv_type": "f16"}
        return cache_bytes(models()[size], **given_arguments)

    assert whole(tokens + 1, slots) >= whole(tokens, slots)
    assert whole(tokens, slots + 1) > whole(tokens, slots)


@given(st.integers(1, 262144), st.integers(1, 64))
def test_the_context_flag_gives_every_slot_what_it_must_hold(tokens: int, slots: int) -> None:
    assert tokens <= context_size(tokens, slots) // slots < tokens + 256
    assert context_size(tokens, slots) % (256 * slots) == 0


@pytest.mark.parametrize(
    ("size", "mib", "kept"), [("e2b", 6, 8), ("e4b", 20, 8), ("26b-a4b", 200, 8), ("12b", 320, 6), ("31b", 800, 2)]
)
def test_checkpoints_stay_within_their_budget(size: str, mib: int, kept: int) -> None:
    model = models()[size]
    assert context_checkpoint_bytes(model, "f16") == pytest.approx(mib * MIB, abs=16 * K)
    assert checkpoints(model) == kept
    assert kept * context_checkpoint_bytes(model, "f16") <= CHECKPOINT_BUDGET_BYTES


def test_the_prompt_cache_takes_one_whole_prompt_with_its_checkpoints() -> None:
    model = models()["31b"]
    assert prompt_cache_bytes(model, tokens=8 * K) >= (640 + 3 * 800) * MIB
    assert prompt_cache_bytes(model, tokens=256 * K) == 8 * GIB
    assert prompt_cache_bytes(models()["e2b"], tokens=8 * K) == 2 * GIB


def test_on_a_gpu_the_output_is_a_copy_and_the_tables_stay_in_host_memory() -> None:
    model = models()["e4b"]
    table = model.vocabulary * model.layers * model.per_layer_embedding * 34 // 32
    on_gpu, on_cpu = demand_terms(setting("e4b")), demand_terms(setting("e4b", kind="cpu"))
    assert on_cpu[0].size_bytes - on_gpu[0].size_bytes == table
    assert on_gpu[0].uncertainty_bytes == unused_kv_bytes(model, "q8_0") == 58490880
    assert "embedding tables" not in {term.name for term in host_terms(setting("e4b", kind="cpu"))}


def test_a_listed_size_comes_with_its_uncertainty_and_a_projector_only_where_it_is_used() -> None:
    listed = {
        "precision": "q4_0",
        "file_bytes": 18 * 10**9,
        "file_uncertainty": 5 * 10**8,
        "projector_bytes": 12 * 10**8,
    }
    text = demand_terms(setting("31b", **listed))
    assert (text[0].size_bytes, text[0].uncertainty_bytes) == (18 * 10**9, 5 * 10**8)
    assert "projector" not in {term.name for term in text}
    media = {term.name: term for term in demand_terms(setting("31b", inputs=("image", "text"), **listed))}
    assert media["projector"].size_bytes == 12 * 10**8
    assert media["projector buffers"].kind == "overhead"


@pytest.mark.parametrize(
    ("size", "tower"), [("31b", "large"), ("26b-a4b", "large"), ("e2b", "small"), ("e4b", "small")]
)
def test_projector_buffers_equal_the_servers_own_estimate(size: str, tower: str) -> None:
    for name, weights, image_tokens, estimate_mib in FACTS["projectors"]:
        if name == tower and models()[size].bidirectional_over_images:
            terms = demand_terms(setting(size, inputs=("image", "text"), batched_tokens=image_tokens))
            buffers = next(term.size_bytes for term in terms if term.name == "projector buffers")
            assert buffers == pytest.approx(estimate_mib * MIB - weights, rel=2e-3)
        elif name == tower:
            terms = demand_terms(setting(size, inputs=("image", "text")))
            buffers = next(term.size_bytes for term in terms if term.name == "projector buffers")
            assert buffers == pytest.approx((estimate_mib * MIB - weights) / image_tokens * 1120, rel=2e-3)


def test_a_drafter_adds_its_weights_and_no_cache() -> None:
    drafter = Drafter("gemma-4-31b-it", "gguf", "google/gemma-4-31B-it-assistant", 454700000, 10**5, 4, (), ())
    plain, drafted = demand_terms(setting()), demand_terms(setting(drafter=drafter))
    assert [term for term in drafted if term.kind == "kv"] == [term for term in plain if term.kind == "kv"]
    assert next(term for term in drafted if term.name == "drafter").size_bytes == 2 * 454700000
    with pytest.raises(ValueError, match="not known"):
        demand_terms(setting(drafter=dataclasses.replace(drafter, parameters=None)))


@pytest.mark.parametrize("kind", ["gpu", "cpu", "apple"])
def test_every_kind_of_accelerator_has_weights_cache_and_overhead(kind: str) -> None:
    terms = demand_terms(setting(kind=kind, kv_cache_dtype="q8_0", concurrency=4, unified_slots=True))
    assert [term.kind for term in terms].count("kv") == 1
    assert {term.kind for term in terms} == {"weights", "kv", "overhead"}
    assert all(term.size_bytes > 0 and term.uncertainty_bytes >= 0 and term.source for term in terms)
    assert ("driver context and work memory" in {term.name for term in terms}) == (kind != "cpu")


def test_layers_are_not_split_over_accelerators() -> None:
    with pytest.raises(ValueError, match="one accelerator"):
        demand_terms(setting(tensor=2))
