"""How templates of pages are read: everything is escaped, and what could move a cursor is made visible."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from infra.page import numbers

FOLDER = Path(__file__).resolve().parent


def _printed(value: object) -> object:
    """Every value that a template prints passes here before it is escaped."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return numbers.visible(value)
    return value


@cache
def environment(*folders: Path) -> Environment:
    """Templates of folders, then those of this one, with the filters that write numbers."""
    made = Environment(
        loader=FileSystemLoader([*folders, FOLDER]),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(
        gib=numbers.gib,
        hourly=numbers.hourly,
        monthly=numbers.monthly,
        duration=numbers.duration,
        count=numbers.count,
        integer="{:,}".format,
    )
    made.globals.update(monthly_range=numbers.monthly_range)
    return made
