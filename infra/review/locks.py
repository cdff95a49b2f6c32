"""What a change of the lock file fixes otherwise, in words."""

from __future__ import annotations

from collections.abc import Sequence

from infra.lock import LockChange
from infra.review.version import Version

_SHORT = 19  # of a digest, `sha256:` and twelve more
_OF_COMMIT = 12


def lock_sentence(change: LockChange) -> str:
    """Such as `image caddy:2: sha256:0123456789ab -> sha256:ba9876543210`."""
    return f"{change.kind} {change.name}: {_short(change.before)} -> {_short(change.after)}"


def locks_of(changes: Sequence[LockChange], before: Version | None, after: Version | None) -> tuple[str, ...]:
    """Those that one stack uses on any side."""
    used = {use.key for one in (before, after) if one is not None for use in one.uses}
    return tuple(lock_sentence(one) for one in changes if one.key in used)


def _short(value: str | None) -> str:
    if value is None:
        return "not locked"
    return value[: _SHORT if value.startswith("sha256:") else _OF_COMMIT]
