"""What `servestack check` found, as text of at most 80 columns or as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from infra.cloud.cluster_check import Finding, lacks_line
from infra.cloud.cluster_facts import ClusterFacts
from infra.spec import Gke
from infra.text import printable, wrapped


def check_text(platform: str, gke: Gke, facts: ClusterFacts, findings: Sequence[Finding]) -> str:
    """The findings, and the line that makes the platform's file say them."""
    mode = "autopilot" if facts.autopilot else "standard"
    version = printable(facts.version) or "of an unknown version"
    lines = [wrapped(f"{platform}: cluster {gke.cluster.name}, GKE {version}, {mode}", "", "  ")]
    for one in findings:
        word = "refused" if one.blocks else "missing"
        lines.append(wrapped(f"{word}: {one.missing}: {one.matters}", "  ", "    "))
        lines += [f"    {one.command}"] if one.command else []
    if facts.lacks:
        lines.append(wrapped("until then, write into cluster, so that plans know it:", "  ", "    "))
        lines.append(f"    {lacks_line(facts)}")
    if not findings:
        lines.append("  it has what its file says")
    return "\n".join(lines) + "\n"


def check_json(facts: ClusterFacts, findings: Sequence[Finding]) -> dict[str, Any]:
    """The same as data."""
    return {
        "autopilot": facts.autopilot,
        "version": facts.version,
        "lacks": list(facts.lacks),
        "findings": [dataclasses.asdict(one) for one in findings],
    }
