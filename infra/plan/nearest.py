"""The nearest plans that fit, for the message of one that does not: single changes of the stack file, each tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from infra.spec import Accelerator, EndpointSpec

_CONTEXT_STEP_TOKENS = 1024


def nearest_fits(
    spec: EndpointSpec,
    fits: Callable[[EndpointSpec], bool],
    *,
    tokens: int,
    counts: Iterable[int],
    precisions: Iterable[str],
    kv_cache_dtypes: Iterable[str],
) -> str:
    """A sentence that names every single change with which the endpoint fits.

    Args:
        spec: what does not fit.
        fits: whether a changed spec does.
        tokens: shortest context that was tried.
        counts: numbers of accelerators with which machines are sold and the framework works.
        precisions: precisions that the framework loads on this accelerator.
        kv_cache_dtypes: number formats of the KV cache that the framework has.
    """
    engine, concurrency = spec.engine, spec.concurrency or 1
    asked = spec.accelerator.count or engine.tensorParallelSize
    found = []
    fewer = _largest(range(1, concurrency), lambda n: fits(spec.model_copy(update={"concurrency": n})))
    if fewer:
        found.append(f"concurrency: {fewer}")
    contexts = range(_CONTEXT_STEP_TOKENS, tokens, _CONTEXT_STEP_TOKENS)
    shorter = _largest(contexts, lambda n: fits(spec.model_copy(update={"contextLength": n})))
    if shorter:
        found.append(f"contextLength: {shorter}")
    for dtype in kv_cache_dtypes:
        changed = spec.model_copy(update={"engine": engine.model_copy(update={"kvCacheDtype": dtype})})
        if dtype != (engine.kvCacheDtype or "auto") and fits(changed):
            found.append(f"engine.kvCacheDtype: {dtype}")
    alone = engine.model_copy(update={"tensorParallelSize": None})
    for count in sorted(count for count in counts if asked and count > asked):
        accelerator = Accelerator(type=spec.accelerator.type, count=count)
        if fits(spec.model_copy(update={"accelerator": accelerator, "engine": alone})):
            found.append(f"accelerator.count: {count}")
            break
    found += [
        f"precision: {precision}"
        for precision in sorted(precisions)
        if fits(spec.model_copy(update={"precision": precision}))
    ]
    if not found:
        return "No single change of the file makes it fit; use an accelerator with more memory."
    return f"It fits with {', or with '.join(found)}."


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
