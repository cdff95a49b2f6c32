"""What a reviewer does about the whole change, and the dangers of all stacks in the order of their weight."""

from __future__ import annotations

from infra.review.dangers import GRAVITY
from infra.review.records import Danger, Reviews
from infra.text import counted

Places = list[tuple[str, Danger]]


def gravest_first(found: Reviews) -> Places:
    """Dangers of all stacks with the stack's name."""
    pairs = [(one.stack, danger) for one in found.stacks for danger in one.dangers]
    return sorted(pairs, key=lambda pair: GRAVITY.index(pair[1].kind))


def dangers_by_sentence(found: Reviews) -> list[Places]:
    """Dangers, the gravest first; one that is the same of several stacks is one."""
    groups: dict[tuple[str, str], Places] = {}
    for stack, danger in gravest_first(found):
        groups.setdefault((danger.kind, danger.sentence), []).append((stack, danger))
    return list(groups.values())


def headline(found: Reviews) -> str:
    """One verdict for the whole change, without a full stop."""
    dangers = dangers_by_sentence(found)
    refused = {one.stack for one in found.stacks if one.kind == "refused"}
    others = sum(any(stack not in refused for stack, _ in places) for places in dangers)
    if refused:
        besides = f", and {counted(others, 'danger')} besides" if others else ""
        return f"Do not approve: {counted(len(refused), 'stack')} would be refused{besides}"
    if dangers:
        return f"Approve only if the {'danger below is' if others == 1 else f'{others:,} dangers below are'} meant"
    if any(one.kind != "no effect" for one in found.stacks):
        return f"No danger found; {cost_move(found)}"
    if found.toolkit is not None and found.toolkit.program:
        return "No stack changes; the program of the toolkit does, which this review does not judge"
    return "Safe to approve: nothing that runs changes"


def cost_move(found: Reviews) -> str:
    """How the bill of all stacks moves, in a few words."""
    before, after = together(found)
    if round(before) == round(after):
        return "what it costs stays as it is"
    return f"it costs {abs(after - before):,.0f} USD a month {'more' if after > before else 'less'}"


def together(found: Reviews) -> tuple[float, float]:
    """USD a month of all stacks at the fewest replicas, before and after."""
    return sum(one.before for one in found.teams), sum(one.after for one in found.teams)
