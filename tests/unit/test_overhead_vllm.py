"""Overhead of vLLM: published start-up logs, known endpoints, and how it may never change."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.plan.demand import GIB, Setting
from infra.plan.kv_vllm import block_bytes, concurrent_batches, request_bytes
from infra.plan.overhead_vllm import outside_share_bytes, overhead_terms, sequences
from infra.plan.weights import weight_terms
from tests.unit.gemma4 import MODELS, accelerator, checkpoint, drafter, setting

UTILIZATION = 0.92
IMAGES = ("image", "text", "video")


def card(memory_gib: float, name: str = "b200") -> Any:
    return dataclasses.replace(accelerator(name), memory_gib=memory_gib)


def gib(endpoint: Setting) -> dict[str, tuple[float, float]]:
    return {term.name: (term.size_bytes / GIB, term.uncertainty_bytes / GIB) for term in overhead_terms(endpoint)}


B300 = setting("31b", accelerator=card(267.69), inputs=IMAGES, batched_tokens=8192, concurrency=1024)
E4B_24GB = setting(
    "e4b", accelerator=card(23.57, "l4"), inputs=MODELS["e4b"].inputs, batched_tokens=2048, version="0.28.0"
)
A100 = setting("26b-a4b", "a100-80gb", inputs=IMAGES, batched_tokens=2048)


@pytest.mark.parametrize(
    ("endpoint", "names", "logged_gib"),
    [
        (B300, ["activations"], 3.9),
        (B300, ["outside PyTorch"], 0.25),
        (B300, ["CUDA graphs"], 0.76),
        (E4B_24GB, ["activations", "outside PyTorch"], 1.14),
        (E4B_24GB, ["CUDA graphs"], 0.79),
        (A100, ["activations", "outside PyTorch"], 1.2),
    ],
)
def test_logged_figures_lie_within_the_stated_uncertainty(
    endpoint: Setting, names: list[str], logged_gib: float
) -> None:
    terms = gib(endpoint)
    size, uncertainty = (sum(terms[name][part] for name in names) for part in (0, 1))
    assert abs(size - logged_gib) <= uncertainty


def room_gib(endpoint: Setting, element_bytes: int = 2) -> tuple[float, float]:
    """GiB that are left beside all terms and the guaranteed requests, and how much of it is uncertain."""
    terms = weight_terms(endpoint) + overhead_terms(endpoint)
    where: dict[str, Any] = {"tensor": endpoint.tensor, "pipeline": endpoint.pipeline, "element_bytes": element_bytes}
    request = request_bytes(
        endpoint.model,
        tokens=endpoint.tokens,
        batched_tokens=endpoint.batched_tokens,
        concurrent_batches=concurrent_batches(endpoint.version, endpoint.pipeline),
        **where,
    )
    cache = endpoint.concurrency * request + block_bytes(endpoint.model, **where)
    have = (endpoint.accelerator.memory_gib or 0) * UTILIZATION
    used = (sum(term.size_bytes for term in terms) + cache) / GIB
    return have - used, sum(term.uncertainty_bytes for term in terms) / GIB


@pytest.mark.parametrize("inputs", [("text",), IMAGES])
def test_31b_in_bf16_serves_8k_on_one_h100(inputs: tuple[str, ...]) -> None:
    room, uncertainty = room_gib(setting("31b", inputs=inputs, tokens=8192, batched_tokens=4096))
    assert room > uncertainty


def test_e4b_in_bf16_works_on_an_l4() -> None:
    room, uncertainty = room_gib(setting("e4b", "l4", inputs=MODELS["e4b"].inputs, tokens=32768, batched_tokens=2048))
    assert room > uncertainty


def test_31b_in_fp8_serves_8k_but_not_32k_on_a_48_gb_l40s() -> None:
    model = MODELS["31b"]
    fp8 = checkpoint(model, "fp8")
    room, uncertainty = room_gib(setting("31b", "l40s", checkpoint=fp8, inputs=IMAGES, batched_tokens=2496))
    assert room > uncertainty
    room, uncertainty = room_gib(
        setting("31b", "l40s", checkpoint=fp8, inputs=IMAGES, batched_tokens=2496, tokens=32768)
    )
    assert room < uncertainty


def test_31b_in_bf16_does_not_fit_a_48_gb_card() -> None:
    assert room_gib(setting("31b", "l40s", tokens=1024, batched_tokens=2048))[0] < 0


@pytest.mark.parametrize(("concurrency", "batched", "expected"), [(1, 4096, 256), (300, 4096, 300), (1, 512, 256)])
def test_a_step_has_room_for_the_guaranteed_requests(concurrency: int, batched: int, expected: int) -> None:
    assert sequences(concurrency, batched) == expected


def test_a_step_never_holds_more_requests_than_tokens() -> None:
    assert sequences(1, 128) == 128


def test_text_alone_holds_no_encoders() -> None:
    few = {"accelerator": card(48.0, "l40s"), "batched_tokens": 8192}
    text, images = (gib(setting("31b", inputs=inputs, **few))["activations"][0] for inputs in (("text",), IMAGES))
    assert images > text


def test_per_layer_embeddings_have_a_buffer_as_long_as_a_step() -> None:
    assert gib(setting("e4b", batched_tokens=8192))["per-layer embeddings"] == (8192 * 42 * 256 * 2 / GIB, 0)
    assert "per-layer embeddings" not in gib(setting("31b"))


def test_collectives_and_drafters_widen_what_is_uncertain() -> None:
    alone = gib(setting("31b"))
    together = gib(setting("31b", tensor=2))
    assert together["outside PyTorch"][1] > alone["outside PyTorch"][1]
    drafted = setting("31b", "l40s", batched_tokens=8192, drafter=drafter(MODELS["31b"], 1))
    plain = setting("31b", "l40s", batched_tokens=8192)
    assert gib(drafted)["activations"] > gib(plain)["activations"]
    assert outside_share_bytes(2) > outside_share_bytes(1) > 0


@given(
    st.sampled_from(sorted(MODELS)),
    st.sampled_from(["h100-80gb", "l4", "b200"]),
    st.integers(256, 16383),
    st.sampled_from([1, 2, 4, 8]),
)
def test_larger_steps_and_fewer_accelerators_never_need_less(
    size: str, name: str, batched_tokens: int, tensor: int
) -> None:
    def need(**how: Any) -> int:
        return sum(term.size_bytes for term in overhead_terms(setting(size, name, inputs=MODELS[size].inputs, **how)))

    here = need(batched_tokens=batched_tokens, tensor=tensor)
    assert need(batched_tokens=batched_tokens + 1, tensor=tensor) >= here
    assert need(batched_tokens=batched_tokens, tensor=max(1, tensor // 2)) >= here
    assert all(term.uncertainty_bytes >= 0 and term.source for term in overhead_terms(setting(size, name)))
