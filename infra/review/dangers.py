"""What of a change a reviewer must see first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.batch_job import BatchJob
from infra.pipeline import Endpoint, ManagedEndpoint, Platform
from infra.review.network import widened
from infra.review.side import Refused, Side, monthly_usd, objects

# The gravest first.
GRAVITY = (
    "refused",
    "authentication-off",
    "network-widened",
    "protection-off",
    "cost",
    "moving-image",
    "revision-changed",
)
_TIMES = 2  # a bill that is at least so many times the old one


@dataclass(frozen=True)
class Danger:
    """One of them: `kind` is a contract of the JSON form, `sentence` is for people."""

    kind: str
    sentence: str


def dangers(before: Side | None, after: Side | None) -> tuple[Danger, ...]:
    """Dangers of one stack's change, the gravest first."""
    if after is None:
        return ()
    if isinstance(after, Refused):
        what = "refused" if before is None or isinstance(before, Refused) else "refused after the change"
        return (Danger("refused", f"{what}: {after.message}"),)
    was = None if isinstance(before, Refused) else before
    kinds = (
        ("authentication-off", _authentication(was, after)),
        ("network-widened", iter(widened(objects(was), objects(after)))),
        ("protection-off", _protection(was, after)),
        ("cost", _cost(was, after)),
        ("moving-image", _images(was, after)),
        ("revision-changed", _revisions(was, after)),
    )
    return tuple(Danger(kind, sentence) for kind, sentences in kinds for sentence in sentences)


def _authentication(before: Side | None, after: Side) -> Iterator[str]:
    if not isinstance(after, Endpoint) or after.plan.access.authentication != "none":
        return
    if isinstance(before, Endpoint) and before.plan.access.authentication == "none":
        return
    had = "authentication is switched off" if isinstance(before, Endpoint) else "authentication is off"
    yield f"{had}: no key is asked for; reason given: {after.plan.access.why}"


def _protection(before: Side | None, after: Side) -> Iterator[str]:
    if not isinstance(before, Platform) or not isinstance(after, Platform):
        return
    old, new = before.spec.gke, after.spec.gke
    if old is None or new is None:
        return
    if old.deletionProtection and not new.deletionProtection:
        yield "deletionProtection is switched off: the cluster can be deleted with all that runs on it"
    if old.budget is not None and new.budget is None:
        yield "the project's budget alert is removed"
    more = [one for one in new.authorizedNetworks if one not in old.authorizedNetworks]
    if old.authorizedNetworks and (more or not new.authorizedNetworks):
        yield f"the cluster's API is open to more addresses: {', '.join(more) or 'authorizedNetworks is gone'}"


def _cost(before: Side | None, after: Side) -> Iterator[str]:
    if before is None or isinstance(after, Platform) or isinstance(before, Platform | Refused):
        return
    old, new = monthly_usd(before), monthly_usd(after)
    if isinstance(before, BatchJob) and isinstance(after, BatchJob):
        old, new = before.plan.cost.most_usd, after.plan.cost.most_usd
    if old and new and new >= _TIMES * old:
        yield f"the cost is {new / old:.1f} times what it was: {old:,.0f} -> {new:,.0f} USD"
    if old and new is None and not isinstance(after, ManagedEndpoint):
        yield f"the cost is no longer known; it was {old:,.0f} USD"
    limits = [one.spec.budgetUsdPerMonth for one in (before, after) if not isinstance(one, Refused)]
    if limits[0] is not None and (limits[1] is None or limits[1] > limits[0]):
        now = "there is none" if limits[1] is None else f"it is {limits[1]:,.0f} USD"
        yield f"budgetUsdPerMonth was {limits[0]:,.0f} USD, now {now}: a plan that costs more is no longer refused"


def _images(before: Side | None, after: Side) -> Iterator[str]:
    """Images that the stack file names by a tag, and those that had a digest; the catalogue's name a version."""
    if isinstance(after, Platform | Refused):
        return
    had, own = set(_all_images(objects(before))), after.spec.engine.image
    fixed = {_bare(image) for image in had if "@sha256:" in image}
    for image in sorted(set(_all_images(objects(after))) - had):
        named = own is not None and image.rpartition("/")[2] == own.rpartition("/")[2]
        if "@sha256:" not in image and (named or _bare(image) in fixed):
            yield f"image {image} is named by a tag, which can move: write its digest (@sha256:...)"


def _bare(image: str) -> str:
    """An image's last word, without tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _all_images(value: Any) -> Iterator[str]:
    """Every container's image."""
    if isinstance(value, dict):
        if isinstance(value.get("image"), str):
            yield value["image"]
        for one in value.values():
            yield from _all_images(one)
    elif isinstance(value, list):
        for one in value:
            yield from _all_images(one)


def _revisions(before: Side | None, after: Side) -> Iterator[str]:
    if not isinstance(before, Endpoint | BatchJob) or not isinstance(after, Endpoint | BatchJob):
        return
    old, new = before.plan.model, after.plan.model
    if old.revision != new.revision and old.checkpoint == new.checkpoint:
        yield f"other weights: {new.checkpoint} from {_short(old.revision)} to {_short(new.revision)}"
    if isinstance(before, Endpoint) and isinstance(after, Endpoint):
        had = {one.name: one for one in before.plan.adapters}
        for one in after.plan.adapters:
            was = had.get(one.name)
            if was is not None and (was.repository, was.revision) != (one.repository, one.revision):
                yield (
                    f"other weights: adapter {one.name} from {was.repository} {_short(was.revision)} "
                    f"to {one.repository} {_short(one.revision)}"
                )


def _short(revision: str | None) -> str:
    return f"revision {revision[:12]}" if revision else "no fixed revision"
