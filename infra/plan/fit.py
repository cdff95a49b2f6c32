"""Proof that a setting fits: need against have, term by term, on the fullest accelerator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from infra.plan.capabilities import Capabilities
from infra.plan.demand import GIB, Setting, Term
from infra.plan.quantities import Memory, MemoryTerm


@dataclass(frozen=True)
class Fit:
    """A setting with its memory.

    Attributes:
        whole_gib: memory of one accelerator.
        utilization: share of it that the engine may fill.
    """

    setting: Setting
    terms: tuple[Term, ...]
    whole_gib: float
    utilization: float

    @property
    def have_bytes(self) -> int:
        """What the engine may fill."""
        return int(self.whole_gib * self.utilization * GIB)

    @property
    def need_bytes(self) -> int:
        """Weights, overhead and the guaranteed requests, with all that is uncertain."""
        return sum(term.size_bytes + term.uncertainty_bytes for term in self.terms)

    @property
    def fits(self) -> bool:
        """Whether need is within have."""
        return self.need_bytes <= self.have_bytes

    def gib(self, kind: str) -> float:
        """Expected size of all terms of one kind."""
        return sum(term.size_bytes for term in self.terms if term.kind == kind) / GIB

    @property
    def uncertainty_gib(self) -> float:
        """How much more than expected it may be."""
        return sum(term.uncertainty_bytes for term in self.terms) / GIB


def charge(capabilities: Capabilities, setting: Setting, *, whole_gib: float, utilization: float) -> Fit:
    """Memory of one setting; one data rank serves its share of the concurrency."""
    return Fit(setting, capabilities.terms(setting), whole_gib, utilization)


def largest_context(capabilities: Capabilities, fit: Fit, *, concurrency: int, limit_tokens: int) -> int:
    """Longest request of which `concurrency` fit per data rank, all else as in the fit; 0 where none does."""
    return _largest(fit, capabilities, limit_tokens, lambda n: replace(fit.setting, tokens=n, concurrency=concurrency))


def largest_concurrency(capabilities: Capabilities, fit: Fit) -> int:
    """Most full requests per data rank that fit and that the engine runs at once, all else as in the fit."""
    step = fit.setting.batched_tokens if capabilities.step_is_shared else capabilities.max_concurrency
    limit = min(capabilities.max_concurrency, step)
    return _largest(fit, capabilities, limit, lambda n: replace(fit.setting, concurrency=n))


def memory(capabilities: Capabilities, fit: Fit, *, limit_tokens: int) -> Memory:
    """The proof as the plan states it."""
    setting, whole, have = fit.setting, fit.whole_gib, fit.have_bytes / GIB
    weights, overhead, unsure = fit.gib("weights"), fit.gib("overhead"), fit.uncertainty_gib
    return Memory(
        per_accelerator_gib=whole,
        weights_gib=weights,
        kv_cache_per_request_gib=fit.gib("kv") / setting.concurrency,
        kv_cache_gib=max(0.0, have - weights - overhead - unsure),
        overhead_gib=overhead,
        uncertainty_gib=unsure,
        headroom_gib=whole - have + unsure,
        need_gib=fit.need_bytes / GIB,
        have_gib=have,
        max_concurrent_requests=setting.data * largest_concurrency(capabilities, fit),
        max_context_tokens=largest_context(
            capabilities, fit, concurrency=setting.concurrency, limit_tokens=limit_tokens
        ),
        utilization=fit.utilization,
        kv_cache_dtype=setting.kv_cache_dtype,
        terms=tuple(
            MemoryTerm(one.kind, one.name, one.size_bytes / GIB, one.uncertainty_bytes / GIB, one.source)
            for one in fit.terms
        ),
    )


def gib_text(size_gib: float) -> str:
    """A size in GiB with as many digits as a product of it needs to come out right."""
    return f"{size_gib:.2f}" if size_gib >= 0.1 else f"{size_gib:.4f}"


def _largest(fit: Fit, capabilities: Capabilities, limit: int, setting_of: Callable[[int], Setting]) -> int:
    """Largest number up to the limit whose setting fits; what grows is nearly linear, so guesses are interpolated."""

    def growing(number: int) -> int:
        return capabilities.growing_bytes(setting_of(number))

    room = fit.have_bytes - (fit.need_bytes - capabilities.growing_bytes(fit.setting))
    low, high = 1, limit
    at_low, at_high = growing(low), growing(high)
    if at_high <= room:
        return limit
    if at_low > room:
        return 0
    interpolate = True
    while high - low > 1:
        guess = low + (room - at_low) * (high - low) // (at_high - at_low) if interpolate else (low + high) // 2
        probe = min(max(guess, low + 1), high - 1)
        at_probe = growing(probe)
        if at_probe <= room:
            interpolate = probe - low > (high - low) // 4 or probe == low + 1
            low, at_low = probe, at_probe
        else:
            interpolate = high - probe > (high - low) // 4 or probe == high - 1
            high, at_high = probe, at_probe
    return low
