"""What users and operators notice of a stack, as words with numbers, by what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.batch_job import BatchJob
from infra.pipeline import Endpoint, ManagedEndpoint, Platform
from infra.plan.managed.managed_plan import TokenPrice
from infra.plan.serving_plan import AcceleratorChoice
from infra.review.version import Version

Audience = Literal["users", "operators"]
NONE, UNFIXED = "none", "not fixed"
_UNSAID, _GOOGLES = "not said by Google", "Google's own"
# What says that a stack lacks something, or that nothing is known: no news of one that comes or goes.
SILENT = (NONE, "nothing", "nowhere", "no", _UNSAID, _GOOGLES)


@dataclass(frozen=True)
class Fact:
    """One of them; `amount` is what `text` counts, where it counts anything."""

    audience: Audience
    subject: str
    text: str
    amount: float | None = None


def facts(version: Version | None) -> dict[str, Fact]:
    """By subject, in the order of interest; nothing of what is refused or not there."""
    built = version.built if version else None
    if isinstance(built, Endpoint):
        found = _endpoint(built)
    elif isinstance(built, ManagedEndpoint):
        found = _managed(built)
    elif isinstance(built, BatchJob):
        found = _job(built)
    elif isinstance(built, Platform):
        found = _platform(built)
    else:
        return {}
    return {one.subject: one for one in found}


def _endpoint(one: Endpoint) -> Iterator[Fact]:
    plan = one.plan
    gateway = plan.exposure.gateway
    yield Fact("users", "platform", plan.platform)
    yield Fact("users", "model", plan.model.id)
    yield Fact("users", "precision", plan.precision)
    yield Fact("users", "checkpoint", plan.model.checkpoint)
    yield Fact("users", "revision", plan.model.revision or UNFIXED)
    yield Fact("users", "longest request", f"{plan.context.max_model_len:,} tokens", plan.context.max_model_len)
    yield Fact("users", "full requests at once", f"{plan.context.concurrency:,}", plan.context.concurrency)
    yield Fact("users", "inputs", ", ".join(plan.inputs))
    yield Fact("users", "tool calls", _yes(plan.tools))
    yield Fact("users", "reasoning apart", _yes(plan.reasoning))
    yield Fact("users", "adapters", ", ".join(found.name for found in plan.adapters) or NONE)
    yield Fact("users", "key asked for", _yes(plan.access.authentication == "key"))
    yield Fact("users", "called from outside at", gateway.url if gateway else "nowhere")
    yield Fact("operators", "engine", f"{plan.framework.name} {plan.framework.version}")
    yield Fact("operators", "image", plan.framework.image)
    yield Fact("operators", "arguments of the engine", " ".join(plan.engine_args) or NONE)
    yield Fact("operators", "replicas", _range(plan.min_replicas, plan.replicas), plan.min_replicas)
    yield Fact("operators", "machines of a replica", _machines(plan.accelerator))
    startup = plan.timing.startup_seconds
    yield Fact("operators", "first answer from nothing", f"about {startup:,} s", startup)
    yield Fact("operators", "node pools", ", ".join(pool.name for pool in plan.node_pools.pools if pool.name) or NONE)
    yield Fact("operators", "budget", _budget(one.spec.budgetUsdPerMonth), one.spec.budgetUsdPerMonth)
    yield Fact("operators", "not deployed because of", ", ".join(plan.only_planned) or "nothing")


def _managed(one: ManagedEndpoint) -> Iterator[Fact]:
    plan = one.plan
    longest, at_once = plan.context.max_model_len, plan.context.concurrency
    yield Fact("users", "platform", plan.platform)
    yield Fact("users", "service", plan.service)
    yield Fact("users", "location", plan.location or _UNSAID)
    yield Fact("users", "model", plan.model.id)
    yield Fact("users", "precision", plan.precision or _GOOGLES)
    yield Fact("users", "longest request", f"{longest:,} tokens" if longest else _UNSAID, longest)
    yield Fact("users", "full requests at once", f"{at_once:,}" if at_once else _UNSAID, at_once)
    yield Fact("users", "inputs", ", ".join(plan.inputs))
    yield Fact("users", "tool calls", _yes(plan.tools))
    yield Fact("users", "reasoning apart", _yes(plan.reasoning))
    yield Fact("users", "endpoint", plan.garden.endpoint_id if plan.garden else _GOOGLES)
    replicas = _range(plan.min_replicas, plan.replicas) if plan.replicas else _GOOGLES
    yield Fact("operators", "replicas", replicas, plan.min_replicas or None)
    machines = _machines(plan.accelerator) if plan.accelerator else _GOOGLES
    yield Fact("operators", "machines of a replica", machines)
    yield Fact("operators", "price of a million tokens", _tokens(plan.token_price))
    yield Fact("operators", "budget", _budget(one.spec.budgetUsdPerMonth), one.spec.budgetUsdPerMonth)


def _job(one: BatchJob) -> Iterator[Fact]:
    plan = one.plan
    most = plan.cost.most_usd
    yield Fact("users", "platform", plan.platform)
    yield Fact("users", "model", plan.model.id)
    yield Fact("users", "precision", plan.precision)
    yield Fact("users", "checkpoint", plan.model.checkpoint)
    yield Fact("users", "revision", plan.model.revision or UNFIXED)
    yield Fact("operators", "engine", f"{plan.framework.name} {plan.framework.version}")
    yield Fact("operators", "pods", f"{plan.work.pods:,}, {plan.work.parallel:,} at once", plan.work.pods)
    yield Fact("operators", "machines of a pod", _machines(plan.accelerator))
    yield Fact("operators", "ended after", f"{plan.ending.deadline_seconds:,} s", plan.ending.deadline_seconds)
    yield Fact("operators", "cost at most", "not known" if most is None else f"{most:,.2f} USD", most)
    yield Fact("operators", "node pools", ", ".join(pool.name for pool in plan.node_pools.pools if pool.name) or NONE)


def _platform(one: Platform) -> Iterator[Fact]:
    spec = one.spec
    if spec.google is not None:
        yield Fact("users", "project", spec.google.project)
        yield Fact("users", "location", spec.google.location)
    if spec.gke is None:
        return
    gke = spec.gke
    yield Fact("users", "project", gke.project)
    yield Fact("users", "location", gke.location)
    yield Fact("users", "cluster", gke.cluster.name)
    yield Fact("operators", "deletion protection", _yes(gke.deletionProtection))
    yield Fact("operators", "release channel", gke.releaseChannel)
    networks = ", ".join(map(str, gke.authorizedNetworks)) or "not restricted by its file"
    yield Fact("operators", "cluster API open to", networks)
    yield Fact("operators", "budget alert", f"{gke.budget.usdPerMonth:,} USD a month" if gke.budget else NONE)


def _machines(one: AcceleratorChoice) -> str:
    return f"{one.count} x {one.type} ({one.machines}, {one.capacity})"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _range(fewest: int, most: int) -> str:
    return f"{most}" if fewest == most else f"{fewest} to {most}"


def _tokens(price: TokenPrice | None) -> str:
    if price is None or price.input_usd_per_million is None or price.output_usd_per_million is None:
        return NONE
    return f"{price.input_usd_per_million:,.2f} USD in, {price.output_usd_per_million:,.2f} USD out"


def _budget(limit: float | None) -> str:
    return NONE if limit is None else f"{limit:,.0f} USD a month"
