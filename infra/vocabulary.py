"""Whether the words of a stack file exist: model, accelerator, framework, precision, platform."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from infra.catalog.records import Catalog
from infra.document import Document
from infra.errors import Problem, nearest


def vocabulary_problems(document: Document, catalog: Catalog, platforms: Iterable[str]) -> list[Problem]:
    """Unknown words of an Endpoint file, each with the nearest known one."""
    values = document.values
    accelerator: Any = values.get("accelerator")
    if isinstance(accelerator, dict):
        accelerator = accelerator.get("type")
    precisions = {one.precision for model in catalog.models.values() for one in model.checkpoints}
    words: list[tuple[str, Any, Iterable[str]]] = [
        ("platform", values.get("platform"), platforms),
        ("model", values.get("model"), catalog.models),
        ("accelerator", accelerator, catalog.accelerators),
        ("framework", values.get("framework"), catalog.frameworks),
        ("precision", values.get("precision"), precisions),
    ]
    problems = [
        document.problem((field,), f"unknown {word!r}. {nearest(word, known)}")
        for field, word, known in words
        if isinstance(word, str) and len(word) <= 63 and word not in set(known)
    ]
    return [*problems, *_time_zones(document, catalog)]


def platform_problems(document: Document, catalog: Catalog) -> list[Problem]:
    """Accelerators of a Platform's nodes that are unknown, or that no node of any cluster carries."""
    cluster: Any = document.values.get("kubernetes")
    nodes: Any = cluster.get("nodes") if isinstance(cluster, dict) else None
    carried = [one.id for one in catalog.accelerators.values() if one.kind in {"cpu", "gpu"}]
    words = [
        (index, group.get("accelerator"))
        for index, group in enumerate(nodes if isinstance(nodes, list) else ())
        if isinstance(group, dict)
    ]
    return [
        document.problem(
            ("kubernetes", "nodes", index, "accelerator"),
            f"{'no GPU or cpu: ' if word in catalog.accelerators else 'unknown '}{word!r}. {nearest(word, carried)}",
        )
        for index, word in words
        if isinstance(word, str) and len(word) <= 63 and word not in carried
    ]


def _time_zones(document: Document, catalog: Catalog) -> list[Problem]:
    """Time zones of a schedule that the IANA database has not; all that it has would be too many to list."""
    scaling: Any = document.values.get("scaling")
    schedule: Any = scaling.get("schedule") if isinstance(scaling, dict) else None
    problems = []
    for index, hours in enumerate(schedule if isinstance(schedule, list) else ()):
        zone: Any = hours.get("timezone") if isinstance(hours, dict) else None
        if isinstance(zone, str) and len(zone) <= 63 and zone not in catalog.time_zones:
            close = difflib.get_close_matches(zone, sorted(catalog.time_zones), n=1, cutoff=0.5)
            guess = f"Did you mean '{close[0]}'?" if close else "Write an IANA name, such as Europe/Berlin or UTC."
            problems.append(document.problem(("scaling", "schedule", index, "timezone"), f"unknown {zone!r}. {guess}"))
    return problems
