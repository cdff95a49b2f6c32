"""What is committed for review: the plan as a comment, then every rendered object."""

from __future__ import annotations

import dataclasses

from infra.cloud.platform_plan import platform_plan
from infra.managed_report import endpoint_text
from infra.pipeline import Built, Endpoint, Platform
from infra.plan.serving_plan import plain
from infra.platform_report import platform_manifest
from infra.render import manifest


def golden_text(built: Built) -> str:
    """Text of `tests/golden/<stack>.yaml`, and what `servestack render` prints."""
    if isinstance(built, Platform):
        return platform_manifest(platform_plan(built.name, built.spec))
    comment = "".join(f"# {line}".rstrip() + "\n" for line in endpoint_text(built.plan).splitlines())
    if isinstance(built, Endpoint) and built.service is not None:
        return comment + manifest([{"service": plain(dataclasses.asdict(built.service))}])
    return comment + manifest(built.objects())
