"""What a simulated node offers is what GKE's autoscaler computes for it."""

from __future__ import annotations

import pytest

from simulator.google.allocatable import GIB, node_size
from simulator.google.machine_types import load

_TABLE = [
    ("g2-standard-4", 3920, 12.96, 12.86),
    ("g2-standard-8", 7910, 27.73, 27.59),
    ("g2-standard-12", 11900, 42.49, 42.31),
    ("g2-standard-16", 15890, 57.26, 57.04),
    ("g2-standard-24", 23870, 86.84, 86.54),
    ("g2-standard-48", 47810, 178.30, 177.88),
    ("g2-standard-96", 95690, 363.50, 362.93),
    ("n1-standard-8", 7910, 25.88, 25.75),
    ("g4-standard-48", 47810, 166.72, 166.31),
    ("g4-standard-96", 95690, 340.35, 339.80),
    ("a2-highgpu-1g", 11900, 76.67, 76.40),
    ("a2-ultragpu-1g", 11900, 157.07, 156.67),
    ("a3-highgpu-1g", 25865, 218.83, 218.38),
    ("a3-highgpu-2g", 51800, 444.50, 443.87),
    ("a3-highgpu-8g", 207410, 1798.48, 1796.72),
    ("ct6e-standard-1t", 43820, 162.86, None),
    ("ct5lp-hightpu-1t", 23870, 42.49, None),
]


@pytest.mark.parametrize(("name", "millicpu", "memory_gib", "streaming_gib"), _TABLE)
def test_allocatable_equals_the_autoscalers_table(
    name: str, millicpu: int, memory_gib: float, streaming_gib: float | None
) -> None:
    machine_type = load().machine_types[name]
    size = node_size(machine_type)
    assert size.allocatable_millicpu == millicpu
    assert round(size.allocatable_memory_bytes / GIB, 2) == memory_gib
    if streaming_gib is not None:
        streaming = node_size(machine_type, image_streaming=True)
        assert round(streaming.allocatable_memory_bytes / GIB, 2) == streaming_gib


@pytest.mark.parametrize(("disk", "storage_gib"), [(50, 17.5), (100, 43.8), (200, 97.4), (250, 124.7), (500, 339.1)])
def test_boot_disk_gives_the_documented_ephemeral_storage(disk: int, storage_gib: float) -> None:
    size = node_size(load().machine_types["e2-standard-4"], boot_disk_gib=disk)
    assert round(size.allocatable_storage_bytes / GIB, 1) == storage_gib


@pytest.mark.parametrize(("count", "storage_gib"), [(1, 287.5), (2, 600.0), (4, 1250.0)])
def test_local_ssds_replace_the_boot_disk_for_ephemeral_storage(count: int, storage_gib: float) -> None:
    size = node_size(load().machine_types["a3-highgpu-1g"], local_ssds=count)
    assert size.allocatable_storage_bytes / GIB == storage_gib


def test_many_pods_cost_cpu() -> None:
    machine_type = load().machine_types["e2-standard-4"]
    assert node_size(machine_type, max_pods=256).allocatable_millicpu == 3520


def test_shared_core_machines_reserve_what_the_docs_say() -> None:
    assert node_size(load().machine_types["e2-medium"]).allocatable_millicpu == 940


def test_no_machine_promises_more_than_it_has() -> None:
    for machine_type in load().machine_types.values():
        size = node_size(machine_type)
        assert 0 < size.allocatable_millicpu < size.capacity_millicpu, machine_type.name
        assert 0 < size.allocatable_memory_bytes < size.capacity_memory_bytes, machine_type.name
        assert 0 < size.allocatable_storage_bytes < size.capacity_storage_bytes, machine_type.name
