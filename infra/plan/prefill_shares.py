"""Shares of an accelerator's peak rates that serving systems reach with a prompt, at least and at most."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PrefillShares:
    """Least and most of a peak rate that a prompt's arithmetic reaches, and what a request costs besides.

    Attributes:
        linear_least, linear_most: of matrix products with weights.
        attention_least, attention_most: of attention.
        request_least_seconds, request_most_seconds: HTTP, tokenizer, scheduler, launches, sampling.
        source: measurements that the shares are from.
    """

    linear_least: float
    linear_most: float
    attention_least: float
    attention_most: float
    request_least_seconds: float
    request_most_seconds: float
    source: str


# Published times are in tests/facts/first-token.yaml. Most: 0.65 of an A100 with Qwen3-1.7B, whole requests, so single
# matrix products reach more. Least: fitted to four lengths of prompt of Gemma 4 31B on GH200, 0.21 and, of attention
# with heads of 512 in Triton, 0.13.
TORCH_ENGINES = PrefillShares(
    linear_least=0.2,
    linear_most=0.8,
    attention_least=0.08,
    attention_most=0.6,
    request_least_seconds=0.002,
    request_most_seconds=0.1,
    source="vLLM measured on A100 and GH200",
)
# A prompt is padded to one of few lengths: 0.31 s for 128 tokens of 31B on four v6e. Shares as on GPUs, not measured.
TORCH_ENGINES_ON_TPU = PrefillShares(
    linear_least=0.2,
    linear_most=0.8,
    attention_least=0.08,
    attention_most=0.6,
    request_least_seconds=0.002,
    request_most_seconds=0.5,
    source="vLLM measured on A100 and GH200, its fixed cost on TPU v6e",
)
# llama-bench: 0.35 of an A100 in F16; 0.32 to 0.44 of an RTX 4090, 0.33 of a 3090 Ti, in rates of half INT8. Its own
# kernels for quantised weights use the instructions of Ampere, so less of Hopper and Blackwell is left: assumed 0.08.
LLAMACPP = PrefillShares(
    linear_least=0.08,
    linear_most=0.5,
    attention_least=0.05,
    attention_most=0.5,
    request_least_seconds=0.002,
    request_most_seconds=0.1,
    source="llama.cpp measured on A100 and GeForce cards",
)
