"""Records of prices, and of what was measured for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Price:
    """List prices of one machine in USD per hour; None where no dated source was found."""

    machine_type: str
    on_demand_usd_per_hour: float | None
    spot_usd_per_hour: float | None
    flex_start_usd_per_hour: float | None
    vertex_usd_per_hour: float | None
    note: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Throughput:
    """Measured output of one endpoint: all its accelerators together, tokens per second, at full load."""

    model: str
    precision: str
    framework: str
    accelerator: str
    count: int
    output_tokens_per_second: float
    conditions: str
    sources: tuple[str, ...]
