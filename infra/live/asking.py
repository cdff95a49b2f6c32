"""Asking Google about one managed endpoint: reads alone, bounded in time; what goes wrong is part of the answer."""

from __future__ import annotations

from infra.catalog.records import Catalog
from infra.live.findings import Live
from infra.plan.managed import ManagedPlan
from infra.vertex.calls import Pace

PACE = Pace(attempts=3, back_off_seconds=1.0, call_seconds=15.0)


def ask(plan: ManagedPlan, catalog: Catalog, pace: Pace | None = None) -> Live:
    """What Google says of a planned endpoint.

    Args:
        plan: its plan.
        catalog: the facts.
        pace: how often a call is made again, and how long one may take; None for the usual one.
    """
    pace = pace or PACE
    if plan.service == "gemini":
        from infra.live.gemini import ask_gemini  # each service has a client of its own, which takes a second to import

        return ask_gemini(plan, catalog, pace)
    from infra.live.vertex import ask_garden, ask_serverless

    return ask_serverless(plan, pace) if plan.service == "serverless" else ask_garden(plan, catalog, pace)
