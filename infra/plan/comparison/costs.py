"""Rows about what an endpoint costs, and what one pair of endpoints costs beside each other."""

from __future__ import annotations

from infra.catalog.records import Catalog
from infra.plan.comparison.sides import Cell, Question, Side, cell
from infra.plan.managed.managed_plan import ManagedPlan, TokenPrice

_PER_TOKEN = ("tokenPrice.inputUsdPerMillion", "tokenPrice.outputUsdPerMillion")


def token_price(side: Side) -> TokenPrice | None:
    """Price per token; None where the endpoint is paid by the hour."""
    return side.plan.token_price if isinstance(side.plan, ManagedPlan) else None


def _hour(side: Side, _catalog: Catalog) -> Cell:
    plan = side.plan
    if side.on_googles_machines:
        return cell(side, "nothing", "cost.hourlyUsd")
    if plan.cost.hourly_usd is None:
        return cell(side, f"not known: {plan.cost.basis}", "cost.hourlyUsd")
    replicas = f" at {plan.replicas:,} replicas" if plan.replicas > 1 else ""
    return cell(side, f"{plan.cost.hourly_usd:,.2f} USD{replicas} ({plan.cost.basis})", "cost.hourlyUsd", "replicas")


def _month(side: Side, _catalog: Catalog) -> Cell:
    cost, paths = side.plan.cost, ("cost.monthlyUsdMax", "cost.monthlyUsdMin")
    if side.on_googles_machines:
        return cell(side, "by use alone", *paths)
    if cost.monthly_usd_min is None:
        return cell(side, "not known", *paths)
    least, most = f"{cost.monthly_usd_min:,.0f}", cost.monthly_usd_max
    if most is None:
        return cell(side, f"{least} USD or more: a rung of the ladder has no known price", *paths)
    both = least if round(most) == round(cost.monthly_usd_min) else f"{least} to {most:,.0f}"
    return cell(side, f"{'' if cost.exact else 'at most '}{both} USD", *paths)


def _token(side: Side, _catalog: Catalog) -> Cell:
    price, cost = token_price(side), side.plan.cost
    if price is not None:
        if price.input_usd_per_million is None or price.output_usd_per_million is None:
            return cell(side, price.basis, *_PER_TOKEN)
        both = f"{price.input_usd_per_million:.2f} USD per million in, {price.output_usd_per_million:.2f} out"
        return cell(side, f"{both} ({price.basis})", *_PER_TOKEN)
    if cost.usd_per_million_output_tokens is None:
        return cell(side, f"not known: {cost.tokens_basis}", "cost.usdPerMillionOutputTokens")
    text = f"{cost.usd_per_million_output_tokens:.2f} USD per million out at full load: {cost.tokens_basis}"
    return cell(side, text, "cost.usdPerMillionOutputTokens")


COSTS = (Question("per hour", _hour), Question("per month", _month), Question("per token", _token))
