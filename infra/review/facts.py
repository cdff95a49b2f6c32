"""What users and operators notice of a stack, as words with numbers, by what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from infra.batch_job import BatchJob
from infra.pipeline import Endpoint, ManagedEndpoint, Platform
from infra.plan.managed.managed_plan import TokenPrice
from infra.plan.needed_secrets import needed_secrets
from infra.plan.serving_plan import AcceleratorChoice
from infra.plan.weights_source import WeightsChoice
from infra.report import scaling_text
from infra.review.version import Version
from infra.spec import PlatformSpec

Audience = Literal["users", "operators"]
NONE, UNFIXED = "none", "not fixed"
_UNSAID, _GOOGLES = "not said by Google", "Google's own"
# What says that a stack lacks something, or that nothing is known: no news of one that comes or goes.
_WHERE = ("gke.project", "gke.location", "gke.cluster.name", "google.project", "google.location", "kubernetes.context")
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
    first = plan.timing.first_token
    if first is not None:
        yield Fact("users", "first token", first.text.removesuffix(" (estimate)"), first.full_high_seconds)
    yield Fact("users", "inputs", ", ".join(plan.inputs))
    yield Fact("users", "tool calls", _yes(plan.tools))
    yield Fact("users", "reasoning apart", _yes(plan.reasoning))
    yield Fact("users", "adapters", ", ".join(found.name for found in plan.adapters) or NONE)
    yield Fact("users", "key asked for", _yes(plan.access.authentication == "key"))
    yield Fact("users", "called from outside at", gateway.url if gateway else "nowhere")
    drain = plan.timing.drain_seconds
    yield Fact("users", "time for running answers", f"{drain:,} s", drain)
    yield Fact("users", "addresses that requests may name", ", ".join(plan.media_domains) or NONE)
    yield Fact("operators", "engine", f"{plan.framework.name} {plan.framework.version}")
    yield Fact("operators", "image", plan.framework.image)
    yield Fact("operators", "arguments of the engine", " ".join(plan.engine_args) or NONE)
    yield Fact("operators", "replicas", _range(plan.min_replicas, plan.replicas), plan.min_replicas)
    yield Fact("operators", "machines of a replica", _machines(plan.accelerator))
    yield Fact("operators", "scaling", scaling_text(plan.scaling) if plan.scaling else NONE)
    startup = plan.timing.startup_seconds
    yield Fact("operators", "first answer from nothing", f"about {startup:,} s", startup)
    yield Fact("operators", "node pools", ", ".join(pool.name for pool in plan.node_pools.pools if pool.name) or NONE)
    yield Fact("operators", "weights from", _weights(plan.weights))
    secrets = sorted({found.name for found in needed_secrets(plan)})
    yield Fact("operators", "secrets that it reads", ", ".join(secrets) or NONE)
    yield Fact("operators", "labels", _labels(plan.labels))
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
    yield Fact("operators", "labels", _labels(plan.labels))
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
    """Each field of the file, as a platform has little that is derived."""
    for field, value in fields(one.spec).items():
        yield Fact("users" if field in _WHERE else "operators", field, value)


def fields(spec: PlatformSpec) -> dict[str, str]:
    """What a platform's file says and what it leaves to defaults, by dotted name."""
    found = spec.model_dump(mode="json", exclude_none=True, exclude={"apiVersion", "kind"})
    return dict(_leaves(found, ""))


def _leaves(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}" if name else key)
    else:
        text = ", ".join(map(_word, value)) if isinstance(value, list) else _word(value)
        yield name, text or NONE


def _word(value: Any) -> str:
    return _yes(value) if isinstance(value, bool) else str(value)


def _weights(one: WeightsChoice) -> str:
    if one.claim:
        return f"claim {one.claim}"
    account = f" as {one.service_account}" if one.service_account else ""
    return f"gs://{one.bucket}/{one.folder}{account}" if one.bucket else one.source


def _labels(pairs: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{key}={value}" for key, value in pairs) or NONE


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
