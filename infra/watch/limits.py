"""Numbers at which an alert fires: those of a plan, or plain ones for any endpoint of a framework."""

from __future__ import annotations

import math
from dataclasses import dataclass

from infra.plan.serving_plan import ServingPlan

# Starting points, not measurements: what a caller of a chat notices. Change them after a week of real traffic.
_FIRST_TOKEN_SECONDS, _PREFILL_TOKENS_PER_SECOND, _SECONDS_PER_TOKEN = 5, 4096, 0.2


@dataclass(frozen=True)
class Limits:
    """Numbers at which alerts fire.

    Attributes:
        start_seconds: from an empty pool to ready; what is away for longer does not come back by itself.
        fewest_replicas: that should be ready; 0 where none may be.
        concurrency: full requests that the memory proof guarantees to one replica.
        context_tokens: of the longest request; None where it is not known.
        first_token_seconds: for one request in twenty to wait longer.
        seconds_per_token: of an answer, likewise.
        cost: of an hour at the fewest replicas, in words.
    """

    start_seconds: int
    fewest_replicas: int
    concurrency: int
    context_tokens: int | None
    first_token_seconds: int
    seconds_per_token: float
    cost: str


def limits_of(plan: ServingPlan) -> Limits:
    """Limits of one endpoint."""
    tokens, hourly, idle = plan.context.max_model_len, plan.cost.hourly_usd, max(plan.min_replicas, 1)
    return Limits(
        start_seconds=_whole_minutes(plan.timing.startup_seconds),
        fewest_replicas=plan.min_replicas,
        concurrency=plan.context.concurrency,
        context_tokens=tokens,
        first_token_seconds=_FIRST_TOKEN_SECONDS + math.ceil(tokens / _PREFILL_TOKENS_PER_SECOND),
        seconds_per_token=_SECONDS_PER_TOKEN,
        cost="an unknown price" if hourly is None else f"{hourly * idle / plan.replicas:,.2f} USD an hour",
    )


ANY = Limits(
    start_seconds=1800,
    fewest_replicas=1,
    concurrency=8,
    context_tokens=None,
    first_token_seconds=15,
    seconds_per_token=_SECONDS_PER_TOKEN,
    cost="its whole price",
)


def _whole_minutes(seconds: int) -> int:
    return math.ceil(seconds / 60) * 60
