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
    both, flexible = ("on-demand", "reservation", "spot"), ("flex-start", "spot")
    reserved, all_three = ("flex-start", "reservation", "spot"), ("flex-start", "on-demand", "reservation", "spot")
    sold = {
        **dict.fromkeys(("a3-highgpu-1g", "a3-highgpu-2g", "a3-highgpu-4g"), flexible),
        **dict.fromkeys(("a3-highgpu-8g", "a3-megagpu-8g"), all_three),
        **dict.fromkeys(("a3-ultragpu-8g", "a4-highgpu-8g", "a4x-highgpu-4g"), reserved),
    }
    for name, machine in MACHINES.items():
        if name.startswith(("a2-", "a3-", "a4", "g2-", "g4-")):
            assert machine.capacity == sold.get(name, both), name


def test_tpus_are_sold_in_three_ways_and_every_kind_has_its_resource() -> None:
    for one in CATALOG.accelerators.values():
        resource = {"gpu": "nvidia.com/gpu", "tpu": "google.com/tpu"}.get(one.kind)
        assert one.resource == resource, one.id
        if one.kind == "tpu":
            assert {machine.capacity for machine in one.machines} == {("on-demand", "reservation", "spot")}, one.id
    assert {one.id for one in CATALOG.accelerators.values() if one.host_architecture == "arm64" and one.gke_label} == {
        "gb200"
    }


def test_a_process_sees_the_memory_that_logs_name() -> None:
    seen = {one.id: one.memory_gib for one in CATALOG.accelerators.values() if one.kind in ("gpu", "tpu")}
    assert seen == {
        "a100-40gb": 39.39,
        "a100-80gb": 79.25,
        "b200": 178.35,
        "gb200": 184.31,
        "h100": 79.11,
        "h100-mega": 79.11,
        "h200": 139.8,
        "l4": 22.03,
        "rtxpro6000": 94.97,
        "t4": 14.56,
        "tpu-v5e": 15.75,
        "tpu-v6e": 31.25,
        "tpu-v7x": 189.5,
    }


def test_gke_has_them_since_the_versions_that_its_documentation_names() -> None:
    versions = {
        one.id: (one.minimum_gke_standard, one.minimum_gke_autopilot)
        for one in CATALOG.accelerators.values()
        if one.minimum_gke_standard or one.minimum_gke_autopilot
    }
    assert versions == {
        "b200": ("1.32.2-gke.1422000", "1.32.2-gke.1422000"),
        "h100": (None, "1.31.4-gke.1072000"),
        "h100-mega": (None, "1.28.9-gke.1250000"),
        "h200": ("1.31.4-gke.1183000", "1.31.4-gke.1183000"),
        "rtxpro6000": (None, "1.34.1-gke.1829001"),
    }


def test_machines_bring_the_local_disks_of_the_published_table() -> None:
    gib = {
        **{f"a2-ultragpu-{count}g": 375 * count for count in (1, 2, 4, 8)},
        **{"a3-highgpu-1g": 750, "a3-highgpu-2g": 1500, "a3-highgpu-4g": 3000, "a3-highgpu-8g": 6000},
        "a3-megagpu-8g": 6000,
    }
    unknown = {"a3-ultragpu-8g", "a4-highgpu-8g", "a4x-highgpu-4g", "tpu7x-standard-1t", "tpu7x-standard-4t"}
    for name, machine in MACHINES.items():
        if name in unknown:
            assert machine.bundled_local_ssds is None, name
        else:
            assert (machine.bundled_local_ssds or 0) * 375 == gib.get(name, 0), name


def test_boot_disks_are_those_that_the_machines_can_have() -> None:
    newer = {one.id for one in CATALOG.accelerators.values() if one.boot_disk_type == "hyperdisk-balanced"}
    assert newer == {"b200", "h200", "rtxpro6000", "tpu-v6e"}
    unknown = {one.id for one in CATALOG.accelerators.values() if one.machines and one.boot_disk_type is None}
    assert unknown == {"gb200", "tpu-v7x"}


def test_no_spot_or_flex_start_price_was_found() -> None:
    assert CATALOG.price_region == "us-central1"
    for price in CATALOG.prices.values():
        assert price.spot_usd_per_hour is None, price
        assert price.flex_start_usd_per_hour is None, price
    cpus = {name: one.on_demand_usd_per_hour for name, one in CATALOG.prices.items() if name[:2] in ("c3", "e2", "n2")}
    assert cpus == {
        "c3-standard-22": None,
        "e2-standard-16": 0.5363,
        "e2-standard-8": 0.2682,
        "n2-standard-16": 0.7769,
        "n2-standard-32": 1.5533,
    }


# Tools, reasoning, drafters, adapters; inputs by size: audio, image, text, video.
ABILITIES = {
    "gemini": ("tr--", {"26b-a4b": "it", "31b": "it"}),
    "keras": ("--da", {"26b-a4b": "it", "31b": "it", "e2b": "ait", "e4b": "ait"}),
    "llamacpp": ("tr-a", dict.fromkeys(("12b", "26b-a4b", "31b", "e2b", "e4b"), "it")),
    "mlx": ("trd-", {"12b": "ait", "26b-a4b": "it", "31b": "it", "e2b": "ait", "e4b": "ait"}),
    "nim": ("tr--", {"26b-a4b": "it", "31b": "it"}),
    "sglang": ("trd-", {"12b": "it", "26b-a4b": "it", "31b": "it", "e2b": "ait", "e4b": "ait"}),
    "tgi": ("----", {}),
    "trtllm": ("--d-", dict.fromkeys(("12b", "26b-a4b", "31b", "e2b", "e4b"), "t")),
    "vertex": ("tr--", dict.fromkeys(("12b", "26b-a4b", "31b", "e2b", "e4b"), "it")),
    "vllm": ("trda", dict.fromkeys(("12b", "26b-a4b", "31b", "e2b", "e4b"), "itv")),
}
IMAGES = {
    "keras": [],
    "llamacpp": ["ghcr.io/ggml-org/llama.cpp:server-{version}", "ghcr.io/ggml-org/llama.cpp:server-cuda-{version}"],
    "nim": ["nvcr.io/nim/google/{model}:{version}-variant"],
    "sglang": ["lmsysorg/sglang:v{version}-cu130"],
    "trtllm": ["nvcr.io/nvidia/tensorrt-llm/release:{version}"],
    "vllm": ["vllm/vllm-tpu:gemma4", "vllm/vllm-openai:v{version}"],
}
PRECISIONS = {
    "llamacpp": "q4_0 q8_0 q4_k_m bf16",
    "mlx": "8bit bf16 4bit",
    "nim": "bf16 nvfp4 w4a16",
    "sglang": "bf16 fp8 fp8-block nvfp4 w4a16 awq int4",
    "vllm": "bf16 fp8 fp8-block nvfp4 w4a16 awq int4 qat-mobile",
}


@pytest.mark.parametrize("name", ABILITIES)
def test_a_framework_can_do_what_its_sources_say(name: str) -> None:
    one, (switches, inputs) = CATALOG.frameworks[name], ABILITIES[name]
    able = zip("trda", (one.tools, one.reasoning, one.drafters, one.adapters), strict=True)
    assert "".join(letter if yes else "-" for letter, yes in able) == switches
    assert {size: "".join(kind[0] for kind in kinds) for size, kinds in one.inputs_by_size} == inputs
    assert [image.reference for image in one.images] == IMAGES.get(name, [])
    assert one.precisions == tuple(PRECISIONS[name].split()) if name in PRECISIONS else len(one.precisions) <= 1


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
        name
        for name, one in CATALOG.frameworks.items()
        if one.state != "refused" and one.runs in ("kubernetes", "host")
    }
    assert set(FRAMEWORKS) == servable
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
