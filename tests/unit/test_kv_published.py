"""KV cache and buffers against published figures, written by hand: nothing in them comes from our code."""

from __future__ import annotations

import pytest

from infra.catalog.loader import load_catalog
from infra.plan.demand import GIB
from infra.plan.gguf import gguf_bytes
from infra.plan.kv_llamacpp import MIB, cache_bytes, compute_bytes
from infra.plan.kv_vllm import block_bytes, request_bytes

K = 1024
MODELS = {model.size: model for model in load_catalog().models.values() if model.instruct}


# GiB of one full request under vLLM 0.33.0, bf16, 16 tokens a block: the least possible; 8192 tokens a step; 4096; fp8
# at 8192; and every layer in full.
@pytest.mark.parametrize(
    ("size", "tokens", "ideal", "step_8192", "step_4096", "fp8", "in_full"),
    [
        ("e2b", 32, 0.19, 0.38, 0.29, 0.19, 0.56),
        ("e2b", 128, 0.76, 0.94, 0.85, 0.47, 2.25),
        ("e4b", 32, 0.52, 1.15, 0.83, 0.57, 1.75),
        ("e4b", 128, 2.02, 2.65, 2.33, 1.32, 7.00),
        ("12b", 32, 0.81, 5.82, 3.32, 2.91, 10.5),
        ("12b", 128, 2.31, 7.32, 4.82, 3.66, 42.0),
        ("12b", 256, 4.31, 9.32, 6.82, 4.66, 84.0),
        ("26b-a4b", 32, 0.82, 3.95, 2.39, 1.97, 6.88),
        ("26b-a4b", 128, 2.70, 5.82, 4.26, 2.91, 27.5),
        ("26b-a4b", 256, 5.20, 8.32, 6.76, 4.16, 55.0),
        ("31b", 8, 1.41, 6.89, 6.89, 3.44, 6.88),
        ("31b", 32, 3.28, 15.79, 9.54, 7.90, 27.5),
        ("31b", 128, 10.78, 23.29, 17.04, 11.65, 110.0),
        ("31b", 256, 20.78, 33.29, 27.04, 16.65, 220.0),
    ],
)
def test_vllm_charges_what_was_published(
    size: str, tokens: int, ideal: float, step_8192: float, step_4096: float, fp8: float, in_full: float
) -> None:
    def gib(step: int, batches: int = 2, element: int = 2, block: int = 16, hybrid: bool = True) -> float:
        return (
            request_bytes(
                MODELS[size],
                tokens=tokens * K,
                tensor=1,
                pipeline=1,
                batched_tokens=step,
                concurrent_batches=batches,
                element_bytes=element,
                block_tokens=block,
                hybrid=hybrid,
            )
            / GIB
        )

    charged = [gib(8192), gib(4096), gib(8192, element=1), gib(8192, hybrid=False)]
    assert charged == pytest.approx([step_8192, step_4096, fp8, in_full], abs=0.0051)
    # One token a step and blocks of one token: beside the least possible one token per sliding layer is left.
    assert gib(1, batches=1, block=1) == pytest.approx(ideal, abs=0.0056)


# GiB per accelerator, 31B, 32k, 8192 tokens a step: a KV head is never split, sixteen sliding and four global ones.
@pytest.mark.parametrize(("tensor", "expected"), [(1, 15.79), (2, 7.90), (4, 3.95), (8, 2.29)])
def test_vllm_splits_the_cache_by_heads(tensor: int, expected: float) -> None:
    how = {"pipeline": 1, "batched_tokens": 8192, "concurrent_batches": 2, "element_bytes": 2}
    assert request_bytes(MODELS["31b"], tokens=32 * K, tensor=tensor, **how) / GIB == pytest.approx(
        expected, abs=0.0051
    )


@pytest.mark.parametrize(("size", "heads"), [("e2b", 1), ("e4b", 2), ("12b", 1), ("26b-a4b", 2), ("31b", 4)])
def test_the_global_cache_stops_shrinking_at_one_head(size: str, heads: int) -> None:
    def pool(tensor: int) -> int:
        return block_bytes(MODELS[size], tensor=tensor, pipeline=1, element_bytes=2, block_tokens=512)

    whole = 2 * 2 * MODELS[size].head_dim_global * 512 * MODELS[size].global_layers
    assert pool(MODELS[size].query_heads) == whole
    assert pool(heads) >= whole


# Blocks of sliding and global layers in tokens, and layers that share a table of blocks.
@pytest.mark.parametrize(
    ("size", "sliding_block", "global_block", "group"),
    [("e2b", 32, 16, 3), ("e4b", 32, 16, 4), ("12b", 16, 64, 8), ("26b-a4b", 16, 32, 5), ("31b", 16, 32, 10)],
)
def test_pages_of_both_layer_kinds_match(size: str, sliding_block: int, global_block: int, group: int) -> None:
    model = MODELS[size]
    page = 2 * 2 * model.kv_heads_sliding * model.head_dim_sliding * sliding_block
    assert page == 2 * 2 * model.kv_heads_global * model.head_dim_global * global_block
    assert block_bytes(model, tensor=1, pipeline=1, element_bytes=2) == page * group


# MiB of llama-server b11434, f16, micro-batch 512, by the context in all: one slot, four slots of a quarter each, and
# four that share one cache; then the compute buffer of one slot.
@pytest.mark.parametrize(
    ("size", "context", "one_slot", "four_slots", "four_unified", "compute"),
    [
        ("31b", 8 * K, 1840, 5440, 4240, 188.03),
        ("31b", 32 * K, 3760, 7360, 6160, 212.03),
        ("31b", 128 * K, 11440, 15040, 13840, 308.03),
        ("e4b", 8 * K, 168, 288, 228, 116.03),
        ("e4b", 32 * K, 552, 672, 612, 140.03),
        ("e4b", 128 * K, 2088, 2208, 2148, 236.03),
    ],
)
def test_llama_server_takes_what_its_fit_pass_said(
    size: str, context: int, one_slot: int, four_slots: int, four_unified: int, compute: float
) -> None:
    model = MODELS[size]
    for slots, unified, expected in ((1, False, one_slot), (4, False, four_slots), (4, True, four_unified)):
        tokens = context // slots
        for kv_type, share in (("f16", 1.0), ("q8_0", 34 / 64), ("q4_0", 18 / 64)):
            taken = cache_bytes(model, tokens=tokens, slots=slots, unified=unified, ubatch_tokens=512, kv_type=kv_type)
            assert taken / MIB == expected * share, (slots, unified, kv_type)
    buffer = compute_bytes(model, tokens=context, slots=1, unified=False, ubatch_tokens=512, kv_type="f16")
    assert buffer / MIB == pytest.approx(compute, abs=0.005)


# MiB of E4B in q8_0 as really loaded: global and sliding cache, and the compute buffer.
@pytest.mark.parametrize(
    ("context", "slots", "unified", "cache", "compute"),
    [
        (32 * K, 4, False, 512 + 160, 116.03),
        (128 * K, 4, True, 2048 + 100, 237.53),
        (32 * K, 1, False, 512 + 40, 140.03),
    ],
)
def test_llama_server_took_that_when_it_ran(
    context: int, slots: int, unified: bool, cache: int, compute: float
) -> None:
    tokens = context // slots
    taken = cache_bytes(MODELS["e4b"], tokens=tokens, slots=slots, unified=unified, ubatch_tokens=512, kv_type="f16")
    assert taken == cache * MIB
    buffer = compute_bytes(MODELS["e4b"], tokens=tokens, slots=slots, unified=unified, ubatch_tokens=512, kv_type="f16")
    assert buffer / MIB == pytest.approx(compute, abs=0.005)


def test_llama_server_mapped_that_file() -> None:
    output_copy = 262144 * 2560 * 34 // 32
    assert gguf_bytes(MODELS["e4b"], "q8_0") / MIB == pytest.approx(7563.69, abs=0.005)
    assert (gguf_bytes(MODELS["e4b"], "q8_0") + output_copy) / MIB == pytest.approx(8243.69, abs=0.005)
