"""What of a change a reviewer must see first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from infra.batch_job import BatchJob
from infra.document import Path
from infra.errors import PolicyError
from infra.pipeline import Endpoint, ManagedEndpoint, Platform
from infra.review.capacity_risk import capacity_risk
from infra.review.images import image_dangers
from infra.review.network import widened
from infra.review.platforms import platform_dangers
from infra.review.records import LEVELS, Danger
from infra.review.version import Version
from infra.review.weights import weights_dangers

# The gravest first.
GRAVITY = (
    "refused",
    "policy",
    "authentication-off",
    "network-widened",
    "protection-off",
    "rights-widened",
    "cost",
    "platform-deleted",
    "platform-remade",
    "downtime",
    "moving-image",
    "other-image",
    "revision-changed",
    "capacity-risk",
)
_TIMES = 2  # a bill that is at least so many times the old one
_NEEDED, _THERE = r"^ *needed +([0-9.]+)$", r"^ *there\b.* ([0-9.]+)$"
_LONGEST = 300  # characters of why a stack is refused; the whole stands with the stack


@dataclass(frozen=True)
class _Found:
    """A danger, and the field of the stack file that it comes from."""

    kind: str
    sentence: str
    field: Path = ()


def dangers(before: Version | None, after: Version | None) -> tuple[Danger, ...]:
    """Dangers of one stack's change, the gravest first."""
    if after is None:
        assert before is not None
        return tuple(_placed(one, before) for one in _deletion(before))
    if after.built is None:
        return tuple(_refusals(before, after))
    was = before if before is not None and before.built is not None else None
    found = [
        *_policies(was, after),
        *_authentication(was, after),
        *(_Found("network-widened", said, ("expose",)) for said in _network(was, after)),
        *(_Found(*found) for found in platform_dangers(was, after)),
        *_rights(was, after),
        *_cost(was, after),
        *_downtime(was, after),
        *(_Found(kind, said, ("engine", "image")) for kind, said in image_dangers(was, after)),
        *(_Found("revision-changed", said, field) for said, field in weights_dangers(was, after)),
        *_capacity(was, after),
    ]
    return tuple(_placed(one, after) for one in sorted(found, key=lambda one: GRAVITY.index(one.kind)))


def _placed(found: _Found, version: Version) -> Danger:
    document = version.document
    if document is None:
        return Danger(found.kind, found.sentence, version.path)
    problem = document.problem(found.field, found.sentence)
    return Danger(found.kind, found.sentence, version.path, problem.line, problem.column)


def _refusals(before: Version | None, after: Version) -> Iterator[Danger]:
    """One for each problem, at its own line."""
    was = before is not None and before.built is not None
    what = "refused after the change" if was else "refused"
    refusal = after.refusal
    assert refusal is not None
    kind = "policy" if isinstance(refusal, PolicyError) else "refused"
    if not refusal.problems:
        yield Danger(kind, f"{what}: {_short(str(refusal))}", after.path)
    for one in refusal.problems:
        said = _memory(one.message) or (f"{one.field}: {one.message}" if one.field else one.message)
        here = one.path.rpartition("/")[2] == after.path.rpartition("/")[2]
        where = (after.path, one.line, one.column) if here else (after.path, 0, 0)
        yield Danger(kind, f"{what}: {_short(said) if here else _short(str(one))}", *where)


def _memory(message: str) -> str:
    """The sum of a memory proof that fails, which its author is told term by term; empty for other messages."""
    needed, there = (re.search(pattern, message, re.MULTILINE) for pattern in (_NEEDED, _THERE))
    if "does not fit" not in message or needed is None or there is None:
        return ""
    return f"memory does not fit: {float(needed[1]):,.1f} GiB are needed of each accelerator, {there[1]} GiB are there"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def _policies(before: Version | None, after: Version) -> Iterator[_Found]:
    had = {one.message for one in before.broken} if before else set()
    for one in after.broken:
        yield _Found("policy", f"breaks {one.field}{' still' if one.message in had else ''}: {one.message}")


def _deletion(before: Version) -> Iterator[_Found]:
    if isinstance(before.built, Platform) and before.built.spec.gke and before.built.spec.gke.cluster.create:
        yield _Found("platform-deleted", "a platform is deleted: its cluster goes, with all that runs on it")


def _authentication(before: Version | None, after: Version) -> Iterator[_Found]:
    built, was = after.built, before.built if before else None
    if not isinstance(built, Endpoint) or built.plan.access.authentication != "none":
        return
    if isinstance(was, Endpoint) and was.plan.access.authentication == "none":
        return
    had = "authentication is switched off" if isinstance(was, Endpoint) else "authentication is off"
    said = f"{had}: no key is asked for; reason given: {built.plan.access.why}"
    yield _Found("authentication-off", said, ("expose", "authentication"))


def _network(before: Version | None, after: Version) -> list[str]:
    return [*_internet(before, after), *(widened(before.objects, after.objects, after.stack) if before else ())]


def _internet(before: Version | None, after: Version) -> Iterator[str]:
    gateways = [
        one.built.plan.exposure.gateway if one and isinstance(one.built, Endpoint) else None for one in (before, after)
    ]
    was, gateway = gateways
    if gateway is not None and gateway.scope == "external" and (was is None or was.scope != "external"):
        yield f"it is open to the internet from now on, at {gateway.url}"


def _rights(before: Version | None, after: Version) -> Iterator[_Found]:
    """Grants in Google Cloud that the stack did not have; of a new stack they are part of what it is."""
    if before is None or isinstance(before.built, Platform) or isinstance(after.built, Platform):
        return
    had = {(one.role, one.thing) for one in before.built.plan.grants} if before.built else set()
    for one in after.built.plan.grants if after.built else ():
        if (one.role, one.thing) not in had:
            yield _Found("rights-widened", f"its service account may do more: {one.role} on {one.thing}")


def _cost(before: Version | None, after: Version) -> Iterator[_Found]:
    if before is None or isinstance(after.built, Platform) or isinstance(before.built, Platform):
        return
    old, new = (one.money.monthly_usd_min if one.money else None for one in (before, after))
    field: Path = ("replicas",)
    if isinstance(before.built, BatchJob) and isinstance(after.built, BatchJob):
        old, new, field = before.built.plan.cost.most_usd, after.built.plan.cost.most_usd, ("job",)
    if old and new and new >= _TIMES * old:
        said = f"the cost is {new / old:.1f} times what it was: {old:,.0f} -> {new:,.0f} USD a month"
        yield _Found("cost", said.removesuffix(" a month") if field == ("job",) else said, field)
    elif before.money and after.money and after.money.monthly_usd_max >= _TIMES * before.money.monthly_usd_max:
        dear, dearer = before.money.monthly_usd_max, after.money.monthly_usd_max
        said = f"its highest cost is {dearer / dear:.1f} times what it was: {dear:,.0f} -> {dearer:,.0f} USD a month"
        yield _Found("cost", said, field)
    if old and new is None and not isinstance(after.built, ManagedEndpoint):
        yield _Found("cost", f"the cost is no longer known; it was {old:,.0f} USD", field)
    limits = [one.built.spec.budgetUsdPerMonth if one.built else None for one in (before, after)]  # type: ignore[union-attr]
    if limits[0] is not None and (limits[1] is None or limits[1] > limits[0]):
        now = "there is none" if limits[1] is None else f"it is {limits[1]:,.0f} USD"
        said = f"budgetUsdPerMonth was {limits[0]:,.0f} USD, now {now}: a plan that costs more is no longer refused"
        yield _Found("cost", said, ("budgetUsdPerMonth",))


def _downtime(before: Version | None, after: Version) -> Iterator[_Found]:
    """Machines that are replaced, and roll-outs that lose their second replica: both hide in harmless lines."""
    was, built = before.built if before else None, after.built
    if isinstance(was, ManagedEndpoint) and isinstance(built, ManagedEndpoint):
        ids = [one.plan.garden.endpoint_id if one.plan.garden else "" for one in (was, built)]
        if ids[0] and ids[0] != ids[1]:
            yield _Found(
                "downtime", f"the endpoint {ids[0]} is deleted before {ids[1] or 'another'} answers", ("model",)
            )
    if not isinstance(was, Endpoint) or not isinstance(built, Endpoint) or not after.objects or not before:
        return
    moved = was.plan.node_pools.pools != built.plan.node_pools.pools
    if moved and not built.plan.node_pools.move.startswith("none"):
        yield _Found("downtime", f"machines are replaced: downtime {built.plan.node_pools.move}", ("accelerator",))
    elif built.plan.rollout.downtime_seconds > was.plan.rollout.downtime_seconds == 0:
        said = f"roll-outs were without downtime, and are not any more: {built.plan.rollout.downtime}"
        yield _Found("downtime", said, ("replicas",))


def _capacity(before: Version | None, after: Version) -> Iterator[_Found]:
    old, new = capacity_risk(before), capacity_risk(after)
    if old is None or new is None or LEVELS.index(new.level) <= LEVELS.index(old.level):
        return
    said = f"the risk that machines are missing rises from {old.level} to {new.level}: {new.sentence}"
    yield _Found("capacity-risk", said, ("capacity",))
