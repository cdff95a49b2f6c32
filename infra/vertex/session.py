"""One piece of work at Vertex AI for the provider, with errors as the engine is to print them.

Apart from the provider, because the Google client takes a second to import: a preview does not need it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from infra.vertex.calls import Calls, Pace
from infra.vertex.clients import ADDRESS_VARIABLE, connect
from infra.vertex.deployment import Deployment
from infra.vertex.failures import ERRORS, VertexError, explain
from infra.vertex.garden import Garden

T = TypeVar("T")
PACE_VARIABLES = {
    "poll_seconds": "SERVESTACK_VERTEX_POLL_SECONDS",
    "removal_seconds": "SERVESTACK_VERTEX_REMOVAL_SECONDS",
}


def run(wanted: Deployment, address: str, failed: str, work: Callable[[Garden], T]) -> T:
    """Do it.

    Args:
        wanted: the deployment.
        address: loopback address from the stack's configuration; empty for the environment's, or Google.
        failed: what to say of the endpoint when it fails, such as "was not made".
        work: what to do.

    Raises:
        VertexError: it failed; the text begins on a line of its own, after the engine's words.
    """
    try:
        clients = connect(wanted.location, address or os.environ.get(ADDRESS_VARIABLE, ""))
        return work(Garden(wanted, clients, Calls(_pace())))
    except ERRORS as error:
        doing = f"Endpoint {wanted.endpoint_id} {failed}"
        told = f"{doing}.\n{error}" if isinstance(error, VertexError) else str(explain(error, doing, wanted))
        shown = VertexError(told)
        shown.args = (f"\n{shown}",)
        raise shown from None


def _pace() -> Pace:
    """The usual pace, or a test's."""
    usual = Pace()
    poll, removal = (os.environ.get(PACE_VARIABLES[name]) for name in ("poll_seconds", "removal_seconds"))
    pace = replace(usual, removal_seconds=float(removal or usual.removal_seconds))
    if poll is None:
        return pace
    return replace(pace, poll_seconds=float(poll), longest_poll_seconds=float(poll), back_off_seconds=float(poll))
