"""Which stacks a change between two sets of stack files touches."""

from __future__ import annotations

from typing import Protocol

from infra.document import parse_document
from infra.errors import StackError
from infra.pipeline import StackFiles


class VersionedFiles(StackFiles, Protocol):
    """Stack files that can be told apart without reading them."""

    def content_id(self, name: str) -> str | None:
        """Equal for equal content, in any set; None where there is no such file."""


def changed_stacks(base: VersionedFiles, head: VersionedFiles) -> list[str]:
    """Stacks whose file differs, and those whose platform's does, by name."""
    every = sorted({*base.names(), *head.names()})
    changed = {name for name in every if base.content_id(name) != head.content_id(name)}
    if not changed:
        return []
    return [name for name in every if name in changed or _platform(name, head) in changed]


def _platform(name: str, files: StackFiles) -> object:
    """The platform that a stack file names, whether there is one or not; None of what is no YAML mapping."""
    try:
        return parse_document(files.text(name), files.path(name)).values.get("platform")
    except StackError:
        return None
