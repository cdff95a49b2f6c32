"""The catalogue's YAML files as records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from infra.catalog.compute import Compute
from infra.catalog.local_ssds import LocalSsds
from infra.catalog.managed import managed_facts
from infra.catalog.metrics import EngineMetrics, Series
from infra.catalog.node_labels import node_labels
from infra.catalog.picker import Picker, PickerEngine, Scorer
from infra.catalog.prices import Price, Throughput
from infra.catalog.proxy import Proxy
from infra.catalog.records import (
    Accelerator,
    Catalog,
    Checkpoint,
    Drafter,
    Evidence,
    Framework,
    Image,
    Machine,
    Model,
)
from infra.toolkit import CATALOGUE, toolkit

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Row = Mapping[str, Any]


def read_facts(name: str) -> dict[str, Any]:
    """One catalogue file as plain data; `name` is such as `models.yaml`."""
    text = (toolkit() / CATALOGUE / name).read_text(encoding="utf-8")
    facts: dict[str, Any] = yaml.load(text, Loader=_Loader)
    return facts


def load_catalog() -> Catalog:
    """The whole catalogue, read once for each folder that it is read from."""
    return _catalog(toolkit())


@cache
def _catalog(_folder: Path) -> Catalog:
    accelerators, prices = read_facts("accelerators.yaml"), read_facts("prices.yaml")
    machines = [_accelerator(row) for row in accelerators["accelerators"]]
    macs = [_apple(row) for row in accelerators["apple"]]
    return Catalog(
        models=_models(read_facts("models.yaml"), read_facts("checkpoints.yaml")),
        accelerators={one.id: one for one in sorted(machines + macs, key=lambda one: one.id)},
        compute={row["accelerator"]: Compute(**_fields(row)) for row in read_facts("compute.yaml")["accelerators"]},
        frameworks={row["name"]: _framework(row) for row in read_facts("frameworks.yaml")["frameworks"]},
        prices={row["machine_type"]: _price(row) for row in prices["machines"]},
        throughputs=tuple(_throughput(row) for row in read_facts("throughputs.yaml")["throughputs"]),
        price_region=prices["region"],
        proxy=_proxy(read_facts("proxy.yaml")["proxies"][0]),
        metrics={row["framework"]: _metrics(row) for row in read_facts("metrics.yaml")["metrics"]},
        picker=_picker(read_facts("picker.yaml")["pickers"][0]),
        time_zones=frozenset(read_facts("timezones.yaml")["databases"][0]["names"].split()),
        node_labels=node_labels(
            read_facts("node_labels.yaml"),
            {one.id: one.gke_label for one in machines if one.kind == "gpu" and one.gke_label},
        ),
        local_ssds={
            row["machine_type"]: LocalSsds(**_fields(row)) for row in read_facts("local_ssds.yaml")["machines"]
        },
        managed=managed_facts(read_facts("managed.yaml")),
    )


def _models(facts: _Row, published: _Row) -> dict[str, Model]:
    """Base and instruction-tuned model of every size, with what is published for each."""
    family = {key: facts[key] for key in ("vocabulary", "head_dim_sliding", "head_dim_global", "licence", "gated")}
    inputs = {
        f"gemma-4-{row['size']}{suffix}": tuple(row["inputs"]) for row in facts["sizes"] for suffix in ("", "-it")
    }
    checkpoints, drafters = list(_checkpoints(published, inputs)), [_drafter(row) for row in published["drafters"]]
    models: dict[str, Model] = {}
    for row in facts["sizes"]:
        for name, instruct in ((f"gemma-4-{row['size']}", False), (f"gemma-4-{row['size']}-it", True)):
            models[name] = Model(
                **_fields(row | family),
                instruct=instruct,
                checkpoints=tuple(one for one in checkpoints if one.model == name),
                drafters=tuple(one for one in drafters if one.model == name),
            )
    return models


def _checkpoints(published: _Row, inputs: Mapping[str, tuple[str, ...]]) -> Iterator[Checkpoint]:
    """Checkpoints in the order of the file: what a row does not say, its kind or the file says."""
    for kind in published["kinds"]:
        left_out = kind["inputs_left_out"]
        for row in kind["checkpoints"]:
            yield Checkpoint(
                model=row["model"],
                precision=kind["precision"],
                format=kind["format"],
                repository=row["repository"],
                revision=row["revision"],
                bytes=row["bytes"],
                bytes_uncertainty=row.get("bytes_uncertainty", 0),
                projector_bytes=row.get("projector_bytes"),
                file=row.get("file"),
                projector_file=row.get("projector_file"),
                frameworks=tuple(row.get("frameworks", kind["frameworks"])),
                architectures=tuple(row.get("architectures", kind["architectures"])),
                licence=row.get("licence", published["licence"]),
                gated=published["gated"],
                inputs=tuple(one for one in inputs[row["model"]] if one not in left_out),
                sources=tuple(row["sources"]),
            )


def _drafter(row: _Row) -> Drafter:
    return Drafter(**_fields(row))


def _accelerator(row: _Row) -> Accelerator:
    machines = tuple(Machine(**_fields(one)) for one in row["machines"])
    return Accelerator(**{**_fields(row), "machines": machines})


def _apple(row: _Row) -> Accelerator:
    """A Mac, by its size of unified memory: all that differs between them for a plan."""
    size = row["unified_memory_gib"]
    return Accelerator(
        id=f"apple-{size}gb",
        display_name=f"Apple silicon ({size} GB)",
        kind="apple",
        architecture="apple",
        vendor_memory_gb=size,
        memory_gib=row["memory_gib"],
        unified_memory_gib=size,
        gke_label=None,
        gce_type=None,
        vertex_type=None,
        resource=None,
        boot_disk_type=None,
        topologies=(),
        host_architecture="arm64",
        minimum_gke_standard=None,
        minimum_gke_autopilot=None,
        zones=(),
        note=row["note"],
        sources=tuple(row["sources"]),
        machines=(),
    )


def _framework(row: _Row) -> Framework:
    parts = {
        "images": tuple(Image(**_fields(one)) for one in row["images"]),
        "evidence": tuple(Evidence(**one) for one in row["evidence"]),
        "minimum_version_by_size": tuple(row["minimum_version_by_size"].items()),
        "inputs_by_size": tuple((size, tuple(inputs)) for size, inputs in row["inputs_by_size"].items()),
    }
    return Framework(**{**_fields(row), **parts})


def _price(row: _Row) -> Price:
    return Price(**_fields(row))


def _proxy(row: _Row) -> Proxy:
    return Proxy(**_fields(row))


def _metrics(row: _Row) -> EngineMetrics:
    parts = {key: Series(**value) for key, value in row.items() if isinstance(value, dict)}
    return EngineMetrics(**{**_fields(row), **parts})


def _picker(row: _Row) -> Picker:
    parts = {
        "scorers": tuple(Scorer(**one) for one in row["scorers"]),
        "engines": tuple(PickerEngine(**one) for one in row["engines"]),
    }
    return Picker(**{**_fields(row), **parts})


def _throughput(row: _Row) -> Throughput:
    return Throughput(**_fields(row))


def _fields(row: _Row) -> dict[str, Any]:
    """A row as arguments of its record: a list becomes a tuple; a key that the record does not have is an error."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
