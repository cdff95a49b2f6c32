"""Calls through the official `openai` client, one at a time and without retries, as plain answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from infra.smoke.answers import Answer, Failure, Listed, ToolCall

T = TypeVar("T")
WRONG_KEY = "servestack-smoke-wrong-key-0000000000"


class OpenAiCalls:
    """One address with one key.

    Args:
        url: base URL, with its `/v1`.
        key: sent as bearer; it is taken out of every text that comes back.
        model: sent with every request.
        timeout_seconds: longest wait for an answer, and for a whole stream.
    """

    def __init__(self, url: str, key: str, model: str, timeout_seconds: float) -> None:
        import openai  # half a second that other verbs do not need

        self._url, self._key, self._model, self._timeout_seconds = url, key, model, timeout_seconds
        # What the caller's environment names of an organisation is not for this server; Google takes it for a key.
        none = {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()}
        self._client = openai.OpenAI(
            base_url=url,
            api_key=key,
            timeout=timeout_seconds,
            max_retries=0,
            default_headers=none,  # type: ignore[arg-type]
        )

    def with_wrong_key(self) -> OpenAiCalls:
        """The same address with a key that cannot be right."""
        return OpenAiCalls(self._url, WRONG_KEY, self._model, self._timeout_seconds)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def models(self) -> Listed | Failure:
        """The list of models."""
        return self._try(self._models)

    def _models(self) -> Listed:
        found = list(self._client.models.list())
        mine = next((one for one in found if one.id == self._model), found[0] if found else None)
        more: dict[str, Any] = (mine.model_extra or {}) if mine else {}
        meta = more.get("meta") or {}
        told = more.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, dict) else None)
        return Listed(tuple(one.id for one in found), told if isinstance(told, int) else None)

    def chat(self, content: Any, most_tokens: int, **more: Any) -> Answer | Failure:
        """One answer, whole.

        Args:
            content: of the user's message: a text, or parts.
            most_tokens: of the answer.
            more: further fields of the request.
        """
        return self._try(lambda: self._chat(content, most_tokens, more))

    def _chat(self, content: Any, most_tokens: int, more: dict[str, Any]) -> Answer:
        made: Any = self._client.chat.completions.create(**self._request(content, most_tokens), **more)
        if not getattr(made, "choices", None):
            raise ValueError("the answer has no choices")
        choice = made.choices[0]
        message = choice.message
        tools = tuple(
            ToolCall(one.function.name, one.function.arguments)
            for one in message.tool_calls or ()
            if one.type == "function"
        )
        return Answer(
            text=self._clean(message.content or ""),
            thoughts=_thoughts(message),
            tools=tools,
            finish=choice.finish_reason or "",
            tokens=made.usage.completion_tokens if made.usage else None,
            pieces=1,
            engine=self._clean(made.system_fingerprint or ""),
        )

    def stream(self, content: Any, most_tokens: int) -> Answer | Failure:
        """One answer in pieces, with times."""
        return self._try(lambda: self._stream(content, most_tokens))

    def _stream(self, content: Any, most_tokens: int) -> Answer:
        start = time.monotonic()
        text, thoughts, finish, engine = "", "", "", ""
        pieces, tokens = 0, None
        first = last = None
        request = self._request(content, most_tokens) | {"stream_options": {"include_usage": True}}
        with self._client.chat.completions.create(**request, stream=True) as events:
            for event in events:
                now = time.monotonic() - start
                if now > self._timeout_seconds:
                    raise TimeoutError(f"the stream did not end within {self._timeout_seconds:g} s")
                tokens = event.usage.completion_tokens if event.usage else tokens
                engine = event.system_fingerprint or engine
                for choice in event.choices[:1]:
                    finish = choice.finish_reason or finish
                    more = (choice.delta.content or "") if choice.delta else ""
                    thought = _thoughts(choice.delta) if choice.delta else ""
                    if more or thought:
                        first, last, pieces = now if first is None else first, now, pieces + 1
                        text, thoughts = text + more, thoughts + thought
        return Answer(
            text=self._clean(text),
            thoughts=self._clean(thoughts),
            finish=finish,
            tokens=tokens,
            pieces=pieces,
            first_seconds=first,
            last_seconds=last,
            engine=self._clean(engine),
        )

    def _request(self, content: Any, most_tokens: int) -> dict[str, Any]:
        message = {"role": "user", "content": content}
        return {"model": self._model, "messages": [message], "max_tokens": most_tokens, "temperature": 0}

    def _try(self, call: Callable[[], T]) -> T | Failure:
        import httpx
        import openai

        try:
            return call()
        except openai.APIStatusError as error:
            return Failure(error.status_code, self._clean(_told(error.body) or error.message))
        except (openai.OpenAIError, httpx.HTTPError, OSError, ValueError) as error:
            cause = error.__cause__
            said = f"{error}" + (f" ({cause})" if cause and str(cause) else "")
            return Failure(None, self._clean(said or type(error).__name__))

    def _clean(self, text: str) -> str:
        return text.replace(self._key, "(key)") if self._key else text


def _told(body: object) -> str:
    """The message within an error's body: OpenAI's shape, Google's list of one, or FastAPI's `detail`."""
    inner = body[0] if isinstance(body, list) and body else body
    if isinstance(inner, dict):
        error = inner.get("error", inner)
        found = error.get("message") or error.get("detail") if isinstance(error, dict) else error
        return found if isinstance(found, str) else ""
    return inner if isinstance(inner, str) else ""


def _thoughts(message: Any) -> str:
    """Reasoning apart from the text: `reasoning_content` of llama.cpp and SGLang, `reasoning` of newer vLLM."""
    more: dict[str, Any] = message.model_extra or {}
    found = more.get("reasoning_content") or more.get("reasoning")
    return found if isinstance(found, str) else ""
