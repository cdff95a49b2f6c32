"""`servestack.lock`: which commits of the hub and which digests of images stand for the names that stacks use. Pure."""

from infra.lock.changes import LockChange, lock_changes
from infra.lock.file import LOCK_FILE, MAX_BYTES, lock_text, parse_lock
from infra.lock.records import KINDS, NO_LOCK, Lock, Use, image_uses, repository_uses
from infra.lock.update import missing, settled, to_ask, unused

__all__ = [
    "KINDS",
    "LOCK_FILE",
    "MAX_BYTES",
    "NO_LOCK",
    "Lock",
    "LockChange",
    "Use",
    "image_uses",
    "lock_changes",
    "lock_text",
    "missing",
    "parse_lock",
    "repository_uses",
    "settled",
    "to_ask",
    "unused",
]
