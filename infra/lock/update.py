"""From what stacks use and what is locked to what has to be asked, and to the lock that follows from the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from infra.lock.records import KINDS, Lock, Use


def missing(uses: Iterable[Use]) -> tuple[Use, ...]:
    """Those that nothing fixes."""
    return tuple(one for one in uses if one.value is None)


def to_ask(uses: Iterable[Use], *, upgrade: bool) -> tuple[Use, ...]:
    """What the hub and the registries are asked, each once: what is not locked, or with `upgrade` everything used."""
    return tuple(sorted({Use(one.kind, one.name, None) for one in uses if upgrade or one.value is None}))


def unused(lock: Lock, uses: Iterable[Use]) -> tuple[Use, ...]:
    """Entries of the lock that none of the uses needs."""
    needed = {one.key for one in uses}
    entries = [Use(kind, *entry) for kind in KINDS for entry in sorted(lock.of_kind(kind).items())]
    return tuple(one for one in entries if one.key not in needed)


def settled(lock: Lock, answers: Mapping[Use, str], uses: Iterable[Use], *, whole: bool) -> Lock:
    """The lock with what was answered.

    Args:
        lock: as it was.
        answers: commit or digest by what was asked.
        uses: of the stacks that are locked.
        whole: whether those are all stacks, so that what they do not use is dropped.
    """
    gone = {one.key for one in unused(lock, uses)} if whole else set()
    kinds = {}
    for kind in KINDS:
        kept = {name: value for name, value in lock.of_kind(kind).items() if (kind, name) not in gone}
        kinds[kind] = kept | {one.name: value for one, value in answers.items() if one.kind == kind}
    return Lock(kinds["image"], kinds["repository"])
