"""What is committed for review: the plan as a comment, then every rendered object."""

from __future__ import annotations

from infra.cloud.platform_plan import platform_plan
from infra.pipeline import Endpoint, Platform
from infra.platform_report import platform_manifest
from infra.render import manifest
from infra.report import plan_text


def golden_text(built: Endpoint | Platform) -> str:
    """Text of `tests/golden/<stack>.yaml`, and what `servestack render` prints."""
    if isinstance(built, Platform):
        return platform_manifest(platform_plan(built.name, built.spec))
    endpoint = built
    comment = "".join(f"# {line}".rstrip() + "\n" for line in plan_text(endpoint.plan).splitlines())
    return comment + manifest(endpoint.objects())
