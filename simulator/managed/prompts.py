"""What is asked: requests of `generateContent` and of chat completions, read as far as the simulation goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.managed.errors import INVALID, ApiError


def content_prompt(model: str, body: dict[str, Any]) -> str:
    """All text of a GenerateContentRequest.

    Args:
        model: its full name, for errors.
        body: in either spelling.

    Raises:
        ApiError: it has no contents, or audio.
    """
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        raise ApiError(INVALID, "* GenerateContentRequest.contents: contents is not specified\n")
    system = _field(body, "systemInstruction", "system_instruction")
    texts = []
    for part in _parts([*contents, *([system] if system else [])]):
        data = _field(part, "inlineData", "inline_data") or _field(part, "fileData", "file_data") or {}
        if str(_field(data, "mimeType", "mime_type") or "").startswith("audio/"):
            raise _no_audio(model)
        texts.append(str(part.get("text") or ""))
    return "\n".join(texts)


def _parts(contents: list[Any]) -> Iterator[dict[str, Any]]:
    for content in contents:
        parts = content.get("parts") if isinstance(content, dict) else None
        if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
            raise ApiError(INVALID, "* GenerateContentRequest.contents: each content needs parts\n")
        yield from parts


def content_cap(body: dict[str, Any]) -> int | None:
    """Most tokens of the answer to a GenerateContentRequest."""
    config = _field(body, "generationConfig", "generation_config") or {}
    return _cap(_field(config, "maxOutputTokens", "max_output_tokens"))


def chat_prompt(model: str, body: dict[str, Any]) -> str:
    """All text of a request for a chat completion.

    Args:
        model: its full name, for errors.
        body: the request.

    Raises:
        ApiError: it has no messages, or audio.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        raise ApiError(INVALID, "messages: at least one message is needed.")
    texts = []
    for message in messages:
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
        for part in parts:
            if not isinstance(part, dict):
                raise ApiError(INVALID, "messages: each part of a content is an object.")
            if part.get("type") == "input_audio":
                raise _no_audio(model)
            texts.append(str(part.get("text") or ""))
    return "\n".join(texts)


def chat_cap(body: dict[str, Any]) -> int | None:
    """Most tokens of a chat completion."""
    return _cap(body.get("max_completion_tokens") or body.get("max_tokens"))


def has_usage(body: dict[str, Any]) -> bool:
    """Whether a streamed chat completion is to end with its usage."""
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def _cap(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or value < 1:
        raise ApiError(INVALID, f"The cap on output tokens must be a positive number, not {value!r}.")
    return value


def _field(body: Any, *spellings: str) -> Any:
    return next((body[name] for name in spellings if name in body), None) if isinstance(body, dict) else None


def _no_audio(model: str) -> ApiError:
    """Google's words; for Gemma as for others (public reports on gemma-3n-e4b-it and gemma-4-31b-it)."""
    return ApiError(INVALID, f"Audio input modality is not enabled for {model}")
