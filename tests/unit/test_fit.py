"""The limits that a plan states are exact: one more token or request would not fit."""

from __future__ import annotations

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.catalog.loader import load_catalog
from infra.plan.curve import context_curve
from infra.plan.fit import charge, largest_concurrency, largest_context
from infra.plan.placement import SOLD
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import Choice, choose
from tests.unit.test_search import request_of

CATALOG = load_catalog()
CELLS = [(framework, "rtxpro6000") for framework in ("llamacpp", "sglang", "vllm")] + [("vllm", "l4"), ("vllm", "h200")]


def chosen(model: str, framework: str, accelerator: str, concurrency: int) -> tuple[Request, Choice] | None:
    try:
        request = request_of(model, accelerator, framework, concurrency=concurrency)
        return request, choose(request, SOLD)
    except RefusedError:
        return None


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(CATALOG.models)), st.sampled_from(CELLS), st.integers(1, 40))
def test_limits_are_the_last_that_fit(model: str, cell: tuple[str, str], concurrency: int) -> None:
    found = chosen(model, *cell, concurrency)
    if found is None:
        return
    request, choice = found
    fit, capabilities, limit = choice.fit, request.capabilities, request.model.max_context_tokens

    def fits(**changes: int) -> bool:
        changed = dataclasses.replace(fit.setting, **changes)
        return charge(capabilities, changed, whole_gib=fit.whole_gib, utilization=fit.utilization).fits

    most = largest_concurrency(capabilities, fit)
    assert fits(concurrency=most)
    limit_requests = fit.setting.batched_tokens if capabilities.step_is_shared else capabilities.max_concurrency
    assert most == limit_requests or not fits(concurrency=most + 1)
    longest = largest_context(capabilities, fit, concurrency=fit.setting.concurrency, limit_tokens=limit)
    assert fits(tokens=longest)
    assert longest == limit or not fits(tokens=longest + 1)


def test_context_shrinks_as_requests_grow_and_the_plan_is_on_the_curve() -> None:
    found = chosen("gemma-4-31b-it", "vllm", "rtxpro6000", 3)
    assert found is not None
    curve = context_curve(*found)
    assert 3 in dict(curve)
    tokens = [tokens for _, tokens in curve]
    assert tokens == sorted(tokens, reverse=True)
    assert dict(curve)[3] >= found[1].fit.setting.tokens
