"""What the engine says of itself when it is asked as callers ask."""

from __future__ import annotations

from infra.plan.serving_plan import ServingPlan
from infra.smoke.answers import Failure
from infra.smoke.client import OpenAiCalls
from infra.smoke.promise import promise
from infra.smoke.run import Target
from infra.verify.rows import Row, compared, unread


def ask_engine(plan: ServingPlan, target: Target) -> list[Row]:
    """Models and context by `/v1/models`: vLLM's `max_model_len`, llama.cpp's `meta.n_ctx`."""
    wanted, again = promise(plan), f"pulumi up --refresh -s {plan.stack}"
    calls = OpenAiCalls(target.url, target.key, wanted.model, target.timeout_seconds)
    try:
        found = calls.models()
    finally:
        calls.close()
    names = (wanted.model, *wanted.adapters)
    if isinstance(found, Failure):
        said = f"{found.status or 'no answer'}: {found.message}"
        return [unread("served models", names, said), unread("served context", f"{wanted.context_tokens}", said)]
    rows = [compared("served models", names, found.names, again, same=set(names) <= set(found.names))]
    planned = f"at least {wanted.context_tokens}"
    if found.context_tokens is None:
        return [*rows, unread("served context", planned, "the engine does not tell it")]
    enough = wanted.context_tokens is not None and found.context_tokens >= wanted.context_tokens
    return [*rows, compared("served context", planned, found.context_tokens, again, same=enough)]
