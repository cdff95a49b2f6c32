"""The whole record of one framework as text of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from infra.catalog.records import Checkpoint, Drafter
from infra.matrix import words
from infra.matrix.rows import MatrixRow
from infra.text import wrapped

_LABEL = 14


def record_text(row: MatrixRow) -> str:
    """Everything known about a framework, and on what it rests."""
    facts = row.facts
    place = "" if facts.state == "refused" else f"; runs on {words.PLACES.get(facts.runs, facts.runs)}"
    lines = [
        wrapped(f"{facts.display_name} ({facts.name}): {facts.state}{place}", "", "  "),
        *_block("here", [words.here(row)]),
        *_block("versions", [words.versions(row)]),
        *_block("KV cache", [words.sliding_layers(row)] if facts.formats else []),
        *_block("images", [f"{image}: {names}" for image, names in words.images(row)]),
        *_block("hardware", words.hardware(row) or ["none to choose"]),
        *_block("can", [words.can(row)]),
        *_block("left out", [words.left_out(row)]),
        *_block("metrics", facts.metrics),
        *_block("formats", [", ".join(facts.formats)] if facts.formats else []),
        *_block("precisions", [", ".join(facts.precisions)] if facts.precisions else []),
        *_block("inputs", [f"{size}: {', '.join(inputs)}" for size, inputs in facts.inputs_by_size] or ["none served"]),
        *_block("checkpoints", _by_model(row.checkpoints)),
        *_block("drafters", _by_model(row.drafters)),
        *_block("evidence", _evidence(row)),
    ]
    return "\n".join(lines) + "\n"


def _by_model(published: Iterable[Checkpoint | Drafter]) -> Iterator[str]:
    """A line per model, then one per set of files below it."""
    model = ""
    for one in published:
        if one.model != model:
            model = one.model
            yield model
        what = f"{one.precision}: " if isinstance(one, Checkpoint) else ""
        yield f"  {what}{one.repository}"


def _evidence(row: MatrixRow) -> Iterator[str]:
    for statement, source in row.evidence:
        yield statement
        yield f"  {words.cited(source)}"
    for source in words.unquoted(row):
        yield f"also: {words.cited(source)}"


def _block(label: str, texts: Iterable[str]) -> list[str]:
    """Texts under one label; one that starts with blanks belongs to the one above."""
    lines = []
    for place, text in enumerate(texts):
        depth = _LABEL + len(text) - len(text.lstrip())
        first = f"  {label if place == 0 else '':<{_LABEL - 2}}".ljust(depth)
        lines.append(wrapped(text.lstrip(), first, " " * (depth + (2 if depth == _LABEL else 0))))
    return lines
