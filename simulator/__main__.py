"""`python -m simulator`: the main job on this machine, against a simulated Google Kubernetes Engine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from simulator import verbs
from simulator.errors import SimulatorError, system_error
from simulator.home import Home


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name in ("up", "preview", "down", "env", "start", "stop", "status", "serve", "simulate"):
        command = commands.add_parser(name, help=(getattr(verbs, name).__doc__ or "").splitlines()[0])
        if name in ("up", "preview"):
            command.add_argument("stack", metavar="STACK", help="file stem below the folder of stack files")
        if name == "simulate":
            command.add_argument("names", nargs="+", metavar="STACK")
            command.add_argument("--json", type=Path, required=True, metavar="FILE")
            command.add_argument("--timeout-seconds", type=float, default=180.0, metavar="N")
            command.add_argument("--sold-out", action="append", default=[], metavar="MACHINE_TYPE")
        if name in ("up", "preview", "down", "env", "simulate"):
            command.add_argument("--stacks", type=Path, default=verbs.DEFAULT_STACKS, metavar="DIR")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit code."""
    options = vars(_parser().parse_args(arguments))
    verb = getattr(verbs, options.pop("verb"))
    try:
        return int(verb(Home.current(), **options))
    except SimulatorError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(system_error(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again to go on.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
