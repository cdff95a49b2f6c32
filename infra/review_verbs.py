"""What `servestack review` does: read two sides, and say what the change between them means."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.errors import SpecError, StackError
from infra.stack_folder import StackFolder
from infra.text import counted
from infra.whole_file import write_whole

if TYPE_CHECKING:
    from infra.review import Reviews
    from infra.review_sides import Sides


def add_review(verbs: Any, shared: argparse.ArgumentParser) -> None:
    """The verb and its options."""
    verb = verbs.add_parser(
        "review",
        parents=[shared],
        help="what a change of stack files means, between two git revisions or two folders",
        description="Compare all stacks of two git revisions (--base) or of two folders; 1 where one is refused.",
    )
    verb.add_argument("folders", nargs="*", metavar="FOLDER", help="before and after, in place of --base")
    verb.add_argument("--base", metavar="REV", help="before, such as origin/main or a commit")
    verb.add_argument("--head", metavar="REV", help="after (default: HEAD, without what is uncommitted)")
    verb.add_argument("--json", action="store_true", help="print the review as JSON")
    verb.add_argument("--markdown", metavar="FILE", help="write it as a comment for a merge request, too")
    verb.add_argument(
        "--html", metavar="FILE", help="write it as one page for a browser, with charts and every diff, too"
    )
    verb.add_argument("--sarif", metavar="FILE", help="write its dangers as SARIF, for annotations, too")
    verb.set_defaults(run=run_review)


def run_review(options: argparse.Namespace, folder: StackFolder) -> int:
    """Print what changes; 1 where a stack is refused after it."""
    from infra.review import review_all
    from infra.review_report import review_text

    with _sides(options, folder) as sides:
        found = review_all(**vars(sides))
        _write_files(found, options)
        if options.json:
            print(json.dumps(found.to_json(), indent=2))
        else:
            print(review_text(found), end="")
    if options.base is not None and options.head is None:
        _say_uncommitted(folder)
    return 1 if found.refused else 0


def _say_uncommitted(folder: StackFolder) -> None:
    """That HEAD lacks what is being written, to whoever reviews a change before it is committed."""
    from infra.git_command import uncommitted

    number = uncommitted(folder.folder)
    if number:
        left = f"{counted(number, 'file')} of {folder.shown} {'is' if number == 1 else 'are'} not committed"
        print(f"{left}, and no part of this review.", file=sys.stderr)


def _write_files(found: Reviews, options: argparse.Namespace) -> None:
    """Each form that goes into a file; what writes it is loaded where it is asked for."""
    if options.markdown:
        from infra.review_markdown import review_markdown

        write_whole(options.markdown, review_markdown(found))
    if options.html:
        from infra.review_page import review_page

        write_whole(options.html, review_page(found))
    if options.sarif:
        from infra.review_sarif import review_sarif

        write_whole(options.sarif, json.dumps(review_sarif(found), indent=2) + "\n")


def _sides(options: argparse.Namespace, folder: StackFolder) -> AbstractContextManager[Sides]:
    from infra.review_sides import folders, revisions

    if options.folders:
        if len(options.folders) != 2 or options.base is not None or options.head is not None:
            raise SpecError("name two folders, before and after, or one revision with --base; not both.")
        named = [StackFolder(Path(one), one.rstrip("/") or one) for one in options.folders]
        for one in named:
            one.names()
        return folders(*named)
    if options.base is None:
        raise SpecError("nothing to compare with: name a revision with --base REV, or two folders.")
    if not folder.folder.is_dir():
        raise StackError(f"{folder.shown}: no such folder. Name the folder of stack files with --stacks DIR.")
    return revisions(folder, options.base, "HEAD" if options.head is None else options.head)
