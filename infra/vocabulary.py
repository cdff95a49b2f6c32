"""Whether the words of a stack file exist: model, accelerator, framework, precision, platform."""

from __future__ import annotations

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
    return [
        document.problem((field,), f"unknown {word!r}. {nearest(word, known)}")
        for field, word, known in words
        if isinstance(word, str) and len(word) <= 63 and word not in set(known)
    ]
