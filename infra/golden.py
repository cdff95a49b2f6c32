"""What is committed for review: the plan as a comment, then every rendered object."""

from __future__ import annotations

from infra.pipeline import Endpoint
from infra.render import manifest
from infra.report import plan_text


def golden_text(endpoint: Endpoint) -> str:
    """Text of `tests/golden/<stack>.yaml`, and what `servestack render` prints."""
    comment = "".join(f"# {line}".rstrip() + "\n" for line in plan_text(endpoint.plan).splitlines())
    return comment + manifest(endpoint.objects())
