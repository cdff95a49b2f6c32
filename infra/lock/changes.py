"""What differs between two lock files."""

from __future__ import annotations

from dataclasses import dataclass

from infra.lock.records import KINDS, NO_LOCK, Lock


@dataclass(frozen=True, order=True)
class LockChange:
    """One entry that came (`before` is None), went (`after` is None) or is fixed to something else.

    `kind` is `image` or `repository`; with `name` it is the `key` by which `Use.key` says whom it touches.
    """

    kind: str
    name: str
    before: str | None
    after: str | None

    @property
    def key(self) -> tuple[str, str]:
        """As `Use.key`."""
        return self.kind, self.name


def lock_changes(before: Lock | None, after: Lock | None) -> tuple[LockChange, ...]:
    """Changes by kind and name; None stands for no lock file."""
    old, new = before or NO_LOCK, after or NO_LOCK
    found = []
    for kind in KINDS:
        had, has = old.of_kind(kind), new.of_kind(kind)
        for name in sorted({*had, *has}):
            if had.get(name) != has.get(name):
                found.append(LockChange(kind, name, had.get(name), has.get(name)))
    return tuple(found)
