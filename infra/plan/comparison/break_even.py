"""Hour against token: the load at which both ways of paying cost the same."""

from __future__ import annotations

from dataclasses import dataclass

from infra.plan.comparison.costs import token_price
from infra.plan.comparison.sides import Side

ASSUMED_RATIO = 3.0  # input tokens to an output token: an assumption, stated wherever it is used
_MILLION, _SECONDS = 1_000_000, 3600


@dataclass(frozen=True)
class BreakEven:
    """The load at which an endpoint paid by the hour and one paid by the token cost the same.

    Attributes:
        by_hour, by_token: the stacks.
        replicas: that run, of the one paid by the hour; `usd_per_hour` is for all of them.
        exact: False where `usd_per_hour` is only a ceiling, and so every number here.
        hour_basis, token_basis: which prices they are.
        scales_to_zero: whether there are hours in which none runs, which cost nothing.
        input_tokens_per_output_token: assumed.
        measured_output_tokens_per_hour: of these replicas at full load; None where no sourced figure is known.
        share: of that throughput, at break-even; None as above. Over 1 it is never reached.
        throughput_basis: how it was measured, or why it is not known.
    """

    by_hour: str
    by_token: str
    replicas: int
    usd_per_hour: float
    exact: bool
    hour_basis: str
    scales_to_zero: bool
    input_usd_per_million: float
    output_usd_per_million: float
    token_basis: str
    input_tokens_per_output_token: float
    output_tokens_per_hour: float
    input_tokens_per_hour: float
    measured_output_tokens_per_hour: float | None
    share: float | None
    throughput_basis: str


def break_even_output_tokens(
    usd_per_hour: float, input_usd_per_million: float, output_usd_per_million: float, input_per_output: float
) -> float:
    """Output tokens per hour whose price, with their input tokens, is that of an hour.

    Args:
        usd_per_hour: of the endpoint paid by the hour.
        input_usd_per_million: of the one paid by the token.
        output_usd_per_million: of the same.
        input_per_output: input tokens to an output token.

    Raises:
        ValueError: a token costs nothing, so that no load costs as much as the hour.
    """
    usd_per_output_token = (input_per_output * input_usd_per_million + output_usd_per_million) / _MILLION
    if usd_per_output_token <= 0:
        raise ValueError("a token costs nothing")
    return usd_per_hour / usd_per_output_token


def break_evens(one: Side, other: Side, ratio: float) -> list[BreakEven]:
    """Those of a pair, at fewest and most replicas; none unless one has a price by the hour, the other by the token."""
    found = [_pair(hour, token, ratio) for hour, token in ((one, other), (other, one))]
    return found[0] or found[1]


def _pair(hour: Side, token: Side, ratio: float) -> list[BreakEven]:
    price, plan = token_price(token), hour.plan
    if hour.on_googles_machines or price is None or plan.cost.hourly_usd is None:
        return []
    inputs, outputs = price.input_usd_per_million, price.output_usd_per_million
    if inputs is None or outputs is None:
        return []
    each, per_million = plan.cost.hourly_usd / plan.replicas, plan.cost.usd_per_million_output_tokens
    found = []
    for replicas in sorted({max(1, plan.min_replicas), plan.replicas}):
        usd = each * replicas
        tokens = break_even_output_tokens(usd, inputs, outputs, ratio)
        measured = usd / per_million * _MILLION if per_million else None
        found.append(
            BreakEven(
                by_hour=plan.stack,
                by_token=token.plan.stack,
                replicas=replicas,
                usd_per_hour=usd,
                exact=plan.cost.exact,
                hour_basis=plan.cost.basis,
                scales_to_zero=plan.min_replicas == 0,
                input_usd_per_million=inputs,
                output_usd_per_million=outputs,
                token_basis=price.basis,
                input_tokens_per_output_token=ratio,
                output_tokens_per_hour=tokens,
                input_tokens_per_hour=tokens * ratio,
                measured_output_tokens_per_hour=measured,
                share=tokens / measured if measured else None,
                throughput_basis=plan.cost.tokens_basis,
            )
        )
    return found


def break_even_text(one: BreakEven) -> str:
    """A break-even in words, with everything that it rests on."""
    replicas = f" for {one.replicas} replicas" if one.replicas > 1 else ""
    asleep = ", and nothing while none runs" if one.scales_to_zero else ""
    return (
        f"{_verdict(one)}, {amount(one.output_tokens_per_hour / _SECONDS)} every second, with "
        f"{amount(one.input_tokens_per_hour)} input tokens per hour: {one.input_tokens_per_output_token:g} input "
        f"tokens to 1 output token is assumed. Prices: {one.usd_per_hour:,.2f} USD per hour{replicas} "
        f"({one.hour_basis}){asleep}; {one.input_usd_per_million:.2f} USD per million input tokens and "
        f"{one.output_usd_per_million:.2f} per million output tokens ({one.token_basis})."
    )


def _verdict(one: BreakEven) -> str:
    """Which costs less when, ending with the load."""
    tokens = f"{'' if one.exact else 'at most '}{amount(one.output_tokens_per_hour)} output tokens per hour"
    below = f"{one.by_token} costs less below {tokens}; above,"
    if one.share is None or one.measured_output_tokens_per_hour is None:
        return f"{below} {one.by_hour} does, if it can do so much ({one.throughput_basis}). Break-even: {tokens}"
    measured = f"{amount(one.measured_output_tokens_per_hour)} per hour ({one.throughput_basis})"
    share = f"{100 * one.share:,.0f} %"
    if one.share > 1 and one.exact:
        every = f"{one.by_token} costs less at every load that {one.by_hour} can do, {measured}"
        return f"{every}. Break-even: {share} of that, {tokens}"
    return f"{below} {one.by_hour} does. It can do {measured}. Break-even: {share} of that, {tokens}"


def amount(number: float) -> str:
    """A number of tokens to three or four digits."""
    if number >= _MILLION:
        return f"{number / _MILLION:,.2f} million"
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"
