"""The capacity ladder: every rung a plan of its own, and what a lower rung loses."""

from __future__ import annotations

import dataclasses

from infra.plan.capabilities import Capabilities
from infra.plan.cost import cost
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import Choice, DoesNotFitError, choose
from infra.plan.serving_plan import Context, Parallelism, Rung
from infra.plan.timing import timing

_TAKEN_AWAY = {
    "flex-start": "runs at most seven days, then the machine is taken away and asked for anew",
    "spot": "may be taken away at any time with 30 s notice",
}


def choices(request: Request, first: Choice) -> list[Choice]:
    """One choice per rung of the stack file, the first as given.

    Raises:
        RefusedError: a rung cannot serve the request; its place in the list is named.
    """
    chosen = [first]
    for index, capacity in enumerate(request.spec.capacity or ()):
        if index == 0:
            continue
        try:
            chosen.append(choose(request, (capacity,)))
        except DoesNotFitError as refused:
            raise RefusedError(("capacity", index), f"nothing bought as {capacity} fits: {refused.message}.") from None
        except RefusedError as refused:
            raise RefusedError(("capacity", index), refused.message) from None
    return chosen


def rungs(request: Request, chosen: list[Choice]) -> tuple[Rung, ...]:
    """The ladder as the plan states it."""
    ladder: list[Rung] = []
    for choice in chosen:
        ladder.append(_rung(request, choice, ladder[0] if ladder else None))
    return tuple(ladder)


def _rung(request: Request, choice: Choice, first: Rung | None) -> Rung:
    candidate, fit, price = choice.candidate, choice.fit, cost(request, choice.candidate)
    setting = fit.setting
    rung = Rung(
        capacity=candidate.capacity.kind,
        reservation=candidate.capacity.reservation,
        machine_type=candidate.machine.machine_type,
        count=candidate.count,
        parallelism=Parallelism(candidate.tensor, candidate.pipeline, candidate.data),
        precision=candidate.checkpoint.precision,
        checkpoint=candidate.checkpoint.repository,
        context=Context(setting.tokens, setting.batched_tokens or None, request.concurrency),
        need_gib=fit.need_bytes / 2**30,
        have_gib=fit.have_bytes / 2**30,
        drain_seconds=_drain_seconds(request.capabilities, request, candidate.capacity.kind),
        hourly_usd=price.hourly_usd,
        monthly_usd_min=price.monthly_usd_min,
        monthly_usd_max=price.monthly_usd_max,
        exact=price.exact,
        loses=(),
    )
    return rung if first is None else _with_losses(rung, first)


def _with_losses(rung: Rung, first: Rung) -> Rung:
    loses = []
    if rung.context.max_model_len < first.context.max_model_len:
        loses.append(f"{rung.context.max_model_len:,} tokens instead of {first.context.max_model_len:,}")
    if rung.precision != first.precision:
        loses.append(f"{rung.precision} weights instead of {first.precision}")
    if rung.capacity in _TAKEN_AWAY and rung.capacity != first.capacity:
        loses.append(_TAKEN_AWAY[rung.capacity])
    if rung.drain_seconds < first.drain_seconds:
        loses.append(f"answers longer than {rung.drain_seconds} s are cut when it stops")
    if (rung.machine_type, rung.count) != (first.machine_type, first.count):
        loses.append(f"another shape: {rung.count} on {rung.machine_type}, in a pool of its own")
    return dataclasses.replace(rung, loses=tuple(loses))


def _drain_seconds(capabilities: Capabilities, request: Request, capacity: str) -> int:
    return timing(
        capabilities,
        weights_bytes=0,
        image_gib=None,
        capacity=capacity,
        source="pvc",
        disk="own",
        timeout_seconds=None,
        answer_seconds=request.spec.longestAnswerSeconds,
    ).drain_seconds
