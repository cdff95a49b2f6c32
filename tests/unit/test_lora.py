"""Room for adapters, against the linear layers that vLLM builds and against the shapes of its buffers."""

from __future__ import annotations

import dataclasses

import pytest

from infra.catalog.loader import load_catalog
from infra.catalog.records import Model
from infra.frameworks import FRAMEWORKS
from infra.plan.demand import Setting
from infra.plan.lora import RANKS, adapter_bytes, adapter_host_terms, slot_rank

CATALOG = load_catalog()
SIZES = ("e2b", "e4b", "12b", "26b-a4b", "31b")


def setting(size: str, *, tensor: int = 1, adapters: int = 1, rank: int = 16) -> Setting:
    model = CATALOG.models[f"gemma-4-{size}-it"]
    return Setting(
        model=model,
        checkpoint=next(one for one in model.checkpoints if one.precision == "bf16" and "vllm" in one.frameworks),
        drafter=None,
        accelerator=CATALOG.accelerators["h100"],
        inputs=("image", "text"),
        version="0.33.0",
        tokens=8192,
        concurrency=1,
        tensor=tensor,
        pipeline=1,
        data=1,
        batched_tokens=8192,
        kv_cache_dtype="auto",
        unified_slots=False,
        adapters=adapters,
        adapter_rank=rank,
    )


def buffers(model: Model, tensor: int, rank: int) -> int:
    """Numbers in every `lora_a_stacked` and `lora_b_stacked` of one slot, written from vllm 0.33.0 lora/layers.

    Columns: A is rank x in, B is out/tp x rank. Rows: A is rank x in/tp, B is out x rank. Whole: neither is split.
    """
    h, total = model.hidden, 0

    def columns(inside: int, *outs: int) -> int:
        return sum(rank * inside + out * rank for out in outs)

    def rows(inside: int, out: int) -> int:
        return rank * (inside // tensor) + out * rank

    for layer in range(model.layers):
        full = (layer + 1) % model.layers_per_global == 0
        dim = model.head_dim_global if full else model.head_dim_sliding
        heads = model.kv_heads_global if full else model.kv_heads_sliding
        q = model.query_heads * dim // tensor
        k = dim * (heads // tensor if heads >= tensor else 1)
        shared = layer >= model.layers - model.kv_shared_layers
        total += columns(h, q) if shared else columns(h, q, k, k)
        total += rows(model.query_heads * dim, h)
        ffn = (model.ffn_in_shared_layers or model.ffn) if shared else model.ffn
        total += columns(h, ffn // tensor, ffn // tensor) + rows(ffn, h)
        if model.per_layer_embedding:
            total += columns(h, model.per_layer_embedding) + columns(model.per_layer_embedding, h)
        for _ in range(model.experts):
            total += columns(h, model.expert_ffn // tensor, model.expert_ffn // tensor) + rows(model.expert_ffn, h)
        if model.experts:
            total += columns(h, model.experts)
    if model.per_layer_embedding:
        total += columns(h, model.layers * model.per_layer_embedding // tensor)
    return total


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tensor", [1, 2, 4])
@pytest.mark.parametrize("rank", [1, 16, 64])
def test_room_is_that_of_every_buffer_of_every_linear_layer(size: str, tensor: int, rank: int) -> None:
    one = setting(size, tensor=tensor, rank=rank)
    assert adapter_bytes(one) == 2 * buffers(one.model, tensor, rank)
    assert adapter_bytes(dataclasses.replace(one, adapters=3)) == 3 * adapter_bytes(one)


def test_an_adapter_between_two_ranks_takes_the_room_of_the_larger() -> None:
    assert [slot_rank(rank) for rank in (1, 2, 8, 17, 300, 512)] == [1, 8, 8, 32, 320, 512]
    assert list(RANKS) == sorted(RANKS)
    assert adapter_bytes(setting("e4b", rank=24)) == adapter_bytes(setting("e4b", rank=32))


@pytest.mark.parametrize("size", SIZES)
def test_adapters_are_part_of_the_proof_on_the_accelerator_and_on_the_host(size: str) -> None:
    terms = FRAMEWORKS["vllm"].capabilities.terms
    without, within = setting(size, adapters=0), setting(size, adapters=2)
    grown = sum(one.size_bytes for one in terms(within)) - sum(one.size_bytes for one in terms(without))
    assert grown > adapter_bytes(within) > 0
    assert adapter_bytes(without) == 0
    assert [one.size_bytes for one in adapter_host_terms(within)] == [adapter_bytes(within)]


def test_a_stage_of_a_pipeline_holds_its_own_layers_alone() -> None:
    whole = setting("31b")
    staged = dataclasses.replace(whole, pipeline=2)
    assert adapter_bytes(whole) / 2 <= adapter_bytes(staged) < adapter_bytes(whole)
