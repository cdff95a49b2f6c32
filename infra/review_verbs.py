"""What `servestack review` does: read two revisions, and print what the change between them means."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from infra.changed_stacks import changed_stacks
from infra.errors import StackError
from infra.pipeline import Platform, build
from infra.stack_folder import StackFolder

if TYPE_CHECKING:
    from infra.git_revisions import Revision
    from infra.review import Side


def run_review(options: argparse.Namespace, folder: StackFolder) -> int:
    """Print what changes between two revisions of the folder; 1 where a stack is refused after it."""
    from infra.git_revisions import Revision
    from infra.review import review_all
    from infra.review_report import review_text

    if not folder.folder.is_dir():
        raise StackError(f"{folder.shown}: no such folder. Name the folder of stack files with --stacks DIR.")
    base, head = (Revision(folder.folder, one, folder.shown) for one in (options.base, options.head))
    names = changed_stacks(base, head)
    found = review_all(_sides(names, base), _sides(names, head))
    if options.json:
        print(json.dumps({"base": base.commit, "head": head.commit, **found.to_json()}, indent=2))
    else:
        print(review_text(found, base.short, head.short), end="")
    return 1 if found.refused else 0


def _sides(names: list[str], files: Revision) -> dict[str, Side]:
    return {name: _side(name, files) for name in names if name in files.blobs}


def _side(name: str, files: Revision) -> Side:
    from infra.judgement import judge
    from infra.review import Refused

    try:
        built = build(name, files)
        if not isinstance(built, Platform):
            judge([built], files)
    except StackError as error:
        return Refused(str(error))
    return built
