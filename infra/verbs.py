"""What each verb of `servestack` does: it calls one function and prints the result."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.batch_job import BatchJob
from infra.errors import SpecError, StackError
from infra.live_verb import plan_live
from infra.pipeline import Endpoint, ManagedEndpoint, Platform, build, build_all, build_each, read, refuse
from infra.spec import EndpointSpec
from infra.stack_folder import StackFolder

_MOST_INPUT_PER_OUTPUT = 1_000_000  # more than any context has


def run_validate(options: argparse.Namespace, folder: StackFolder) -> int:
    """Check stack files, and the objects of those that are deployed."""
    from infra.judgement import judge

    strays = [] if options.stack else folder.strays()
    built = build_all(options.stack or folder.names(), folder, strays)
    if not options.no_policies:
        judge(built, folder)
    print(f"ok: {len(built)} stack file{'' if len(built) == 1 else 's'}")
    return 0


def run_new(options: argparse.Namespace, folder: StackFolder) -> int:
    """Write a stack file that plans."""
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


def run_plan(options: argparse.Namespace, folder: StackFolder) -> int:
    """Print plans as text, JSON or a page."""
    from infra.fleet import totals
    from infra.fleet_report import fleet_text
    from infra.job_report import jobs_text
    from infra.managed_report import endpoint_text

    if options.by and not options.all:
        raise SpecError("--by sums costs of all endpoints; write --all in place of a stack's name.")
    if options.live and len(options.stack) != 1:
        raise SpecError("--live asks Google about one managed endpoint; name one stack.")
    if len(options.stack) > 1:
        return _compare(options, folder)
    if options.input_per_output is not None:
        raise SpecError("--input-per-output is for costs of stacks beside each other; name two stacks or more.")
    if options.all:
        built, failures = build_each(folder.names(), folder)
        endpoints = [one for one in built if not isinstance(one, Platform)]
        if failures and endpoints and not (options.json or options.html or options.explain):
            lasting = [one.plan for one in endpoints if not isinstance(one, BatchJob)]
            print(fleet_text(lasting, list(failures), options.by or "team"), flush=True)
        refuse(failures.values())
    else:
        one = build(options.stack[0], folder)
        if options.live:
            return plan_live(options, one, folder)
        if isinstance(one, Platform):
            return _plan_platform(options, one, folder)
        endpoints = [one]
    plans = [one.plan for one in endpoints]
    lasting, jobs = (
        [one.plan for one in endpoints if not isinstance(one, BatchJob)],
        [one.plan for one in endpoints if isinstance(one, BatchJob)],
    )
    if options.html:
        _write_page(_on_own_machines(endpoints, options, folder), options.html)
    if options.json and options.by:
        print(json.dumps([one.to_json() for one in totals(lasting, options.by)], indent=2))
    elif options.json:
        data = [plan.to_json() for plan in plans]
        print(json.dumps(data if options.all else data[0], indent=2))
    elif options.all and not options.explain:
        print(fleet_text(lasting, label=options.by or "team") + jobs_text(jobs), end="")
    else:
        print("\n".join(endpoint_text(plan, explain=options.explain) for plan in plans), end="")
    return 0


def _compare(options: argparse.Namespace, folder: StackFolder) -> int:
    """Print what several stacks differ in, as text or JSON."""
    from infra.catalog.loader import load_catalog
    from infra.comparison_report import comparison_text
    from infra.plan.comparison import ASSUMED_RATIO, MOST, Side, compare

    names, ratio = options.stack, options.input_per_output
    if options.html or options.explain:
        raise SpecError("--html and --explain show one plan; name one stack, or leave them out.")
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise SpecError(f"{' and '.join(twice)} named twice; name each stack once.")
    if len(names) > MOST:
        raise SpecError(f"{len(names)} stacks; at most {MOST} are set side by side. --all has a line for each.")
    if ratio is not None and not 0 <= ratio <= _MOST_INPUT_PER_OUTPUT:
        raise SpecError(f"--input-per-output is a number from 0 to {_MOST_INPUT_PER_OUTPUT:,}.")
    built, failures = build_each(names, folder)
    endpoints = [one for one in built if isinstance(one, Endpoint | ManagedEndpoint)]
    others = [
        f"{folder.path(one.name)} is no endpoint; only those are compared." for one in built if one not in endpoints
    ]
    refuse([*map(SpecError, others), *failures.values()])
    sides = [Side.of(one.plan, one.platform) for one in endpoints]
    found = compare(sides, load_catalog(), ASSUMED_RATIO if ratio is None else ratio)
    print(json.dumps(found.to_json(), indent=2) + "\n" if options.json else comparison_text(found), end="")
    return 0


def _plan_platform(options: argparse.Namespace, platform: Platform, folder: StackFolder) -> int:
    from infra.cloud.platform_plan import platform_plan
    from infra.platform_report import platform_text

    if options.html or options.explain:
        raise SpecError(f"{folder.path(platform.name)} is a Platform; its plan is text, or JSON with --json.")
    plan = platform_plan(platform.name, platform.spec)
    print(json.dumps(plan.to_json(), indent=2) + "\n" if options.json else platform_text(plan), end="")
    return 0


def _on_own_machines(
    endpoints: Sequence[BatchJob | Endpoint | ManagedEndpoint], options: argparse.Namespace, folder: StackFolder
) -> list[Endpoint]:
    """Endpoints of which there is a page: it shows what machines do, and Google's are not ours to show."""
    found = [one for one in endpoints if isinstance(one, Endpoint)]
    if not found and not options.all:
        what = "a job" if isinstance(endpoints[0], BatchJob) else "a managed endpoint"
        raise SpecError(f"{folder.path(options.stack[0])} is {what}; its plan is text, or JSON with --json.")
    return found


def _write_page(endpoints: Sequence[Endpoint], file: str) -> None:
    from infra.page import PlanPage, page_text

    pages = [PlanPage.of(one.plan, one.resolved.request, one.resolved.choice) for one in endpoints]
    _write(page_text(pages), file)


def _write(text: str, file: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StackError(f"{file}: cannot be written: {error.strerror}.") from None


def run_dashboard(options: argparse.Namespace, folder: StackFolder) -> int:
    """Print an endpoint's Grafana dashboard."""
    text = _endpoint(options.stack, folder).workload.monitor.dashboard
    if not text:
        raise StackError(f"{options.stack} is not watched: its platform says monitoring none.")
    print(text, end="")
    return 0


def run_status(options: argparse.Namespace, folder: StackFolder) -> int:
    """Print what a running endpoint does."""
    import dataclasses

    from infra.diagnosis_report import diagnosis_text
    from infra.operate.status import status
    from infra.plan.needed_secrets import needed_secrets

    endpoint = _endpoint(options.stack, folder)
    workload, platform, plan = endpoint.workload, endpoint.platform, endpoint.plan
    fewest = plan.min_replicas if plan.scaling else None
    found = status(endpoint.name, platform, needed_secrets(plan), fewest, groups=plan.accelerator.nodes > 1)
    gateway = plan.exposure.gateway
    url = gateway.url if gateway else dict(workload.client_environment)["OPENAI_BASE_URL"]
    print(
        json.dumps(dataclasses.asdict(found), indent=2) if options.json else diagnosis_text(endpoint.name, found, url),
        end="",
    )
    return 0 if found.state == "serving" else 1


def run_nodes(options: argparse.Namespace, folder: StackFolder) -> int:
    """Print the nodes of a platform's cluster as its file may declare them."""
    from infra.catalog.loader import load_catalog
    from infra.cluster.listing import nodes_text
    from infra.cluster.reading import read_cluster

    built = build(options.stack, folder)
    own = built.spec.kubernetes if isinstance(built, Platform) else None
    if own is None:
        raise SpecError(f"{folder.path(options.stack)} is no Platform with kubernetes; this verb takes one.")
    state = read_cluster(options.stack, own.context)
    print(nodes_text(state.nodes, state.pods, load_catalog().node_labels), end="")
    return 0


def run_check(options: argparse.Namespace, folder: StackFolder) -> int:
    """Print what a platform's cluster lacks; 1 where something keeps everything from being deployed."""
    from infra.check_report import check_json, check_text
    from infra.cloud.cluster_check import missing
    from infra.cloud.cluster_facts import cluster_facts
    from infra.operate.describe import describe

    _, spec = read(options.stack, folder)
    if isinstance(spec, EndpointSpec):
        raise SpecError(f"{folder.path(options.stack)} is an Endpoint; this verb takes its platform, {spec.platform}.")
    if spec.kubernetes is not None:
        raise SpecError(
            f"{folder.path(options.stack)} has no gke; for other clusters use: servestack nodes {options.stack}"
        )
    if spec.gke is None:
        raise SpecError(f"{folder.path(options.stack)} has no gke; there is no cluster to check.")
    facts = cluster_facts(describe(spec.gke))
    findings = missing(facts, spec.gke)
    if options.json:
        print(json.dumps(check_json(facts, findings), indent=2))
    else:
        print(check_text(options.stack, spec.gke, facts, findings), end="")
    return 1 if any(one.blocks for one in findings) else 0


def run_recover(options: argparse.Namespace, folder: StackFolder) -> int:
    """Put the state right after an `up` that was killed."""
    from infra.operate.recover import recover

    read(options.stack, folder)
    recover(options.stack, lambda line: print(line, flush=True))
    return 0


def run_matrix(options: argparse.Namespace, _folder: StackFolder) -> int:
    """Print what each framework can do."""
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


def run_schema(_options: argparse.Namespace, _folder: StackFolder) -> int:
    """Print the JSON schema of stack files."""
    from infra.schema import schema_text

    print(schema_text(), end="")
    return 0


def _endpoint(name: str, folder: StackFolder) -> Endpoint:
    built = build(name, folder)
    if isinstance(built, Platform):
        raise SpecError(f"{folder.path(name)} is a Platform; this verb takes an Endpoint.")
    if isinstance(built, BatchJob):
        raise SpecError(f"{folder.path(name)} is a job: nobody calls it; this verb takes an endpoint of a cluster.")
    if isinstance(built, ManagedEndpoint):
        raise SpecError(f"{folder.path(name)} is a managed endpoint: Google runs it; this verb takes one of a cluster.")
    return built
