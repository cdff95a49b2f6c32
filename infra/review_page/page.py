"""`review_page`: a review in, one HTML page out. Nothing outside the page is needed, and no script runs in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from infra.page.environment import environment
from infra.review import KINDS, Danger, Review, Reviews
from infra.review.headline import cost_move, dangers_by_sentence, headline, together
from infra.review.kinds import DANGER_KINDS
from infra.review_page.bars import cost_pairs, fleet_pairs, memory_rows
from infra.review_report import rows, toolkit_sentences

_FOLDER = Path(__file__).resolve().parent


def review_page(found: Reviews) -> str:
    """The whole review as one HTML document, with every diff; the same text for the same review."""
    told = sorted((one for one in found.stacks if one.kind != "no effect"), key=lambda one: KINDS.index(one.kind))
    return (
        environment(_FOLDER)
        .get_template("review.html.j2")
        .render(
            found=found,
            headline=headline(found),
            cost_move=cost_move(found),
            together=together(found),
            dangers=dangers_by_sentence(found),
            kinds=DANGER_KINDS,
            counts=[(kind, sum(one.kind == kind for one in found.stacks)) for kind in KINDS],
            told=told,
            same=[one.stack for one in found.stacks if one.kind == "no effect"],
            toolkit=toolkit_sentences(found.toolkit) if found.toolkit else [],
            costs=cost_pairs(found),
            fleet=fleet_pairs(found.before, found.after),
            memory=memory_rows(told),
            rows=rows,
            place=_place,
            diff_lines=diff_lines,
            words=_words,
        )
    )


def diff_lines(one: Review) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Of each file its name, and each line with its kind: `added`, `removed`, `hunk` or `same`."""
    kinds = {"+": "added", "-": "removed", "@": "hunk"}
    for file in one.diff:
        lines = file.text.splitlines()[2:]
        yield file.file, [(kinds.get(line[:1], "same"), line) for line in lines]


def _words(text: str) -> str:
    """A sentence as a page shows it."""
    return text.replace(" -> ", " → ").replace("`", "")


def _place(danger: Danger) -> str:
    return f"{danger.path}:{danger.line}" if danger.line else danger.path
