"""One stack's section of the comment."""

from __future__ import annotations

from collections.abc import Iterator

from infra.markdown_parts import Part
from infra.markdown_text import code, fenced, folded, inline, row, table_head
from infra.review.records import FileDiff, Review
from infra.review_report import memory, money, risk
from infra.text import counted

_NOTHING = "none"
_DIFFS, _OPERATORS, _SECTIONS = 0, 1, 2  # of `Part.rank`: what is left out first
_STARTUP = "first answer from nothing"


def stack_parts(one: Review, importance: int) -> Iterator[Part]:
    """Verdict, what its users notice, before and after; what its operators notice; how the rendered files differ."""
    yield Part("\n".join(_section(one)), (_SECTIONS, importance), "stack's section")
    if one.refusal:
        sums = folded(one.stack, "why it is refused, with the sums", fenced(one.refusal, ""))
        yield Part(f"\n{sums}", (_OPERATORS, importance), "refusal")
    operators = _sentences(one, "operators")
    if operators:
        yield Part("\n".join(operators), (_OPERATORS, importance), "operators' list")
    for diff in one.diff:
        text = _diff(diff)
        yield Part(text, (_DIFFS, -len(text)), "diff")


def _section(one: Review) -> Iterator[str]:
    yield f"\n### {code(one.stack)}: {one.kind}"
    if one.title:
        yield f"\n{inline(one.title)}"
    if one.verdict:
        yield f"\n**{inline(one.verdict)}**"
    yield from _sentences(one, "users")
    rows = list(_rows(one))
    if rows:
        yield f"\n{table_head('', 'before', 'after')}"
        yield from (row(*cells) for cells in rows)


def _sentences(one: Review, audience: str) -> list[str]:
    changes = one.of(audience)
    if not changes:
        return []
    return [f"\nFor its {audience}:\n", *(f"- {inline(change.sentence)}" for change in changes)]


def _rows(one: Review) -> Iterator[tuple[str, str, str]]:
    if one.money_before or one.money_after:
        yield "cost", *_sides(one, money(one.money_before), money(one.money_after))
    if one.memory_before or one.memory_after:
        yield "memory", *_sides(one, memory(one.memory_before), memory(one.memory_after))
    if one.risk_before or one.risk_after:
        yield "capacity risk", *_sides(one, risk(one.risk_before), risk(one.risk_after))
    for change in one.changes:
        if change.subject == _STARTUP:
            yield "start-up", inline(change.before) or _NOTHING, inline(change.after) or _NOTHING
    if one.rules:
        broken = "; ".join(one.broken)
        yield "rules", "", inline(f"{one.rules} checked, {f'broken: {broken}' if broken else 'all kept'}")
    yield from (("lock", "", inline(text)) for text in one.locks)


def _sides(one: Review, before: str, after: str) -> tuple[str, str]:
    """Two cells; a side on which there is no such stack, or which is refused, has nothing to say."""
    if one.kind == "added":
        return _NOTHING, inline(after)
    if one.kind == "deleted":
        return inline(before), _NOTHING
    if one.kind == "refused" and one.money_after is None and one.memory_after is None:
        return inline(before), "refused"
    return inline(before), "as before" if before == after else inline(after)


def _diff(diff: FileDiff) -> str:
    more = f"{counted(diff.added, 'line')} more, {diff.removed:,} less"
    return f"\n{folded(diff.file, more, fenced(diff.text, 'diff'))}"
