"""What `servestack lock` says: what it wrote, and what its check found, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from infra.lock import LockChange, Use, missing
from infra.pipeline import Built, Platform
from infra.text import counted

_MARKS = {"added": "+", "changed": "~", "removed": "-"}


@dataclass(frozen=True)
class Loose:
    """A stack of which not everything is locked; `required` where its platform does not allow that."""

    stack: str
    platform: str
    required: bool
    missing: tuple[Use, ...]


@dataclass(frozen=True)
class Checked:
    """What the check found.

    Attributes:
        stacks: how many have anything to lock.
        required: whether the platform of any requires a lock.
        unused: entries of the lock that no stack uses; empty where not all stacks were looked at.
    """

    stacks: int
    required: bool
    loose: tuple[Loose, ...]
    unused: tuple[Use, ...]

    @property
    def passes(self) -> bool:
        """Whether everything is as the platforms want it: where none requires a lock, anything goes."""
        return not any(one.required for one in self.loose) and not (self.required and self.unused)


def checked(built: Iterable[Built], stale: tuple[Use, ...]) -> Checked:
    """The check of planned stacks."""
    using = [one for one in built if not isinstance(one, Platform) and one.uses]
    loose = [
        Loose(one.name, one.platform_name, one.platform.requireLock, missing(one.uses))
        for one in using
        if missing(one.uses)
    ]
    return Checked(len(using), any(one.platform.requireLock for one in using), tuple(loose), stale)


def check_text(found: Checked, path: str) -> str:
    """For people."""
    lines = []
    for one in found.loose:
        lines.append(f"{one.stack}: not locked{f', as {one.platform} requires' if one.required else ''}")
        lines += [f"  {use}" for use in one.missing]
    if found.unused:
        lines.append(f"{path}: entries that no stack uses")
        lines += [f"  {use}" for use in found.unused]
    if not lines:
        return f"{path}: everything that {counted(found.stacks, 'stack')} name{'s' * (found.stacks == 1)} is locked.\n"
    verdict = "No platform requires it. Lock it: servestack lock" if found.passes else "Lock it: servestack lock"
    return "\n".join([*lines, verdict, ""])


def check_json(found: Checked) -> dict[str, Any]:
    """For programs: a contract."""
    return {
        "ok": found.passes,
        "stacks": [
            {
                "stack": one.stack,
                "platform": one.platform,
                "required": one.required,
                "missing": [_entry(use) for use in one.missing],
            }
            for one in found.loose
        ],
        "unused": [_entry(use) for use in found.unused],
    }


def written_text(changes: tuple[LockChange, ...], entries: int, path: str) -> str:
    """What changed, each with what it is fixed to now."""
    if not changes:
        return f"{path}: nothing to change, {counted(entries, 'entry') if entries == 1 else f'{entries:,} entries'}.\n"
    lines = []
    for one in changes:
        lines.append(f"{_MARKS[_kind(one)]} {one.kind} {one.name}")
        lines += [f"    {one.after}"] if one.after else []
    kinds = [_kind(one) for one in changes]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in _MARKS if kind in kinds)
    return "\n".join([*lines, f"{path}: {counts}; {entries:,} in all. Commit it.", ""])


def lock_json(changes: tuple[LockChange, ...]) -> dict[str, Any]:
    """For programs: a contract."""
    return {
        "changes": [{"kind": one.kind, "name": one.name, "before": one.before, "after": one.after} for one in changes]
    }


def _kind(change: LockChange) -> str:
    return "added" if change.before is None else "removed" if change.after is None else "changed"


def _entry(use: Use) -> dict[str, str]:
    return {"kind": use.kind, "name": use.name}
