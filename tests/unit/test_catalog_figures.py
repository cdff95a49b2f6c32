"""Figures of the catalogue: plausible among themselves, and equal to tables that others published."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from infra.catalog.loader import load_catalog
from infra.catalog.records import Checkpoint

CATALOG = load_catalog()
FACTS = Path(__file__).parents[1] / "facts"
CHECKPOINTS = [one for model in CATALOG.models.values() for one in model.checkpoints]
MACHINES = {one.machine_type: one for gpu in CATALOG.accelerators.values() for one in gpu.machines}
# Number formats whose bytes follow from the architecture.
COMPUTED = {"bf16", "q8_0", "fp8", "fp8-block", "4bit", "8bit"}


@pytest.mark.parametrize("checkpoint", CHECKPOINTS, ids=lambda one: f"{one.model} {one.precision} {one.repository}")
def test_bytes_of_a_checkpoint_are_plausible_and_say_how_sure_they_are(checkpoint: Checkpoint) -> None:
    assert (checkpoint.projector_bytes is not None) == (checkpoint.format == "gguf")
    if checkpoint.bytes is None:
        assert checkpoint.bytes_uncertainty == 0
        assert checkpoint.precision in COMPUTED
        return
    bits_per_parameter = 8 * checkpoint.bytes / CATALOG.models[checkpoint.model].text_parameters
    assert 4 < bits_per_parameter < 14
    assert checkpoint.bytes_uncertainty < 0.03 * checkpoint.bytes


@pytest.mark.parametrize("size", ["12b", "26b-a4b", "31b", "e2b", "e4b"])
def test_fewer_bits_are_fewer_bytes(size: str) -> None:
    sizes = {one.precision: one.bytes for one in reversed(CATALOG.models[f"gemma-4-{size}-it"].checkpoints)}
    small, large = (sizes["q4_0"] or 0, sizes["q4_k_m"] or 0), sizes["q8_0"] or 0
    assert max(small) < large


def test_the_catalogue_has_every_accelerator() -> None:
    kinds: dict[str, list[str]] = {}
    for name, one in CATALOG.accelerators.items():
        assert one.id == name
        kinds.setdefault(one.kind, []).append(name)
    gpus = ["a100-40gb", "a100-80gb", "b200", "gb200", "h100", "h100-mega", "h200", "l4", "rtxpro6000", "t4"]
    assert kinds["gpu"] == gpus
    assert kinds["tpu"] == ["tpu-v5e", "tpu-v6e", "tpu-v7x"]
    assert kinds["cpu"] == ["cpu"]
    assert {CATALOG.accelerators[name].unified_memory_gib for name in kinds["apple"]} >= {16, 24, 32, 36, 48, 64, 128}


def test_accelerator_memory_is_what_a_process_sees_and_less_than_the_vendor_says() -> None:
    for one in CATALOG.accelerators.values():
        if one.kind == "cpu":
            assert (one.memory_gib, one.vendor_memory_gb) == (None, None)
            continue
        assert one.memory_gib is not None
        assert one.vendor_memory_gb is not None
        assert str(one.vendor_memory_gb) in one.display_name
        least = 0.66 if one.kind == "apple" else 0.9
        assert least * one.vendor_memory_gb < one.memory_gib < one.vendor_memory_gb, one.id


def test_a_larger_mac_leaves_more_to_its_gpu() -> None:
    macs = [one for one in CATALOG.accelerators.values() if one.kind == "apple"]
    shares = sorted((one.unified_memory_gib or 0, one.memory_gib or 0) for one in macs)
    assert all(larger[1] > smaller[1] for smaller, larger in pairwise(shares))
    for unified, visible in shares:
        assert visible == pytest.approx(unified * (2 / 3 if unified < 36 else 3 / 4), abs=0.01)


def test_only_what_gke_offers_has_a_label_and_machines() -> None:
    for one in CATALOG.accelerators.values():
        offered = one.kind in ("gpu", "tpu")
        assert (one.gke_label is not None) == offered, one.id
        assert (one.resource is not None) == offered, one.id
        assert (len(one.topologies) > 0) == (one.kind == "tpu"), one.id
        assert one.machines or one.kind == "apple" or one.note, one.id
        for machine in one.machines:
            assert set(machine.capacity) <= {"flex-start", "on-demand", "reservation", "spot"}, machine
            assert list(machine.capacity) == sorted(machine.capacity), machine
            assert (machine.accelerators == 0) == (one.kind == "cpu"), machine


def test_every_machine_has_a_price_row_and_every_price_row_a_machine() -> None:
    assert set(MACHINES) == set(CATALOG.prices)
    assert len(MACHINES) == sum(len(gpu.machines) for gpu in CATALOG.accelerators.values())


def test_more_of_one_accelerator_costs_more() -> None:
    for one in CATALOG.accelerators.values():
        if one.kind == "cpu":
            continue
        for column in ("on_demand_usd_per_hour", "vertex_usd_per_hour"):
            costs: dict[int, float] = {}
            for machine in one.machines:
                cost = getattr(CATALOG.prices[machine.machine_type], column)
                if cost is not None:
                    costs[machine.accelerators] = min(cost, costs.get(machine.accelerators, cost))
            assert [costs[count] for count in sorted(costs)] == sorted(costs.values()), (one.id, column)


def test_a_vertex_replica_costs_somewhat_more_than_its_machine() -> None:
    for price in CATALOG.prices.values():
        if price.on_demand_usd_per_hour is not None and price.vertex_usd_per_hour is not None:
            assert 1.1 < price.vertex_usd_per_hour / price.on_demand_usd_per_hour < 1.2, price


def published_table(name: str) -> list[list[str]]:
    lines = (FACTS / name).read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def test_machines_are_those_of_google_s_cluster_toolkit() -> None:
    labels = {machine.machine_type: one.gke_label for one in CATALOG.accelerators.values() for machine in one.machines}
    for label, machine_type, chips in published_table("xpk-machines.txt"):
        assert labels[machine_type] == label
        assert MACHINES[machine_type].accelerators == int(chips)


def test_parameters_of_text_and_towers_are_those_that_the_hub_counts() -> None:
    for name, parameters in published_table("hub-parameter-counts.txt"):
        model = CATALOG.models[name]
        ours = model.text_parameters + model.vision_parameters + model.audio_parameters
        assert abs(ours - int(parameters)) <= model.tower_parameters_uncertainty


def test_every_gpu_and_tpu_has_its_rates_and_no_other_accelerator_has() -> None:
    assert set(CATALOG.compute) == {name for name, one in CATALOG.accelerators.items() if one.kind in ("gpu", "tpu")}


def test_rates_are_those_without_sparsity() -> None:
    """Dense tensor cores double with each halving of the format; a sparse figure in between breaks the ratio."""
    for name, one in CATALOG.compute.items():
        wide = [one.half_tflops, one.fp8_tflops or one.int8_tops or 0, one.fp4_tflops or 0]
        for wider, narrower in pairwise(rate for rate in wide if rate):
            assert narrower == pytest.approx(2 * wider, rel=0.01), name
        if one.int8_tops and one.fp8_tflops:
            assert one.int8_tops == one.fp8_tflops, name


def test_rates_agree_with_the_hardware_that_they_are_made_of() -> None:
    """Streaming multiprocessors x operations of a cycle x boost clock; bus width x transfers."""
    multiprocessors = {  # count, dense float16 operations of one in a cycle, boost clock in GHz
        "a100-80gb": (108, 2048, 1.41),
        "h100": (132, 4096, 1.83),
        "l4": (58, 1024, 2.04),
        "rtxpro6000": (188, 1024, 2.617),
        "t4": (40, 1024, 1.59),
    }
    for name, (count, operations, clock_ghz) in multiprocessors.items():
        assert CATALOG.compute[name].half_tflops == pytest.approx(count * operations * clock_ghz / 1000, rel=0.01), name
    buses = {"a100-40gb": (5120, 2.43), "a100-80gb": (5120, 3.186), "l4": (192, 12.5), "t4": (256, 10.0)}
    for name, (bits, gigatransfers) in buses.items():
        assert CATALOG.compute[name].memory_gb_per_second == pytest.approx(bits / 8 * gigatransfers, rel=0.01), name


def test_tensor_cores_have_the_formats_of_their_architecture() -> None:
    for name, one in CATALOG.compute.items():
        architecture = CATALOG.accelerators[name].architecture
        eight = architecture not in ("turing", "ampere", "tpu-v5e", "tpu-v6e")
        assert (one.fp8_tflops is not None) == eight, name
        assert (one.fp4_tflops is not None) == ("blackwell" in architecture), name
