"""What speaks for each stack of a comparison: what it has and another has not, as far as it is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from infra.catalog.records import Catalog
from infra.plan.comparison.runs import region, startup_seconds
from infra.plan.comparison.serves import able
from infra.plan.comparison.sides import Side
from infra.plan.managed.served import MAY_BE_USED

_Rule = Callable[[Side, Sequence[Side], Catalog], str]


def merits(side: Side, others: Sequence[Side], catalog: Catalog) -> tuple[str, ...]:
    """What speaks for a side beside the others, in the order in which people ask."""
    return tuple(text for rule in _RULES if (text := rule(side, others, catalog)))


def _idle(side: Side, others: Sequence[Side], _catalog: Catalog) -> str:
    if side.plan.min_replicas > 0 or all(one.plan.min_replicas == 0 for one in others):
        return ""
    return "nothing is paid while nobody calls"


def _start(side: Side, others: Sequence[Side], _catalog: Catalog) -> str:
    seconds = startup_seconds(side)
    slowest = max(startup_seconds(one) for one in others)
    if seconds > min(startup_seconds(one) for one in others) or seconds == slowest:
        return ""
    return f"starts soonest, in about {seconds:,} s" if seconds else "there is no start to wait for"


def _context(side: Side, others: Sequence[Side], _catalog: Catalog) -> str:
    tokens = side.plan.context.max_model_len
    known = [one.plan.context.max_model_len for one in others]
    theirs = [one for one in known if one is not None]
    if tokens is None or not theirs or tokens < max(theirs) or tokens == min(theirs):
        return ""
    return f"longest context as planned, {tokens:,} tokens"


def _inputs(side: Side, others: Sequence[Side], _catalog: Catalog) -> str:
    more = [name for name in side.plan.inputs if any(name not in one.plan.inputs for one in others)]
    return f"takes {' and '.join(more)}" if more else ""


def _ability(name: str) -> _Rule:
    def rule(side: Side, others: Sequence[Side], catalog: Catalog) -> str:
        if not able(side, name, catalog) or all(able(one, name, catalog) for one in others):
            return ""
        return f"{name} {'is on' if getattr(side.plan, name) else 'can be had'}"

    return rule


def _guaranteed(side: Side, others: Sequence[Side], _catalog: Catalog) -> str:
    context, memory = side.plan.context, side.plan.memory
    theirs = [one.plan.context.concurrency or 0 for one in others]
    if not context.concurrency or context.concurrency <= min(theirs) or context.concurrency < max(theirs):
        return ""
    fit = f" ({memory.max_concurrent_requests:,} fit)" if memory else ""
    requests = f"{context.concurrency:,} full request{'' if context.concurrency == 1 else 's'}"
    return f"room for {requests} at once is proved{fit}"


def _weights(side: Side, others: Sequence[Side], _catalog: Catalog) -> str:
    if not side.plan.model.checkpoint or all(one.plan.model.checkpoint for one in others):
        return ""
    return f"weights and their number format are known, {side.plan.precision}"


def _place(side: Side, others: Sequence[Side], _catalog: Catalog) -> str:
    own = not (side.service or side.platform.cloud)
    elsewhere = [one for one in others if one.on_googles_machines and not region(one)]
    if not (region(side) or own) or not elsewhere:
        return ""
    return f"requests are worked on in {region(side) or 'a place of your own'}"


def _use(side: Side, others: Sequence[Side], _catalog: Catalog) -> str:
    if MAY_BE_USED in side.plan.cautions or not any(MAY_BE_USED in one.plan.cautions for one in others):
        return ""
    return "not under the Gemini API's terms, by which Google may use what is sent"


def _work(side: Side, others: Sequence[Side], _catalog: Catalog) -> str:
    if side.on_googles_machines and not all(one.on_googles_machines for one in others):
        return "no machine and no engine to look after"
    if side.service == "model-garden" and any(not one.service for one in others):
        return "no cluster to look after"
    return ""


def _hour(side: Side, others: Sequence[Side], _catalog: Catalog) -> str:
    usd, theirs = side.plan.cost.hourly_usd, [one.plan.cost.hourly_usd for one in others]
    known = [one for one in theirs if one is not None]
    if usd is None or not known or usd > min(known) or usd == max(known):
        return ""
    ceiling = "" if side.plan.cost.exact else "at most "
    return f"costs least by the hour, {ceiling}{usd:,.2f} USD"


_RULES: tuple[_Rule, ...] = (
    _idle,
    _hour,
    _start,
    _context,
    _inputs,
    _ability("tools"),
    _ability("reasoning"),
    _guaranteed,
    _weights,
    _place,
    _use,
    _work,
)
