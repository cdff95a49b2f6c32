"""How the rendered files of a stack differ, as unified diffs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from infra.review.records import FileDiff

_CONTEXT_LINES = 3


def manifest_diff(stack: str, before: Mapping[str, str], after: Mapping[str, str]) -> tuple[FileDiff, ...]:
    """One diff for each file of a stack's folder that differs, by name; a file that comes or goes is one whole."""
    found = []
    for file in sorted(before.keys() | after.keys()):
        old, new = before.get(file, ""), after.get(file, "")
        if old != new:
            found.append(_diff(f"{stack}/{file}", old, new, file in before, file in after))
    return tuple(found)


def _diff(file: str, old: str, new: str, was: bool, stays: bool) -> FileDiff:
    names = (f"a/{file}" if was else "/dev/null", f"b/{file}" if stays else "/dev/null")
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), *names, n=_CONTEXT_LINES, lineterm=""))
    body = lines[2:]
    return FileDiff(
        file,
        "\n".join(lines) + "\n",
        sum(line.startswith("+") for line in body),
        sum(line.startswith("-") for line in body),
    )
