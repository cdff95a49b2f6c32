"""A review as lines of at most 80 columns: dangers first, then costs, then each stack."""

from __future__ import annotations

from infra.review.headline import gravest_first, headline
from infra.review.records import KINDS, CapacityRisk, MemoryProof, Review, Reviews, ToolkitChange
from infra.review.version import Money
from infra.text import WIDTH, counted, in_column, printable


def review_text(found: Reviews) -> str:
    """The whole review without the diffs; text of stack files is made safe to print."""
    if not found.stacks and found.toolkit is None and not found.locks:
        return f"No stack changes between {found.base} and {found.head}.\n"
    counts = {kind: sum(one.kind == kind for one in found.stacks) for kind in KINDS}
    shown = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number) or "none changes"
    lines = _wrapped(f"{counted(len(found.stacks), 'stack')} from {found.base} to {found.head}: {shown}.", "", "")
    lines += ["", *_wrapped(f"{headline(found)}.", "", "")]
    grave = gravest_first(found)
    lines += ["", "DANGERS" if grave else "No danger that this review knows."]
    for stack, danger in grave:
        lines += _wrapped(f"{stack}: {danger.sentence}", "! ", "  ")
    lines += _toolkit(found.toolkit) if found.toolkit else []
    if found.locks:
        lines += ["", "The lock file fixes otherwise:"]
        lines += [line for one in found.locks for line in _wrapped(one, "  ", "    ")]
    lines += ["", *_costs(found)] if found.teams else []
    told = [one for one in found.stacks if one.kind != "no effect"]
    for one in sorted(told, key=lambda review: KINDS.index(review.kind)):
        lines += _stack(one)
    same = [one.stack for one in found.stacks if one.kind == "no effect"]
    if same:
        said = f"No effect on {counted(len(same), 'stack')}, nothing that runs changes: {', '.join(same)}."
        lines += ["", *_wrapped(said, "", "  ")]
    return "\n".join(lines) + "\n"


def _toolkit(change: ToolkitChange) -> list[str]:
    said = toolkit_sentences(change)
    return ["", *(line for one in said for line in _wrapped(one, "", "  "))]


def toolkit_sentences(change: ToolkitChange) -> list[str]:
    """What a change of the toolkit's own files reaches."""
    said = []
    for what, files in (("catalogue", change.catalogue), ("templates", change.templates)):
        if files:
            said.append(f"The {what} change: {', '.join(files)}.")
    if change.catalogue or change.templates:
        named = ", ".join(change.stacks) or "none"
        said.append(f"{counted(len(change.stacks), 'stack')} differ because of them or of their own files: {named}.")
    if change.program:
        number = counted(len(change.program), "file")
        said.append(f"The program changes too ({number}): both sides were planned with the one that runs now.")
    return [*said, *([change.note] if change.note else [])]


def _costs(found: Reviews) -> list[str]:
    rows = [(one.team or "(no team)", one.before, one.after) for one in found.teams]
    rows.append(("together", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    lines = ["Cost of all stacks in USD a month, at the fewest replicas:"]
    for name, before, after in rows if len(rows) > 2 else rows[:1]:
        if round(before) != round(after) or name == "together" or len(rows) == 2:
            lines += _wrapped(f"{name}: {before:,.0f} -> {after:,.0f} ({after - before:+,.0f})", "  ", "    ")
    return lines


def _stack(one: Review) -> list[str]:
    lines = ["", *_wrapped(f"{one.stack}: {one.kind}{f' ({one.title})' if one.title else ''}", "", "  ")]
    lines += _wrapped(one.verdict, "  ", "  ")
    lines += _wrapped(one.refusal, "  | ", "  | ") if one.refusal else []
    for audience, heading in (("users", "For its users:"), ("operators", "For its operators:")):
        changes = one.of(audience)
        lines += [f"  {heading}"] if changes else []
        for change in changes:
            lines += _wrapped(change.sentence, "  - ", "    ")
    for name, text in rows(one):
        lines += _wrapped(f"{name}: {text}", "  ", "    ")
    return lines


def rows(one: Review) -> list[tuple[str, str]]:
    """Cost, memory, capacity and rules before and after, for every form."""
    found = []
    if one.money_before or one.money_after:
        found.append(("cost", _pair(one, money(one.money_before), money(one.money_after))))
    if one.memory_before or one.memory_after:
        found.append(("memory proof", _pair(one, memory(one.memory_before), memory(one.memory_after))))
    if one.risk_before or one.risk_after:
        found.append(("capacity risk", _pair(one, risk(one.risk_before), risk(one.risk_after))))
    if one.rules:
        broken = "; ".join(one.broken)
        found.append(("policies", f"{one.rules} rules checked, {f'broken: {broken}' if broken else 'all kept'}"))
    found += [("lock", text) for text in one.locks]
    if one.diff:
        added, removed = sum(file.added for file in one.diff), sum(file.removed for file in one.diff)
        number = counted(len(one.diff), "file")
        found.append(("manifests", f"{number} changed: {added:,} lines added, {removed:,} removed"))
    return found


def _pair(one: Review, before: str, after: str) -> str:
    if one.kind == "added":
        return after
    if one.kind in ("deleted", "refused"):
        return before
    return f"{after}, as before" if before == after else f"{before} -> {after}"


def money(one: Money | None) -> str:
    """Such as `at most 8,075 USD a month`."""
    if one is None:
        return "not known by the month"
    fewest, most = one.monthly_usd_min, one.monthly_usd_max
    up = f", {most:,.0f} with most replicas" if round(most) != round(fewest) else ""
    return f"{'' if one.exact else 'at most '}{fewest:,.0f} USD a month{up}"


def memory(one: MemoryProof | None) -> str:
    """Such as `71.2 of 72.8 GiB of each of 1 x h100`."""
    if one is None:
        return "none"
    need, have = one.memory.need_gib, one.memory.have_gib
    return f"{need:.1f} of {have:.1f} GiB ({one.count} x {one.accelerator}), {have - need:.1f} GiB to spare"


def risk(one: CapacityRisk | None) -> str:
    """Level and why."""
    return f"{one.level} ({one.sentence})" if one else "none"


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    lines = [line for part in printable(text).splitlines() for line in in_column(part, WIDTH - len(rest))]
    return [(rest if index else first) + line for index, line in enumerate(lines)]
