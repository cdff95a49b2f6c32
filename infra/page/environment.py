"""How templates of pages are read, and what they print: escaped, and with nothing in it that cannot be seen."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from infra.page import numbers


def environment(*folders: Path) -> Environment:
    """Templates of `folders`, then those of this one, with the filters that write numbers."""
    made = Environment(
        loader=FileSystemLoader([*folders, Path(__file__).resolve().parent]),
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


def _printed(value: object) -> object:
    """Every value that a template prints passes here before it is escaped."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return numbers.visible(value)
    return value
