"""All checks of one endpoint, one after the other; the cheap ones first."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.smoke import verdicts
from infra.smoke.answers import Answer, Failure, Page
from infra.smoke.client import OpenAiCalls
from infra.smoke.media import long_prompt, picture_address, sound_text
from infra.smoke.promise import Promise
from infra.smoke.verdicts import SKIPPED, Verdict

_QUESTION = "Say hello in one short sentence."
_SHORT, _LONG, _THOUGHT = 64, 128, 512  # most tokens of an answer
_MARGIN_TOKENS = 1024
_THINK = {"chat_template_kwargs": {"enable_thinking": True}}
_SILENT = {"chat_template_kwargs": {"enable_thinking": False}}


@dataclass(frozen=True)
class Target:
    """Where and how an endpoint is called.

    Attributes:
        url: OpenAI-compatible base URL.
        key: never shown.
        metrics_url: of the engine's metrics; empty where they are not reached, and `no_metrics` says why.
        metrics_key: whether the key goes there too.
        timeout_seconds: of one call.
    """

    url: str
    key: str
    metrics_url: str
    no_metrics: str
    metrics_key: bool
    timeout_seconds: float


@dataclass(frozen=True)
class Check:
    """One check, carried out. Seconds are wall time of all its calls."""

    name: str
    verdict: Verdict
    seconds: float


@dataclass(frozen=True)
class Smoke:
    """What was found.

    Attributes:
        engine: what the server calls itself; empty where it does not.
        first_token_seconds, tokens_per_second: for one caller; None where they were not seen.
    """

    promise: Promise
    url: str
    checks: tuple[Check, ...]
    engine: str
    first_token_seconds: float | None
    tokens_per_second: float | None

    @property
    def passed(self) -> bool:
        """Whether nothing was missed."""
        return all(one.verdict.result != verdicts.MISS for one in self.checks)

    def to_json(self) -> dict[str, Any]:
        """The whole as JSON data, tied to the plan by its hash."""
        return {
            "stack": self.promise.stack,
            "planHash": self.promise.plan_hash,
            "framework": self.promise.framework,
            "plannedVersion": self.promise.engine_version,
            "engineVersion": self.engine,
            "url": self.url,
            "model": self.promise.model,
            "passed": self.passed,
            "firstTokenSeconds": None if self.first_token_seconds is None else round(self.first_token_seconds, 4),
            "tokensPerSecond": None if self.tokens_per_second is None else round(self.tokens_per_second, 4),
            "checks": [
                {
                    "check": one.name,
                    "result": one.verdict.result,
                    "seconds": round(one.seconds, 4),
                    "note": one.verdict.note,
                }
                for one in self.checks
            ],
        }


Tell = Callable[[str], None]
Step = tuple[str, Callable[[], Verdict]]


def smoke(promise: Promise, target: Target, tell: Tell) -> Smoke:
    """Carry out every check.

    Args:
        promise: what the plan promises.
        target: where to call.
        tell: gets the name of each check before it starts, with its number.
    """
    calls = OpenAiCalls(target.url, target.key, promise.model, target.timeout_seconds)
    seen = _Seen(calls)
    steps = [*_steps(promise, target, calls, seen), *_native_steps(promise, target)]
    checks = []
    try:
        for number, (name, judge) in enumerate(steps, 1):
            tell(f"{number}/{len(steps)} {name} ...")
            start = time.monotonic()
            verdict = judge()
            checks.append(Check(name, verdict, time.monotonic() - start))
    finally:
        calls.close()
    streamed = seen.streamed if isinstance(seen.streamed, Answer) else None
    return Smoke(
        promise,
        target.url,
        tuple(checks),
        seen.engine,
        streamed.first_seconds if streamed else None,
        streamed.tokens_per_second if streamed else None,
    )


class _Seen:
    """The answers that more than one check is about."""

    def __init__(self, calls: OpenAiCalls) -> None:
        self._calls = calls
        self.engine = ""
        self.streamed: Answer | Failure = Failure(None, "the stream was not tried")

    def chat(self) -> Answer | Failure:
        found = self._calls.chat(_QUESTION, _SHORT)
        self.engine = found.engine if isinstance(found, Answer) else ""
        return found

    def stream(self) -> Answer | Failure:
        self.streamed = self._calls.stream(_QUESTION, _LONG)
        return self.streamed


def _steps(promise: Promise, target: Target, calls: OpenAiCalls, seen: _Seen) -> list[Step]:
    names = (promise.model, *promise.adapters)
    return [
        (
            "models",
            _unless(promise.no_models, lambda: verdicts.judge_models(calls.models(), names, promise.context_tokens)),
        ),
        ("chat", lambda: verdicts.judge_chat(seen.chat())),
        ("stream", lambda: verdicts.judge_stream(seen.stream())),
        ("first token", lambda: verdicts.judge_first_token(seen.streamed, promise.first_token_seconds)),
        ("speed", lambda: verdicts.judge_speed(seen.streamed)),
        ("tool call", _unless("" if promise.tools else "the plan has no tools", lambda: _tool(calls))),
        ("JSON schema", lambda: _json(calls)),
        ("image", _unless(_without("image", promise), lambda: _image(calls))),
        ("audio", _unless(_without("audio", promise), lambda: _audio(calls))),
        ("thinking", _unless(_no_thinking(promise), lambda: _thinking(calls))),
        ("wrong key", _unless(promise.no_key, lambda: _wrong_key(calls, promise))),
        ("too long", _unless(promise.no_context, lambda: _too_long(calls, promise))),
        ("metrics", _unless(_no_metrics(promise, target), lambda: _metrics(target, promise))),
    ]


def _native_steps(promise: Promise, target: Target) -> list[Step]:
    if promise.service != "gemini":
        return []
    from infra.smoke.gemini import native_steps

    return native_steps(promise, target)


def _unless(reason: str, judge: Callable[[], Verdict]) -> Callable[[], Verdict]:
    return (lambda: Verdict(SKIPPED, reason)) if reason else judge


def _without(kind: str, promise: Promise) -> str:
    return "" if kind in promise.inputs else f"the plan takes {', '.join(promise.inputs)}"


def _no_thinking(promise: Promise) -> str:
    if not promise.reasoning:
        return "the plan has no reasoning"
    return "by its own client below" if promise.service == "gemini" else ""


def _no_metrics(promise: Promise, target: Target) -> str:
    if not promise.metrics:
        managed = promise.service != "self-hosted"
        return "Google collects them in Cloud Monitoring" if managed else "the engine has none that Prometheus reads"
    return target.no_metrics


def _tool(calls: OpenAiCalls) -> Verdict:
    function = {"name": verdicts.TOOL, "description": "Weather of a city.", "parameters": verdicts.TOOL_SCHEMA}
    tools = [{"type": "function", "function": function}]
    asked = "What is the weather in Paris?"
    return verdicts.judge_tool(calls.chat(asked, _LONG, tools=tools, tool_choice="required"))


def _json(calls: OpenAiCalls) -> Verdict:
    form = {"name": "city", "schema": verdicts.REPLY_SCHEMA, "strict": True}
    asked = "Describe Lisbon as JSON."
    found = calls.chat(asked, _LONG, response_format={"type": "json_schema", "json_schema": form})
    return verdicts.judge_json(found)


def _image(calls: OpenAiCalls) -> Verdict:
    part = {"type": "image_url", "image_url": {"url": picture_address()}}
    return verdicts.judge_seen(calls.chat([{"type": "text", "text": "Which colour is this?"}, part], _SHORT))


def _audio(calls: OpenAiCalls) -> Verdict:
    part = {"type": "input_audio", "input_audio": {"data": sound_text(), "format": "wav"}}
    return verdicts.judge_seen(calls.chat([{"type": "text", "text": "What do you hear?"}, part], _SHORT))


def _thinking(calls: OpenAiCalls) -> Verdict:
    thinks = calls.chat(_QUESTION, _THOUGHT, extra_body=_THINK)
    return verdicts.judge_thinking(thinks, calls.chat(_QUESTION, _THOUGHT, extra_body=_SILENT))


def _wrong_key(calls: OpenAiCalls, promise: Promise) -> Verdict:
    wrong = calls.with_wrong_key()
    try:
        tried: list[tuple[str, Any]] = [] if promise.no_models else [("models", wrong.models())]
        tried.append(("chat", wrong.chat(_QUESTION, 1)))
        return verdicts.judge_key(tried, promise.wrong_key_statuses)
    finally:
        wrong.close()


def _too_long(calls: OpenAiCalls, promise: Promise) -> Verdict:
    assert promise.context_tokens is not None
    tokens = promise.context_tokens + _MARGIN_TOKENS
    return verdicts.judge_too_long(calls.chat(long_prompt(tokens), 1), promise.context_tokens)


def _metrics(target: Target, promise: Promise) -> Verdict:
    import httpx

    headers = {"Authorization": f"Bearer {target.key}"} if target.metrics_key else {}
    found: Page | Failure
    try:
        answer = httpx.get(target.metrics_url, headers=headers, timeout=target.timeout_seconds)
        found = Page(answer.status_code, answer.text)
    except httpx.HTTPError as error:
        found = Failure(None, str(error) or type(error).__name__)
    return verdicts.judge_metrics(found, promise.metrics)
