"""The support matrix as text of at most 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from infra.matrix.rows import Matrix, MatrixRow
from infra.matrix.words import letters
from infra.text import wrapped


def table_text(matrix: Matrix) -> str:
    """One line per framework, then what each size takes, then number formats."""
    names = max(len("framework"), *(len(row.facts.name) for row in matrix.rows))
    marks = ", ".join(f"{name[0].upper()} {name}" for name, _ in matrix.rows[0].abilities)
    taken = ", ".join(f"{one[0].upper()} {one}" for one in matrix.inputs)
    lines = [
        *_table([["framework", "state", "here", "version", "runs", "can", "evidence"], *map(_line, matrix.rows)]),
        "here: what this version of Servestack does with it; evidence: its newest date",
        wrapped(f"can: {marks}", "", "  "),
        "",
        *_table([["inputs", *matrix.sizes], *(_inputs(row, matrix) for row in matrix.rows)]),
        wrapped(f"{taken}; -: this size is not served.", "", ""),
        "",
        f"{'precisions':<{names}}",
        *(
            wrapped(", ".join(row.facts.precisions), f"{row.facts.name:<{names}}  ", " " * (names + 2))
            for row in matrix.rows
            if row.facts.precisions
        ),
        "",
        wrapped(
            f"Checked on {matrix.checked}. `servestack matrix FRAMEWORK` shows the whole record of one, with evidence.",
            "",
            "",
        ),
    ]
    return "\n".join(lines) + "\n"


def _line(row: MatrixRow) -> list[str]:
    facts = row.facts
    marks = "".join(name[0].upper() if able else "-" for name, able in row.abilities)
    return [facts.name, facts.state, row.here, facts.default_version or "-", facts.runs, marks, row.newest]


def _inputs(row: MatrixRow, matrix: Matrix) -> list[str]:
    return [row.facts.name, *(letters(row, size, matrix) for size in matrix.sizes)]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
