"""What a word more in the stack file would have cost: the best precision, and machines that stay."""

from __future__ import annotations

import dataclasses

from infra.plan.checkpoints import choices
from infra.plan.prices import exact_usd_per_hour
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import Choice, choose
from infra.spec import Capacity

TAKEN_AWAY = {
    "flex-start": "runs at most seven days, then the machine is taken away and asked for anew",
    "spot": "may be taken away at any time with 30 s notice",
}
_ON_DEMAND = Capacity.model_construct(kind="on-demand", reservation=None)


def better_precision(request: Request, choice: Choice, capacities: tuple[Capacity, ...]) -> str:
    """What the framework's best precision would have cost, where another was chosen because it is cheaper; else ""."""
    if request.spec.precision or request.spec.weights.checkpoint:
        return ""
    best = choices(request)[0].precision
    if best == choice.candidate.checkpoint.precision:
        return ""
    spec = request.spec.model_copy(update={"precision": best})
    try:
        other = choose(dataclasses.replace(request, spec=spec), capacities)
    except RefusedError:
        return f"{best} fits no machine with {request.accelerator.id}"
    return f"{best} would take {_shape(request, other)}"


def caution(request: Request, choice: Choice) -> str:
    """That the machine can be taken away, where the stack file did not ask for that; else ""."""
    kind = choice.candidate.capacity.kind
    if request.spec.capacity or kind not in TAKEN_AWAY:
        return ""
    said = f"capacity is left out, and this is {kind}: it {TAKEN_AWAY[kind]}"
    try:
        other = choose(request, (_ON_DEMAND,))
    except RefusedError:
        return f"{said}. No machine that fits is sold on-demand"
    return f"{said}. 'capacity: [on-demand]' would take {_shape(request, other)}"


def _shape(request: Request, choice: Choice) -> str:
    candidate = choice.candidate
    shape = f"{candidate.count} x {request.accelerator.id} on {candidate.machine.machine_type}, {candidate.capacity}"
    tokens = f"{choice.fit.setting.tokens:,} tokens"
    if candidate.usd_per_hour is None:
        return f"{shape}, {tokens}, price unknown"
    kind, machine = candidate.capacity.kind, candidate.machine.machine_type
    most = "" if exact_usd_per_hour(request.catalog, machine, kind) is not None else "at most "
    return f"{shape}, {tokens}, {most}{candidate.usd_per_hour * request.spec.replicas.most:,.2f} USD per hour"
