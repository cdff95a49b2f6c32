"""The Gemini API through Google's own client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from infra.smoke import verdicts
from infra.smoke.answers import Answer, Failure, Listed
from infra.smoke.client import WRONG_KEY
from infra.smoke.promise import Promise
from infra.smoke.run import Step, Target
from infra.smoke.verdicts import SKIPPED, Verdict

T = TypeVar("T")
_QUESTION, _MOST_TOKENS = "Say hello in one short sentence.", 64
_FINISHES = {"STOP": "stop", "MAX_TOKENS": "length"}


class GenaiCalls:
    """One address with one key.

    Args:
        origin: scheme and host, such as `https://generativelanguage.googleapis.com`.
        key: taken out of every text that comes back.
        model: sent with every request.
        timeout_seconds: of one call.
    """

    def __init__(self, origin: str, key: str, model: str, timeout_seconds: float) -> None:
        from google import genai
        from google.genai import types

        self._origin, self._key, self._model, self._timeout_seconds = origin, key, model, timeout_seconds
        options = types.HttpOptions(base_url=origin, timeout=int(timeout_seconds * 1000))
        self._client = genai.Client(api_key=key, vertexai=False, http_options=options)

    def with_wrong_key(self) -> GenaiCalls:
        """The same address with a key that cannot be right."""
        return GenaiCalls(self._origin, WRONG_KEY, self._model, self._timeout_seconds)

    def models(self) -> Listed | Failure:
        """The list of models, with the context of the one that is called."""

        def listed() -> Listed:
            found = {
                (one.name or "").removeprefix("models/"): one.input_token_limit for one in self._client.models.list()
            }
            return Listed(tuple(found), found.get(self._model))

        return self._try(listed)

    def chat(self, **config: Any) -> Answer | Failure:
        """One answer, whole; `config` is of GenerateContentConfig."""

        def asked() -> Answer:
            settings: Any = {"max_output_tokens": _MOST_TOKENS, **config}
            made = self._client.models.generate_content(model=self._model, contents=_QUESTION, config=settings)
            return _answer([made])

        return self._try(asked)

    def stream(self) -> Answer | Failure:
        """One answer in pieces."""

        def asked() -> Answer:
            settings: Any = {"max_output_tokens": _MOST_TOKENS}
            found = self._client.models.generate_content_stream(model=self._model, contents=_QUESTION, config=settings)
            return _answer(list(found))

        return self._try(asked)

    def _try(self, call: Callable[[], T]) -> T | Failure:
        import httpx
        from google.genai import errors

        try:
            return call()
        except errors.APIError as error:
            return Failure(error.code, (error.message or str(error)).replace(self._key, "(key)"))
        except (httpx.HTTPError, OSError, ValueError) as error:
            return Failure(None, (str(error) or type(error).__name__).replace(self._key, "(key)"))


def _answer(pieces: list[Any]) -> Answer:
    text, thoughts, finish = "", "", ""
    for piece in pieces:
        for candidate in (piece.candidates or [])[:1]:
            finish = candidate.finish_reason.name if candidate.finish_reason else finish
            for part in (candidate.content.parts if candidate.content else None) or []:
                if part.thought:
                    thoughts += part.text or ""
                else:
                    text += part.text or ""
    usage = pieces[-1].usage_metadata if pieces else None
    tokens = usage.candidates_token_count if usage else None
    return Answer(text, thoughts, finish=_FINISHES.get(finish, finish), tokens=tokens, pieces=len(pieces))


def native_steps(promise: Promise, target: Target) -> list[Step]:
    """What is checked through Google's client."""
    parts = urlsplit(target.url)
    calls = GenaiCalls(f"{parts.scheme}://{parts.netloc}", target.key, promise.model, target.timeout_seconds)
    return [
        ("genai models", lambda: verdicts.judge_models(calls.models(), (promise.model,), promise.context_tokens)),
        ("genai chat", lambda: verdicts.judge_chat(calls.chat())),
        ("genai stream", lambda: verdicts.judge_stream(calls.stream())),
        ("genai thinking", lambda: _thinking(promise, calls)),
        ("genai wrong key", lambda: _wrong_key(promise, calls.with_wrong_key())),
    ]


def _thinking(promise: Promise, calls: GenaiCalls) -> Verdict:
    """Google does not say how Gemma's reasoning is switched off, so that it is only asked for."""
    if not promise.reasoning:
        return Verdict(SKIPPED, "the plan has no reasoning")
    found = calls.chat(thinking_config={"include_thoughts": True}, max_output_tokens=512)
    return verdicts.judge_thinking(found, Answer(""))


def _wrong_key(promise: Promise, calls: GenaiCalls) -> Verdict:
    return verdicts.judge_key([("models", calls.models()), ("chat", calls.chat())], promise.wrong_key_statuses)
