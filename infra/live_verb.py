"""`servestack plan X --live`: the plan, then what Google says of it today."""

from __future__ import annotations

import argparse
import json

from infra.errors import SpecError, StackError
from infra.pipeline import Built, ManagedEndpoint, Platform, StackFiles


def plan_live(options: argparse.Namespace, built: Built, folder: StackFiles) -> int:
    """Print a managed endpoint's plan and Google's answers; 0 where the plan can be kept, else 1.

    Raises:
        SpecError: there is nothing to ask of Google, or no such output.
        StackError: Google did not answer; the plan was printed.
    """
    from infra.catalog.loader import load_catalog
    from infra.live.asking import ask
    from infra.live_report import error_text, live_text
    from infra.managed_report import endpoint_text

    path = folder.path(built.name)
    if not isinstance(built, ManagedEndpoint):
        kind = "a Platform" if isinstance(built, Platform) else "a job or an endpoint on your own machines"
        raise SpecError(f"{path} is {kind}; --live asks Google about a managed endpoint (framework vertex or gemini).")
    if options.html:
        raise SpecError(f"{path} is a managed endpoint; its plan is text, or JSON with --json.")
    plan = built.plan
    if not options.json:
        print(endpoint_text(plan, explain=options.explain), end="", flush=True)
    live = ask(plan, load_catalog())
    told = {**plan.to_json(), "live": live.to_json()}
    print(json.dumps(told, indent=2) + "\n" if options.json else live_text(plan, live), end="", flush=True)
    if live.error:
        raise StackError(error_text(live))
    return 0 if live.agrees else 1
