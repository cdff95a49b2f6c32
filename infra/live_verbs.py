"""What the verbs of `servestack` do that call a running endpoint, or read back what runs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import SpecError, StackError
from infra.pipeline import Endpoint, ManagedEndpoint, Platform, build
from infra.stack_folder import StackFolder

if TYPE_CHECKING:
    from infra.frameworks.host_service import HostService
    from infra.smoke.run import Target
    from infra.verify.rows import Row


def run_smoke(options: argparse.Namespace, folder: StackFolder) -> int:
    """Call a running endpoint as its callers do, and print what it does not keep of its plan."""
    import dataclasses

    from infra.smoke.promise import promise
    from infra.smoke.run import smoke
    from infra.smoke_report import smoke_text

    built = _endpoint(options.stack, folder)
    target = _target(built, options)
    promised = promise(built.plan, options.model or "")
    if options.first_token_seconds is not None:
        promised = dataclasses.replace(promised, first_token_seconds=options.first_token_seconds)
    found = smoke(promised, target, _progress)
    if options.json:
        _write(json.dumps(found.to_json(), indent=2) + "\n", options.json)
    print(smoke_text(found), end="")
    return 0 if found.passed else 1


def run_verify(options: argparse.Namespace, folder: StackFolder) -> int:
    """Print where what runs is not what the plan says."""
    from infra.plan.fingerprint import plan_hash
    from infra.verify.rows import differing, rows_json
    from infra.verify_report import verify_text

    built = _endpoint(options.stack, folder)
    rows = _live_rows(built, options, folder)
    if options.json:
        print(json.dumps(rows_json(built.name, plan_hash(built.plan), rows), indent=2))
    else:
        print(verify_text(built.name, plan_hash(built.plan), rows), end="")
    return 1 if differing(rows) else 0


def _endpoint(name: str, folder: StackFolder) -> Endpoint | ManagedEndpoint:
    built = build(name, folder)
    if isinstance(built, Endpoint | ManagedEndpoint):
        return built
    kind = "a Platform" if isinstance(built, Platform) else "a job, which serves nobody"
    raise SpecError(f"{folder.path(name)} is {kind}; this verb takes an Endpoint.")


def _live_rows(built: Endpoint | ManagedEndpoint, options: argparse.Namespace, folder: StackFolder) -> list[Row]:
    from infra.verify.cluster import compare
    from infra.verify.engine import ask_engine
    from infra.verify.garden import verify_garden
    from infra.verify.reach import read_live

    if isinstance(built, ManagedEndpoint):
        if built.plan.garden is None:
            raise SpecError(
                f"{folder.path(built.name)}: Google runs it on machines of its own, and nothing of it can be read "
                f"back; see whether it answers with: servestack smoke {built.name}"
            )
        return verify_garden(built)
    if built.mac is not None:
        raise SpecError(
            f"{folder.path(built.name)} runs on machines that SSH reaches, and Pulumi reads them back itself: "
            f"pulumi preview --refresh -s {built.name}; see whether it answers with: servestack smoke {built.name}"
        )
    if built.service is not None:
        from infra.verify.machine import verify_service

        return verify_service(built.plan, built.service, lambda: _target(built, options))
    plan, work = built.plan, built.workload
    live = read_live(built.name, built.platform, work.container, groups=plan.accelerator.nodes > 1)
    rows = compare(plan, built.objects(), live)
    if not options.url:
        return rows
    return [*rows, *ask_engine(plan, _target(built, options))]


def _target(built: Endpoint | ManagedEndpoint, options: argparse.Namespace) -> Target:
    """Where the endpoint is called: as the options say, else where a service of this machine listens."""
    from infra.smoke.target import target_of

    service = built.service if isinstance(built, Endpoint) else None
    return target_of(
        built.plan,
        built.platform,
        url=options.url or (service.url if service else None),
        metrics_url=getattr(options, "metrics_url", None) or (service.metrics_url if service else None),
        key_file=options.key_file or (_key_here(service) if service else None),
        timeout_seconds=options.timeout_seconds,
    )


def _key_here(service: HostService) -> str | None:
    """Key file of a service of this machine; None where no key is asked for."""
    from infra.local.home import data_folder

    return str(data_folder() / service.key_file) if service.key_file else None


def _progress(line: str) -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        print(line, file=sys.stderr, flush=True)


def _write(text: str, file: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StackError(f"{file}: cannot be written: {error.strerror}.") from None
