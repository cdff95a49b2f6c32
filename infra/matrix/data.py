"""The support matrix as JSON data, with everything that the records hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from infra.catalog.records import Checkpoint, Drafter
from infra.matrix.rows import Matrix, MatrixRow, Source
from infra.plan.serving_plan import camel


def matrix_json(matrix: Matrix) -> dict[str, Any]:
    """All rows, in the catalogue's order; camelCase keys as in a plan's JSON."""
    return {
        "checked": matrix.checked,
        "sizes": list(matrix.sizes),
        "inputs": list(matrix.inputs),
        "frameworks": [row_json(row) for row in matrix.rows],
    }


def row_json(row: MatrixRow) -> dict[str, Any]:
    """One framework: its whole record, sources written out, then what follows from it."""
    facts = row.facts
    return _plain(dataclasses.asdict(facts)) | {
        "minimumVersionBySize": dict(facts.minimum_version_by_size),
        "inputsBySize": {size: list(inputs) for size, inputs in facts.inputs_by_size},
        "evidence": [{"statement": said, "source": _plain(dataclasses.asdict(found))} for said, found in row.evidence],
        "sources": [_plain(dataclasses.asdict(one)) for one in row.sources],
        "here": row.here,
        "plannedOn": list(row.planned_on),
        "deployed": row.deployed,
        "kinds": list(row.kinds),
        "acceleratorsByArchitecture": {name: list(ones) for name, ones in row.accelerators},
        "imageByArchitecture": {name: image and image.reference for name, image in row.image_by_architecture},
        "checkpoints": [_cited(one, row.checkpoint_sources) for one in row.checkpoints],
        "drafterCheckpoints": [_cited(one, row.checkpoint_sources) for one in row.drafters],
    }


def _cited(one: Checkpoint | Drafter, sources: Mapping[str, Source]) -> dict[str, Any]:
    cited = [_plain(dataclasses.asdict(sources[name])) for name in one.sources]
    return _plain(dataclasses.asdict(one)) | {"sources": cited}


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {camel(key): _value(value) for key, value in record.items()}


def _value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    return _plain(value) if isinstance(value, dict) else value
