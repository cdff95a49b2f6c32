"""All stacks of one side together: what they need and what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from infra.batch_job import BatchJob
from infra.pipeline import Endpoint, ManagedEndpoint
from infra.review.records import Fleet, TeamCost
from infra.review.version import Version


def fleet(side: Mapping[str, Version], other: Mapping[str, Version]) -> Fleet:
    """Endpoints, accelerators at the most replicas, and USD a month; platforms' standing costs are in the sums.

    Args:
        side: every stack of one side by name.
        other: the same of the other side, whose version counts for one that is refused.
    """
    versions = [one for name in side if (one := _or(side[name], other.get(name))) is not None]
    accelerators: Counter[str] = Counter()
    endpoints = unpriced = 0
    for one in versions:
        built = one.built
        if not isinstance(built, Endpoint | ManagedEndpoint):
            continue
        endpoints += 1
        unpriced += one.money is None
        if built.plan.accelerator is not None:
            accelerators[built.plan.accelerator.type] += built.plan.accelerator.count * built.plan.replicas
    paid = [one.money for one in versions if one.money is not None]
    return Fleet(
        endpoints,
        tuple(sorted(accelerators.items())),
        sum(one.monthly_usd_min for one in paid),
        sum(one.monthly_usd_max for one in paid),
        unpriced,
    )


def team_costs(before: Mapping[str, Version], after: Mapping[str, Version]) -> tuple[TeamCost, ...]:
    """USD a month of each team's stacks, by name; a stack that is refused on a side counts as it is on the other."""
    sums: dict[str | None, list[float]] = {}
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        known = [one for one in (old, new) if one is not None and one.built is not None]
        if not known or all(isinstance(one.built, BatchJob) for one in known):
            continue
        for index, one in enumerate((_or(old, new), _or(new, old))):
            if one is not None and one.money is not None:
                sums.setdefault(one.team, [0.0, 0.0])[index] += one.money.monthly_usd_min
    ordered = sorted(sums.items(), key=lambda item: (item[0] is None, item[0] or ""))
    return tuple(TeamCost(team, *costs) for team, costs in ordered)


def _or(one: Version | None, other: Version | None) -> Version | None:
    """A version that is there but refused changes nothing of what runs, so the other stands for it."""
    return other if one is not None and one.built is None else one
