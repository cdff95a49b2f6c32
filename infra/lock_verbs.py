"""`servestack lock`: fix what moves in a file that is committed, or see whether that was done."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from infra.errors import SpecError
from infra.lock import LOCK_FILE, lock_changes, lock_text, settled, to_ask, unused
from infra.lock_report import check_json, check_text, checked, lock_json, written_text
from infra.pipeline import Built, build_each, refuse
from infra.stack_files import read_lock
from infra.stack_folder import StackFolder


def add_lock(verbs: Any, shared: argparse.ArgumentParser) -> None:
    """The verb's own words on the command line."""
    verb = verbs.add_parser(
        "lock",
        parents=[shared],
        help="fix commits of the hub and digests of images in servestack.lock (default: of all stacks)",
        description="Ask the hub and the registries for what stacks name by a branch or a tag, and write what they "
        "answer to servestack.lock beside the stack files. What is locked stays as it is. HF_TOKEN, HF_ENDPOINT, "
        "SERVESTACK_REGISTRIES and Docker's config.json are read (docs/lock.md).",
    )
    verb.add_argument("stack", nargs="*", metavar="STACK", help="name of a stack: X for stacks/X.yaml")
    how = verb.add_mutually_exclusive_group()
    how.add_argument("--upgrade", action="store_true", help="ask anew for what is locked already")
    how.add_argument(
        "--check", action="store_true", help="offline; 1 where a platform with requireLock has what is not locked"
    )
    verb.add_argument("--json", action="store_true", help="print what changed, or what --check found, as JSON")
    verb.set_defaults(run=run_lock)


def run_lock(options: argparse.Namespace, folder: StackFolder) -> int:
    """Write the lock file, or check it; 1 where the check finds what a platform does not allow."""
    before, path = read_lock(folder), f"{folder.shown}/{LOCK_FILE}"
    whole = not options.stack
    built = _built(options, folder)
    uses = [use for one in built for use in one.uses]
    if options.check:
        found = checked(built, unused(before, uses) if whole else ())
        print(json.dumps(check_json(found), indent=2) + "\n" if options.json else check_text(found, path), end="")
        return 0 if found.passes else 1
    asked = to_ask(uses, upgrade=options.upgrade)
    answers: Mapping[Any, str] = {}
    if asked:
        from infra.lock_client.answers import ask_all  # an HTTP client, which no other verb needs
        from infra.lock_client.settings import settings

        answers = ask_all(asked, settings(), _tell)
    after = settled(before, answers, uses, whole=whole)
    changes, text = lock_changes(before, after), lock_text(after)
    if text != folder.lock_text() and (changes or folder.lock_text() is not None):
        folder.replace_lock(text)
    entries = len(after.images) + len(after.repositories)
    print(
        json.dumps(lock_json(changes), indent=2) + "\n" if options.json else written_text(changes, entries, path),
        end="",
    )
    return 0


def _built(options: argparse.Namespace, folder: StackFolder) -> list[Built]:
    """The stacks, planned as if no platform required a lock.

    Raises:
        SpecError, PlanError: some cannot be planned, so that what they use is not known.
    """
    strays = [] if options.stack else folder.strays()
    names = list(dict.fromkeys(options.stack)) or folder.names()
    built, failures = build_each(names, folder, demand_lock=False)
    refuse([*([SpecError(problems=strays)] if strays else []), *failures.values()])
    return built


def _tell(done: int, every: int) -> None:
    """Progress, on a terminal alone; the last one leaves the line empty."""
    if sys.stderr.isatty():
        line = f"asked {done} of {every}"
        print(f"\r{line}" + (f"\r{' ' * len(line)}\r" if done == every else ""), end="", file=sys.stderr, flush=True)
