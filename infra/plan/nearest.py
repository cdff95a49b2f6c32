"""The nearest plans that fit, for the message of one that does not: single changes of the stack file, each planned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from infra.catalog.records import Catalog
from infra.plan.prices import exact_usd_per_hour
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import Choice, choose
from infra.spec import Accelerator, Capacity, EndpointSpec, Engine, Weights

_CONTEXT_STEP_TOKENS = 1024
_OTHER_ACCELERATORS = _OTHER_PRECISIONS = 3


def nearest_plans(request: Request, capacities: tuple[Capacity, ...], ask: Callable[[EndpointSpec], Request]) -> str:
    """Lines that name every single change with which the endpoint fits, each with its price.

    Args:
        request: what does not fit.
        capacities: how machines may be bought.
        ask: a changed spec as a request.
    """
    plan = _planner(capacities, ask)
    found = [(change, choice) for change, spec in _changes(request, plan) for choice in [plan(spec)] if choice]
    if not found:
        return "No single change of the file makes it fit; use a smaller model or another framework."
    return "\n".join(["It fits with one of:", *_lines(request.spec, request.catalog, found)])


def other_accelerators(
    request: Request, capacities: tuple[Capacity, ...], ask: Callable[[EndpointSpec], Request]
) -> list[str]:
    """Lines that name the cheapest accelerators on which the request would be served; none where there are none."""
    plan = _planner(capacities, ask)
    found = [(change, choice) for change, spec in _elsewhere(request, plan) for choice in [plan(spec)] if choice]
    return ["It fits with one of:", *_lines(request.spec, request.catalog, found)] if found else []


def other_frameworks(
    spec: EndpointSpec,
    catalog: Catalog,
    names: Iterable[str],
    capacities: tuple[Capacity, ...],
    ask: Callable[[EndpointSpec], Request],
) -> list[str]:
    """Lines that name the frameworks with which the request would be served where it is, precision left to the plan."""
    plan, found = _planner(capacities, ask), []
    for name in sorted(names):
        plain = {"framework": name, "precision": None, "engine": Engine(), "weights": Weights()}
        choice = plan(spec.model_copy(update=plain))
        if choice is not None:
            found.append((f"framework: {name}", choice))
    return ["It fits with one of:", *_lines(spec, catalog, found)] if found else []


def _planner(
    capacities: tuple[Capacity, ...], ask: Callable[[EndpointSpec], Request]
) -> Callable[[EndpointSpec], Choice | None]:
    def plan(changed: EndpointSpec) -> Choice | None:
        try:
            return choose(ask(changed), capacities)
        except RefusedError:
            return None

    return plan


def _lines(spec: EndpointSpec, catalog: Catalog, found: list[tuple[str, Choice]]) -> list[str]:
    width = max(len(change) for change, _ in found)
    return [f"  {change:<{width}}  {_price(spec, catalog, choice)}" for change, choice in found]


def _changes(request: Request, plan: Callable[[EndpointSpec], Choice | None]) -> Iterator[tuple[str, EndpointSpec]]:
    spec, engine = request.spec, request.spec.engine

    def fits(changed: EndpointSpec) -> bool:
        return plan(changed) is not None

    concurrency = request.concurrency
    fewer = _largest(range(1, concurrency), lambda n: fits(spec.model_copy(update={"concurrency": n})))
    if fewer:
        yield f"concurrency: {fewer}", spec.model_copy(update={"concurrency": fewer})
    longest = spec.contextLength or _CONTEXT_STEP_TOKENS * 8
    contexts = range(_CONTEXT_STEP_TOKENS, longest, _CONTEXT_STEP_TOKENS)
    shorter = _largest(contexts, lambda n: fits(spec.model_copy(update={"contextLength": n})))
    if shorter:
        yield f"contextLength: {shorter}", spec.model_copy(update={"contextLength": shorter})
    for dtype in request.capabilities.smaller_kv_cache_dtypes:
        changed = spec.model_copy(update={"engine": engine.model_copy(update={"kvCacheDtype": dtype})})
        if request.kv_cache_dtype == "auto" and fits(changed):
            yield f"engine.kvCacheDtype: {dtype}", changed
            break
    if spec.precision:
        others = [one for one in request.framework.precisions if one != spec.precision]
        smaller = [(one, spec.model_copy(update={"precision": one})) for one in others]
        yield from [(f"precision: {one}", changed) for one, changed in smaller if fits(changed)][:_OTHER_PRECISIONS]
    alone = _unsplit(spec)
    counts = sorted({one.accelerators for one in request.accelerator.machines})
    asked = spec.accelerator.count or engine.tensorParallelSize or 0
    for count in counts:
        more = {"accelerator": Accelerator(type=spec.accelerator.type, count=count), "engine": alone}
        changed = spec.model_copy(update=more)
        if count > asked > 0 and fits(changed):
            yield f"accelerator.count: {count}", changed
            break
    yield from _elsewhere(request, plan)


def _elsewhere(request: Request, plan: Callable[[EndpointSpec], Choice | None]) -> list[tuple[str, EndpointSpec]]:
    """The cheapest other accelerators that carry the request as it is, counts and splits left to the plan."""
    alone = _unsplit(request.spec)
    priced = []
    for name in sorted(request.catalog.accelerators):
        if name == request.accelerator.id or _scale(request, name) != _scale(request, request.accelerator.id):
            continue
        changed = request.spec.model_copy(update={"accelerator": Accelerator(type=name), "engine": alone})
        choice = plan(changed)
        if choice is not None:
            price = choice.candidate.usd_per_hour
            priced.append((float("inf") if price is None else price, name, changed))
    return [(f"accelerator: {name}", changed) for _, name, changed in sorted(priced, key=lambda one: one[:2])][
        :_OTHER_ACCELERATORS
    ]


def _scale(request: Request, name: str) -> bool:
    """Whether an accelerator is a processor or a Mac: no near substitute for a GPU or TPU, nor the other way round."""
    return request.catalog.accelerators[name].kind in {"apple", "cpu"}


def _unsplit(spec: EndpointSpec) -> Engine:
    return spec.engine.model_copy(
        update={"tensorParallelSize": None, "pipelineParallelSize": None, "dataParallelSize": None}
    )


def _price(spec: EndpointSpec, catalog: Catalog, choice: Choice) -> str:
    candidate, replicas = choice.candidate, spec.replicas.most
    name, kind, price = choice.fit.setting.accelerator.id, candidate.capacity.kind, candidate.usd_per_hour
    shape = f"{candidate.count} x {name}, {candidate.checkpoint.precision}, {candidate.capacity}"
    if price is None:
        return f"   price unknown  {shape}"
    exact = exact_usd_per_hour(catalog, candidate.machine.machine_type, kind) is not None
    return f"{'  ' if exact else '<='} {price * replicas:>6,.2f} USD/h  {shape}"


def _largest(candidates: Sequence[int], holds: Callable[[int], bool]) -> int | None:
    """Largest candidate that holds, where every smaller one holds as well."""
    low, high = 0, len(candidates)
    while low < high:
        middle = (low + high) // 2
        if holds(candidates[middle]):
            low = middle + 1
        else:
            high = middle
    return candidates[low - 1] if low else None
