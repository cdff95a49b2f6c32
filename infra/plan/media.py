"""Where an engine may fetch images, video and audio from that requests name by address: nowhere unless asked."""

from __future__ import annotations

from infra.catalog.records import Framework
from infra.plan.capabilities import Capabilities
from infra.plan.refusal import RefusedError
from infra.spec import EndpointSpec


def check_media(spec: EndpointSpec, facts: Framework, capabilities: Capabilities, inputs: tuple[str, ...]) -> None:
    """Refuse names that nothing is fetched from, or to which the engine cannot be held.

    Raises:
        RefusedError: requests hold text alone, or the engine has no such limit.
    """
    field = ("media", "domains")
    if not spec.media.domains:
        return
    if inputs == ("text",):
        raise RefusedError(field, "requests hold text alone, so nothing is fetched; leave it out, or add an input.")
    if not capabilities.limits_media:
        raise RefusedError(
            field,
            f"{facts.display_name} is not held to names by this field; leave it out, and send data: addresses.",
        )


def media_caution(facts: Framework, capabilities: Capabilities, inputs: tuple[str, ...]) -> str | None:
    """What to know where an engine fetches whatever address a request names."""
    if inputs == ("text",) or capabilities.limits_media or not capabilities.fetches_media:
        return None
    return (
        f"{facts.display_name} fetches any http address that a request names as its image, and has no switch for it: "
        "the pod's own ports and public addresses can be reached; give keys to callers you trust, or take text alone"
    )
