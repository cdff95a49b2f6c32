"""Accelerators, machines, prices and frameworks against published figures: nothing in them comes from our code."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from infra.catalog.loader import load_catalog, read_facts
from infra.frameworks import FRAMEWORKS

CATALOG = load_catalog()
FACTS = Path(__file__).parents[1] / "facts"
FILES = ("accelerators", "checkpoints", "frameworks", "models", "prices", "throughputs")
MACHINES = {one.machine_type: one for gpu in CATALOG.accelerators.values() for one in gpu.machines}


def table(name: str) -> list[list[str]]:
    lines = (FACTS / name).read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def test_every_accelerator_has_the_names_that_google_gives_it() -> None:
    names = {
        "a100-40gb": ("nvidia-tesla-a100", "nvidia-tesla-a100", "NVIDIA_TESLA_A100", 40, "ampere"),
        "a100-80gb": ("nvidia-a100-80gb", "nvidia-a100-80gb", "NVIDIA_A100_80GB", 80, "ampere"),
        "b200": ("nvidia-b200", "nvidia-b200", "NVIDIA_B200", 180, "blackwell-sm100"),
        "gb200": ("nvidia-gb200", "nvidia-gb200", "NVIDIA_GB200", 186, "grace-blackwell"),
        "h100": ("nvidia-h100-80gb", "nvidia-h100-80gb", "NVIDIA_H100_80GB", 80, "hopper"),
        "h100-mega": ("nvidia-h100-mega-80gb", "nvidia-h100-mega-80gb", "NVIDIA_H100_MEGA_80GB", 80, "hopper"),
        "h200": ("nvidia-h200-141gb", "nvidia-h200-141gb", "NVIDIA_H200_141GB", 141, "hopper"),
        "l4": ("nvidia-l4", "nvidia-l4", "NVIDIA_L4", 24, "ada"),
        "rtxpro6000": ("nvidia-rtx-pro-6000", "nvidia-rtx-pro-6000", "NVIDIA_RTX_PRO_6000", 96, "blackwell-sm120"),
        "t4": ("nvidia-tesla-t4", "nvidia-tesla-t4", "NVIDIA_TESLA_T4", 16, "turing"),
        "tpu-v5e": ("tpu-v5-lite-podslice", None, None, 16, "tpu-v5e"),
        "tpu-v6e": ("tpu-v6e-slice", None, None, 32, "tpu-v6e"),
        "tpu-v7x": ("tpu7x", None, None, 192, "tpu-v7x"),
    }
    catalogued = {
        one.id: (one.gke_label, one.gce_type, one.vertex_type, one.vendor_memory_gb, one.architecture)
        for one in CATALOG.accelerators.values()
        if one.kind in ("gpu", "tpu")
    }
    assert catalogued == names


def test_machines_and_prices_are_those_of_the_published_table() -> None:
    def number(text: str) -> float | None:
        return None if text == "-" else float(text)

    published = {row[1]: (row[0], *map(number, row[2:])) for row in table("machines.txt")}
    catalogued = {
        machine.machine_type: (
            one.id,
            machine.accelerators,
            machine.vcpus,
            machine.memory_gib,
            CATALOG.prices[machine.machine_type].on_demand_usd_per_hour,
            CATALOG.prices[machine.machine_type].vertex_usd_per_hour,
        )
        for one in CATALOG.accelerators.values()
        for machine in one.machines
        if one.kind != "cpu"
    }
    assert catalogued == published


def test_zones_and_topologies_are_those_of_the_published_tables() -> None:
    for accelerator, *zones in table("zones.txt"):
        assert CATALOG.accelerators[accelerator].zones == tuple(zones), accelerator
    flat = ("1x1", "2x2", "2x4", "4x4", "4x8", "8x8", "8x16", "16x16")
    cubes = ("1x1x1", "2x2x1", "2x2x2", "2x2x4", "2x4x4", "4x4x4")
    assert {one.id: one.topologies for one in CATALOG.accelerators.values() if one.topologies} == {
        "tpu-v5e": flat,
        "tpu-v6e": flat,
        "tpu-v7x": cubes,
    }


def test_how_machines_are_sold_is_what_compute_engine_says() -> None:
    both, flexible = ("on-demand", "spot"), ("flex-start", "spot")
    reserved, all_three = ("flex-start", "reservation", "spot"), ("flex-start", "on-demand", "spot")
    sold = {
        **dict.fromkeys(("a3-highgpu-1g", "a3-highgpu-2g", "a3-highgpu-4g"), flexible),
        **dict.fromkeys(("a3-highgpu-8g", "a3-megagpu-8g"), all_three),
        **dict.fromkeys(("a3-ultragpu-8g", "a4-highgpu-8g", "a4x-highgpu-4g"), reserved),
    }
    for name, machine in MACHINES.items():
        if name.startswith(("a2-", "a3-", "a4", "g2-", "g4-")):
            assert machine.capacity == sold.get(name, both), name


def test_versions_and_metrics_are_those_of_the_engines() -> None:
    vllm = ("vllm:num_requests_waiting", "vllm:num_requests_running", "vllm:kv_cache_usage_perc")
    facts = {
        name: (one.default_version, one.minimum_version, one.denied_versions, one.metrics)
        for name, one in CATALOG.frameworks.items()
        if one.runs != "managed" and one.state != "refused"
    }
    assert facts == {
        "keras": ("0.32.0", "0.32.0", (), ()),
        "llamacpp": ("b11434", "b11434", (), ("llamacpp:requests_deferred", "llamacpp:requests_processing")),
        "mlx": ("0.7.10", "0.7.10", (), ()),
        "nim": ("2.0.10", "2.0.10", (), vllm),
        "sglang": (
            "0.5.23",
            "0.5.23",
            (),
            ("sglang:num_queue_reqs", "sglang:num_running_reqs", "sglang:token_usage"),
        ),
        "trtllm": ("1.3.0rc26", "1.3.0rc26", (), ()),
        "vllm": ("0.33.0", "0.28.0", ("0.27.0", "0.27.1"), vllm),
    }
    assert CATALOG.frameworks["vllm"].hybrid_kv_since == "0.21.0"
    assert dict(CATALOG.frameworks["vllm"].minimum_version_by_size) == {"12b": "0.23.0"}


@pytest.mark.parametrize("file", FILES)
def test_every_file_was_checked_on_a_date_and_no_source_is_newer(file: str) -> None:
    facts = read_facts(f"{file}.yaml")
    assert isinstance(facts["checked"], datetime.date)
    for name, source in facts["sources"].items():
        assert not source["date"] or str(source["date"]) <= str(facts["checked"]), name


def test_every_planned_framework_is_in_the_catalogue_and_every_servable_one_is_planned() -> None:
    servable = {
        name for name, one in CATALOG.frameworks.items() if one.state == "native" and one.runs in ("kubernetes", "host")
    }
    # NIM brings its own weights, sized and served by the image.
    assert set(FRAMEWORKS) == servable - {"nim"}
    for name, framework in FRAMEWORKS.items():
        facts = CATALOG.frameworks[name]
        assert framework.name == name
        kinds = {one.kind for one in CATALOG.accelerators.values() if one.architecture in facts.architectures}
        assert set(framework.capabilities.kinds) <= kinds, name
    folder = Path(__file__).parents[2] / "infra" / "frameworks"
    modules = {path.stem for path in folder.glob("*.py") if "FRAMEWORK = " in path.read_text(encoding="utf-8")}
    assert modules == set(FRAMEWORKS)


@pytest.mark.parametrize("name", [name for name, one in CATALOG.frameworks.items() if one.precisions])
def test_the_preferred_precision_of_a_framework_exists_for_every_model_that_it_loads(name: str) -> None:
    first = CATALOG.frameworks[name].precisions[0]
    for model in CATALOG.models.values():
        loaded = {one.precision for one in model.checkpoints if name in one.frameworks}
        assert not loaded or first in loaded, (name, model.id)


def test_what_is_asked_by_yes_or_no_is_answered_so() -> None:
    for name, one in CATALOG.frameworks.items():
        for answer in (one.tools, one.reasoning, one.drafters, one.adapters):
            assert isinstance(answer, bool), name
    assert {name for name, one in CATALOG.frameworks.items() if not one.tools} == {"keras", "tgi", "trtllm"}
