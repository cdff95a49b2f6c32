"""Seconds to the first token of one request on an idle replica: a range between stated shares of the peak rates."""

from __future__ import annotations

import math

from infra.catalog.compute import Compute
from infra.plan.demand import Setting
from infra.plan.prefill import attention_flops, linear_flops, read_weights
from infra.plan.prefill_shares import PrefillShares
from infra.plan.quantities import FirstToken

_SHORT_PROMPT_TOKENS = 512
# Fewest bits of a weight in a number format, and the rate at which tensor cores can multiply in it. Formats of weights
# alone are multiplied in 16 bits; so are all others where a kernel for theirs is missing, and the slow end counts that.
_FORMATS = {
    "bf16": (16, "half"),
    "fp8": (8, "fp8"),
    "fp8-block": (8, "fp8"),
    "nvfp4": (4, "fp4"),
    "w4a16": (4, "half"),
    "awq": (4, "half"),
    "int4": (4, "half"),
    "qat-mobile": (2, "half"),
    "q4_0": (4, "half"),
    "q4_k_m": (4, "half"),
    "q8_0": (8, "half"),
    "4bit": (4, "half"),
    "8bit": (8, "half"),
}
# What each doubling of the accelerators of one tensor-parallel group leaves of their sum, at least: states of every
# layer are exchanged twice, on cards without NVLink through PCIe. Assumed: of published times only two use it.
_DOUBLING_LEAST = 0.7
_MEMORY_LEAST = 0.6  # of bandwidth
_EXPERTS_LEAST = 0.5  # of the share of dense layers, as each expert sees few tokens of a step; assumed


def first_token(
    setting: Setting, compute: Compute | None, shares: PrefillShares, *, weights_bytes: int
) -> FirstToken | None:
    """Estimate for a short prompt and for the longest that a request may have; None without rates of the accelerator.

    Text alone: what a tower does with an image or sound comes on top, as do a queue and the network.

    Args:
        setting: that runs.
        compute: peak rates of one accelerator.
        shares: of them that the framework reaches.
        weights_bytes: of the checkpoint with all that is loaded.
    """
    if compute is None:
        return None
    full = setting.tokens - 1
    short = min(_SHORT_PROMPT_TOKENS, full)
    short_low, short_high = prompt_seconds(setting, compute, shares, tokens=short, weights_bytes=weights_bytes)
    full_low, full_high = prompt_seconds(setting, compute, shares, tokens=full, weights_bytes=weights_bytes)
    return FirstToken(
        short_prompt_tokens=short,
        short_low_seconds=short_low,
        short_high_seconds=short_high,
        full_prompt_tokens=full,
        full_low_seconds=full_low,
        full_high_seconds=full_high,
        basis=_basis(setting, compute, shares),
    )


def prompt_seconds(
    setting: Setting, compute: Compute, shares: PrefillShares, *, tokens: int, weights_bytes: int
) -> tuple[float, float]:
    """Least and most seconds from a request's arrival to its first token.

    A roofline: a prompt takes as long as its arithmetic or the reading of the weights, which every step does once,
    whichever is longer; at most both one after the other. Source: Williams, Waterman, Patterson 2009, Roofline; the two
    parts as in Pope et al. 2022, Efficiently Scaling Transformer Inference, section 2. Tensor parallelism divides both;
    stages of layers divide them only where several steps of the prompt fill the stages, at most
    (steps + stages - 1) / (steps x stages), and at worst not at all. Data parallelism divides nothing.
    """
    model, tensor, stages = setting.model, setting.tensor, setting.pipeline
    bits, name = _FORMATS[setting.checkpoint.precision]
    steps = math.ceil(tokens / setting.batched_tokens) if setting.batched_tokens else 1
    linear, attention = linear_flops(model, tokens), attention_flops(model, tokens)
    half = compute.half_tflops * 1e12
    fast = _fast_tflops(compute, name) * 1e12
    bandwidth = compute.memory_gb_per_second * 1e9

    quick = linear / (fast * shares.linear_most) + attention / (half * shares.attention_most)
    read = (steps - 1) * read_weights(model, setting.batched_tokens) + model.vocabulary * model.hidden
    read += read_weights(model, tokens - (steps - 1) * setting.batched_tokens)
    filled = (steps + stages - 1) / (steps * stages)
    low = shares.request_least_seconds + max(quick, read * bits / 8 / bandwidth) / tensor * filled

    linear_least = shares.linear_least * (_EXPERTS_LEAST if model.experts else 1.0)
    slow = linear / (half * linear_least) + attention / (half * shares.attention_least)
    reread = min(steps * weights_bytes, 2 * read) / (bandwidth * _MEMORY_LEAST)
    high = shares.request_most_seconds + (slow + reread) / (tensor * _DOUBLING_LEAST ** math.log2(tensor))
    return low, high


def _fast_tflops(compute: Compute, name: str) -> float:
    """Fastest rate in which a format can be multiplied: its own where the hardware has it, else the next wider."""
    eight = compute.fp8_tflops or compute.half_tflops
    return {"half": compute.half_tflops, "fp8": eight, "fp4": compute.fp4_tflops or eight}[name]


def _basis(setting: Setting, compute: Compute, shares: PrefillShares) -> str:
    half, fast = compute.half_tflops, _fast_tflops(compute, _FORMATS[setting.checkpoint.precision][1])
    return (
        f"arithmetic at {shares.linear_least:.0%} of {half:,g} TFLOPS to {shares.linear_most:.0%} of {fast:,g}, "
        f"attention at {shares.attention_least:.0%} to {shares.attention_most:.0%} of {half:,g}, weights read "
        f"once per step at {compute.memory_gb_per_second:,g} GB/s ({shares.source}); one request of text, no queue"
    )
