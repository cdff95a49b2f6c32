"""What `servestack simulate` does: hand stacks to the simulator, a program apart, and say what came of them."""

from __future__ import annotations

import argparse
import importlib.util
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.errors import SpecError, StackError
from infra.stack_folder import StackFolder
from infra.whole_file import write_whole

_LONGEST_SECONDS = 3600.0


def add_simulate(verbs: Any, shared: argparse.ArgumentParser) -> None:
    """The verb and its options."""
    verb = verbs.add_parser(
        "simulate",
        parents=[shared],
        help="bring stacks up in a simulated Google Cloud, and see what is scheduled, ready or refused",
        description="Bring stacks up in a simulator of their own; 1 where one is refused or does not get ready.",
    )
    verb.add_argument("stack", nargs="*", metavar="STACK", help="X for stacks/X.yaml")
    verb.add_argument("--base", metavar="REV", help="those that changed since a git revision, in place of names")
    verb.add_argument("--head", metavar="REV", help="with --base: the change's end (default: HEAD)")
    verb.add_argument("--json", metavar="FILE", help="write what came of each as JSON, too")
    verb.add_argument("--markdown", metavar="FILE", help="write it as a comment for a merge request, too")
    verb.add_argument("--timeout-seconds", type=_seconds, default=180.0, metavar="N", help="of one up (default: 180)")
    verb.add_argument(
        "--sold-out",
        action="append",
        default=[],
        metavar="TYPE",
        help="a machine type that no zone has; may be given again",
    )
    verb.set_defaults(run=run_simulate)


def run_simulate(options: argparse.Namespace, folder: StackFolder) -> int:
    """Simulate, and print what came of it; 1 where a stack would not come up."""
    from infra.simulation_report import passes, simulation_markdown, simulation_text

    with _chosen(options, folder) as (names, stacks), tempfile.TemporaryDirectory() as scratch:
        outcomes = _simulated(names, stacks, Path(scratch) / "simulation.json", options) if names else []
    if options.json:
        write_whole(options.json, json.dumps(outcomes, indent=2) + "\n")
    if options.markdown:
        write_whole(options.markdown, simulation_markdown(outcomes))
    print(
        simulation_text(outcomes) if outcomes else "No stack to simulate: none changes, or those that do are gone.\n",
        end="",
    )
    return 0 if passes(outcomes) else 1


@contextmanager
def _chosen(options: argparse.Namespace, folder: StackFolder) -> Iterator[tuple[list[str], Path]]:
    """Names of stacks, and the folder with their files: of a revision, where one is named."""
    if bool(options.stack) == (options.base is not None):
        raise SpecError("name stacks, or a revision with --base since which they changed; not both, and not neither.")
    if options.base is None:
        if options.head is not None:
            raise SpecError("--head is the end of a change; name its beginning with --base.")
        for name in options.stack:
            folder.text(name)
        yield list(dict.fromkeys(options.stack)), folder.folder.resolve()
        return
    from infra.changed_stacks import changed_stacks
    from infra.git_revisions import between

    base, head = between(folder, options.base, "HEAD" if options.head is None else options.head)
    names = [name for name in changed_stacks(base, head) if name in head.names()]
    with tempfile.TemporaryDirectory(prefix="servestack-stacks-") as scratch:
        head.write(Path(scratch))
        yield names, Path(scratch)


def _simulated(names: list[str], stacks: Path, file: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    if importlib.util.find_spec("simulator") is None:
        raise StackError("the simulator is not installed: it is part of the repository, and `make setup` sets it up.")
    command = [
        sys.executable,
        "-P",
        "-m",
        "simulator",
        "simulate",
        *names,
        "--stacks",
        str(stacks),
        "--json",
        str(file),
    ]
    command += ["--timeout-seconds", str(options.timeout_seconds)]
    for machine_type in options.sold_out:
        command += ["--sold-out", machine_type]
    signal.signal(signal.SIGTERM, _interrupt)  # so that the simulator is ended with this process
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    try:
        code = process.wait()
    except BaseException:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    if not file.exists():
        raise StackError(f"the simulation ended with code {code} and told nothing; its own words are above.")
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _seconds(text: str) -> float:
    found = float(text)
    if not 1 <= found <= _LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"from 1 to {_LONGEST_SECONDS:,.0f}")
    return found
