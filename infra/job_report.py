"""Plans of jobs, as text of at most 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from infra.catalog.loader import load_catalog
from infra.plan.fit import gib_text
from infra.plan.job import JobPlan
from infra.report import row
from infra.text import counted, short_image, wrapped

_SECONDS_PER_HOUR = 3600


def job_text(plan: JobPlan) -> str:
    """The plan in a few lines."""
    one, memory = plan.accelerator, plan.memory
    bought = f"reservation {one.reservation}" if one.reservation else one.capacity
    framework = load_catalog().frameworks[plan.framework.name].display_name
    parts = ", ".join(f"{term.name} {gib_text(term.size_gib)}" for term in memory.terms)
    uncertain = sum(term.uncertainty_gib for term in memory.terms)
    need = f"need {memory.need_gib:.2f} GiB, have {memory.have_gib:.2f} of {memory.per_accelerator_gib:.2f} GiB"
    pools = ", ".join(pool.name for pool in plan.node_pools.pools)
    rows = [
        ("job", _work(plan)),
        ("model", f"{plan.model.id}, preset {plan.work.preset} ({plan.precision})"),
        ("framework", f"{framework} {plan.framework.version}, {short_image(plan.framework.image)}"),
        ("accelerator", f"1 x {one.type} per pod on {one.machine_type}, {bought}; {_pods(plan)}"),
        ("memory", f"{need}, per accelerator"),
        ("", f"{parts}; up to {uncertain:.2f} more"),
        *((place.use, str(place)) for place in plan.places),
        ("result", f"{plan.result}, once it is whole"),
        ("ending", _ending(plan)),
        ("cost", _cost(plan)),
        *([("rights", _rights(plan))] if plan.grants else []),
        ("node pool", f"{pools}; {plan.node_pools.move.removeprefix('none: ')}"),
        *(("caution", caution) for caution in plan.cautions),
    ]
    lines = [row(label, text) for label, text in rows]
    return "\n".join([f"{plan.stack} on platform {plan.platform}", *lines]) + "\n"


def job_explain_text(plan: JobPlan) -> str:
    """Every decision with who made it and why, and every part of the memory."""
    lines = []
    for decision in plan.decisions:
        value = short_image(decision.value) if decision.field == "image" else decision.value
        lines.append(wrapped(f"{decision.field} = {value}", "", "    "))
        lines.append(wrapped(f"{decision.origin}: {decision.reason}", "    ", "    "))
    lines.append("memory of the accelerator, GiB, with what may come on top:")
    for term in plan.memory.terms:
        size = f"{gib_text(term.size_gib)} + {gib_text(term.uncertainty_gib)}"
        lines.append(wrapped(f"{term.kind}: {term.name} = {size}: {term.source}", "    ", "        "))
    return "\n".join(lines) + "\n"


def jobs_text(plans: Sequence[JobPlan]) -> str:
    """Jobs below a table of endpoints: they end, so that they cost nothing by the month."""
    lines = []
    for plan in plans:
        most = plan.cost.most_usd
        price = "at an unknown price" if most is None else f"at most {most:,.2f} USD"
        lines.append(wrapped(f"job {plan.stack}: {plan.work.mode}, {price} until its deadline", "", "  "))
    return "".join(f"{line}\n" for line in lines)


def _work(plan: JobPlan) -> str:
    work = plan.work
    more = {
        "evaluate": "",
        "generate": f", temperature {work.temperature:g}",
        "lora": f", {counted(work.epochs, 'epoch')}, rank {work.rank}, learning rate {work.learning_rate:g}",
    }
    return f"{work.mode}: batches of {work.batch_size} x {work.sequence_length:,} tokens{more[work.mode]}"


def _pods(plan: JobPlan) -> str:
    work = plan.work
    return counted(work.pods, "pod") if work.parallel == work.pods else f"{work.pods} pods, {work.parallel} at once"


def _ending(plan: JobPlan) -> str:
    ending = plan.ending
    retries = "1 retry" if ending.retries == 1 else f"{ending.retries} retries"
    return (
        f"{retries} of a pod, the end of its machine not counted; saved every {plan.work.save_seconds:,} s and within "
        f"the {ending.grace_seconds} s of a stop; ended after {ending.deadline_seconds:,} s"
    )


def _cost(plan: JobPlan) -> str:
    cost = plan.cost
    if cost.hourly_usd is None or cost.most_usd is None:
        return f"unknown: {cost.basis}"
    hours = plan.ending.deadline_seconds / _SECONDS_PER_HOUR
    return (
        f"{cost.hourly_usd:,.2f} USD per hour while it runs, at most {cost.most_usd:,.2f} USD until its deadline of "
        f"{hours:g} h; {cost.basis}"
    )


def _rights(plan: JobPlan) -> str:
    things = ", ".join(f"{'writes' if one.role.endswith('objectUser') else 'reads'} {one.thing}" for one in plan.grants)
    return f"in Google Cloud, service account {plan.stack} {things}, and nothing else"
