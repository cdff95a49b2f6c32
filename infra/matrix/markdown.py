"""The support matrix as a short Markdown table, as the README shows it."""

from __future__ import annotations

from collections.abc import Sequence

from infra.matrix.rows import Matrix, MatrixRow
from infra.matrix.words import modalities, runs_on

_HEADINGS = ("framework", "state", "here", "runs on", "precisions", "modalities", "evidence")


def matrix_markdown(matrix: Matrix) -> str:
    """A row per framework."""
    rows = [_HEADINGS, ["---"] * len(_HEADINGS), *(_cells(row, matrix) for row in matrix.rows)]
    return "".join(_line(row) for row in rows)


def _cells(row: MatrixRow, matrix: Matrix) -> Sequence[str]:
    facts = row.facts
    version = f" {facts.default_version}" if facts.default_version else ""
    return [
        f"{facts.display_name}{version}",
        facts.state,
        row.here,
        runs_on(row),
        ", ".join(facts.precisions) or "-",
        modalities(row, matrix.sizes),
        row.newest,
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"
