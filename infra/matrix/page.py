"""The support matrix as one HTML page. Nothing outside the page is needed to read it, and no script runs in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from infra.matrix import words
from infra.matrix.rows import Matrix


def matrix_page(matrix: Matrix, links: Sequence[tuple[str, str]] = ()) -> str:
    """The page, the same text for the same matrix.

    Args:
        matrix: what is shown.
        links: address and name of each page of the site that it is part of, where it is part of one.
    """
    return _template().render(matrix=matrix, words=words, links=links)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["by_model"] = lambda published: [
        (model, list(ones)) for model, ones in groupby(published, key=lambda one: one.model)
    ]
    return environment.get_template("page.html.j2")
