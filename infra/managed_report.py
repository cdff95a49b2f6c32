"""Plans of endpoints that Google runs, as text of at most 80 columns."""

from __future__ import annotations

import re

from infra.catalog.loader import load_catalog
from infra.job_report import job_explain_text, job_text
from infra.plan.job import JobPlan
from infra.plan.managed import ManagedPlan
from infra.plan.serving_plan import Decision, ServingPlan
from infra.report import LABEL, cost_text, explain_text, memory_lines, plan_text, row
from infra.text import WIDTH, counted, short_image, wrapped


def endpoint_text(plan: ServingPlan | ManagedPlan | JobPlan, *, explain: bool = False) -> str:
    """The plan of any endpoint or job, with every decision where asked."""
    if isinstance(plan, JobPlan):
        return job_text(plan) + (job_explain_text(plan) if explain else "")
    if isinstance(plan, ManagedPlan):
        return managed_text(plan) + (managed_explain_text(plan) if explain else "")
    return plan_text(plan) + (explain_text(plan) if explain else "")


def managed_text(plan: ManagedPlan) -> str:
    """The plan in a few lines."""
    rows = [
        ("model", f"{plan.model.id}, {', '.join(plan.inputs)}"),
        ("service", _service(plan)),
        *([("checkpoint", f"{plan.model.checkpoint} ({plan.precision})")] if plan.model.checkpoint else []),
        ("accelerator", _machines(plan)),
        ("context", _context(plan)),
    ]
    lines = [row(label, text) for label, text in rows]
    if plan.memory is not None:
        lines += memory_lines(plan.memory, plan.context.concurrency or 1)
    more = [
        ("start-up", _startup(plan)),
        ("cost", managed_cost_text(plan)),
        ("location", plan.location or "Google does not say"),
        ("address", _foldable(plan.base_url) or "a name of its own, known after deployment"),
        ("request as", plan.model.request_model or "known after deployment"),
        ("access", _access(plan)),
        *([("deploys", _deploys(plan))] if plan.garden else []),
        ("APIs", ", ".join(f"{one}.googleapis.com" for one in plan.apis)),
    ]
    lines += [row(label, text) for label, text in more]
    lines += [row("caution", one) for one in plan.cautions]
    return "\n".join([f"{plan.stack} on platform {plan.platform}", *lines]) + "\n"


def managed_explain_text(plan: ManagedPlan) -> str:
    """Every decision with who made it and why."""
    lines = [line for decision in plan.decisions for line in _decision(decision)]
    return "\n".join(lines) + "\n"


def managed_cost_text(plan: ManagedPlan) -> str:
    """Cost by the hour, or by the token, and which price it is."""
    price = plan.token_price
    if price is None:
        return cost_text(plan)
    if price.input_usd_per_million is None or price.output_usd_per_million is None:
        return f"nothing by the hour; {price.basis}"
    return (
        f"nothing by the hour; {price.input_usd_per_million:.2f} USD per million input tokens, "
        f"{price.output_usd_per_million:.2f} per million output tokens; {price.basis}"
    )


def _decision(one: Decision) -> list[str]:
    return [
        wrapped(f"{one.field} = {short_image(one.value) if one.field == 'image' else one.value}", "", "    "),
        wrapped(f"{one.origin}: {one.reason}", "    ", "    "),
    ]


def _service(plan: ManagedPlan) -> str:
    name = load_catalog().frameworks[plan.framework.name].display_name
    if plan.garden is None:
        where = "" if plan.service == "gemini" else ", serverless"
        return f"{name}{where}: Google's own machines, nothing to deploy"
    image = f", {short_image(plan.framework.image)}" if plan.framework.image else ", Model Garden's own container"
    engine = f", vLLM {plan.framework.version}" if plan.framework.version else ""
    return f"{name}, {plan.garden.publisher_model}{engine}{image}"


def _machines(plan: ManagedPlan) -> str:
    one = plan.accelerator
    if one is None:
        return "none of your own"
    bought = f"reservation {one.reservation}" if one.reservation else one.capacity
    replicas = counted(plan.replicas, "replica")
    if plan.min_replicas != plan.replicas:
        replicas = f"{plan.min_replicas} to {replicas}"
    return f"{one.count} x {one.type} per replica on {one.machine_type}, {bought}; {replicas}"


def _context(plan: ManagedPlan) -> str:
    context, memory = plan.context, plan.memory
    if context.max_model_len is None:
        return "as Model Garden's own container sets it; not known before"
    if memory is None:
        answer = f", of which {context.max_output_tokens:,} of an answer" if context.max_output_tokens else ""
        return f"{context.max_model_len:,} tokens{answer}"
    return (
        f"{context.max_model_len:,} tokens, {counted(context.concurrency or 1, 'full request')} guaranteed at once; "
        f"at this length {memory.max_concurrent_requests:,} fit, at this number {memory.max_context_tokens:,} tokens"
    )


def _startup(plan: ManagedPlan) -> str:
    if plan.garden is None:
        return "none: it serves as soon as its rights do"
    return f"about {plan.startup_seconds:,} s, given up after {plan.garden.timeout_seconds:,} s"


def _foldable(url: str) -> str:
    """An address with a space before the slashes at which a row of 80 columns has to fold it; JSON has it whole."""
    pieces = [""]
    for part in re.findall(r"^https?://[^/]+|/[^/]*", url):
        if len(pieces[-1]) + len(part) > WIDTH - LABEL:
            pieces.append("")
        pieces[-1] += part
    return " ".join(pieces)


def _access(plan: ManagedPlan) -> str:
    calling = plan.calling
    named = [f"{one.service_account} in namespace {one.namespace}" for one in calling.callers[1:]]
    pods = f"; on the cluster pods of {', '.join(['its namespace', *named])}" if calling.namespace else ""
    account = f"account {calling.account_id} of project {plan.project}"
    if calling.key_id:
        return f"key in Secret Manager {calling.key_secret}, bound to {account}{pods}"
    return f"access tokens of {account} ({calling.role}){pods}"


def _deploys(plan: ManagedPlan) -> str:
    assert plan.garden is not None
    licence = "accepts the model's licence" if plan.garden.accept_licence else "does not accept the model's licence"
    return f"endpoint {plan.garden.endpoint_id} by provider {plan.garden.provider}; {licence}"
