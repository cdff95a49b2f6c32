"""The capacity ladder: every rung a plan of its own, and what a lower rung loses."""

from __future__ import annotations

import dataclasses

from infra.plan.alternatives import TAKEN_AWAY
from infra.plan.demand import GIB
from infra.plan.fit import largest_concurrency
from infra.plan.proof import proof_lines
from infra.plan.quantities import Cost
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import Choice, DoesNotFitError, choose, choose_like, has_same_pods
from infra.plan.serving_plan import Context, Parallelism, Rung
from infra.plan.timing import stop_seconds

_OUT = "Or leave this rung out"


def choices(request: Request, first: Choice) -> list[Choice]:
    """One choice per rung of the stack file, the first as given; another rung has the same pods where it can.

    Raises:
        RefusedError: a rung cannot serve the request; its place in the list is named.
    """
    chosen = [first]
    for index, capacity in enumerate(request.spec.capacity or ()):
        if index == 0:
            continue
        try:
            chosen.append(choose_like(request, (capacity,), first) or choose(request, (capacity,)))
        except DoesNotFitError as refused:
            lines = proof_lines(refused.closest, request.framework.display_name)
            raise RefusedError(("capacity", index), "\n".join([*lines, f"{_OUT}."])) from None
        except RefusedError as refused:
            message = f"{capacity}: {refused.message} {_OUT}."
            raise RefusedError(("capacity", index), message) from None
    return chosen


def place(request: Request, refused: RefusedError) -> RefusedError:
    """A refusal of the first rung, at its place in the ladder where it is the rung's own fault."""
    rungs_asked = request.spec.capacity or ()
    if len(rungs_asked) < 2 or refused.field not in {("capacity",), ("accelerator",)}:
        return refused
    if refused.field == ("accelerator",):
        try:
            choose(request, tuple(rungs_asked[1:]))
        except RefusedError:
            return refused
    return RefusedError(("capacity", 0), refused.message)


def rungs(request: Request, chosen: list[Choice], prices: list[Cost], most: int) -> tuple[Rung, ...]:
    """The ladder as the plan states it.

    Args:
        request: what is asked.
        chosen: one choice per rung.
        prices: what each costs.
        most: full requests that fit at once on the first rung.
    """
    ladder = [_rung(request, chosen[0], prices[0], most)]
    for choice, price in zip(chosen[1:], prices[1:], strict=True):
        at_once = choice.fit.setting.data * largest_concurrency(request.capabilities, choice.fit)
        ladder.append(_with_losses(_rung(request, choice, price, at_once), ladder[0]))
    return tuple(ladder)


def _rung(request: Request, choice: Choice, price: Cost, most: int) -> Rung:
    candidate, fit, setting = choice.candidate, choice.fit, choice.fit.setting
    _, drain, _ = stop_seconds(
        request.capabilities, capacity=candidate.capacity.kind, answer_seconds=request.spec.longestAnswerSeconds
    )
    return Rung(
        capacity=candidate.capacity.kind,
        reservation=candidate.capacity.reservation,
        machine_type=candidate.machine.machine_type,
        nodes=candidate.nodes,
        count=candidate.count,
        parallelism=Parallelism(candidate.tensor, candidate.pipeline, candidate.data),
        precision=candidate.checkpoint.precision,
        checkpoint=candidate.checkpoint.repository,
        context=Context(setting.tokens, setting.batched_tokens or None, request.concurrency),
        need_gib=fit.need_bytes / GIB,
        have_gib=fit.have_bytes / GIB,
        drain_seconds=drain,
        hourly_usd=price.hourly_usd,
        monthly_usd_min=price.monthly_usd_min,
        monthly_usd_max=price.monthly_usd_max,
        exact=price.exact,
        max_concurrent_requests=most,
        loses=(),
    )


def _with_losses(rung: Rung, first: Rung) -> Rung:
    loses = []
    if rung.context.max_model_len < first.context.max_model_len:
        loses.append(f"{rung.context.max_model_len:,} tokens instead of {first.context.max_model_len:,}")
    if rung.max_concurrent_requests < first.max_concurrent_requests:
        least, most = rung.max_concurrent_requests, first.max_concurrent_requests
        loses.append(f"full requests at once: room for {least:,} instead of {most:,}")
    if rung.precision != first.precision:
        loses.append(f"{rung.precision} weights instead of {first.precision}")
    if rung.capacity in TAKEN_AWAY and rung.capacity != first.capacity:
        loses.append(TAKEN_AWAY[rung.capacity])
    if rung.drain_seconds < first.drain_seconds:
        loses.append(f"answers longer than {rung.drain_seconds} s are cut when it stops")
    if (rung.machine_type, rung.nodes, rung.count) != (first.machine_type, first.nodes, first.count):
        loses.append(f"another shape: {rung.count} on {rung.machine_type}, in a pool of its own")
    return dataclasses.replace(rung, loses=tuple(loses))


def unlike_rungs(request: Request, chosen: list[Choice]) -> tuple[str, ...]:
    """Why a ladder is not deployed: rungs whose pods are others than those of the first; a Deployment has one kind."""
    first = chosen[0]
    return tuple(
        f"capacity[{index}] ({choice.candidate.capacity}), whose pods would be others than those of "
        f"{first.candidate.capacity}: {_pods(request, choice)} instead of {_pods(request, first)} (leave this rung "
        "out, take another accelerator, or give it a stack of its own)"
        for index, choice in enumerate(chosen)
        if not has_same_pods(choice, first)
    )


def _pods(request: Request, choice: Choice) -> str:
    one, setting = choice.candidate, choice.fit.setting
    machines = f"{one.nodes} x {one.machine.machine_type}" if one.nodes > 1 else one.machine.machine_type
    return (
        f"{one.count} x {request.accelerator.id} on {machines}, {one.checkpoint.precision}, {setting.tokens:,} tokens"
    )
