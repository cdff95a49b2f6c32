"""Labels by which a platform's resources are found, billed and known as its own."""

from __future__ import annotations

from infra.spec import PlatformSpec

MANAGED_BY = {"managed-by": "servestack"}


def platform_labels(name: str, platform: PlatformSpec) -> dict[str, str]:
    """On everything that can have labels: the file's, and those that no file can set."""
    return marked(name, dict(platform.labels))


def marked(name: str, labels: dict[str, str]) -> dict[str, str]:
    """Labels with the platform's marks."""
    return {**labels, **MANAGED_BY, "servestack-platform": name}
