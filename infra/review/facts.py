"""What users, payers and operators notice of a stack, as words with numbers, by what it is about."""

from __future__ import annotations

from infra.batch_job import BatchJob
from infra.pipeline import Endpoint, ManagedEndpoint, Platform
from infra.plan.managed.managed_plan import TokenPrice
from infra.plan.quantities import Cost
from infra.plan.serving_plan import AcceleratorChoice
from infra.review.side import Refused, Side

_UNSAID, _GOOGLES = "not said by Google", "Google's own"


def facts(side: Side) -> dict[str, str]:
    """By subject, in the order of interest; nothing of what is refused."""
    if isinstance(side, Endpoint):
        return _endpoint(side)
    if isinstance(side, ManagedEndpoint):
        return _managed(side)
    if isinstance(side, BatchJob):
        return _job(side)
    return {} if isinstance(side, Refused) else _platform(side)


def _endpoint(one: Endpoint) -> dict[str, str]:
    plan = one.plan
    gateway = plan.exposure.gateway
    return {
        "platform": plan.platform,
        "model": plan.model.checkpoint,
        "precision": plan.precision,
        "revision": plan.model.revision or "not fixed",
        "engine": f"{plan.framework.name} {plan.framework.version}",
        "image": plan.framework.image,
        "longest request": f"{plan.context.max_model_len:,} tokens",
        "full requests at once, per replica": f"{plan.context.concurrency:,}",
        "inputs": ", ".join(plan.inputs),
        "tool calls": _yes(plan.tools),
        "reasoning apart": _yes(plan.reasoning),
        "adapters": ", ".join(found.name for found in plan.adapters) or "none",
        "key asked for": _yes(plan.access.authentication == "key"),
        "called from outside at": gateway.url if gateway else "nowhere",
        "replicas": _range(plan.min_replicas, plan.replicas),
        "machines of a replica": _machines(plan.accelerator),
        "memory needed": f"{plan.memory.need_gib:.1f} of {plan.memory.have_gib:.1f} GiB",
        "first answer from nothing": f"about {plan.timing.startup_seconds:,} s",
        "first token, alone on a replica": plan.timing.first_token_text,
        "cost": _monthly(plan.cost),
        "budget": _budget(one.spec.budgetUsdPerMonth),
        "node pools": ", ".join(pool.name for pool in plan.node_pools.pools if pool.name) or "none",
        "not deployed because of": ", ".join(plan.only_planned) or "nothing",
    }


def _managed(one: ManagedEndpoint) -> dict[str, str]:
    plan = one.plan
    longest, at_once = plan.context.max_model_len, plan.context.concurrency
    return {
        "platform": plan.platform,
        "service": plan.service,
        "location": plan.location or _UNSAID,
        "model": plan.model.id,
        "precision": plan.precision or _GOOGLES,
        "longest request": f"{longest:,} tokens" if longest else _UNSAID,
        "full requests at once, per replica": f"{at_once:,}" if at_once else _UNSAID,
        "inputs": ", ".join(plan.inputs),
        "tool calls": _yes(plan.tools),
        "reasoning apart": _yes(plan.reasoning),
        "replicas": _range(plan.min_replicas, plan.replicas) if plan.replicas else _GOOGLES,
        "machines of a replica": _machines(plan.accelerator) if plan.accelerator else _GOOGLES,
        "memory needed": f"{plan.memory.need_gib:.1f} of {plan.memory.have_gib:.1f} GiB" if plan.memory else _GOOGLES,
        "cost": _monthly(plan.cost),
        "price of a million tokens": _tokens(plan.token_price),
        "endpoint": plan.garden.endpoint_id if plan.garden else _GOOGLES,
    }


def _job(one: BatchJob) -> dict[str, str]:
    plan = one.plan
    most = plan.cost.most_usd
    return {
        "platform": plan.platform,
        "model": plan.model.checkpoint,
        "precision": plan.precision,
        "revision": plan.model.revision or "not fixed",
        "engine": f"{plan.framework.name} {plan.framework.version}",
        "pods": f"{plan.work.pods:,}, {plan.work.parallel:,} at once",
        "machines of a pod": _machines(plan.accelerator),
        "ended after": f"{plan.ending.deadline_seconds:,} s",
        "cost at most": "not known" if most is None else f"{most:,.2f} USD",
        "node pools": ", ".join(pool.name for pool in plan.node_pools.pools if pool.name) or "none",
    }


def _platform(one: Platform) -> dict[str, str]:
    spec = one.spec
    if spec.google is not None:
        return {"project": spec.google.project, "location": spec.google.location}
    if spec.gke is None:
        return {}
    return {
        "project": spec.gke.project,
        "location": spec.gke.location,
        "cluster": spec.gke.cluster.name,
        "deletion protection": _yes(spec.gke.deletionProtection),
        "release channel": spec.gke.releaseChannel,
        "cluster API open to": ", ".join(map(str, spec.gke.authorizedNetworks)) or "not restricted by its file",
        "budget alert": f"{spec.gke.budget.usdPerMonth:,} USD a month" if spec.gke.budget else "none",
    }


def _machines(one: AcceleratorChoice) -> str:
    return f"{one.count} x {one.type} ({one.machines}, {one.capacity})"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _range(fewest: int, most: int) -> str:
    return f"{most}" if fewest == most else f"{fewest} to {most}"


def _monthly(cost: Cost) -> str:
    fewest, most = cost.monthly_usd_min, cost.monthly_usd_max
    if fewest is None:
        return "not known by the month"
    up = f", {most:,.0f} with most replicas" if most is not None and round(most) != round(fewest) else ""
    return f"{'' if cost.exact else 'at most '}{fewest:,.0f} USD a month{up}"


def _tokens(price: TokenPrice | None) -> str:
    if price is None or price.input_usd_per_million is None or price.output_usd_per_million is None:
        return "none"
    return f"{price.input_usd_per_million:,.2f} USD in, {price.output_usd_per_million:,.2f} USD out"


def _budget(limit: float | None) -> str:
    return "none" if limit is None else f"{limit:,.0f} USD a month"
