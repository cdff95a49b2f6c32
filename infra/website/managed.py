"""What the page of an endpoint says that Google runs."""

from __future__ import annotations

from infra.page import numbers
from infra.page.series import memory_parts
from infra.page.tables import decisions, memory_terms
from infra.plan.managed import ManagedPlan
from infra.website.drawings import memory_chart
from infra.website.subject import Subject, Told, facts

_SERVICES = {"gemini": "the Gemini API", "model-garden": "Model Garden", "serverless": "Vertex AI, serverless"}


def managed_subject(plan: ManagedPlan) -> Subject:
    """The page of one managed endpoint."""
    memory = plan.memory
    parts = memory_parts(memory, plan.context.concurrency or 1) if memory else ()
    return Subject(
        memory=memory_chart("memory", memory, parts) if memory else None,
        parts=parts,
        under=f"{plan.model.id} at {_SERVICES[plan.service]}, platform {plan.platform}",
        cautions=plan.cautions,
        told=(
            Told("What is it", f"{plan.model.id}{f', {plan.precision}' if plan.precision else ''}", _machines(plan)),
            _fit(plan),
            Told("What does it cost", *_cost(plan)),
            Told("How long to start", *_startup(plan)),
        ),
        tables=(
            facts("Serving", _serving(plan)),
            decisions(plan.decisions),
            *((memory_terms(memory.terms),) if memory else ()),
        ),
    )


def _machines(plan: ManagedPlan) -> str:
    one = plan.accelerator
    if one is None:
        return f"{_SERVICES[plan.service]}: Google's own machines"
    replicas = numbers.count(plan.replicas, "replica")
    least = "" if plan.min_replicas == plan.replicas else f"{plan.min_replicas} to "
    return f"{one.count} x {one.type} on {one.machines}, {one.capacity}; {least}{replicas}"


def _fit(plan: ManagedPlan) -> Told:
    memory, context = plan.memory, plan.context
    if memory is None:
        tokens = f"up to {context.max_model_len:,} tokens a request" if context.max_model_len else "not known before"
        return Told("Does it fit", "Google sees to it", f"nothing to prove; {tokens}")
    fits = memory.need_gib <= memory.have_gib
    proof = f"{memory.need_gib:.2f} of {numbers.gib(memory.have_gib)}"
    requests = numbers.count(context.concurrency or 1, "request")
    length = f" of {context.max_model_len:,} tokens" if context.max_model_len else ""
    return Told(
        "Does it fit",
        f"{'Yes' if fits else 'No'}: {proof}",
        f"{requests}{length} guaranteed at once; {memory.max_concurrent_requests:,} of them fit",
        "good" if fits else "bad",
    )


def _cost(plan: ManagedPlan) -> tuple[str, str]:
    cost, price = plan.cost, plan.token_price
    if price is not None:
        if price.input_usd_per_million is None or price.output_usd_per_million is None:
            return "Nothing by the hour", price.basis
        both = f"${price.input_usd_per_million:.2f} in, ${price.output_usd_per_million:.2f} out"
        return both, f"per million tokens; {price.basis}"
    if cost.hourly_usd is None:
        return "Price unknown", cost.basis
    month = numbers.monthly_range(cost.monthly_usd_min, cost.monthly_usd_max, cost.exact)
    return f"{numbers.hourly(cost.hourly_usd, cost.exact)} an hour", f"{month} a month; {cost.basis}"


def _startup(plan: ManagedPlan) -> tuple[str, str]:
    if plan.garden is None:
        return "At once", "nothing to start: it serves as soon as its rights do"
    given_up = numbers.duration(plan.garden.timeout_seconds)
    return f"About {numbers.duration(plan.startup_seconds)}", f"given up after {given_up}"


def _serving(plan: ManagedPlan) -> list[tuple[str, str]]:
    calling, garden = plan.calling, plan.garden
    as_whom = f"key in Secret Manager {calling.key_secret}" if calling.key_id else f"access tokens ({calling.role})"
    return [
        ("Checkpoint", plan.model.checkpoint),
        ("Request as", plan.model.request_model or "known after deployment"),
        ("Address", plan.base_url or "known after deployment"),
        ("Location", plan.location or "Google does not say"),
        ("Project", plan.project),
        ("Access", f"{as_whom} of {calling.email}"),
        ("Inputs", ", ".join(plan.inputs)),
        ("Publisher model", garden.publisher_model if garden else ""),
        ("Container", f"{garden.container}, by provider {garden.provider}" if garden else ""),
        ("Image", plan.framework.image),
        ("APIs", ", ".join(f"{one}.googleapis.com" for one in plan.apis)),
        ("Labels", ", ".join(f"{key}: {value}" for key, value in plan.labels)),
    ]
