"""What a reviewer who knows nothing of the engine should do about one stack, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from infra.review.records import Change, Danger, Kind
from infra.review.version import Money


def verdict(
    kind: Kind, dangers: Sequence[Danger], changes: Sequence[Change], before: Money | None, after: Money | None
) -> str:
    """The sentence; what it rests on stands below it in every form."""
    if kind == "refused":
        return "Do not approve: `pulumi up` would refuse this stack."
    if kind == "no effect":
        return "Safe to approve: nothing that runs changes."
    if dangers:
        number = "its danger" if len(dangers) == 1 else f"each of its {len(dangers)} dangers"
        return f"Approve only if {number} is meant{_and_cost(before, after)}."
    if kind == "deleted":
        return f"Approve if nobody calls it any more{_and_cost(before, after)}."
    if kind == "added":
        return f"No danger found. Approve if it is wanted{_and_cost(before, after)}."
    said = [one.subject for one in changes if one.audience == "users" and one.subject != "downtime"]
    what = f"users notice: {', '.join(said)}" if said else "users notice no other answers"
    return f"No danger found; {what}{_and_cost(before, after)}."


def _and_cost(before: Money | None, after: Money | None) -> str:
    """How the bill moves, where it does."""
    old, new = before.monthly_usd_min if before else 0.0, after.monthly_usd_min if after else 0.0
    if round(old) == round(new):
        return ""
    return f"; it costs {abs(new - old):,.0f} USD a month {'more' if new > old else 'less'}"
