"""Plans and diagnoses as text of at most 80 columns."""

from __future__ import annotations

import re
import textwrap

from infra.catalog.loader import load_catalog
from infra.operate.diagnosis import Diagnosis
from infra.plan.memory import gib_text
from infra.plan.serving_plan import ServingPlan

_WIDTH = 80
_LABEL = 14
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(s|h|GiB|tokens)\b)")


def plan_text(plan: ServingPlan) -> str:
    """The plan in a few lines."""
    accelerator, memory, context, timing = plan.accelerator, plan.memory, plan.context, plan.timing
    framework = load_catalog().frameworks[plan.framework.name].display_name
    rows = [
        ("model", f"{plan.model.id}, {', '.join(plan.inputs)}"),
        ("checkpoint", f"{plan.model.checkpoint} ({plan.precision})"),
        ("framework", f"{framework} {plan.framework.version}, {plan.framework.image}"),
        (
            "accelerator",
            f"{accelerator.count} x {accelerator.type} per replica on {accelerator.machine_type}, "
            f"{accelerator.capacity}; tensor parallel size {plan.parallelism.tensor}; "
            f"{_count(plan.replicas, 'replica')}",
        ),
        (
            "context",
            f"{context.max_model_len:,} tokens; {_count(context.concurrency, 'full request')} guaranteed at once, "
            f"{memory.max_concurrent_requests:,} fit",
        ),
        (
            "memory",
            f"need {memory.need_gib:.2f} GiB, have {memory.have_gib:.2f} GiB per accelerator: weights "
            f"{memory.weights_gib:.2f} + overhead {memory.overhead_gib:.2f} + KV cache {context.concurrency} x "
            f"{gib_text(memory.kv_cache_per_request_gib)}",
        ),
        (
            "start-up",
            f"about {timing.startup_seconds:,} s from an empty pool, given up after {timing.timeout_seconds:,} s; "
            f"stops in {timing.pre_stop_seconds + timing.drain_seconds} s",
        ),
        ("cost", cost_text(plan)),
        ("roll-out", f"{plan.rollout.strategy}; downtime {plan.rollout.downtime}"),
    ]
    body = [_row(label, text) for label, text in rows]
    return "\n".join([f"{plan.stack} on platform {plan.platform}", *body]) + "\n"


def cost_text(plan: ServingPlan) -> str:
    """Cost per hour and month, and which price it is."""
    cost = plan.cost
    if cost.hourly_usd is None:
        return f"unknown: {cost.basis}"
    return f"{cost.hourly_usd:,.2f} USD per hour, {cost.monthly_usd_max or 0:,.0f} per month; {cost.basis}"


def explain_text(plan: ServingPlan) -> str:
    """Every decision with who made it and why."""
    lines = []
    for decision in plan.decisions:
        lines.append(_wrap(f"{decision.field} = {decision.value}", "", "    "))
        lines.append(_wrap(f"{decision.origin}: {decision.reason}", "    ", "    "))
    return "\n".join(lines) + "\n"


def diagnosis_text(name: str, found: Diagnosis, url: str) -> str:
    """State of an endpoint, the control plane's own words, and what to do next."""
    if found.state == "absent":
        return f"{name}: not deployed.\nNext: pulumi up -s {name}\n"
    lines = [f"{name}: {found.state}, {found.ready} of {_count(found.wanted, 'replica')} ready."]
    if found.state == "serving":
        lines.append(f"  {url}")
    for finding in found.findings:
        lines.append(_wrap(_printable(f"{finding.about}: {finding.reason}: {finding.message}"), "  ", "    "))
    if found.state != "serving":
        step = found.next_step or "the engine is loading; run `servestack status` again"
        lines.append(_wrap(f"Next: {step}.", "", "      "))
    return "\n".join(lines) + "\n"


def _row(label: str, text: str) -> str:
    return _wrap(text, f"  {label:<{_LABEL - 2}}", " " * _LABEL)


def _wrap(text: str, first: str, rest: str) -> str:
    """Lines of at most 80 columns; a number stays beside its unit."""
    bound = _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text)
    filled = textwrap.fill(
        bound, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return filled.replace("\N{NO-BREAK SPACE}", " ")


def _printable(text: str) -> str:
    """Text of a container or of another program, without what could move the cursor."""
    return "".join(one if one.isprintable() or one.isspace() else "\N{REPLACEMENT CHARACTER}" for one in text)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
