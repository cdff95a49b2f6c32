"""Which requests may reach `mlx_vlm.server`: one model, known fields, and no way to files or hosts of the machine.

What it is kept from, read in mlx-vlm 0.7.10: another `model`, or an `adapter_path`, unloads the one that is served; an
image may be any file of the machine or any address; `/unload` and `/v1/settings` take the same key as chats.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

_FIELDS = frozenset(
    {
        "chat_template_kwargs",
        "enable_thinking",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "min_p",
        "model",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "repetition_penalty",
        "response_format",
        "seed",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "thinking_budget",
        "tool_choice",
        "tools",
        "top_k",
        "top_logprobs",
        "top_p",
        "user",
    }
)
_NOT_PASSED_ON = frozenset({"metadata", "n", "stop", "store", "user"})
_MESSAGE = frozenset({"content", "name", "reasoning", "reasoning_content", "role", "tool_call_id", "tool_calls"})
_IMAGE = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,[A-Za-z0-9+/=]+")
_AUDIO = re.compile(r"(?:data:audio/[a-z0-9.+-]{1,40};base64,)?([A-Za-z0-9+/]+={0,2})")


class RefusedRequestError(Exception):
    """Why a request does not reach the engine: HTTP status, a code of OpenAI's, and words for the caller."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def checked(body: bytes, model: str, inputs: frozenset[str]) -> bytes:
    """The body of a chat as the engine gets it.

    Args:
        body: as the caller sent it.
        model: the one that is served.
        inputs: what a request may hold beside text: `image`, `audio`.

    Raises:
        RefusedRequestError: it may not pass.
    """
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise _bad("the body is not JSON") from None
    if not isinstance(asked, dict):
        raise _bad("the body is not a JSON object")
    named = asked.get("model", model)
    if named != model:
        raise RefusedRequestError(404, "model_not_found", f"this endpoint serves {model} alone")
    unknown = sorted(set(asked) - _FIELDS)
    if unknown:
        raise _bad(f"the field {unknown[0][:60]!r} is not served here")
    if asked.get("n") not in (None, 1):
        raise _bad("n: this engine gives one answer per request")
    if asked.get("stop") not in (None, [], ""):
        raise _bad("stop: this engine ignores stop words; leave it out, and cut the answer yourself")
    _check_messages(asked.get("messages"), inputs)
    # Without a word on it, the engine shortens a conversation that is too long, instead of refusing it.
    ours = {"model": model, "context_management": []}
    kept = {key: value for key, value in asked.items() if key not in _NOT_PASSED_ON} | ours
    try:
        return json.dumps(kept, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise _bad("a number is not one that JSON has") from None


def _bad(message: str) -> RefusedRequestError:
    return RefusedRequestError(400, "invalid_request_error", message)


def _check_messages(messages: Any, inputs: frozenset[str]) -> None:
    if not isinstance(messages, list) or not messages:
        raise _bad("messages is not a list of messages")
    for message in messages:
        if not isinstance(message, dict) or set(message) - _MESSAGE:
            raise _bad(f"a message has {', '.join(sorted(_MESSAGE))} and nothing else")
        content = message.get("content")
        if isinstance(content, list):
            for part in content:
                _check_part(part, inputs)
        elif not isinstance(content, str | None):
            raise _bad("the content of a message is text, or a list of parts")


def _check_part(part: Any, inputs: frozenset[str]) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text" and set(part) == {"type", "text"} and isinstance(part["text"], str):
        return
    if kind == "image_url" and "image" in inputs and set(part) == {"type", "image_url"}:
        image = part["image_url"]
        if isinstance(image, dict) and set(image) <= {"url", "detail"} and _matches(_IMAGE, image.get("url")):
            return
        raise _bad("an image comes as data:image/...;base64,...; no file and no address is read")
    if kind == "input_audio" and "audio" in inputs and set(part) == {"type", "input_audio"}:
        audio = part["input_audio"]
        if isinstance(audio, dict) and set(audio) <= {"data", "format"}:
            # What is not base64 the engine takes for the name of a file, so that it is only sent as data: address.
            audio["data"] = f"data:audio/wav;base64,{_base64(audio.get('data'))}"
            return
        raise _bad("audio is {data, format}")
    raise _bad(f"a part of a message is text{''.join(f' or {one}' for one in sorted(inputs))}, as OpenAI writes them")


def _base64(text: Any) -> str:
    found = _AUDIO.fullmatch(text) if isinstance(text, str) else None
    try:
        base64.b64decode(found[1] if found else "-", validate=True)
    except binascii.Error:
        raise _bad("audio comes in base64; no file and no address is read") from None
    assert found is not None
    return found[1]


def _matches(pattern: re.Pattern[str], text: Any) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None
