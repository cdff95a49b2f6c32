"""The review of a whole change: each touched stack, and what all of them cost together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from infra.batch_job import BatchJob
from infra.errors import PolicyError
from infra.lock import LockChange
from infra.pipeline import Endpoint, ManagedEndpoint, Platform
from infra.policy import RULES
from infra.review.capacity_risk import capacity_risk
from infra.review.comparison import comes_or_goes, differences
from infra.review.dangers import dangers
from infra.review.fleet import fleet, team_costs
from infra.review.locks import lock_sentence, locks_of
from infra.review.manifest_diff import manifest_diff
from infra.review.records import Change, FileDiff, Kind, MemoryProof, Review, Reviews, ToolkitChange
from infra.review.verdict import verdict
from infra.review.version import Version


def review_all(
    before: Mapping[str, Version],
    after: Mapping[str, Version],
    touched: Collection[str],
    base: str = "",
    head: str = "",
    toolkit: ToolkitChange | None = None,
    locks: Sequence[LockChange] = (),
) -> Reviews:
    """Reviews of touched stacks, and costs of all.

    Args:
        before: every stack of that side by name.
        after: the same; one that is as it was may be the same record.
        touched: stacks to review; those of a changed toolkit's that differ are added.
        base: how the side before is named.
        head: the same of the side after.
        toolkit: what of the toolkit's own files differs, without its stacks.
        locks: what the lock file fixes otherwise.
    """
    reached = toolkit is not None and bool(toolkit.catalogue or toolkit.templates)
    names = before.keys() | after.keys()
    wanted = sorted(set(touched) | ({name for name in names if _differs(name, before, after)} if reached else set()))
    stacks = tuple(_review(before.get(name), after.get(name), locks) for name in wanted)
    if toolkit is not None:
        changed = tuple(one.stack for one in stacks if one.kind != "no effect")
        toolkit = ToolkitChange(toolkit.catalogue, toolkit.templates, toolkit.program, changed, toolkit.note)
    return Reviews(
        base,
        head,
        stacks,
        team_costs(before, after),
        fleet(before.values()),
        fleet(after.values()),
        toolkit,
        tuple(map(lock_sentence, locks)),
    )


def _differs(name: str, before: Mapping[str, Version], after: Mapping[str, Version]) -> bool:
    old, new = before.get(name), after.get(name)
    return old is None or new is None or old.effect != new.effect


def _review(before: Version | None, after: Version | None, locks: Sequence[LockChange]) -> Review:
    known = after or before
    assert known is not None
    found = dangers(before, after)
    kind, changes = _kind(before, after)
    shown = after if after is not None and after.built is not None else before
    return Review(
        stack=known.stack,
        path=known.path,
        kind=kind,
        title=_title(shown),
        team=shown.team if shown else None,
        verdict=verdict(kind, found, changes, before.money if before else None, after.money if after else None),
        refusal=str(after.refusal) if after is not None and after.refusal is not None else "",
        dangers=found,
        changes=changes,
        money_before=before.money if before else None,
        money_after=after.money if after else None,
        memory_before=_memory(before),
        memory_after=_memory(after),
        risk_before=capacity_risk(before),
        risk_after=capacity_risk(after),
        rules=len(RULES) if after is not None and after.objects else 0,
        broken=_broken(after),
        locks=locks_of(locks, before, after),
        diff=() if kind in ("no effect", "refused") else _diff(before, after),
    )


def _kind(before: Version | None, after: Version | None) -> tuple[Kind, tuple[Change, ...]]:
    if after is None:
        assert before is not None
        return "deleted", comes_or_goes(before, comes=False)
    if after.built is None:
        return "refused", ()
    same = before is not None and before.built is not None and before.effect == after.effect
    if before is None or before.built is None:
        return "refused" if after.broken else "added" if before is None else "changed", comes_or_goes(after, comes=True)
    changes = () if same else differences(before, after)
    return ("refused" if after.broken else "no effect" if same else "changed"), changes


def _title(version: Version | None) -> str:
    built = version.built if version else None
    if isinstance(built, Platform):
        kind = next(kind for kind in ("gke", "kubernetes", "google", "host", "local") if getattr(built.spec, kind))
        return f"platform ({kind})"
    if built is None:
        return ""
    plan = built.plan
    what = f"{plan.model.id}, {plan.framework.name}"
    if isinstance(built, BatchJob):
        what = f"job of {what}"
    if plan.accelerator is None:
        return f"{what}, on Google's own machines"
    return f"{what}, {plan.accelerator.count} x {plan.accelerator.type} on platform {plan.platform}"


def _memory(version: Version | None) -> MemoryProof | None:
    built = version.built if version else None
    if not isinstance(built, Endpoint | ManagedEndpoint):
        return None
    plan = built.plan
    if plan.memory is None or plan.accelerator is None:
        return None
    longest, at_once = plan.context.max_model_len or 0, plan.context.concurrency or 0
    return MemoryProof(plan.accelerator.type, plan.accelerator.count, longest, at_once, plan.memory)


def _broken(after: Version | None) -> tuple[str, ...]:
    if after is None:
        return ()
    if isinstance(after.refusal, PolicyError):
        return tuple(f"{one.field}: {one.message}" for one in after.refusal.problems)
    return tuple(f"{one.field}: {one.message}" for one in after.broken)


def _diff(before: Version | None, after: Version | None) -> tuple[FileDiff, ...]:
    known = after or before
    assert known is not None
    return manifest_diff(known.stack, before.files if before else {}, after.files if after else {})
