"""Errors of others in one line, without what nobody may see. Pure."""

from __future__ import annotations

from infra.text import printable
from infra.vertex.failures import redacted


def sentence(message: str, secret: str = "") -> str:
    """A message in one line, without tokens, keys, the secret, and what could move the cursor."""
    line = " ".join(printable(message).split())
    return redacted(line.replace(secret, "[secret]") if secret else line)
