"""`site_files`: stacks in, the files of a folder of pages out. Nothing here reads a stack file or writes a page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

from infra.batch_job import BatchJob
from infra.golden import golden_text
from infra.matrix import matrix_page, own_matrix
from infra.own_files import OwnFiles
from infra.page import PlanPage, numbers
from infra.page.environment import environment
from infra.page.plan_page import section
from infra.pipeline import Built, Endpoint, ManagedEndpoint, Platform
from infra.website import drawings
from infra.website.explorer import answers, data
from infra.website.jobs import job_subject
from infra.website.managed import managed_subject
from infra.website.overview import overview
from infra.website.platforms import PlatformRow, platform_rows, platform_subject
from infra.website.row import row
from infra.website.smallest import smallest

_HERE = Path(__file__).resolve().parent
_DOCTYPE = "<!DOCTYPE html>\n"
_HEADER = f"{_DOCTYPE}<!-- Written by servestack site; what is changed here is overwritten. -->\n"
_LINKS = (
    ("index.html", "Stacks"),
    ("platforms.html", "Platforms"),
    ("memory.html", "Memory explorer"),
    ("matrix.html", "Support matrix"),
)
_ADDRESSES = {"catalogue": "index.html", "platforms": "platforms.html", "memory": "memory.html"}
SITE = OwnFiles(
    marker=".servestack-site",
    marker_text="servestack site, version 1\n",
    wrote=lambda _file, text: text.startswith(_HEADER),
    advice="servestack site replaces the whole folder, so nothing else may be in it: name another one, such as a new "
    "folder inside.",
)


@dataclass(frozen=True)
class Stacks:
    """Everything that a site shows.

    Attributes:
        built: stacks and platforms, sorted by name.
        texts: their files, by name.
        refused: messages about the files that are refused, by the file as it is shown.
    """

    built: Sequence[Built]
    texts: Mapping[str, str]
    refused: Mapping[str, str]


def site_files(stacks: Stacks) -> dict[str, str]:
    """Every file of the site by its path below the folder, the same for the same stacks; the marker among them."""
    served = [one for one in stacks.built if not isinstance(one, Platform)]
    rows = [row(one) for one in served]
    platforms = platform_rows([one for one in stacks.built if isinstance(one, Platform)], rows)
    pages = {
        "index.html": _page("catalogue", "", view=overview(rows, platforms, stacks.refused)),
        "platforms.html": _page("platforms", "", platforms=platforms),
        "memory.html": _memory_page(),
        "matrix.html": matrix_page(own_matrix(), links=_LINKS),
    }
    for one in served:
        pages[f"stacks/{one.name}.html"] = _stack_page(one, stacks.texts[one.name])
    by_name = {one.name: one for one in platforms}
    for platform in stacks.built:
        if isinstance(platform, Platform):
            pages[f"stacks/{platform.name}.html"] = _platform_page(platform, by_name[platform.name], stacks.texts)
    marked = {name: _HEADER + text.removeprefix(_DOCTYPE) for name, text in sorted(pages.items())}
    return {SITE.marker: SITE.marker_text} | marked


@cache
def _memory_page() -> str:
    found = answers()
    models, rows = smallest(found)
    return _page("memory", "", data=data(found), models=models, rows=rows)


def _stack_page(one: BatchJob | Endpoint | ManagedEndpoint, text: str) -> str:
    if isinstance(one, Endpoint):
        resolved = one.resolved
        shown = section("plan", PlanPage.of(one.plan, resolved.request, resolved.choice), drawings)
        return _page("endpoint", "../", section=shown, level=1, several=False, **_files(one, text))
    subject = job_subject(one.plan) if isinstance(one, BatchJob) else managed_subject(one.plan)
    return _page(
        "stack", "../", name=one.name, subject=subject, platform=None, on=one.platform_name, **_files(one, text)
    )


def _platform_page(one: Platform, shown: PlatformRow, texts: Mapping[str, str]) -> str:
    subject = platform_subject(shown)
    return _page("stack", "../", name=one.name, subject=subject, platform=shown, **_files(one, texts[one.name]))


def _files(one: Built, text: str) -> dict[str, Any]:
    return {"stack_file": text, "rendered": golden_text(one)}


def _page(template: str, top: str, **shown: Any) -> str:
    """One page.

    Args:
        template: its name; a script of that name belongs to it where there is one.
        top: way from the page to the folder's top.
        shown: what the template is given.
    """
    made = _environment()
    script = _text(f"{template}.js") if (_HERE / f"{template}.js").is_file() else ""
    style = _style()
    policy = f"default-src 'none'; style-src {_hash(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    if script:
        policy += f"; script-src {_hash(script)}"
    return made.get_template(f"{template}.html.j2").render(
        top=top,
        links=_LINKS,
        here=_ADDRESSES.get(template),
        style=Markup(style),
        script=Markup(script),
        policy=policy,
        **shown,
    )


@cache
def _environment() -> Environment:
    made = environment(_HERE)
    made.filters["lines"] = lambda text: escape(numbers.visible_lines(text))
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "sort_keys": False}
    return made


@cache
def _style() -> str:
    return "\n" + _environment().get_template("site.css.j2").render()


@cache
def _text(file: str) -> str:
    return "\n" + (_HERE / file).read_text(encoding="utf-8")


@cache
def _hash(text: str) -> str:
    """A source of a Content-Security-Policy that lets this text alone run, or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
