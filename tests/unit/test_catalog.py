"""Walks the real catalogue: what was forgotten when a row was added is found here."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra.catalog.loader import load_catalog, read_facts
from infra.frameworks import FRAMEWORKS

CATALOG = load_catalog()
FILES = ["accelerators.yaml", "frameworks.yaml", "models.yaml", "prices.yaml"]
ROWS = {"accelerators.yaml": ("accelerators", "id"), "frameworks.yaml": ("frameworks", "name")}
ROWS |= {"models.yaml": ("sizes", "size"), "prices.yaml": ("machines", "machine_type")}


def cited(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [str(one) for one in node.get("sources", [])] if isinstance(node.get("sources"), list) else []
        return own + [one for value in node.values() for one in cited(value)]
    return [one for item in node for one in cited(item)] if isinstance(node, list) else []


@pytest.mark.parametrize("file", FILES)
def test_every_cited_source_is_described_and_every_described_source_is_cited(file: str) -> None:
    facts = read_facts(file)
    body = {key: value for key, value in facts.items() if key != "sources"}
    assert set(cited(body)) == set(facts["sources"])
    assert all(set(source) == {"what", "date"} for source in facts["sources"].values())


@pytest.mark.parametrize("file", FILES)
def test_rows_are_sorted_and_unique(file: str) -> None:
    key, name = ROWS[file]
    names = [row[name] for row in read_facts(file)[key]]
    assert names == sorted(set(names))


@pytest.mark.parametrize("file", FILES)
def test_every_row_names_a_source_unless_it_holds_no_fact(file: str) -> None:
    key, name = ROWS[file]
    bare = [row[name] for row in read_facts(file)[key] if not row["sources"]]
    facts = {row[name]: row for row in read_facts(file)[key]}
    for unsourced in bare:
        assert all(value is None for field, value in facts[unsourced].items() if field.endswith("_per_hour"))


def test_every_machine_has_a_price_row_and_every_price_row_a_machine() -> None:
    machines = {machine.machine_type for gpu in CATALOG.accelerators.values() for machine in gpu.machines}
    assert machines == set(CATALOG.prices)


def test_sizes_carry_their_unit_in_the_name() -> None:
    unit = re.compile(r"_(gib|gb|tokens|bytes|seconds|usd_per_hour)$")
    measured = {"memory", "window", "size_of", "price", "context"}
    for file in FILES:
        key, _ = ROWS[file]
        for row in read_facts(file)[key]:
            loose = [name for name in row if any(word in name for word in measured) and not unit.search(name)]
            assert not loose, (file, loose)


def test_frameworks_of_the_catalogue_are_those_with_a_file() -> None:
    native = {name for name, facts in CATALOG.frameworks.items() if facts.state != "refused"}
    assert native == set(FRAMEWORKS)
    assert list(FRAMEWORKS) == sorted(FRAMEWORKS)
    assert all(name == framework.name for name, framework in FRAMEWORKS.items())


def test_accelerator_memory_is_what_a_process_sees_and_less_than_the_vendor_says() -> None:
    for gpu in CATALOG.accelerators.values():
        vendor_gb = int(re.search(r"\((\d+) GB\)", gpu.display_name).group(1))  # type: ignore[union-attr]
        assert 0.9 * vendor_gb < gpu.memory_gib < vendor_gb


def test_default_precision_of_a_framework_exists_for_every_model_it_loads() -> None:
    for name, framework in FRAMEWORKS.items():
        facts = CATALOG.frameworks[name]
        for model in CATALOG.models.values():
            loadable = {one.precision for one in model.checkpoints if one.format == facts.format}
            assert framework.capabilities.default_precision in loadable, (name, model.id)


@pytest.mark.parametrize("model", CATALOG.models.values(), ids=CATALOG.models)
def test_checkpoints_of_a_model_are_its_own_and_sorted(model: Any) -> None:
    names = [(one.precision, one.format) for one in model.checkpoints]
    assert names == sorted(set(names))
    assert all(f"gemma-4-{model.size}".lower() in one.repository.lower() for one in model.checkpoints)
