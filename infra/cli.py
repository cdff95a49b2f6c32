"""`servestack`: its verbs, and how a run ends."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.errors import StackError
from infra.live_verbs import run_smoke, run_verify
from infra.lock_verbs import add_lock
from infra.review_verbs import add_review
from infra.simulate_verbs import add_simulate
from infra.site_verbs import add_site
from infra.stack_folder import StackFolder
from infra.tree_verbs import run_render
from infra.verbs import (
    run_check,
    run_dashboard,
    run_matrix,
    run_new,
    run_nodes,
    run_plan,
    run_recover,
    run_schema,
    run_status,
    run_validate,
)

_OWN_STACKS = Path(__file__).resolve().parent.parent / "stacks"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. Exit code: 0 done, 2 bad file or usage, 3 no plan, 1 anything else."""
    options = _parser().parse_args(arguments)
    try:
        code = int(options.run(options, _folder(options.stacks)))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except StackError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        # Stack files never get here: the output is gone. What is still buffered would be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print(f"servestack: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if os.environ.get("SERVESTACK_DEBUG"):
            raise
        kind = type(error).__name__
        print(f"servestack: a fault of ours: {kind}: {error}\nSet SERVESTACK_DEBUG=1 to see where.", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--stacks", metavar="DIR", help="folder of stack files (default: stacks/)")
    named: dict[str, Any] = {"metavar": "STACK", "help": "name of a stack: X for stacks/X.yaml"}
    parser = argparse.ArgumentParser(
        prog="servestack",
        description="Plan and check Gemma 4 serving stacks, offline; see what a deployed one does.",
        epilog="Exit code: 0 done, 2 wrong file or usage, 3 no plan, or a rule forbids it, 1 anything else.",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = verbs.add_parser("validate", parents=[shared], help="check stack files and their objects (default: all)")
    verb.add_argument("stack", nargs="*", **named)
    verb.add_argument("--no-policies", action="store_true", help="check files and plans, but no rendered object")
    verb.set_defaults(run=run_validate)

    _add_new(verbs, shared)

    verb = verbs.add_parser(
        "plan", parents=[shared], help="memory proof, placement, start-up time, cost; of several, what they differ in"
    )
    which = verb.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "stack", nargs="*", default=[], metavar="STACK", help="X for stacks/X.yaml; two to four are set side by side"
    )
    which.add_argument("--all", action="store_true", help="every endpoint of the folder")
    verb.add_argument(
        "--by", metavar="LABEL", help="with --all: costs summed by this label (default: team); with --json, only these"
    )
    verb.add_argument("--json", action="store_true", help="print the plan as JSON")
    verb.add_argument("--html", metavar="FILE", help="write the plan as one page for a browser")
    verb.add_argument("--explain", action="store_true", help="say why each value is what it is")
    verb.add_argument(
        "--input-per-output", type=float, metavar="N", help="with several: input tokens to an output token (default: 3)"
    )
    verb.add_argument(
        "--live", action="store_true", help="ask Google whether it offers today what a managed endpoint's plan says"
    )
    verb.set_defaults(run=run_plan)

    add_lock(verbs, shared)
    _add_render(verbs, shared, named)

    add_review(verbs, shared)
    add_simulate(verbs, shared)

    verb = verbs.add_parser("dashboard", parents=[shared], help="print the Grafana dashboard of an endpoint")
    verb.add_argument("stack", **named)
    verb.set_defaults(run=run_dashboard)

    verb = verbs.add_parser("status", parents=[shared], help="what the running endpoint does, and what is wrong")
    verb.add_argument("stack", **named)
    verb.add_argument("--json", action="store_true", help="print the findings as JSON")
    verb.set_defaults(run=run_status)

    _add_smoke(verbs, shared, named)

    verb = verbs.add_parser("nodes", parents=[shared], help="what a platform's own cluster has, to paste in its file")
    verb.add_argument("stack", metavar="PLATFORM", help="X for stacks/X.yaml, of kind Platform with kubernetes")
    verb.set_defaults(run=run_nodes)

    verb = verbs.add_parser("check", parents=[shared], help="what a platform's cluster lacks, asked through gcloud")
    verb.add_argument("stack", metavar="PLATFORM", help="name of a platform: X for stacks/X.yaml")
    verb.add_argument("--json", action="store_true", help="print the findings as JSON")
    verb.set_defaults(run=run_check)

    verb = verbs.add_parser("recover", parents=[shared], help="put the state right after an `up` that was killed")
    verb.add_argument("stack", **named)
    verb.set_defaults(run=run_recover)

    verb = verbs.add_parser("matrix", parents=[shared], help="what each framework can do, and on which evidence")
    verb.add_argument("framework", nargs="?", metavar="FRAMEWORK", help="the whole record of one (default: all)")
    form = verb.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print everything as JSON")
    form.add_argument("--markdown", action="store_true", help="print the table of the README")
    verb.add_argument("--html", metavar="FILE", help="write the matrix as one page for a browser")
    verb.set_defaults(run=run_matrix)

    add_site(verbs, shared)

    verb = verbs.add_parser("schema", parents=[shared], help="print the JSON schema of stack files")
    verb.set_defaults(run=run_schema)
    return parser


def _add_new(verbs: Any, shared: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "new",
        parents=[shared],
        help="write a stack file that plans; asks for what is missing",
        description="Write a stack file that plans. Without --model and --platform it asks, on a terminal.",
    )
    verb.add_argument("--platform", metavar="NAME", help="X for stacks/X.yaml")
    verb.add_argument("--model", metavar="M", help="such as gemma-4-31b-it")
    verb.add_argument("--accelerator", metavar="A", help="such as h100; left out, or any: the cheapest that fits")
    verb.add_argument("--framework", metavar="F", help="default: vllm, or another where it cannot")
    verb.add_argument("--serverless", action="store_true", help="framework vertex on Google's own machines")
    verb.add_argument("--count", type=int, metavar="N", help="accelerators of one replica")
    verb.add_argument("--precision", metavar="P", help="picks the checkpoint")
    verb.add_argument("--context", type=int, metavar="N", help="tokens of the longest request")
    verb.add_argument("--concurrency", type=int, metavar="N", help="full-length requests at once")
    verb.add_argument("--capacity", type=_words, metavar="C,C", help="such as spot,on-demand; default: the cheapest")
    verb.add_argument("--inputs", type=_words, metavar="I,I", help="such as text,image")
    verb.add_argument("--tools", action="store_true", help="tool calls")
    verb.add_argument("--reasoning", action="store_true", help="reasoning apart from the answer")
    verb.add_argument("--suffix", metavar="WORD", help="last word of the name")
    verb.add_argument("--dry-run", action="store_true", help="print the file; write nothing")
    verb.set_defaults(run=run_new)


def _add_render(verbs: Any, shared: argparse.ArgumentParser, named: dict[str, Any]) -> None:
    verb = verbs.add_parser(
        "render",
        parents=[shared],
        help="print an endpoint's Kubernetes objects, or a platform's resources; or write those of all as a folder",
    )
    which = verb.add_mutually_exclusive_group(required=True)
    which.add_argument("stack", nargs="?", **named)
    which.add_argument("--all", action="store_true", help="every stack of the folder, each into a folder of --output")
    verb.add_argument("--output", metavar="DIR", help="with --all: folder that is replaced; nothing else may be in it")
    verb.add_argument("--check", action="store_true", help="with --all: write nothing, 1 where the folder is stale")
    verb.set_defaults(run=run_render)


def _add_smoke(verbs: Any, shared: argparse.ArgumentParser, named: dict[str, Any]) -> None:
    verb = verbs.add_parser(
        "smoke",
        parents=[shared],
        help="call a running endpoint, and see whether it does what its plan promises",
        description="Call a running endpoint as its callers do. The key comes from OPENAI_API_KEY or --key-file.",
    )
    verb.add_argument("stack", **named)
    verb.add_argument(
        "--url", metavar="URL", help="such as http://127.0.0.1:8090/v1; default: the plan's, if it has one"
    )
    verb.add_argument(
        "--metrics-url", metavar="URL", help="the engine's metrics (default: on this machine, beside --url)"
    )
    verb.add_argument("--model", metavar="NAME", help="sent as `model` (default: the plan's)")
    verb.add_argument("--key-file", metavar="FILE", help="file that holds the key, or an access token of Google's")
    verb.add_argument("--json", metavar="FILE", help="write what was found as JSON, with the plan's hash")
    verb.add_argument("--timeout-seconds", type=_seconds, default=120.0, metavar="N", help="of one call (default: 120)")
    verb.add_argument(
        "--first-token-seconds", type=_seconds, metavar="N", help="longest wait for a first token (default: 5)"
    )
    verb.set_defaults(run=run_smoke)

    verb = verbs.add_parser(
        "verify",
        parents=[shared],
        help="where what runs is not what the plan says",
        description="Read back what runs, and compare it with the plan. Nothing is changed.",
    )
    verb.add_argument("stack", **named)
    verb.add_argument("--url", metavar="URL", help="ask the engine itself, too; with the key as for smoke")
    verb.add_argument("--key-file", metavar="FILE", help="file that holds the key (default: OPENAI_API_KEY)")
    verb.add_argument("--json", action="store_true", help="print every comparison as JSON, with the plan's hash")
    verb.add_argument("--timeout-seconds", type=_seconds, default=120.0, metavar="N", help="of one call (default: 120)")
    verb.set_defaults(run=run_verify)


def _seconds(text: str) -> float:
    found = float(text)
    if not 0 < found <= 86_400:
        raise argparse.ArgumentTypeError("more than 0, and at most a day")
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def _folder(named: str | None) -> StackFolder:
    if named is not None:
        return StackFolder(Path(named), named.rstrip("/") or named or ".")
    here = Path("stacks")
    return StackFolder(here if here.is_dir() else _OWN_STACKS, "stacks")


if __name__ == "__main__":
    sys.exit(main())
