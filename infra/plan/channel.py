"""Experimental frameworks run only where the stack file says that it knows."""

from __future__ import annotations

from infra.catalog.records import Framework
from infra.plan.refusal import RefusedError
from infra.spec import EndpointSpec


def experimental(facts: Framework) -> bool:
    """Whether the catalogue calls a framework experimental."""
    return facts.state == "experimental"


def wrong_channel(spec: EndpointSpec, facts: Framework) -> str | None:
    """Why an experimental framework is not planned: what is known against it, and what to do instead; else None.

    Raises:
        RefusedError: the stack file calls a framework experimental that is not.
    """
    channel = spec.engine.channel
    if not experimental(facts):
        if channel == "experimental":
            raise RefusedError(("engine", "channel"), f"{facts.display_name} is not experimental; leave it out.")
        return None
    if channel == "experimental":
        return None
    why = " ".join(one.statement for one in facts.evidence)
    return (
        f"{facts.display_name} is experimental. {why} Use framework: {facts.alternative or 'vllm'}, or write "
        "'engine: {channel: experimental}' to run it all the same."
    )


def channel_cautions(facts: Framework) -> tuple[str, ...]:
    """Everything known against an experimental framework."""
    if not experimental(facts):
        return ()
    return (f"{facts.display_name} is experimental", *(one.statement.rstrip(".") for one in facts.evidence))
