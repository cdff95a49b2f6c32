"""Rows about what an endpoint serves: model, inputs, lengths, abilities."""

from __future__ import annotations

from infra.catalog.records import Catalog
from infra.plan.comparison.sides import NOT_SAID, UNKNOWN_BEFORE, Cell, Question, Side, cell
from infra.plan.managed.managed_plan import ManagedPlan
from infra.plan.serving_plan import ServingPlan


def _model(side: Side, _catalog: Catalog) -> Cell:
    return cell(side, side.plan.model.id, "model.id")


def _checkpoint(side: Side, _catalog: Catalog) -> Cell:
    return cell(side, side.plan.model.checkpoint or NOT_SAID, "model.checkpoint")


def _precision(side: Side, _catalog: Catalog) -> Cell:
    return cell(side, side.plan.precision or NOT_SAID, "precision")


def _inputs(side: Side, _catalog: Catalog) -> Cell:
    return cell(side, ", ".join(side.plan.inputs), "inputs")


def _context(side: Side, _catalog: Catalog) -> Cell:
    tokens, memory = side.plan.context.max_model_len, side.plan.memory
    if tokens is None:
        return cell(side, UNKNOWN_BEFORE, "context.maxModelLen")
    if memory is None:
        return cell(side, f"{tokens:,} tokens", "context.maxModelLen")
    room = f" ({memory.max_context_tokens:,} would fit)" if memory.max_context_tokens > tokens else ""
    return cell(side, f"{tokens:,} tokens{room}", "context.maxModelLen", "memory.maxContextTokens")


def _answer(side: Side, _catalog: Catalog) -> Cell:
    plan = side.plan
    if isinstance(plan, ServingPlan):
        return cell(side, "what the context leaves")
    tokens = plan.context.max_output_tokens
    if tokens is not None:
        text = f"{tokens:,} tokens"
    elif side.on_googles_machines:
        text = NOT_SAID
    else:
        text = "what the context leaves" if plan.memory else UNKNOWN_BEFORE
    return cell(side, text, "context.maxOutputTokens")


def _guaranteed(side: Side, _catalog: Catalog) -> Cell:
    number = side.plan.context.concurrency
    if number is None:
        return cell(side, "none", "context.concurrency")
    text = f"{number:,} full request{'' if number == 1 else 's'} at once per replica"
    return cell(side, text, "context.concurrency")


def _fits(side: Side, _catalog: Catalog) -> Cell:
    memory = side.plan.memory
    if memory is None:
        return Cell(NOT_SAID if side.on_googles_machines else UNKNOWN_BEFORE)
    most = memory.max_concurrent_requests
    return cell(side, f"{most:,} full request{'' if most == 1 else 's'} per replica", "memory.maxConcurrentRequests")


def able(side: Side, name: str, catalog: Catalog) -> bool:
    """Whether an endpoint of this kind can have `tools` or `reasoning`, switched on or not."""
    facts = side.served(catalog) or catalog.frameworks[side.plan.framework.name]
    model = catalog.models.get(side.plan.model.id)  # None for one that is made on the machine
    return bool(getattr(facts, name)) and (model is None or model.instruct)


def _switch(name: str) -> Question:
    def found(side: Side, catalog: Catalog) -> Cell:
        if getattr(side.plan, name):
            return cell(side, "on", name)
        return cell(side, "off (the stack file can ask)" if able(side, name, catalog) else "not to be had", name)

    return Question(name, found)


def _speculative(side: Side, _catalog: Catalog) -> Cell:
    plan = side.plan
    if isinstance(plan, ServingPlan):
        return cell(side, f"drafter {plan.model.drafter}" if plan.model.drafter else "off", "model.drafter")
    if side.on_googles_machines:
        return Cell(NOT_SAID)
    return Cell("off" if plan.memory else UNKNOWN_BEFORE)


def _adapters(side: Side, _catalog: Catalog) -> Cell:
    if isinstance(side.plan, ManagedPlan):
        return Cell("not by this version")
    return cell(side, ", ".join(one.name for one in side.plan.adapters) or "none asked for", "adapters")


SERVES = (
    Question("model", _model, "they are different models: what they answer is not compared here"),
    Question("checkpoint", _checkpoint),
    Question("precision", _precision, "another number format can change answers; that is not compared here"),
    Question("inputs", _inputs),
    Question("context", _context),
    Question("longest answer", _answer),
    Question("guaranteed", _guaranteed, "a full request fills the context; shorter ones are more at once"),
    Question("room for", _fits),
    _switch("tools"),
    _switch("reasoning"),
    Question("speculative", _speculative),
    Question("adapters", _adapters),
)
