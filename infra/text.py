"""Lines of at most 80 columns, and text of others made safe to print."""

from __future__ import annotations

import re
import textwrap

WIDTH = 80
_IMAGE_WIDTH = 64
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(s|h|GiB|tokens|USD)\b)")


def wrapped(text: str, first: str, rest: str) -> str:
    """Lines of at most 80 columns; a number stays beside its unit."""
    bound = _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text)
    filled = textwrap.fill(
        bound, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return filled.replace("\N{NO-BREAK SPACE}", " ")


def printable(text: str) -> str:
    """Text of a container or of another program, without what could move the cursor."""
    return "".join(one if one.isprintable() or one.isspace() else "\N{REPLACEMENT CHARACTER}" for one in text)


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as `1 replica` or `2 replicas`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short_image(reference: str) -> str:
    """An image's reference that fits a line: twelve digits of a digest, and the end of what is still too long."""
    name, _, digest = reference.partition("@sha256:")
    short = f"{name}@sha256:{digest[:12]}..." if digest else name
    if len(short) <= _IMAGE_WIDTH:
        return short
    end = short[3 - _IMAGE_WIDTH :]
    return f"...{end[end.find('/') :]}" if "/" in end else f"...{end}"


def in_column(text: str, width: int) -> list[str]:
    """Lines of a column; words longer than it are cut, at a hyphen where there is one."""
    bound = _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text)
    lines = textwrap.wrap(bound, width, break_long_words=True, break_on_hyphens=False)
    if any(len(word) > width for word in bound.split(" ")):
        lines = textwrap.wrap(bound, width, break_long_words=True, break_on_hyphens=True)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines] or [""]
