"""Each stack's change: what kind it is, its dangers, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from infra.pipeline import Endpoint
from infra.review.dangers import Danger, dangers
from infra.review.facts import facts
from infra.review.side import Refused, Side, effect, monthly_usd, objects, team

_ALWAYS = ("memory needed", "cost", "cost at most")  # said even where they stay as they are


@dataclass(frozen=True)
class Review:
    """What the change of one stack means.

    Attributes:
        kind: `no effect`, `added`, `deleted`, `changed` or `refused` (after the change).
        dangers: the gravest first.
        sentences: what differs; of an added or deleted stack, what comes or goes.
        monthly_usd_before, monthly_usd_after: at the fewest replicas; None where not known, or no endpoint.
    """

    stack: str
    kind: str
    dangers: tuple[Danger, ...]
    sentences: tuple[str, ...]
    monthly_usd_before: float | None
    monthly_usd_after: float | None


@dataclass(frozen=True)
class TeamCost:
    """USD a month of the reviewed stacks of one value of the label `team`; None is for those without."""

    team: str | None
    before: float
    after: float


@dataclass(frozen=True)
class Reviews:
    """All of them by name, and costs summed by team: those of the stacks that are reviewed, no others."""

    stacks: tuple[Review, ...]
    teams: tuple[TeamCost, ...]

    @property
    def refused(self) -> bool:
        """Whether any stack is refused after the change."""
        return any(one.kind == "refused" for one in self.stacks)

    def to_json(self) -> dict[str, Any]:
        """As `servestack review --json` prints it: a contract."""
        words = {"monthly_usd_before": "monthlyUsdBefore", "monthly_usd_after": "monthlyUsdAfter"}
        stacks = [{words.get(key, key): value for key, value in asdict(one).items()} for one in self.stacks]
        return {"stacks": stacks, "teams": [asdict(one) for one in self.teams]}


def review_all(before: Mapping[str, Side], after: Mapping[str, Side]) -> Reviews:
    """Reviews of all stacks of two sets, and what they cost."""
    names = sorted(before.keys() | after.keys())
    teams: dict[str | None, list[float]] = {}
    for index, sides in enumerate((before, after)):
        for side in sides.values():
            cost = monthly_usd(side)
            if cost is not None:
                teams.setdefault(team(side), [0.0, 0.0])[index] += cost
    ordered = sorted(teams.items(), key=lambda item: (item[0] is None, item[0] or ""))
    return Reviews(
        tuple(_review(name, before.get(name), after.get(name)) for name in names),
        tuple(TeamCost(name, *sums) for name, sums in ordered),
    )


def _review(name: str, before: Side | None, after: Side | None) -> Review:
    found = dangers(before, after)
    kind, sentences = _kind(before, after)
    return Review(name, kind, found, tuple(sentences), monthly_usd(before), monthly_usd(after))


def _kind(before: Side | None, after: Side | None) -> tuple[str, list[str]]:
    if after is None:
        assert before is not None
        return "deleted", ["takes away:", *_listed(before)]
    if isinstance(after, Refused):
        return "refused", []
    if before is None:
        return "added", _listed(after)
    if isinstance(before, Refused):
        return "changed", ["it was refused before, and is planned now", *_listed(after)]
    if effect(before) == effect(after):
        return "no effect", []
    return "changed", _differing(before, after)


def _listed(side: Side) -> list[str]:
    kinds = [one["kind"] for one in objects(side)]
    lines = [f"{subject}: {text}" for subject, text in facts(side).items() if text not in ("none", "nothing")]
    return [*lines, *([f"objects of a cluster: {len(kinds)}"] if kinds else [])]


def _differing(before: Side, after: Side) -> list[str]:
    old, new = facts(before), facts(after)
    found = [
        f"{subject}: {old.get(subject, 'none')} -> {new.get(subject, 'none')}"
        for subject in dict.fromkeys([*new, *old])
        if old.get(subject) != new.get(subject)
    ]
    found += [f"{subject}: {new[subject]}, as before" for subject in _ALWAYS if new.get(subject, 0) == old.get(subject)]
    if old.get("node pools") != new.get("node pools"):
        move = f"; downtime {after.plan.node_pools.move}" if isinstance(after, Endpoint) else ""
        found.append(f"machines are replaced: new node pools are made, and the old ones deleted{move}")
    if old.get("endpoint") != new.get("endpoint"):
        found.append("the endpoint is replaced: its name at Google changes, and callers must be told")
    return [*found, *_restarts(before, after), *_objects(before, after)]


def _restarts(before: Side, after: Side) -> list[str]:
    if not isinstance(before, Endpoint) or not isinstance(after, Endpoint):
        return []
    rollout = after.plan.rollout
    if _pods(before) == _pods(after):
        return ["no pod restarts"] if objects(after) else []
    return [
        f"every pod restarts ({rollout.strategy}), about {rollout.duration_seconds:,} s in all; downtime "
        f"{rollout.downtime}"
    ]


def _pods(side: Side) -> list[Any]:
    """Pod templates, whose change makes new pods."""
    kinds = {"Deployment": "template", "LeaderWorkerSet": "leaderWorkerTemplate"}
    return [one["spec"][kinds[one["kind"]]] for one in objects(side) if one["kind"] in kinds]


def _objects(before: Side, after: Side) -> list[str]:
    old, new = ({(one["kind"], one["metadata"]["name"]): one for one in objects(side)} for side in (before, after))
    groups = {
        "new objects": [key for key in new if key not in old],
        "changed objects": [key for key in new if key in old and new[key] != old[key]],
        "deleted objects": [key for key in old if key not in new],
    }
    return [
        f"{what}: {', '.join(f'{kind} {name}' for kind, name in sorted(keys))}" for what, keys in groups.items() if keys
    ]
