"""What a review says, as data: pure records, from which every form is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from infra.plan.quantities import Memory
from infra.plan.serving_plan import plain
from infra.review.version import Money

Kind = Literal["refused", "changed", "added", "deleted", "no effect"]
KINDS: tuple[Kind, ...] = ("refused", "changed", "added", "deleted", "no effect")
Level = Literal["none", "low", "medium", "high"]
LEVELS: tuple[Level, ...] = ("none", "low", "medium", "high")


@dataclass(frozen=True)
class Danger:
    """What a reviewer must see first, and the place in a stack file that it comes from.

    Attributes:
        kind: a contract of the JSON and SARIF forms.
        sentence: for people.
        path: of the file, from the top of the repository.
        line, column: 1-based; 0 where the whole file is meant.
    """

    kind: str
    sentence: str
    path: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Change:
    """One thing that differs.

    Attributes:
        audience: `users`, who call the endpoint, or `operators`, who run it.
        subject: what it is about, such as `longest request`.
        before, after: how it was and is, in few words; empty where there was or is none.
        sentence: the same for people who know nothing of the engine.
    """

    audience: Literal["users", "operators"]
    subject: str
    before: str
    after: str
    sentence: str


@dataclass(frozen=True)
class MemoryProof:
    """Memory of the fullest accelerator, in GiB, with what it was computed for."""

    accelerator: str
    count: int
    longest_request_tokens: int
    concurrency: int
    memory: Memory

    def to_json(self) -> dict[str, Any]:
        """In short: `servestack plan --json` has every term."""
        memory = self.memory
        return {
            "accelerator": self.accelerator,
            "count": self.count,
            "longestRequestTokens": self.longest_request_tokens,
            "concurrency": self.concurrency,
            "needGiB": round(memory.need_gib, 4),
            "haveGiB": round(memory.have_gib, 4),
            "perAcceleratorGiB": round(memory.per_accelerator_gib, 4),
            "maxConcurrentRequests": memory.max_concurrent_requests,
        }


@dataclass(frozen=True)
class CapacityRisk:
    """How likely it is that machines do not come, or are taken away, and why."""

    level: Level
    sentence: str


@dataclass(frozen=True)
class FileDiff:
    """One file of the rendered tree, as a unified diff; `added` and `removed` count lines."""

    file: str
    text: str
    added: int
    removed: int


@dataclass(frozen=True)
class Review:
    """What the change of one stack means.

    Attributes:
        path: of its file, from the top of the repository.
        title: what it is, such as `gemma-4-31b-it on 1 x h100, vllm`; of a deleted one, what it was.
        verdict: what to do about it, in one sentence.
        refusal: why it is refused after the change, as its author is told; empty where it is not.
        dangers: the gravest first.
        changes: of an added or deleted stack, what comes or goes.
        money_before, money_after: None where not known, or nothing is paid by the hour.
        memory_before, memory_after: None where Google or nobody proves it.
        risk_before, risk_after: None where there are no machines to wait for.
        rules: how many were checked after the change; `broken` are those that are not kept.
        locks: what of the lock file's change reaches this stack, in words.
        diff: of its rendered files.
    """

    stack: str
    path: str
    kind: Kind
    title: str
    team: str | None
    verdict: str
    refusal: str
    dangers: tuple[Danger, ...]
    changes: tuple[Change, ...]
    money_before: Money | None
    money_after: Money | None
    memory_before: MemoryProof | None
    memory_after: MemoryProof | None
    risk_before: CapacityRisk | None
    risk_after: CapacityRisk | None
    rules: int
    broken: tuple[str, ...]
    locks: tuple[str, ...]
    diff: tuple[FileDiff, ...]

    def of(self, audience: str) -> tuple[Change, ...]:
        """Changes for one audience."""
        return tuple(one for one in self.changes if one.audience == audience)

    def to_json(self) -> dict[str, Any]:
        """One element of `stacks` of `servestack review --json`: a contract."""
        return {
            "stack": self.stack,
            "path": self.path,
            "kind": self.kind,
            "title": self.title,
            "team": self.team,
            "verdict": self.verdict,
            "refusal": self.refusal,
            "dangers": [_data(one) for one in self.dangers],
            "changes": [_data(one) for one in self.changes],
            "cost": {"before": _data(self.money_before), "after": _data(self.money_after)},
            "memory": {
                "before": self.memory_before.to_json() if self.memory_before else None,
                "after": self.memory_after.to_json() if self.memory_after else None,
            },
            "capacityRisk": {"before": _data(self.risk_before), "after": _data(self.risk_after)},
            "policies": {"checked": self.rules, "broken": list(self.broken)},
            "locks": list(self.locks),
            "diff": [_data(one) for one in self.diff],
        }


@dataclass(frozen=True)
class TeamCost:
    """USD a month of all stacks of one value of the label `team`, fewest replicas; None is for those without."""

    team: str | None
    before: float
    after: float


@dataclass(frozen=True)
class Fleet:
    """All stacks of one side together; one that is refused counts as it is on the other side.

    Attributes:
        endpoints: how many.
        accelerators: how many of each type at the most replicas, by name.
        unpriced: endpoints without a known price by the hour; they are not in the sums.
    """

    endpoints: int
    accelerators: tuple[tuple[str, int], ...]
    monthly_usd_min: float
    monthly_usd_max: float
    unpriced: int


@dataclass(frozen=True)
class ToolkitChange:
    """Files of the toolkit itself that differ between the sides, by name, and what they reach.

    Attributes:
        stacks: those whose plan or objects differ because of it, or because of their own files.
        note: why one side was planned with the other's data; empty where each had its own.
    """

    catalogue: tuple[str, ...]
    templates: tuple[str, ...]
    program: tuple[str, ...]
    stacks: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Reviews:
    """The whole review: stacks by name, costs of the whole folder by team, and both fleets."""

    base: str
    head: str
    stacks: tuple[Review, ...]
    teams: tuple[TeamCost, ...]
    before: Fleet
    after: Fleet
    toolkit: ToolkitChange | None
    locks: tuple[str, ...]

    @property
    def refused(self) -> bool:
        """Whether any stack is refused after the change."""
        return any(one.kind == "refused" for one in self.stacks)

    def to_json(self) -> dict[str, Any]:
        """As `servestack review --json` prints it: a contract."""
        return {
            "base": self.base,
            "head": self.head,
            "stacks": [one.to_json() for one in self.stacks],
            "teams": [_data(one) for one in self.teams],
            "fleet": {side: _fleet(one) for side, one in (("before", self.before), ("after", self.after))},
            "toolkit": _data(self.toolkit),
            "locks": list(self.locks),
        }


def _fleet(one: Fleet) -> dict[str, Any]:
    found: dict[str, Any] = _data(one)
    return {**found, "accelerators": dict(one.accelerators)}


def _data(one: Any) -> Any:
    return None if one is None else plain(dict(vars(one)))
