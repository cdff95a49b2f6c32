"""Walks the real catalogue: what was forgotten when a row was added is found here."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest

from infra.catalog.loader import load_catalog, read_facts
from infra.catalog.records import Checkpoint

CATALOG = load_catalog()
# File: its lists of rows, each with what names a row.
ROWS: dict[str, dict[str, tuple[str, ...]]] = {
    "accelerators.yaml": {"accelerators": ("id",), "apple": ("unified_memory_gib",)},
    "checkpoints.yaml": {"kinds": ("format", "precision"), "drafters": ("model", "format", "repository")},
    "compute.yaml": {"accelerators": ("accelerator",)},
    "frameworks.yaml": {"frameworks": ("name",)},
    "local_ssds.yaml": {"machines": ("machine_type",)},
    "managed.yaml": {
        "models": ("model",),
        "offers": ("model", "accelerator", "machine_type"),
        "containers": ("engine_version",),
        "served": ("service", "model"),
    },
    "models.yaml": {"sizes": ("size",)},
    "node_labels.yaml": {"families": ("name",), "shared": ("key",)},
    "picker.yaml": {"pickers": ("name",)},
    "platforms.yaml": {"prices": ("name",), "roles": ("role", "needed")},
    "prices.yaml": {"machines": ("machine_type",)},
    "proxy.yaml": {"proxies": ("name",)},
    "timezones.yaml": {"databases": ("name",)},
    "throughputs.yaml": {"throughputs": ("model", "precision", "framework", "accelerator", "count")},
}
SIZES = ("12b", "26b-a4b", "31b", "e2b", "e4b")
CHECKPOINTS = [one for model in CATALOG.models.values() for one in model.checkpoints]
DRAFTERS = [one for model in CATALOG.models.values() for one in model.drafters]
ARCHITECTURES = {gpu.architecture for gpu in CATALOG.accelerators.values()}


def rows(file: str) -> list[dict[str, Any]]:
    return [row for key in ROWS[file] for row in read_facts(file)[key]]


def cited(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [*node.get("sources", []), *([node["source"]] if "source" in node else [])]
        return own + [one for value in node.values() for one in cited(value)]
    return [one for item in node for one in cited(item)] if isinstance(node, list) else []


def published(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.model} {checkpoint.precision} {checkpoint.format} {checkpoint.repository}"


@pytest.mark.parametrize("file", ROWS)
def test_every_cited_source_is_described_and_every_described_source_is_cited(file: str) -> None:
    facts = read_facts(file)
    body = {key: value for key, value in facts.items() if key != "sources"}
    assert set(cited(body)) == set(facts["sources"])


@pytest.mark.parametrize("file", ROWS)
def test_every_source_says_what_it_is_and_of_when(file: str) -> None:
    for name, source in read_facts(file)["sources"].items():
        assert set(source) == {"what", "date"}, name
        assert len(source["what"]) > 20, name
        date = source["date"]
        assert date is None or isinstance(date, datetime.date) or re.fullmatch(r"\d{4}(-\d{2})?", date), name


@pytest.mark.parametrize("file", ROWS)
def test_rows_are_sorted_and_unique(file: str) -> None:
    for key, naming in ROWS[file].items():
        names = [tuple(row[part] for part in naming) for row in read_facts(file)[key]]
        folded = [tuple(part.lower() if isinstance(part, str) else part for part in name) for name in names]
        assert folded == sorted(set(folded)), key


def test_checkpoints_of_a_kind_are_sorted_by_model_and_the_first_of_a_model_is_its_default() -> None:
    for kind in read_facts("checkpoints.yaml")["kinds"]:
        names = [row["model"] for row in kind["checkpoints"]]
        assert names == sorted(names), (kind["format"], kind["precision"])
    assert len(CHECKPOINTS) == len({published(one) for one in CHECKPOINTS})
    firsts = {(one.model, one.precision, one.format): one.repository for one in reversed(CHECKPOINTS)}
    assert firsts["gemma-4-26b-a4b-it", "nvfp4", "safetensors"] == "nvidia/Gemma-4-26B-A4B-NVFP4"


@pytest.mark.parametrize("file", ROWS)
def test_every_row_names_a_source_unless_it_holds_no_fact(file: str) -> None:
    for row in rows(file):
        facts = [value for field, value in row.items() if field.endswith("_per_hour")]
        members = row.get("checkpoints", [row])
        assert all(one["sources"] for one in members) or (facts and not any(facts)), row


@pytest.mark.parametrize("file", ROWS)
def test_sizes_carry_their_unit_in_the_name(file: str) -> None:
    unit = re.compile(r"_(gib|gb|mb|tokens|bytes|seconds|per_hour|per_second)$")
    measured = {"memory", "window", "size_of", "price", "context", "usd", "throughput"}
    for row in rows(file):
        for part in [row, *row.get("machines", []), *row.get("checkpoints", []), *row.get("images", [])]:
            sizes = [name for name, value in part.items() if not isinstance(value, str)]
            loose = [name for name in sizes if any(word in name for word in measured) and not unit.search(name)]
            assert not loose, (file, loose)


def test_every_size_is_a_base_and_an_instruct_model_of_one_shape() -> None:
    assert sorted(CATALOG.models) == sorted(f"gemma-4-{size}{suffix}" for size in SIZES for suffix in ("", "-it"))
    for name, model in CATALOG.models.items():
        assert model.id == name
        assert model.instruct == name.endswith("-it")
        assert (model.licence, model.gated) == ("Apache-2.0", False)
        assert ("audio" in model.inputs) == (model.size in ("12b", "e2b", "e4b"))
    assert not any(one.model for one in DRAFTERS if not one.model.endswith("-it"))


def test_a_base_model_has_only_what_was_published_for_it() -> None:
    for model in CATALOG.models.values():
        kinds = {(one.precision, one.format) for one in model.checkpoints}
        if not model.instruct:
            assert kinds <= {("bf16", "safetensors"), ("bf16", "keras")}
        assert ("bf16", "safetensors") in kinds


@pytest.mark.parametrize(
    ("precision", "file_format", "sizes"),
    [
        ("bf16", "safetensors", SIZES),
        ("bf16", "keras", ("26b-a4b", "31b", "e2b", "e4b")),
        ("q4_0", "gguf", SIZES),
        ("q4_k_m", "gguf", SIZES),
        ("q8_0", "gguf", SIZES),
        ("bf16", "gguf", SIZES),
        ("w4a16", "safetensors", ("12b", "31b", "e2b", "e4b")),
        ("qat-mobile", "safetensors", ("e2b", "e4b")),
        ("fp8", "safetensors", SIZES),
        ("fp8-block", "safetensors", ("31b",)),
        ("nvfp4", "safetensors", ("26b-a4b", "31b")),
        ("awq", "safetensors", ("26b-a4b", "31b")),
        ("int4", "safetensors", ("31b",)),
        ("4bit", "mlx", SIZES),
        ("8bit", "mlx", SIZES),
        ("bf16", "mlx", SIZES),
    ],
)
def test_the_catalogue_has_every_kind_of_checkpoint(precision: str, file_format: str, sizes: tuple[str, ...]) -> None:
    found = {one.model for one in CHECKPOINTS if (one.precision, one.format) == (precision, file_format)}
    assert {name for name in found if name.endswith("-it")} == {f"gemma-4-{size}-it" for size in sizes}


def test_every_size_has_google_s_drafter_and_the_tokens_to_propose() -> None:
    for size in SIZES:
        model = CATALOG.models[f"gemma-4-{size}-it"]
        google = f"google/gemma-4-{model.hub_size}-it-assistant"
        (drafter,) = [one for one in model.drafters if one.repository == google]
        assert drafter.tokens == (2 if size == "e2b" else 4)
        assert drafter.parameters is not None
        assert drafter.parameters < model.text_parameters


@pytest.mark.parametrize("checkpoint", CHECKPOINTS, ids=published)
def test_a_checkpoint_s_references_resolve(checkpoint: Checkpoint) -> None:
    model = CATALOG.models[checkpoint.model]
    size = {"e2b": "e2b|2b", "e4b": "e4b|4b", "26b-a4b": "26b[-_]a4b"}.get(model.size, model.size)
    assert re.search(size, checkpoint.repository.lower())
    assert set(checkpoint.inputs) <= set(model.inputs)
    assert set(checkpoint.architectures) <= ARCHITECTURES
    assert checkpoint.frameworks
    for name in checkpoint.frameworks:
        framework = CATALOG.frameworks[name]
        assert checkpoint.format in framework.formats, name
        assert checkpoint.precision in framework.precisions, name
        assert not checkpoint.architectures or set(checkpoint.architectures) & set(framework.architectures), name
        assert model.size in dict(framework.inputs_by_size), name


def test_architectures_without_the_instructions_are_left_out() -> None:
    for one in CHECKPOINTS:
        if one.format == "safetensors":
            assert one.architectures, published(one)
            assert not {"turing", "x86", "apple"} & set(one.architectures), published(one)
        if one.precision == "nvfp4":
            assert set(one.architectures) == {"blackwell-sm100", "blackwell-sm120", "grace-blackwell"}


def test_a_drafter_s_references_resolve() -> None:
    for one in DRAFTERS:
        for name in one.frameworks:
            assert CATALOG.frameworks[name].drafters, (one.repository, name)
            assert one.format in CATALOG.frameworks[name].formats, (one.repository, name)
    drafting = {name for one in DRAFTERS for name in one.frameworks}
    assert drafting == {name for name, framework in CATALOG.frameworks.items() if framework.drafters}


def test_the_catalogue_has_every_framework_and_its_state() -> None:
    states = {name: (one.state, one.runs) for name, one in CATALOG.frameworks.items()}
    assert states == {
        "gemini": ("native", "managed"),
        "keras": ("native", "batch"),
        "llamacpp": ("native", "kubernetes"),
        "mlx": ("native", "host"),
        "nim": ("native", "kubernetes"),
        "sglang": ("native", "kubernetes"),
        "tgi": ("refused", "kubernetes"),
        "trtllm": ("experimental", "kubernetes"),
        "vertex": ("native", "managed"),
        "vllm": ("native", "kubernetes"),
    }


def test_a_framework_s_references_resolve() -> None:
    for name, one in CATALOG.frameworks.items():
        assert (one.alternative is not None) == (one.state == "refused"), name
        assert one.alternative is None or CATALOG.frameworks[one.alternative].state == "native", name
        assert set(one.architectures) <= ARCHITECTURES, name
        assert {size for size, _ in one.inputs_by_size} <= set(SIZES), name
        for size, inputs in one.inputs_by_size:
            assert "text" in inputs, name
            assert set(inputs) <= set(CATALOG.models[f"gemma-4-{size}-it"].inputs), (name, size)
        loaded = {checkpoint.precision for checkpoint in CHECKPOINTS if name in checkpoint.frameworks}
        assert loaded == set(one.precisions), name
        assert len(one.precisions) == len(set(one.precisions)), name


def test_every_size_that_a_framework_serves_has_a_checkpoint_that_it_loads() -> None:
    for name, one in CATALOG.frameworks.items():
        for size, _ in one.inputs_by_size if one.formats else ():
            model = CATALOG.models[f"gemma-4-{size}-it"]
            assert any(name in checkpoint.frameworks for checkpoint in model.checkpoints), (name, size)


def test_what_runs_in_a_cluster_has_a_version_and_an_image_for_each_of_its_architectures() -> None:
    for name, one in CATALOG.frameworks.items():
        if one.runs != "kubernetes" or one.state == "refused":
            assert not one.images, name
            continue
        assert one.default_version, name
        assert one.minimum_version, name
        assert one.default_version not in one.denied_versions, name
        for architecture in one.architectures:
            fitting = [image for image in one.images if architecture in image.architectures or not image.architectures]
            assert fitting, (name, architecture)
        assert {part for image in one.images for part in image.architectures} <= set(one.architectures), name


def test_every_statement_about_a_framework_is_a_sentence_with_a_source_of_its_row() -> None:
    for name, one in CATALOG.frameworks.items():
        assert one.evidence, name
        for evidence in one.evidence:
            assert evidence.statement.endswith("."), (name, evidence)
            assert evidence.source in one.sources, (name, evidence)


def test_a_throughput_s_references_resolve() -> None:
    for one in CATALOG.throughputs:
        assert one.precision in {checkpoint.precision for checkpoint in CATALOG.models[one.model].checkpoints}
        assert CATALOG.accelerators[one.accelerator].architecture in CATALOG.frameworks[one.framework].architectures
        assert one.count > 0
        assert one.output_tokens_per_second > 0
        assert one.conditions
