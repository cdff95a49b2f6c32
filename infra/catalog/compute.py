"""Record of an accelerator's peak rates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Compute:
    """Peak rates of one accelerator, without sparsity; None where the hardware has no such rate.

    Attributes:
        half_tflops: 16-bit floating point: bfloat16, or float16 where there is no bfloat16.
        fp8_tflops, fp4_tflops: 8-bit and 4-bit floating point.
        int8_tops: 8-bit integers.
        memory_gb_per_second: bandwidth of its memory.
    """

    accelerator: str
    half_tflops: float
    fp8_tflops: float | None
    fp4_tflops: float | None
    int8_tops: float | None
    memory_gb_per_second: float
    sources: tuple[str, ...]
