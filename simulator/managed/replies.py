"""Canned answers in the shapes of both APIs: `generateContent` and OpenAI's chat completions. No model answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_CHARACTERS_PER_TOKEN = 4
_CREATED = 1_795_000_000
_PIECE_WORDS = 3


@dataclass(frozen=True)
class Reply:
    """What is answered.

    Attributes:
        model: that is said to have answered.
        words: of the answer; each counts as a token.
        is_whole: whether it was not cut by the cap on tokens.
        prompt_tokens: of what was asked.
        identity: of the answer.
    """

    model: str
    words: tuple[str, ...]
    is_whole: bool
    prompt_tokens: int
    identity: str

    @property
    def text(self) -> str:
        """The whole answer."""
        return " ".join(self.words)

    @property
    def pieces(self) -> Iterator[tuple[str, bool]]:
        """The answer in pieces, each with whether it is the last."""
        starts = range(0, len(self.words), _PIECE_WORDS)
        for start in starts:
            is_last = start == starts[-1]
            yield " ".join(self.words[start : start + _PIECE_WORDS]) + ("" if is_last else " "), is_last


def reply(model: str, prompt: str, most_tokens: int | None, number: int) -> Reply:
    """Answer a prompt.

    Args:
        model: as it is to be named.
        prompt: all its text.
        most_tokens: cap on the answer's; None for none.
        number: of the answer.
    """
    words = tuple(f"Simulated {model}: nothing was computed, and these words are always the same.".split())
    kept = words[:most_tokens] if most_tokens else words
    return Reply(model, kept, len(kept) == len(words), tokens(prompt), f"simulated-{number}")


def tokens(text: str) -> int:
    """About as many as a tokenizer makes of a text."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def generated(one: Reply) -> dict[str, Any]:
    """A GenerateContentResponse."""
    return _generated(one, one.text, is_last=True)


def generated_pieces(one: Reply) -> list[dict[str, Any]]:
    """The GenerateContentResponses of a stream."""
    return [_generated(one, text, is_last) for text, is_last in one.pieces]


def _generated(one: Reply, text: str, is_last: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if is_last:
        candidate["finishReason"] = "STOP" if one.is_whole else "MAX_TOKENS"
    usage = {
        "promptTokenCount": one.prompt_tokens,
        "candidatesTokenCount": len(one.words),
        "totalTokenCount": one.prompt_tokens + len(one.words),
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": one.prompt_tokens}],
    }
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": one.model,
        "responseId": one.identity,
    }


def completion(one: Reply) -> dict[str, Any]:
    """A chat completion."""
    message = {"role": "assistant", "content": one.text}
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(one)}
    return _head(one, "chat.completion") | {"choices": [choice], "usage": _usage(one)}


def completion_pieces(one: Reply, has_usage: bool) -> list[Any]:
    """The chunks of a streamed chat completion, and what ends them."""
    head = _head(one, "chat.completion.chunk")
    chunks: list[Any] = [
        head
        | {
            "choices": [
                {
                    "index": 0,
                    "delta": {"role": "assistant", "content": text},
                    "finish_reason": _finish_reason(one) if is_last else None,
                }
            ]
        }
        for text, is_last in one.pieces
    ]
    if has_usage:
        chunks.append(head | {"choices": [], "usage": _usage(one)})
    return [*chunks, "[DONE]"]


def _head(one: Reply, kind: str) -> dict[str, Any]:
    return {"id": one.identity, "object": kind, "created": _CREATED, "model": one.model}


def _finish_reason(one: Reply) -> str:
    return "stop" if one.is_whole else "length"


def _usage(one: Reply) -> dict[str, int]:
    return {
        "prompt_tokens": one.prompt_tokens,
        "completion_tokens": len(one.words),
        "total_tokens": one.prompt_tokens + len(one.words),
    }
