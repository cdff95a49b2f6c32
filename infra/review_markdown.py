"""A review as Markdown for the comment of a merge request: what a reviewer must know first, the rest below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infra.markdown_parts import Part, fitted
from infra.markdown_text import code, inline, row, table_head
from infra.review import GRAVITY, KINDS, Danger, Review, Reviews
from infra.review.headline import Places, dangers_by_sentence, headline, together
from infra.review.kinds import DANGER_KINDS
from infra.review_markdown_stack import stack_parts
from infra.review_report import toolkit_sentences
from infra.text import counted

MARKER = "<!-- servestack-review -->"
LIMIT_BYTES = 65_000  # GitHub takes 65,536 characters in a comment, GitLab 1,000,000
_NAMES = 20  # of stacks in one line
_TOOLKIT = 2_000  # characters of a sentence that names every stack
_ROWS, _TEAMS, _DANGERS = 3, 4, 5  # of `Part.rank`, above those of a stack's section


def review_markdown(found: Reviews, limit_bytes: int = LIMIT_BYTES) -> str:
    """The comment.

    It begins with a line that is not shown, by which a workflow finds the comment that it wrote before. Text of stack
    files stays text: nothing in it becomes a link, a picture, a mention or markup.

    Args:
        found: the review.
        limit_bytes: of UTF-8, 8,000 at least. What does not fit is left out, the least important first: diffs, what
            operators notice, stacks without danger, rows of tables, and dangers only where there are more than fit.
    """
    changed = sorted((one for one in found.stacks if one.kind != "no effect"), key=_gravity)
    same = [one.stack for one in found.stacks if one.kind == "no effect"]
    dangers = dangers_by_sentence(found)
    parts = [Part(f"{MARKER}\n## {headline(found)}"), *_dangers(found, dangers)]
    parts += [Part(f"\n{_costs(found)}"), *_teams(found)] if found.teams else []
    parts += [Part(f"\n{_counts(found)}"), *_table(changed)] if changed else []
    parts += [Part(f"\nNo effect on what runs: {_names(same)}.")] if same else []
    parts += [Part(f"\n{inline(one, _TOOLKIT)}") for one in (toolkit_sentences(found.toolkit) if found.toolkit else [])]
    if found.locks:
        said = f"The lock file fixes otherwise: {'; '.join(found.locks)}."
        parts.append(Part(f"\n{inline(said, _TOOLKIT)}"))
    parts.append(Part("", note=True))
    for index, one in enumerate(changed):
        parts += stack_parts(one, len(changed) - index)
    return fitted(parts, limit_bytes)


def _gravity(one: Review) -> tuple[bool, int, int, str]:
    worst = min((GRAVITY.index(danger.kind) for danger in one.dangers), default=len(GRAVITY))
    return one.kind != "refused", worst, KINDS.index(one.kind), one.stack


def _dangers(found: Reviews, dangers: Sequence[Places]) -> Iterator[Part]:
    """An alert of GitHub and GitLab; where there are none, a quote that begins with a word."""
    if not dangers:
        return
    yield Part(f"\n> [!{'CAUTION' if found.refused else 'WARNING'}]")
    told: set[str] = set()
    for index, places in enumerate(dangers):
        danger = places[0][1]
        kind = DANGER_KINDS[danger.kind]
        where = ", ".join(f"{code(stack)} ({_place(one)})" for stack, one in places[:_NAMES])
        more = f" and {len(places) - _NAMES:,} more" if len(places) > _NAMES else ""
        why = "" if danger.kind in told else f"<br>*{inline(f'{kind.meaning} {kind.check}')}*"
        told.add(danger.kind)
        yield Part(f"> - **{kind.title}:** {where}{more}: {inline(danger.sentence)}{why}", (_DANGERS, -index), "danger")


def _place(danger: Danger) -> str:
    return code(f"{danger.path}:{danger.line}" if danger.line else danger.path)


def _costs(found: Reviews) -> str:
    before, after = together(found)
    moved = "as before" if round(before) == round(after) else f"{after - before:+,.0f}; before, {before:,.0f}"
    unpriced = counted(found.after.unpriced, "endpoint") if found.after.unpriced else ""
    said = f"**Cost: {after:,.0f} USD a month** for all stacks at their fewest replicas ({moved})."
    return f"{said} Not in it: {unpriced} without a known price." if unpriced else said


def _teams(found: Reviews) -> Iterator[Part]:
    """Teams whose costs move, where there are several teams."""
    moved = [one for one in found.teams if round(one.before) != round(one.after)]
    if len(found.teams) < 2 or not moved:
        return
    yield Part(f"\n{table_head('team', 'before', 'after', 'USD a month', numbers=3)}")
    for one in moved:
        cells = (f"{one.before:,.0f}", f"{one.after:,.0f}", f"{one.after - one.before:+,.0f}")
        name = code(one.team) if one.team else "no team"
        yield Part(row(name, *cells), (_TEAMS, abs(one.after - one.before)), "team")


def _counts(found: Reviews) -> str:
    counts = {kind: sum(one.kind == kind for one in found.stacks) for kind in KINDS}
    said = ", ".join(f"{number:,} {kind}" for kind, number in counts.items() if number)
    sides = f", from {code(found.base)} to {code(found.head)}" if found.base and found.head else ""
    return f"{counted(len(found.stacks), 'stack')}{sides}: {said}."


def _table(changed: Sequence[Review]) -> Iterator[Part]:
    yield Part(f"\n{table_head('stack', 'what', 'USD a month', 'GiB of memory to spare', numbers=2)}")
    for index, one in enumerate(changed):
        number = f", {counted(len(one.dangers), 'danger')}" if one.dangers and one.kind != "refused" else ""
        cells = (code(one.stack), f"{one.kind}{number}", _cost(one), _to_spare(one))
        yield Part(row(*cells), (_ROWS, len(changed) - index), "table row")


def _cost(one: Review) -> str:
    before, after = (f"{side.monthly_usd_min:,.0f}" if side else "" for side in (one.money_before, one.money_after))
    if one.kind == "deleted" and before:
        after = "0"
    return _arrow(one, before, after)


def _to_spare(one: Review) -> str:
    sides = (one.memory_before, one.memory_after)
    return _arrow(one, *(f"{side.memory.have_gib - side.memory.need_gib:.1f}" if side else "" for side in sides))


def _arrow(one: Review, before: str, after: str) -> str:
    """One cell; of what is refused the side that runs on, and nothing of what nobody knows."""
    if before and after and before != after:
        return f"{before} → {after}"
    if before and not after and one.kind == "changed":
        return f"{before} → unknown"
    return after or ("" if one.kind == "deleted" else before)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(code(name) for name in names[:_NAMES])
    return shown if len(names) <= _NAMES else f"{shown} and {len(names) - _NAMES:,} more"
