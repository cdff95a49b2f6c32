"""The tables of a plan, as text cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.page import numbers, series, serving
from infra.plan.quantities import MemoryTerm
from infra.plan.serving_plan import Decision, ServingPlan

_NOTHING = "none"


@dataclass(frozen=True)
class Column:
    """Heading of a column; numbers stand right, and single words are not broken."""

    name: str
    number: bool = False
    word: bool = False

    @property
    def style(self) -> str:
        """Class of its cells, "" for none."""
        return "number" if self.number else "word" if self.word else ""


@dataclass(frozen=True)
class Table:
    """A table whose first column names the row."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(plan: ServingPlan) -> tuple[Table, ...]:
    """Every table of a plan, in the order of the page."""
    return (
        _serving(plan),
        decisions(plan.decisions),
        memory_terms(plan.memory.terms),
        _ladder(plan),
        _facts(plan),
        _stop_terms(plan),
    )


def _serving(plan: ServingPlan) -> Table:
    return Table("Serving", (Column("Subject"), Column("How")), serving.rows(plan))


def decisions(made: Sequence[Decision]) -> Table:
    """Every decision with who made it and why."""
    columns = (Column("Field"), Column("Value"), Column("Origin", word=True), Column("Reason"))
    return Table("Decisions", columns, tuple((one.field, one.value, one.origin, one.reason) for one in made))


def memory_terms(terms: Sequence[MemoryTerm]) -> Table:
    """Every part of an accelerator's memory."""
    columns = (
        Column("Name"),
        Column("Kind"),
        Column("GiB", number=True),
        Column("Uncertainty, GiB", number=True),
        Column("Source"),
    )
    rows = tuple(
        (term.name, term.kind, f"{term.size_gib:,.2f}", f"{term.uncertainty_gib:,.2f}", term.source) for term in terms
    )
    return Table("Memory terms", columns, rows)


def _ladder(plan: ServingPlan) -> Table:
    columns = (
        Column("Rung"),
        Column("Tensor x pipeline x data"),
        Column("Precision"),
        Column("Context"),
        Column("Memory, GiB"),
        Column("Drain", number=True),
        Column("Loses"),
    )
    rows = tuple(
        (
            f"{place}. {series.rung_name(rung)}",
            f"{rung.parallelism.tensor} x {rung.parallelism.pipeline} x {rung.parallelism.data}",
            f"{rung.precision}, {rung.checkpoint}",
            f"{rung.context.max_model_len:,} tokens x {rung.context.concurrency:,}",
            f"{rung.need_gib:,.2f} of {rung.have_gib:,.2f}",
            numbers.duration(rung.drain_seconds),
            "; ".join(rung.loses) or "nothing",
        )
        for place, rung in enumerate(plan.ladder, 1)
    )
    return Table("Capacity ladder", columns, rows)


def _facts(plan: ServingPlan) -> Table:
    model, accelerator, host, cost = plan.model, plan.accelerator, plan.host, plan.cost
    drafter = f"{model.drafter}, {numbers.count(model.draft_tokens or 0, 'token')} ahead" if model.drafter else "none"
    step = plan.context.max_num_batched_tokens
    memory = f"{host.memory_gib} GiB of memory, of which the engine uses {numbers.gib(host.need_gib)}"
    tokens = cost.usd_per_million_output_tokens
    rows = (
        ("Checkpoint", f"{model.checkpoint}, {model.format}"),
        ("Revision", model.revision or _NOTHING),
        ("Licence", f"{model.licence}{', gated' if model.gated else ''}"),
        ("Drafter", drafter),
        ("Inputs", ", ".join(plan.inputs)),
        ("Tools, reasoning", f"{_yes(plan.tools)}, {_yes(plan.reasoning)}"),
        ("Image", plan.framework.image),
        ("Zones", ", ".join(accelerator.zones) or _NOTHING),
        ("Batched tokens", f"{step:,}" if step else "engine's own"),
        ("KV cache", f"{plan.memory.kv_cache_dtype}, {numbers.gib(plan.memory.kv_cache_per_request_gib)} per request"),
        ("Memory that the engine fills", f"{plan.memory.utilization:.2f} of the accelerator"),
        ("Host", f"{host.cpu} CPU, {memory}"),
        ("Disks", _disks(plan)),
        ("A million output tokens", f"{numbers.hourly(tokens, cost.exact)}; {cost.tokens_basis}"),
        ("Labels", ", ".join(f"{key}: {value}" for key, value in plan.labels) or "none"),
    )  # fmt: skip
    return Table("Endpoint", (Column("Field"), Column("Value")), rows)


def _disks(plan: ServingPlan) -> str:
    host = plan.host
    local = f", {numbers.count(host.local_ssds, 'local SSD')}" if host.local_ssds else ""
    return f"{host.boot_disk_gb} GB {host.boot_disk_type}{local}; {host.ephemeral_storage_gib} GiB for the pod"


def _stop_terms(plan: ServingPlan) -> Table:
    timing = plan.timing
    notice = "" if timing.notice_seconds is None else f", {numbers.duration(timing.notice_seconds)} when it is taken"
    columns = (Column("Term"), Column("Rests on"), Column("Seconds", number=True))
    rows = tuple((term.name, term.basis, f"{term.seconds:,.0f}") for term in timing.stop_terms)
    return Table(f"How it stops: {numbers.duration(timing.grace_seconds)} at most{notice}", columns, rows)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
