"""The nearest plans that fit, for the message of one that does not: single changes of the stack file, each planned."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from infra.catalog.records import Catalog
from infra.plan.cost import check_budget, cost
from infra.plan.ladder import choices
from infra.plan.placement import SOLD
from infra.plan.prices import exact_usd_per_hour
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import Choice, choose
from infra.spec import Accelerator, EndpointSpec, Engine, Weights

_SHORT = 25  # columns of a change that has its price beside it
_CONTEXT_STEP_TOKENS = 1024
NO_SINGLE_CHANGE = "No single change makes it fit; use a smaller model or another framework."
_WITHOUT = ", without "
_MEMORY = ("maxNumBatchedTokens", "microBatchTokens", "gpuMemoryUtilization", "kvCacheDtype")
_SPLITS = ("tensorParallelSize", "pipelineParallelSize", "dataParallelSize")
_OTHER_ACCELERATORS = _OTHER_PRECISIONS = 3

_Found = tuple[str, Choice]
_Plan = Callable[[EndpointSpec], Choice | None]


def nearest_plans(request: Request, ask: Callable[[EndpointSpec], Request]) -> list[str]:
    """Lines that name every single change with which the endpoint fits, each with its price; none where none does.

    Args:
        request: what does not fit.
        ask: a changed spec as a request.
    """
    return _advice(request.spec, request.catalog, list(_changes(request, _planner(ask))))


def nearest_words(request: Request, ask: Callable[[EndpointSpec], Request], most: int) -> list[str]:
    """The first of those changes, each in words with its price; no more are planned than are told."""
    first = itertools.islice(_changes(request, _planner(ask)), most)
    prices = [(change, _usd(request.spec, request.catalog, one), _shape(one)) for change, one in first]
    return [f"{change} ({' '.join(usd.split())}, {shape})" for change, usd, shape in prices]


def other_accelerators(request: Request, ask: Callable[[EndpointSpec], Request]) -> list[str]:
    """Lines that name another capacity, and the cheapest accelerators, with which the request would be served."""
    plan = _planner(ask)
    return _advice(request.spec, request.catalog, [*_capacity(request, plan), *_elsewhere(request, plan)])


def other_frameworks(
    spec: EndpointSpec,
    catalog: Catalog,
    names: Iterable[str],
    ask: Callable[[EndpointSpec], Request],
) -> list[str]:
    """Lines that name the frameworks with which the request would be served where it is, with what else must go."""
    plan, found = _planner(ask), []
    plain = {"precision": None, "engine": Engine(), "weights": Weights()}
    dropped = [name for name, value in plain.items() if getattr(spec, name) != value]
    for name in sorted(names):
        changed = spec.model_copy(update={"framework": name})
        ways = [(f"framework: {name}", changed)]
        if dropped:
            ways.append((f"framework: {name}{_WITHOUT}{' and '.join(dropped)}", changed.model_copy(update=plain)))
        found += _first(ways, plan)
    return _advice(spec, catalog, found)


def _planner(ask: Callable[[EndpointSpec], Request]) -> _Plan:
    def plan(changed: EndpointSpec) -> Choice | None:
        try:
            request = ask(changed)
            first = choose(request, tuple(changed.capacity[:1]) if changed.capacity else SOLD, one_machine=True)
            chosen = choices(request, first)
            check_budget(request, [(one.candidate, cost(request, one.candidate)) for one in chosen])
        except RefusedError:
            return None
        return first

    return plan


def _first(ways: Iterable[tuple[str, EndpointSpec]], plan: _Plan) -> list[_Found]:
    """The first of several ways that is served, or nothing."""
    return next(([(change, choice)] for change, spec in ways if (choice := plan(spec))), [])


def _advice(spec: EndpointSpec, catalog: Catalog, found: list[_Found]) -> list[str]:
    return ["It fits with one of:", *_lines(spec, catalog, found)] if found else []


def _lines(spec: EndpointSpec, catalog: Catalog, found: list[_Found]) -> list[str]:
    parts = [(*change.partition(_WITHOUT), choice) for change, choice in found]
    short = [len(change) for change, _, _, _ in parts if len(change) <= _SHORT]
    width, lines = max(short, default=4), []
    for change, without, dropped, choice in parts:
        price = _price(spec, catalog, choice)
        beside = len(change) <= width
        lines += [f"  {change:<{width}}  {price}"] if beside else [f"  {change}", f"  {'':<{width}}  {price}"]
        if without:
            lines.append(f"    and without {dropped}")
    return lines


def _changes(request: Request, plan: _Plan) -> Iterator[_Found]:
    spec, engine = request.spec, request.spec.engine

    def fits(changed: EndpointSpec) -> bool:
        return plan(changed) is not None

    concurrency = request.concurrency
    fewer = _largest(range(1, concurrency), lambda n: fits(spec.model_copy(update={"concurrency": n})))
    if fewer:
        yield from _first([(f"concurrency: {fewer}", spec.model_copy(update={"concurrency": fewer}))], plan)
    longest = spec.contextLength or _CONTEXT_STEP_TOKENS * 8
    contexts = range(_CONTEXT_STEP_TOKENS, longest, _CONTEXT_STEP_TOKENS)
    shorter = _largest(contexts, lambda n: fits(spec.model_copy(update={"contextLength": n})))
    if shorter:
        yield from _first([(f"contextLength: {shorter}", spec.model_copy(update={"contextLength": shorter}))], plan)
    if request.kv_cache_dtype == "auto":
        dtypes = request.capabilities.smaller_kv_cache_dtypes
        yield from _first([_engine(spec, "kvCacheDtype", dtype) for dtype in dtypes], plan)
    for name in _MEMORY:
        if getattr(engine, name) is not None:
            yield from _first([_engine(spec, name, None)], plan)
    if spec.precision:
        others = [one for one in request.framework.precisions if one != spec.precision]
        smaller = [(f"precision: {one}", spec.model_copy(update={"precision": one})) for one in others]
        served = (found for change in smaller for found in _first([change], plan))
        yield from itertools.islice(served, _OTHER_PRECISIONS)
    yield from _capacity(request, plan)
    asked = spec.on.count or engine.tensorParallelSize
    cluster = request.platform.kubernetes
    declared = (
        [range(1, (one.count or 1) + 1) for one in cluster.nodes if one.accelerator == request.accelerator.id]
        if cluster
        else []
    )
    carried = {count for counts in declared for count in counts} or {
        one.accelerators for one in request.accelerator.machines
    }
    counts = sorted(carried)
    more = [count for count in counts if asked and count > asked]
    yield from _first((way for count in more for way in _more(spec, count)), plan)
    yield from _elsewhere(request, plan)


def _engine(spec: EndpointSpec, name: str, value: str | None) -> tuple[str, EndpointSpec]:
    changed = spec.model_copy(update={"engine": spec.engine.model_copy(update={name: value})})
    return f"engine.{name}: {'left out' if value is None else value}", changed


def _more(spec: EndpointSpec, count: int) -> list[tuple[str, EndpointSpec]]:
    changed = spec.model_copy(update={"accelerator": Accelerator(type=spec.on.type, count=count)})
    return _ways(f"accelerator.count: {count}", changed)


def _capacity(request: Request, plan: _Plan) -> Iterator[_Found]:
    """The cheapest capacity with which it is served, where the file names others."""
    if not request.spec.capacity:
        return
    choice = plan(request.spec.model_copy(update={"capacity": None}))
    if choice is not None and choice.candidate.capacity.kind not in {"own", request.spec.capacity[0].kind}:
        capacity = choice.candidate.capacity
        changed = request.spec.model_copy(update={"capacity": [capacity]})
        yield from _first([(f"capacity: [{capacity}]", changed)], plan)


def _elsewhere(request: Request, plan: _Plan) -> list[_Found]:
    """The cheapest other accelerators that carry the request as it is, the smallest where no price is known."""
    priced = []
    for name in sorted(request.catalog.accelerators):
        if name == request.accelerator.id or _scale(request, name) != _scale(request, request.accelerator.id):
            continue
        changed = request.spec.model_copy(update={"accelerator": Accelerator(type=name)})
        for change, choice in _first(_ways(f"accelerator: {name}", changed), plan):
            price, whole_gib = choice.candidate.usd_per_hour, choice.fit.whole_gib
            priced.append(((math.inf if price is None else price, whole_gib, name), (change, choice)))
    return [found for _, found in sorted(priced, key=lambda one: one[0])][:_OTHER_ACCELERATORS]


def _scale(request: Request, name: str) -> bool:
    """Whether an accelerator is a processor or a Mac: no near substitute for a GPU or TPU, nor the other way round."""
    return request.catalog.accelerators[name].kind in {"apple", "cpu"}


def _ways(change: str, spec: EndpointSpec) -> list[tuple[str, EndpointSpec]]:
    """A change alone; and, where the file splits the model, with the split left to the plan."""
    split = [name for name in _SPLITS if getattr(spec.engine, name)]
    if not split:
        return [(change, spec)]
    engine = spec.engine.model_copy(update=dict.fromkeys(_SPLITS))
    return [(change, spec), (f"{change}{_WITHOUT}{', '.join(split)}", spec.model_copy(update={"engine": engine}))]


def _price(spec: EndpointSpec, catalog: Catalog, choice: Choice) -> str:
    return f"{_usd(spec, catalog, choice)}  {_shape(choice)}"


def _usd(spec: EndpointSpec, catalog: Catalog, choice: Choice) -> str:
    candidate, price = choice.candidate, choice.candidate.usd_per_hour
    if price is None:
        return "   price unknown"
    vertex = catalog.frameworks[spec.framework].runs == "managed"
    known = exact_usd_per_hour(catalog, candidate.machine.machine_type, candidate.capacity.kind, vertex=vertex)
    exact = known is not None
    return f"{'  ' if exact else '<='} {price * spec.replicas.most:>6,.2f} USD/h"


def _shape(choice: Choice) -> str:
    candidate, name = choice.candidate, choice.fit.setting.accelerator.id
    return f"{candidate.count} x {name}, {candidate.checkpoint.precision}, {candidate.capacity}"


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
