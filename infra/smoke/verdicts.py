"""Whether an answer is what the plan promises. Pure: answers in, verdicts out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from infra.smoke.answers import Answer, Failure, Listed, Page

OK, MISS, SKIPPED = "ok", "miss", "skipped"
TOOL = "get_weather"
TOOL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
REPLY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "population": {"type": "integer"},
        "climate": {"type": "string", "enum": ["cold", "mild", "hot"]},
        "coastal": {"type": "boolean"},
    },
    "required": ["city", "population", "climate", "coastal"],
    "additionalProperties": False,
}
_WHOLE = {"stop", "length", "tool_calls"}
# Of refusals that say why: vLLM, SGLang and NIM "maximum context length", llama.cpp "exceeds the available context
# size", TensorRT-LLM "max_num_tokens", Google "input token count exceeds".
_TOO_LONG = re.compile(r"context|token|too long|too large|length", re.I)
_MOST_NOTE = 200


@dataclass(frozen=True)
class Verdict:
    """`ok`, `miss` or `skipped`, and what was seen."""

    result: str
    note: str = ""


def failed(failure: Failure) -> Verdict:
    """A call that should have been answered."""
    where = "no answer" if failure.status is None else f"HTTP {failure.status}"
    return Verdict(MISS, f"{where}: {failure.message}"[:_MOST_NOTE])


def judge_models(found: Listed | Failure, wanted: Sequence[str], context_tokens: int | None) -> Verdict:
    """Every name is listed, with at least the planned context where the server tells its own."""
    if isinstance(found, Failure):
        return failed(found)
    names = {one.removeprefix("models/") for one in found.names}
    missing = [one for one in wanted if one.removeprefix("models/") not in names]
    if missing:
        seen = ", ".join(found.names[:5]) or "none"
        return Verdict(MISS, f"{', '.join(missing)} not listed; listed: {seen}"[:_MOST_NOTE])
    if found.context_tokens is None:
        return Verdict(OK, f"{', '.join(wanted)}")
    if context_tokens is not None and found.context_tokens < context_tokens:
        return Verdict(MISS, f"context {found.context_tokens:,} tokens, planned {context_tokens:,}")
    return Verdict(OK, f"{', '.join(wanted)}, {found.context_tokens:,} tokens")


def judge_chat(found: Answer | Failure) -> Verdict:
    """A text, ended by the model or by its limit."""
    if isinstance(found, Failure):
        return failed(found)
    if found.finish not in _WHOLE:
        return Verdict(MISS, f"ended with finish_reason {found.finish or 'none'}, not stop or length")
    if not (found.text or found.thoughts).strip():
        return Verdict(MISS, "no text in the answer")
    return Verdict(OK, f"{found.tokens} tokens" if found.tokens else "answered")


def judge_stream(found: Answer | Failure) -> Verdict:
    """The same piece by piece: a stream that is cut has no finish_reason."""
    if isinstance(found, Failure):
        return failed(found)
    if not found.finish:
        return Verdict(MISS, f"stream cut: {found.pieces} pieces and no finish_reason")
    whole = judge_chat(found)
    return whole if whole.result != OK else Verdict(OK, f"{found.pieces} pieces")


def judge_first_token(found: Answer | Failure, most_seconds: float) -> Verdict:
    """The first token in time."""
    if isinstance(found, Failure):
        return failed(found)
    if found.first_seconds is None:
        return Verdict(MISS, "no token came")
    told = f"{found.first_seconds:.2f} s"
    if found.first_seconds > most_seconds:
        return Verdict(MISS, f"slow first token: {told}, allowed {most_seconds:g} s")
    return Verdict(OK, told)


def judge_speed(found: Answer | Failure) -> Verdict:
    """Tokens per second after the first, which no plan promises: told, and a miss only where nothing came."""
    if isinstance(found, Failure):
        return failed(found)
    speed = found.tokens_per_second
    if speed is None:
        return Verdict(SKIPPED, "cannot be told: the server did not count tokens, or sent one piece")
    return Verdict(OK, f"{speed:,.1f} tokens/s for one caller")


def judge_tool(found: Answer | Failure) -> Verdict:
    """A call of the one tool, its arguments a JSON object. Grammars do not all enforce what is required (llama.cpp)."""
    if isinstance(found, Failure):
        return failed(found)
    if not found.tools:
        return Verdict(MISS, f"no tool call although one was required; finish_reason {found.finish or 'none'}")
    call = found.tools[0]
    if call.name != TOOL:
        return Verdict(MISS, f"called {call.name!r}, asked for {TOOL!r}"[:_MOST_NOTE])
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return Verdict(MISS, f"arguments are not JSON: {call.arguments}"[:_MOST_NOTE])
    if not isinstance(arguments, dict):
        return Verdict(MISS, f"arguments are not a JSON object: {call.arguments}"[:_MOST_NOTE])
    if not isinstance(arguments.get("city"), str):
        return Verdict(OK, "called; the required argument is missing: callers must check")
    return Verdict(OK, "called, with its argument")


def judge_json(found: Answer | Failure) -> Verdict:
    """JSON of the schema that was asked for."""
    if isinstance(found, Failure):
        return failed(found)
    try:
        value = json.loads(found.text)
    except ValueError:
        if found.finish == "length":
            return Verdict(MISS, f"not ended within the tokens that were allowed: {found.text}"[:_MOST_NOTE])
        return Verdict(MISS, f"not JSON: {found.text}"[:_MOST_NOTE])
    wrong = _misfit(value)
    return Verdict(MISS, f"not of the schema: {wrong}"[:_MOST_NOTE]) if wrong else Verdict(OK, "valid for the schema")


def _misfit(value: Any) -> str:
    if not isinstance(value, dict):
        return "no object"
    properties = REPLY_SCHEMA["properties"]
    missing, more = sorted(properties.keys() - value.keys()), sorted(value.keys() - properties.keys())
    if missing or more:
        return ", ".join([*(f"lacks {one}" for one in missing), *(f"has {one}" for one in more)])
    kinds: dict[str, type] = {"string": str, "integer": int, "boolean": bool}
    for name, facts in properties.items():
        one = value[name]
        if not isinstance(one, kinds[facts["type"]]) or (facts["type"] == "integer" and isinstance(one, bool)):
            return f"{name} is no {facts['type']}"
        if one not in facts.get("enum", [one]):
            return f"{name} is {one!r}"
    return ""


def judge_seen(found: Answer | Failure) -> Verdict:
    """An answer to a picture or a sound; what it says is not judged."""
    verdict = judge_chat(found)
    return Verdict(OK, "answered; what it says is not judged") if verdict.result == OK else verdict


def judge_key(tried: Sequence[tuple[str, Listed | Answer | Failure]], statuses: Collection[int]) -> Verdict:
    """A wrong key is refused by every call that was tried, and by its status for what it is."""
    for call, found in tried:
        if not isinstance(found, Failure):
            return Verdict(MISS, f"key not checked: {call} with a wrong key was answered")
        if found.status not in statuses:
            return Verdict(MISS, f"{call} with a wrong key: {failed(found).note}"[:_MOST_NOTE])
    return Verdict(OK, f"refused with HTTP {', '.join(dict.fromkeys(str(one.status) for _, one in _failures(tried)))}")


def _failures(tried: Sequence[tuple[str, Listed | Answer | Failure]]) -> list[tuple[str, Failure]]:
    return [(call, found) for call, found in tried if isinstance(found, Failure)]


def judge_too_long(found: Answer | Failure, tokens: int) -> Verdict:
    """A prompt of more tokens than the context is refused, with words that tell the caller why."""
    if not isinstance(found, Failure):
        return Verdict(
            MISS, f"a prompt of more than {tokens:,} tokens was answered: cut without a word, or not as planned"
        )
    if found.status not in {400, 413, 422}:
        return Verdict(MISS, f"not refused as too long: {failed(found).note}"[:_MOST_NOTE])
    if not _TOO_LONG.search(found.message):
        return Verdict(MISS, f"refused without the reason: {failed(found).note}"[:_MOST_NOTE])
    return Verdict(OK, f"refused with HTTP {found.status}")


def judge_thinking(thinks: Answer | Failure, silent: Answer | Failure) -> Verdict:
    """Reasoning comes apart from the text where it is on, and not at all where it is off."""
    for found in (thinks, silent):
        if isinstance(found, Failure):
            return failed(found)
    assert isinstance(thinks, Answer)
    assert isinstance(silent, Answer)
    if not thinks.thoughts.strip():
        return Verdict(MISS, "no reasoning apart from the answer although it was switched on")
    if silent.thoughts.strip():
        return Verdict(MISS, "reasoning although it was switched off")
    return Verdict(OK, "on and off")


def judge_metrics(found: Page | Failure, wanted: Collection[str]) -> Verdict:
    """Every name that alerts and autoscalers ask for is in the engine's metrics (Prometheus text format)."""
    if isinstance(found, Failure):
        return Verdict(MISS, f"no metrics: {failed(found).note}"[:_MOST_NOTE])
    if found.status != 200:
        return Verdict(MISS, f"no metrics: HTTP {found.status}")
    there = set(re.findall(r"^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{| )", found.text, re.M))
    missing = sorted(set(wanted) - there)
    if missing:
        return Verdict(MISS, f"metrics lack {', '.join(missing)}"[:_MOST_NOTE])
    return Verdict(OK, f"{len(there)} series names, all {len(set(wanted))} that are asked for")
