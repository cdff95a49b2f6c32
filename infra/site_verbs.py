"""What `servestack site` does: a folder of pages about all stacks."""

from __future__ import annotations

import argparse
from typing import Any

from infra.errors import Problem, SpecError, StackError
from infra.pipeline import build_each, refuse
from infra.stack_folder import StackFolder


def add_site(verbs: Any, shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser(
        "site",
        parents=[shared],
        help="write pages about all stacks for a browser: filters, plans, costs, matrix, memory explorer",
        description="Write a folder of pages about all stacks. They need no server and ask for nothing outside. "
        "Refused files are listed in it, and told at the end: 2 where a file is wrong, 3 where there is no plan.",
    )
    verb.add_argument("output", metavar="DIR", help="folder that is replaced; nothing else may be in it")
    verb.set_defaults(run=run_site)


def run_site(options: argparse.Namespace, folder: StackFolder) -> int:
    """Write the site; what is refused is on its first page, and raised once the site is written.

    Raises:
        SpecError: some file is wrong.
        PlanError: some file has no plan.
        StackError: the folder cannot be written, or holds files of others.
    """
    from infra.tree_folder import TreeFolder
    from infra.website import SITE, Stacks, site_files

    strays = folder.strays()
    names = folder.names()
    built, failures = build_each(names, folder)
    texts = {one.name: folder.text(one.name) for one in built}
    refused = _by_file(strays) | {folder.path(name): str(error) for name, error in failures.items()}
    files = site_files(Stacks(built, texts, refused))
    TreeFolder(options.output, SITE).replace(files)
    without = f", {len(refused)} refused" if refused else ""
    print(f"{options.output}: {len(built)} stacks on {len(files) - 1} pages{without}; open {options.output}/index.html")
    refuse([*([SpecError(problems=strays)] if strays else []), *failures.values()])
    return 0


def _by_file(problems: list[Problem]) -> dict[str, str]:
    return {one.path: str(StackError(problems=[one])) for one in problems}
