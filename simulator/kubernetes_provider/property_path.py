"""Pulumi property paths such as `spec.template.spec.containers[0].image` or `data["a.b"]`."""

from __future__ import annotations

import re
from typing import Final

Path = tuple[str | int, ...]

_PART: Final = re.compile(
    r"""\.?(?P<name>[^.\[\]"]+)|\[(?P<index>\d+)\]|\[(?P<star>\*)\]|\["(?P<quoted>(?:\\.|[^"\\])*)"\]"""
)


def parse(text: str) -> Path:
    """Parses a path.

    Raises:
        ValueError: the text is no property path.
    """
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise ValueError(f"invalid property path {text!r}")
        if match["index"] is not None:
            parts.append(int(match["index"]))
        elif match["quoted"] is not None:
            parts.append(match["quoted"].replace('\\"', '"'))
        else:
            parts.append(match["name"] or match["star"])
        position = match.end()
    return tuple(parts)


def render(path: Path) -> str:
    """Writes a path as the official provider does (provider.go addPatchValueToDiff)."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif any(character in part for character in '."[]'):
            quoted = part.replace('"', '\\"')
            text += f'["{quoted}"]'
        else:
            text += f".{part}" if text else part
    return text


def contains(outer: Path, inner: Path) -> bool:
    """Whether `inner` is `outer` or lies below it; `*` stands for any key or index."""
    return len(outer) <= len(inner) and all(mine in ("*", theirs) for mine, theirs in zip(outer, inner, strict=False))
