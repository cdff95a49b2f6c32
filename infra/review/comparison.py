"""What differs between two versions of one stack, in the order of interest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.batch_job import BatchJob
from infra.pipeline import Endpoint, Platform
from infra.review.facts import NONE, SILENT, Fact, facts
from infra.review.records import Change
from infra.review.sentences import sentence
from infra.review.version import Version
from infra.text import counted

# What makes a Kubernetes controller start new pods when it changes.
_TEMPLATES = {"Deployment": "template", "LeaderWorkerSet": "leaderWorkerTemplate"}


def comes_or_goes(version: Version, *, comes: bool) -> tuple[Change, ...]:
    """What an added stack brings, or a deleted one takes away."""
    found = [Change("users", "endpoint", *_side("", "it", comes), _arrival(version, comes))]
    found += [
        Change(one.audience, one.subject, *_side("", one.text, comes), f"{one.subject}: {one.text}")
        for one in facts(version).values()
        if one.text not in SILENT
    ]
    if version.objects:
        number = counted(len(version.objects), "object")
        said = f"{number} of the cluster {'made' if comes else 'deleted'}."
        found.append(Change("operators", "objects", *_side("", number, comes), said))
    return tuple(found)


def _side(before: str, after: str, comes: bool) -> tuple[str, str]:
    return (before, after) if comes else (after, before)


def _arrival(version: Version, comes: bool) -> str:
    built = version.built
    if built is None or isinstance(built, Platform):
        return f"A platform {'is made' if comes else 'and all that is made for it goes'}."
    what = f"{built.plan.model.id} on platform {built.plan.platform}"
    if isinstance(built, BatchJob):
        return f"A job of {what} {'is started' if comes else 'is no longer run, and what runs of it is stopped'}."
    if comes:
        return f"Callers get {what}."
    return f"Callers lose {what}: every request to it fails from then on."


def differences(before: Version, after: Version) -> tuple[Change, ...]:
    """What a changed stack does otherwise; both versions are planned."""
    old, new = facts(before), facts(after)
    found = [_change(old.get(subject), new.get(subject)) for subject in dict.fromkeys([*new, *old])]
    return (*filter(None, found), *_roll_out(before, after), *_objects(before, after))


def _change(before: Fact | None, after: Fact | None) -> Change | None:
    if before is not None and after is not None:
        if before.text == after.text:
            return None
        return Change(after.audience, after.subject, before.text, after.text, sentence(before, after))
    known = before or after
    assert known is not None
    if known.text in SILENT:
        return None
    said = f"{known.subject}: {known.text}, {'new' if after else 'no longer said'}"
    return Change(known.audience, known.subject, before.text if before else "", after.text if after else "", said)


def _roll_out(before: Version, after: Version) -> Iterator[Change]:
    """What happens to pods and machines, and what callers see meanwhile."""
    old, new = facts(before), facts(after)
    moved = "node pools" in old and "node pools" in new and old["node pools"].text != new["node pools"].text
    if moved:
        said = "The machines are replaced: new node pools are made, and the old ones deleted."
        yield Change("operators", "machines replaced", "", "yes", said)
    if "endpoint" in old and "endpoint" in new and old["endpoint"].text != new["endpoint"].text:
        said = "The endpoint at Google is replaced: the old one goes before the new one answers, under another name."
        yield Change("users", "endpoint replaced", "", "yes", said)
    if not isinstance(before.built, Endpoint) or not isinstance(after.built, Endpoint) or not after.objects:
        return
    if _pods(before) == _pods(after):
        yield Change("operators", "restarts", "", "none", "No pod restarts.")
        return
    rollout = after.built.plan.rollout
    said = f"Every pod restarts ({rollout.strategy}), about {rollout.duration_seconds:,} s in all."
    yield Change("operators", "restarts", "", f"all, {rollout.strategy}", said)
    pools = after.built.plan.node_pools
    seconds = pools.move_seconds if moved else rollout.downtime_seconds
    short = f"about {seconds:,} s" if seconds else NONE
    said = f"Downtime while it is rolled out: {pools.move if moved else rollout.downtime}."
    yield Change("users", "downtime", "", short, said)


def _pods(version: Version) -> list[Any]:
    return [one["spec"][_TEMPLATES[one["kind"]]] for one in version.objects if one["kind"] in _TEMPLATES]


def _objects(before: Version, after: Version) -> Iterator[Change]:
    old, new = (_by_name(one) for one in (before, after))
    groups = (
        ("new objects", "made", [key for key in new if key not in old]),
        ("changed objects", "changed", [key for key in new if key in old and new[key] != old[key]]),
        ("deleted objects", "deleted", [key for key in old if key not in new]),
    )
    for subject, done, keys in groups:
        if keys:
            named = ", ".join(f"{kind} {name}" for kind, name in sorted(keys))
            yield Change("operators", subject, "", named, f"Objects of the cluster that are {done}: {named}.")


def _by_name(version: Version) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["kind"], one["metadata"]["name"]): one for one in version.objects}
