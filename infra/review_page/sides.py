"""What one stack costs, needs and risks, before and after, in words cell by cell."""

from __future__ import annotations

from infra.review import Review
from infra.review_report import memory, money, risk, rows

_ABSENT = "no stack"
_COMPARED = ("cost", "memory proof", "capacity risk")


def sides(one: Review) -> list[tuple[str, str, str]]:
    """Subject, before and after; what neither side has is left out."""
    found = [
        ("cost", one.money_before, one.money_after, money(one.money_before), money(one.money_after)),
        ("memory proof", one.memory_before, one.memory_after, memory(one.memory_before), memory(one.memory_after)),
        ("capacity risk", one.risk_before, one.risk_after, risk(one.risk_before), risk(one.risk_after)),
    ]
    return [
        (subject, _ABSENT if one.kind == "added" else old, _after(one, had is not None, has is not None, old, new))
        for subject, had, has, old, new in found
        if had is not None or has is not None
    ]


def single_rows(one: Review) -> list[tuple[str, str]]:
    """Rows that say both sides in one: policies, lock and manifests."""
    return [(subject, text) for subject, text in rows(one) if subject not in _COMPARED]


def _after(one: Review, had: bool, has: bool, old: str, new: str) -> str:
    if one.kind == "deleted":
        return _ABSENT
    if one.kind == "refused" and not has:
        return "refused: what runs stays as it is"
    return "as before" if had and old == new else new
