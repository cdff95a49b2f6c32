"""How much of a GKE node pods may use: the formulas of GKE's own autoscaler.

Source: GoogleCloudPlatform/cluster-autoscaler 7d25050, `reserved.go`, `templates.go` and
`config/os-reserved.yaml` (COS, amd64, 1.35.6); checked against the GKE docs page `plan-node-sizes`.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from simulator.google.machine_types import MachineType

MIB = 1024**2
GIB = 1024**3
_MIB_IN_GIB = 1024

_OS_MEMORY_MIB = ((16, 388), (32, 669), (64, 1231), (128, 2259), (256, 4222), (1922, 30885))
"""Memory of a machine in GiB, and what its operating system keeps, in MiB."""
_MEMORY_STEPS_MIB = ((4000, 0.25), (8000, 0.20), (16000, 0.10), (128000, 0.06), (math.inf, 0.02))
"""Upper end of each step, and the part of it that is reserved. A "GB" of 1000 MiB is the source's own."""
_EVICTION_MEMORY_MIB = 100
_SHARED_CORE_RESERVED_MILLICPU = 1060
"""GKE docs, plan-node-sizes: E2 shared-core machine types."""
_LOCAL_SSD_GIB = 375
_LOCAL_SSD_RESERVED_GIB = {1: 50, 2: 75}
_LOCAL_SSD_RESERVED_MANY_GIB = 100
_EVICTION_STORAGE = 0.10


@dataclass(frozen=True)
class NodeSize:
    """Capacity and allocatable of one node."""

    capacity_millicpu: int
    allocatable_millicpu: int
    capacity_memory_bytes: int
    allocatable_memory_bytes: int
    capacity_storage_bytes: int
    allocatable_storage_bytes: int


def _reserved_millicpu(vcpus: int, max_pods: int) -> int:
    parts = [60.0, 10.0, 5.0, 5.0] + [2.5] * max(0, vcpus - 4)
    return math.floor(sum(parts[:vcpus])) + (400 if max_pods > 110 else 0)


def _os_memory_mib(memory_gib: float) -> float:
    for (low_gib, low_mib), (high_gib, high_mib) in itertools.pairwise(_OS_MEMORY_MIB):
        if memory_gib <= high_gib or high_gib == _OS_MEMORY_MIB[-1][0]:
            return low_mib + (memory_gib - low_gib) * (high_mib - low_mib) / (high_gib - low_gib)
    raise AssertionError("the last pair always answers")


def _reserved_memory_mib(memory_mib: float, image_streaming: bool) -> float:
    if memory_mib <= 1000:
        reserved = 255.0
    else:
        reserved = low = 0.0
        for high, part in _MEMORY_STEPS_MIB:
            reserved += max(0.0, min(memory_mib, high) - low) * part
            low = high
    return reserved * 1.04 if image_streaming else reserved


def _boot_disk_storage(disk_gib: int) -> tuple[float, float]:
    os_gib = 0.015635 * disk_gib + 4.148 + min(100 / 1024, 0.001 * disk_gib)
    capacity = disk_gib - os_gib
    reserved = min(0.5 * disk_gib, 6 + 0.35 * disk_gib, 100.0)
    return capacity, capacity * (1 - _EVICTION_STORAGE) - math.floor(reserved)


def _local_ssd_storage(count: int) -> tuple[float, float]:
    capacity = float(count * _LOCAL_SSD_GIB)
    reserved = _LOCAL_SSD_RESERVED_GIB.get(count, _LOCAL_SSD_RESERVED_MANY_GIB)
    return capacity, capacity * (1 - _EVICTION_STORAGE) - reserved


def node_size(
    machine_type: MachineType,
    *,
    boot_disk_gib: int = 100,
    local_ssds: int = 0,
    image_streaming: bool = False,
    max_pods: int = 110,
) -> NodeSize:
    """Capacity and allocatable of a node.

    Args:
        machine_type: The machine; its vCPUs and memory count.
        boot_disk_gib: Size of the boot disk. Google writes GB and means GiB.
        local_ssds: How many local SSDs of 375 GiB back ephemeral storage; 0 means that the boot disk does.
        image_streaming: Whether the pool streams images (gcfsConfig), which takes some memory.
        max_pods: Most pods on the node.

    Returns:
        Sizes in millicores and bytes, truncated as the source does.
    """
    memory_mib = machine_type.memory_gib * _MIB_IN_GIB
    capacity_mib = memory_mib - _os_memory_mib(machine_type.memory_gib)
    reserved_mib = _reserved_memory_mib(memory_mib, image_streaming)
    reserved_cpu = _reserved_millicpu(machine_type.vcpus, max_pods)
    if machine_type.shared_core:
        reserved_cpu = _SHARED_CORE_RESERVED_MILLICPU
    storage = _local_ssd_storage(local_ssds) if local_ssds else _boot_disk_storage(boot_disk_gib)
    return NodeSize(
        capacity_millicpu=machine_type.vcpus * 1000,
        allocatable_millicpu=machine_type.vcpus * 1000 - reserved_cpu,
        capacity_memory_bytes=int(capacity_mib * MIB),
        allocatable_memory_bytes=int((capacity_mib - reserved_mib - _EVICTION_MEMORY_MIB) * MIB),
        capacity_storage_bytes=int(storage[0] * GIB),
        allocatable_storage_bytes=int(max(0.0, storage[1]) * GIB),
    )
