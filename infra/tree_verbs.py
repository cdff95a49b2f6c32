"""What `servestack render` does: one stack printed, or all of them as a folder for GitOps."""

from __future__ import annotations

import argparse

from infra.errors import SpecError
from infra.pipeline import build, build_all
from infra.stack_folder import StackFolder


def run_render(options: argparse.Namespace, folder: StackFolder) -> int:
    """Print an endpoint's Kubernetes objects, or a platform's Google resources; with `--all`, write all as a tree."""
    from infra.golden import golden_text

    if options.all:
        return _render_all(options, folder)
    if options.output is not None or options.check:
        raise SpecError("--output and --check are of the tree of all stacks: write --all in place of a stack's name.")
    print(golden_text(build(options.stack, folder)), end="")
    return 0


def _render_all(options: argparse.Namespace, folder: StackFolder) -> int:
    from infra.rendered_tree import TREE, difference, tree
    from infra.tree_folder import TreeFolder

    if options.output is None:
        raise SpecError("--all writes a folder of manifests; name it with --output DIR.")
    strays = folder.strays()
    names = folder.names()
    wanted, there = tree(build_all(names, folder, strays)), TreeFolder(options.output, TREE)
    found = difference(wanted, there.read())
    if not found.lines:
        print(f"{options.output}: up to date, {len(names)} stacks.")
        return 0
    if options.check:
        print("\n".join(found.lines))
        print(f"{options.output} is not what these stack files make. Write it: {_command(options)}")
        return 1
    there.replace(wanted)
    gone, new = len(found.extra), len(found.missing)
    print(f"{options.output}: {len(names)} stacks; files: {new} new, {len(found.stale)} changed, {gone} deleted.")
    return 0


def _command(options: argparse.Namespace) -> str:
    stacks = f"--stacks {options.stacks} " if options.stacks else ""
    return f"servestack render {stacks}--all --output {options.output}"
