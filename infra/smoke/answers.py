"""What an endpoint answered, as plain data: the clients make it, the verdicts read it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Failure:
    """A call that got no answer of the kind that was asked for.

    Attributes:
        status: HTTP status; None where there was no HTTP answer.
        message: in the server's words.
    """

    status: int | None
    message: str


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool: its name, and its arguments as the server wrote them."""

    name: str
    arguments: str


@dataclass(frozen=True)
class Answer:
    """One answer, whole.

    Attributes:
        thoughts: reasoning that the server told apart from the text.
        finish: why it ended; empty where the server did not say.
        tokens: of the answer; None where the server did not count.
        first_seconds, last_seconds: from the request to its first and last piece; None where it did not stream.
        engine: what the server calls itself; empty where it does not.
    """

    text: str
    thoughts: str = ""
    tools: tuple[ToolCall, ...] = ()
    finish: str = ""
    tokens: int | None = None
    pieces: int = 0
    first_seconds: float | None = None
    last_seconds: float | None = None
    engine: str = ""

    @property
    def tokens_per_second(self) -> float | None:
        """Speed after the first token; None where it cannot be told, as with answers that come in one piece."""
        if self.first_seconds is None or self.last_seconds is None or not self.tokens or self.pieces < 2:
            return None
        spent = self.last_seconds - self.first_seconds
        return (self.tokens - 1) / spent if spent > 0 else None


@dataclass(frozen=True)
class Listed:
    """Names of models, and what the server says of the context of the first: None where it does not."""

    names: tuple[str, ...]
    context_tokens: int | None = None


@dataclass(frozen=True)
class Page:
    """An HTTP answer in text."""

    status: int
    text: str = field(repr=False)
