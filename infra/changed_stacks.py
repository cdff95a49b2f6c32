"""Which stacks a change between two sets of stack files touches."""

from __future__ import annotations

from typing import Protocol

from infra.document import parse_document
from infra.errors import StackError
from infra.lock import lock_changes
from infra.pipeline import Platform, StackFiles, build
from infra.stack_files import read_lock


class VersionedFiles(StackFiles, Protocol):
    """Stack files that can be told apart without reading them."""

    def content_id(self, name: str) -> str | None:
        """Equal for equal content, in any set; None where there is no such file."""


def changed_stacks(base: VersionedFiles, head: VersionedFiles) -> list[str]:
    """Stacks by name whose file, platform, or what the lock file fixes for them differs."""
    every = sorted({*base.names(), *head.names()})
    changed = {name for name in every if base.content_id(name) != head.content_id(name)}
    if changed:
        changed |= {name for name in every if _platform(name, head) in changed}
    return sorted(changed | _locked_otherwise(every, base, head))


def _platform(name: str, files: StackFiles) -> object:
    """The platform that a stack file names, whether there is one or not; None of what is no YAML mapping."""
    try:
        return parse_document(files.text(name), files.path(name)).values.get("platform")
    except StackError:
        return None


def _locked_otherwise(names: list[str], base: StackFiles, head: StackFiles) -> set[str]:
    """Stacks that use an entry of the lock file that differs; all of them where one of the files is wrong."""
    if base.lock_text() == head.lock_text():
        return set()
    try:
        moved = {one.key for one in lock_changes(read_lock(base), read_lock(head))}
    except StackError:
        return set(names)
    return {name for name in names if any(_uses(name, files) & moved for files in (base, head))}


def _uses(name: str, files: StackFiles) -> set[tuple[str, str]]:
    try:
        built = build(name, files, demand_lock=False)
    except StackError:
        return set()
    return set() if isinstance(built, Platform) else {one.key for one in built.uses}
