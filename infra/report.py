"""Plans as text of at most 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from infra.bars import bar
from infra.catalog.loader import load_catalog
from infra.plan.fit import gib_text
from infra.plan.serving_plan import Memory, Rung, ServingPlan
from infra.text import WIDTH, counted, wrapped

_LABEL = 14


def plan_text(plan: ServingPlan) -> str:
    """The plan in a few lines."""
    accelerator, context, timing = plan.accelerator, plan.context, plan.timing
    framework = load_catalog().frameworks[plan.framework.name].display_name
    parallel = plan.parallelism
    sizes = (("tensor", parallel.tensor), ("pipeline", parallel.pipeline), ("data", parallel.data))
    split = ", ".join(f"{name} parallel size {size}" for name, size in sizes if name == "tensor" or size > 1)
    drafter = f", drafter {plan.model.drafter}" if plan.model.drafter else ""
    image = f", {plan.framework.image}" if plan.framework.image else ""
    replicas = counted(plan.replicas, "replica")
    if plan.min_replicas != plan.replicas:
        replicas = f"{plan.min_replicas} to {replicas}"
    rows = [
        ("model", f"{plan.model.id}, {', '.join(plan.inputs)}"),
        ("checkpoint", f"{plan.model.checkpoint} ({plan.precision}){drafter}"),
        ("framework", f"{framework} {plan.framework.version}{image}"),
        (
            "accelerator",
            f"{accelerator.count} x {accelerator.type} per replica on {accelerator.machine_type}, "
            f"{accelerator.reservation or accelerator.capacity}; {split}; {replicas}",
        ),
        (
            "context",
            f"{context.max_model_len:,} tokens, {counted(context.concurrency, 'full request')} guaranteed at once; "
            f"at this length {plan.memory.max_concurrent_requests:,} fit, at this number "
            f"{plan.memory.max_context_tokens:,} tokens",
        ),
    ]
    lines = [_row(label, text) for label, text in rows] + _memory_lines(plan.memory, context.concurrency)
    rows = [
        (
            "start-up",
            f"about {timing.startup_seconds:,} s from an empty pool, given up after {timing.timeout_seconds:,} s",
        ),
        ("", "; ".join(f"{term.name} {term.seconds:,.0f} s" for term in timing.startup_terms)),
        ("stop", _stop_text(plan)),
        ("cost", cost_text(plan)),
    ]
    lines += [_row(label, text) for label, text in rows]
    lines += [_row("ladder" if index == 0 else "", _rung_text(index, rung)) for index, rung in _ladder(plan)]
    if plan.accelerator.capacity != "own":
        lines.append(_row("access", _access_text(plan)))
    lines.append(_row("roll-out", f"{plan.rollout.strategy}; downtime {plan.rollout.downtime}"))
    lines += [_row("caution", one) for one in plan.cautions]
    if plan.only_planned:
        lines.append(_row("deploy", f"not by this version: {', '.join(plan.only_planned)}"))
    return "\n".join([f"{plan.stack} on platform {plan.platform}", *lines]) + "\n"


def cost_text(plan: ServingPlan) -> str:
    """Cost per hour and month, and which price it is."""
    cost = plan.cost
    if cost.hourly_usd is None:
        return f"unknown: {cost.basis}"
    least, most = cost.monthly_usd_min or 0, cost.monthly_usd_max
    month = f"{least:,.0f}"
    if most is None or round(most) != round(least):
        month += f" to {'an unknown sum' if most is None else f'{most:,.0f}'}"
    tokens = cost.usd_per_million_output_tokens
    per_token = "" if tokens is None else f"; {tokens:.2f} per million output tokens ({cost.tokens_basis})"
    return f"{cost.hourly_usd:,.2f} USD per hour, {month} per month{per_token}; {cost.basis}"


def explain_text(plan: ServingPlan) -> str:
    """Every decision with who made it and why."""
    lines = []
    for decision in plan.decisions:
        lines.append(wrapped(f"{decision.field} = {decision.value}", "", "    "))
        lines.append(wrapped(f"{decision.origin}: {decision.reason}", "    ", "    "))
    lines += ["memory per accelerator, GiB, with what may come on top:"]
    for term in plan.memory.terms:
        size = f"{gib_text(term.size_gib)} + {gib_text(term.uncertainty_gib)}"
        lines.append(wrapped(f"{term.kind}: {term.name} = {size}: {term.source}", "    ", "        "))
    lines += ["time, seconds:"]
    for part in (*plan.timing.startup_terms, *plan.timing.stop_terms):
        lines.append(wrapped(f"{part.name} = {part.seconds:,.0f}: {part.basis}", "    ", "        "))
    return "\n".join(lines) + "\n"


def fleet_text(plans: Sequence[ServingPlan]) -> str:
    """One line per stack, sorted, then totals; costs that are not known are counted apart."""
    if not plans:
        return "no endpoints\n"
    width = max(len(plan.stack) for plan in plans)
    lines = [f"{'stack':<{width}}  accelerator            USD/h  USD/month  memory"]
    for plan in sorted(plans, key=lambda one: one.stack):
        shape = f"{plan.replicas} x {plan.accelerator.count} {plan.accelerator.type}"
        cost, memory = plan.cost, plan.memory
        hourly = "?" if cost.hourly_usd is None else f"{cost.hourly_usd:,.2f}"
        month = "?" if cost.monthly_usd_max is None else f"{cost.monthly_usd_max:,.0f}"
        used = f"{100 * memory.need_gib / memory.have_gib:.0f} %"
        lines.append(f"{plan.stack:<{width}}  {shape:<18} {hourly:>9}  {month:>9}  {used:>6}")
    priced = [plan.cost for plan in plans if plan.cost.hourly_usd is not None]
    hourly_total = sum(cost.hourly_usd or 0 for cost in priced)
    low, high = sum(cost.monthly_usd_min or 0 for cost in priced), sum(cost.monthly_usd_max or 0 for cost in priced)
    total = f"{counted(len(plans), 'stack')}: {hourly_total:,.2f} USD per hour, {low:,.0f} to {high:,.0f} per month"
    ceilings = sum(not cost.exact for cost in priced)
    remarks = [f"{len(plans) - len(priced)} without a known price" if len(priced) < len(plans) else ""]
    remarks += [f"{ceilings} at most (on-demand price)" if ceilings else ""]
    said = "; ".join(one for one in remarks if one)
    return "\n".join([*lines, wrapped(f"{total}{f'; {said}' if said else ''}", "", "  ")]) + "\n"


def _memory_lines(memory: Memory, concurrency: int) -> list[str]:
    promised = min(memory.kv_cache_gib, concurrency * memory.kv_cache_per_request_gib)
    parts = [
        ("W", memory.weights_gib),
        ("K", promised),
        ("k", memory.kv_cache_gib - promised),
        ("o", memory.overhead_gib),
        (".", memory.headroom_gib),
    ]
    legend = (
        f"W weights {memory.weights_gib:.2f}, K KV cache {concurrency} x {gib_text(memory.kv_cache_per_request_gib)}, "
        f"k free for more {memory.kv_cache_gib - promised:.2f}, o overhead {memory.overhead_gib:.2f}, . headroom "
        f"{memory.headroom_gib:.2f} (of it {memory.uncertainty_gib:.2f} uncertain)"
    )
    need = f"need {memory.need_gib:.2f} GiB, have {memory.have_gib:.2f} of {memory.per_accelerator_gib:.2f} GiB"
    return [
        _row("memory", f"{need}, per accelerator"),
        f"{'':<{_LABEL}}|{bar(parts, width=WIDTH - _LABEL - 2)}|",
        _row("", legend),
    ]


def _stop_text(plan: ServingPlan) -> str:
    timing = plan.timing
    terms = ", ".join(f"{term.name} {term.seconds:.0f} s" for term in timing.stop_terms)
    if timing.notice_seconds is None:
        return f"{timing.grace_seconds} s: {terms}"
    return f"{timing.grace_seconds} s, within the {timing.notice_seconds} s of a Spot notice: {terms}"


def _access_text(plan: ServingPlan) -> str:
    access = plan.access
    if access.authentication == "none":
        return f"no key; on the network, pods with the label servestack.dev/client-of: {plan.stack}"
    return f"key in Secret {access.secret}, and the label servestack.dev/client-of: {plan.stack}"


def _ladder(plan: ServingPlan) -> list[tuple[int, Rung]]:
    return list(enumerate(plan.ladder)) if len(plan.ladder) > 1 else []


def _rung_text(index: int, rung: Rung) -> str:
    price = "price unknown" if rung.hourly_usd is None else f"{rung.hourly_usd:,.2f} USD per hour"
    price = price if rung.exact or rung.hourly_usd is None else f"at most {price}"
    name = f"reservation {rung.reservation}" if rung.reservation else rung.capacity
    shape = f"{rung.count} on {rung.machine_type}, {rung.precision}, {rung.context.max_model_len:,} tokens"
    loses = f"; loses: {', '.join(rung.loses)}" if rung.loses else ""
    return f"{index + 1}. {name}: {shape}, {price}{loses}"


def _row(label: str, text: str) -> str:
    return wrapped(text, f"  {label:<{_LABEL - 2}}", " " * _LABEL)
