"""The catalogue's YAML files as records."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from infra.catalog.records import Accelerator, Catalog, Checkpoint, Framework, Machine, Model, Price

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Record = TypeVar("_Record")


def read_facts(name: str) -> dict[str, Any]:
    """One catalogue file as plain data; `name` is such as `models.yaml`."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    facts: dict[str, Any] = yaml.load(text, Loader=_Loader)
    return facts


@cache
def load_catalog() -> Catalog:
    """The whole catalogue, read once."""
    models, accelerators = read_facts("models.yaml"), read_facts("accelerators.yaml")
    frameworks, prices = read_facts("frameworks.yaml"), read_facts("prices.yaml")
    family = {key: models[key] for key in ("vocabulary", "head_dim_sliding", "head_dim_global")}
    sizes = [
        _record(Model, row | family, checkpoints=tuple(_record(Checkpoint, one) for one in row["checkpoints"]))
        for row in models["sizes"]
    ]
    gpus = [
        _record(Accelerator, row, machines=tuple(_record(Machine, one) for one in row["machines"]))
        for row in accelerators["accelerators"]
    ]
    return Catalog(
        models={model.id: model for model in sizes},
        accelerators={gpu.id: gpu for gpu in gpus},
        frameworks={row["name"]: _record(Framework, row) for row in frameworks["frameworks"]},
        prices={row["machine_type"]: _record(Price, row) for row in prices["machines"]},
        price_region=prices["region"],
    )


def _record(kind: type[_Record], row: Mapping[str, Any], **replaced: Any) -> _Record:
    fields = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return kind(**{key: value for key, value in (values | replaced).items() if key in fields})
