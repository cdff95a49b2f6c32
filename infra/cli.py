"""`servestack`: each verb calls one function and prints its result."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.errors import SpecError, StackError
from infra.pipeline import Endpoint, Platform, build, build_all, build_each, read, refuse
from infra.stack_folder import StackFolder

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
    verb.set_defaults(run=_validate)

    _add_new(verbs, shared)

    verb = verbs.add_parser("plan", parents=[shared], help="memory proof, placement, start-up time, cost")
    which = verb.add_mutually_exclusive_group(required=True)
    which.add_argument("stack", nargs="?", **named)
    which.add_argument("--all", action="store_true", help="every endpoint of the folder")
    verb.add_argument("--json", action="store_true", help="print the plan as JSON")
    verb.add_argument("--html", metavar="FILE", help="write the plan as one page for a browser")
    verb.add_argument("--explain", action="store_true", help="say why each value is what it is")
    verb.set_defaults(run=_plan)

    verb = verbs.add_parser("render", parents=[shared], help="print the Kubernetes objects of an endpoint")
    verb.add_argument("stack", **named)
    verb.set_defaults(run=_render)

    verb = verbs.add_parser("dashboard", parents=[shared], help="print the Grafana dashboard of an endpoint")
    verb.add_argument("stack", **named)
    verb.set_defaults(run=_dashboard)

    verb = verbs.add_parser("status", parents=[shared], help="what the running endpoint does, and what is wrong")
    verb.add_argument("stack", **named)
    verb.add_argument("--json", action="store_true", help="print the findings as JSON")
    verb.set_defaults(run=_status)

    verb = verbs.add_parser("recover", parents=[shared], help="put the state right after an `up` that was killed")
    verb.add_argument("stack", **named)
    verb.set_defaults(run=_recover)

    verb = verbs.add_parser("matrix", parents=[shared], help="what each framework can do, and on which evidence")
    verb.add_argument("framework", nargs="?", metavar="FRAMEWORK", help="the whole record of one (default: all)")
    form = verb.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print everything as JSON")
    form.add_argument("--markdown", action="store_true", help="print the table of the README")
    verb.add_argument("--html", metavar="FILE", help="write the matrix as one page for a browser")
    verb.set_defaults(run=_matrix)

    verb = verbs.add_parser("schema", parents=[shared], help="print the JSON schema of stack files")
    verb.set_defaults(run=_schema)
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
    verb.set_defaults(run=_new)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def _folder(named: str | None) -> StackFolder:
    if named is not None:
        return StackFolder(Path(named), named.rstrip("/") or named or ".")
    here = Path("stacks")
    return StackFolder(here if here.is_dir() else _OWN_STACKS, "stacks")


def _validate(options: argparse.Namespace, folder: StackFolder) -> int:
    from infra.judgement import judge

    strays = [] if options.stack else folder.strays()
    built = build_all(options.stack or folder.names(), folder, strays)
    if not options.no_policies:
        judge(built, folder)
    print(f"ok: {len(built)} stack file{'' if len(built) == 1 else 's'}")
    return 0


def _new(options: argparse.Namespace, folder: StackFolder) -> int:
    import dataclasses

    from infra.interview import Terminal, interview
    from infra.new_stack import Draft, new_text
    from infra.offers import complete

    if options.stacks is None:
        folder = StackFolder(Path("stacks"))  # never those of the installation
    draft = Draft(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Draft)})
    if draft.missing:
        if sys.stdin is None or not sys.stdin.isatty():
            raise SpecError(f"missing: {' and '.join(draft.missing)}. Without a terminal nothing is asked.")
        draft = interview(draft, folder, Terminal(_answer, lambda line: print(line, file=sys.stderr)))
    new = complete(draft, folder, schema=folder.has_schema())
    folder.create(new.name, new.text, dry_run=options.dry_run)
    print(new_text(new, folder.path(new.name), written=not options.dry_run), end="")
    return 0


def _answer(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    try:
        line = sys.stdin.buffer.readline()
    except OSError:  # the terminal is gone
        line = b""
    if not line:
        print(file=sys.stderr)
        raise EOFError
    return line.decode("utf-8", "replace")


def _plan(options: argparse.Namespace, folder: StackFolder) -> int:
    from infra.fleet_report import fleet_text
    from infra.report import explain_text, plan_text

    if options.all:
        built, failures = build_each(folder.names(), folder)
        endpoints = [one for one in built if isinstance(one, Endpoint)]
        if failures and endpoints and not (options.json or options.html or options.explain):
            print(fleet_text([one.plan for one in endpoints], list(failures)), flush=True)
        refuse(failures.values())
    else:
        endpoints = [_endpoint(options.stack, folder)]
    plans = [one.plan for one in endpoints]
    if options.html:
        _write_page(endpoints, options.html)
    if options.json:
        data = [plan.to_json() for plan in plans]
        print(json.dumps(data if options.all else data[0], indent=2))
    elif options.all and not options.explain:
        print(fleet_text(plans), end="")
    else:
        print("\n".join(plan_text(plan) + (explain_text(plan) if options.explain else "") for plan in plans), end="")
    return 0


def _write_page(endpoints: Sequence[Endpoint], file: str) -> None:
    from infra.page import PlanPage, page_text

    pages = [PlanPage.of(one.plan, one.resolved.request, one.resolved.choice) for one in endpoints]
    _write(page_text(pages), file)


def _write(text: str, file: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StackError(f"{file}: cannot be written: {error.strerror}.") from None


def _render(options: argparse.Namespace, folder: StackFolder) -> int:
    from infra.golden import golden_text

    print(golden_text(_endpoint(options.stack, folder)), end="")
    return 0


def _dashboard(options: argparse.Namespace, folder: StackFolder) -> int:
    text = _endpoint(options.stack, folder).workload.monitor.dashboard
    if not text:
        raise StackError(f"{options.stack} is not watched: its platform says monitoring none.")
    print(text, end="")
    return 0


def _status(options: argparse.Namespace, folder: StackFolder) -> int:
    import dataclasses

    from infra.diagnosis_report import diagnosis_text
    from infra.operate.status import status

    endpoint = _endpoint(options.stack, folder)
    workload, gke = endpoint.workload, endpoint.platform.gke
    assert gke is not None
    access, plan = endpoint.plan.access, endpoint.plan
    fewest = plan.min_replicas if plan.scaling else None
    found = status(
        endpoint.name, gke, access.secret, access.key_command(endpoint.name), fewest, groups=plan.accelerator.nodes > 1
    )
    gateway = plan.exposure.gateway
    url = gateway.url if gateway else dict(workload.client_environment)["OPENAI_BASE_URL"]
    print(
        json.dumps(dataclasses.asdict(found), indent=2) if options.json else diagnosis_text(endpoint.name, found, url),
        end="",
    )
    return 0 if found.state == "serving" else 1


def _recover(options: argparse.Namespace, folder: StackFolder) -> int:
    from infra.operate.recover import recover

    read(options.stack, folder)
    recover(options.stack, lambda line: print(line, flush=True))
    return 0


def _matrix(options: argparse.Namespace, _folder: StackFolder) -> int:
    from infra.matrix import matrix_json, matrix_markdown, matrix_page, own_matrix, record_text, table_text

    matrix = own_matrix().only(options.framework) if options.framework is not None else own_matrix()
    if options.html:
        _write(matrix_page(matrix), options.html)
    if options.json:
        print(json.dumps(matrix_json(matrix), indent=2))
    elif options.markdown:
        print(matrix_markdown(matrix), end="")
    elif options.framework is not None:
        print(record_text(matrix.rows[0]), end="")
    else:
        print(table_text(matrix), end="")
    return 0


def _schema(_options: argparse.Namespace, _folder: StackFolder) -> int:
    from infra.schema import schema_text

    print(schema_text(), end="")
    return 0


def _endpoint(name: str, folder: StackFolder) -> Endpoint:
    built = build(name, folder)
    if isinstance(built, Platform):
        raise SpecError(f"{folder.path(name)} is a Platform; this verb takes an Endpoint.")
    return built


if __name__ == "__main__":
    sys.exit(main())
