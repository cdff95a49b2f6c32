"""What an endpoint's plan promises to callers, the same for every platform. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from infra.plan.fingerprint import plan_hash
from infra.plan.managed import ManagedPlan
from infra.plan.serving_plan import ServingPlan

_FIRST_TOKEN_SECONDS = 5.0  # as the alerts have it for an idle endpoint: infra/watch/limits.py
_NO_LIST = "Vertex AI has no list of models at this address"


@dataclass(frozen=True)
class Promise:
    """What is to be checked.

    Attributes:
        service: `self-hosted`, `model-garden`, `serverless` or `gemini`.
        engine_version: as planned; empty where it is Google's.
        model: name that requests send as `model`.
        adapters: further names that the endpoint answers to.
        context_tokens: longest request that the engine takes; longer ones are refused. None where nobody says.
        no_context: why an over-long prompt cannot be judged, where it cannot.
        no_models: why models cannot be listed, where they cannot.
        asks_for_key: whether a wrong key is to be refused; `no_key` says why not.
        wrong_key_statuses: HTTP statuses of such a refusal.
        metrics: names that the engine's metrics must have.
        first_token_seconds: longest time to the first token of a short request.
    """

    stack: str
    plan_hash: str
    framework: str
    engine_version: str
    service: str
    model: str
    adapters: tuple[str, ...]
    inputs: tuple[str, ...]
    tools: bool
    reasoning: bool
    context_tokens: int | None
    no_context: str
    no_models: str
    asks_for_key: bool
    no_key: str
    wrong_key_statuses: tuple[int, ...]
    metrics: tuple[str, ...]
    first_token_seconds: float = _FIRST_TOKEN_SECONDS


def promise(plan: ServingPlan | ManagedPlan, model: str = "") -> Promise:
    """Promise of one endpoint.

    Args:
        plan: of the endpoint.
        model: name to send as `model` in place of the plan's.
    """
    return _managed(plan, model) if isinstance(plan, ManagedPlan) else _hosted(plan, model)


def _hosted(plan: ServingPlan, model: str) -> Promise:
    known = plan.watch.metrics if plan.watch.metrics else None
    names = (known.queue, known.running, *known.kv_cache) if known else ()
    asks = plan.access.authentication == "key"
    return Promise(
        stack=plan.stack,
        plan_hash=plan_hash(plan),
        framework=plan.framework.name,
        engine_version=plan.framework.version,
        service="self-hosted",
        model=model or plan.model.id,
        adapters=tuple(one.name for one in plan.adapters),
        inputs=plan.inputs,
        tools=plan.tools,
        reasoning=plan.reasoning,
        context_tokens=_taken(plan),
        no_context="",
        no_models="",
        asks_for_key=asks,
        no_key="" if asks else f"no key is asked for: {plan.access.why}",
        wrong_key_statuses=(401,),
        metrics=names,
    )


def _taken(plan: ServingPlan) -> int:
    """Tokens above which the engine refuses; llama.cpp with one cache for all gives a lone request all of it.

    Source: llama.cpp b11434, a slot's context is the whole `--ctx-size` with `--kv-unified`.
    """
    return plan.context.max_model_len * (plan.context.concurrency if plan.unified_slots else 1)


def _managed(plan: ManagedPlan, model: str) -> Promise:
    gemini, garden = plan.service == "gemini", plan.service == "model-garden"
    limited = garden or any(one.field == "contextLength" and one.origin == "catalogue" for one in plan.decisions)
    no_context = "" if limited else "Google takes more than the stack file's contextLength, which binds callers alone"
    if plan.context.max_model_len is None:
        no_context = "Model Garden's own container sets its context; the plan does not know it"
    return Promise(
        stack=plan.stack,
        plan_hash=plan_hash(plan),
        framework=plan.framework.name,
        engine_version=plan.framework.version,
        service=plan.service,
        model=model or plan.model.request_model,
        adapters=(),
        inputs=plan.inputs,
        tools=plan.tools,
        reasoning=plan.reasoning,
        context_tokens=None if no_context else plan.context.max_model_len,
        no_context=no_context,
        no_models="" if gemini else _NO_LIST,
        asks_for_key=True,
        no_key="",
        wrong_key_statuses=(400, 401, 403) if gemini else (401, 403),
        metrics=(),
    )
