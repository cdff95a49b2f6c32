"""Every pod fits its machine beside what GKE and its DaemonSets take, by Google's own formulas, computed here anew."""

from __future__ import annotations

import itertools

import pytest

from infra.catalog.loader import load_catalog
from infra.catalog.records import Accelerator, Machine
from infra.frameworks import FRAMEWORKS
from infra.plan.demand import GIB
from infra.plan.images import image_for, image_gib
from infra.plan.placement import host

CATALOG = load_catalog()
MACHINES = [
    (gpu, machine)
    for gpu in CATALOG.accelerators.values()
    for machine in gpu.machines
    if gpu.kind == "gpu" and machine.vcpus and machine.memory_gib
]
EACH = pytest.mark.parametrize(("accelerator", "machine"), MACHINES, ids=[one.machine_type for _, one in MACHINES])
# GoogleCloudPlatform/cluster-autoscaler 7d25050, reserved.go and config/os-reserved.yaml (COS, amd64).
CPU_SHARES = [(1, 0.06), (2, 0.01), (4, 0.005), (float("inf"), 0.0025)]
MEMORY_SHARES = [(4000, 0.25), (8000, 0.20), (16000, 0.10), (128000, 0.06), (float("inf"), 0.02)]
OS_MIB = [(16, 388), (32, 669), (64, 1231), (128, 2259), (256, 4222), (1922, 30885), (4096, 65821)]
IMAGE_STREAMING = 1.04
KUBELET_EVICTION_MIB = 100
# Logging, metrics, GPU plugin, CSI, DNS, network: a busy node's DaemonSets.
PROXY_CPU, PROXY_GIB = 0.1, 0.125
DAEMON_CPU, DAEMON_MEMORY_GIB, DAEMON_STORAGE_GIB = 1.0, 1.5, 2.0


def progressive(amount: float, shares: list[tuple[float, float]]) -> float:
    taken, below = 0.0, 0.0
    for limit, share in shares:
        taken += max(0.0, min(amount, limit) - below) * share
        below = limit
    return taken


def interpolated(memory_gib: float) -> float:
    for (low, less), (high, more) in itertools.pairwise(OS_MIB):
        if memory_gib <= high:
            return less + (more - less) * max(0.0, memory_gib - low) / (high - low)
    raise AssertionError(memory_gib)


def allocatable_cpu(machine: Machine) -> float:
    return machine.vcpus - progressive(machine.vcpus, CPU_SHARES)


def allocatable_memory_gib(machine: Machine) -> float:
    mib = machine.memory_gib * 1024
    reserved = progressive(mib, MEMORY_SHARES) * IMAGE_STREAMING
    return (mib - interpolated(machine.memory_gib) - reserved - KUBELET_EVICTION_MIB) / 1024


def allocatable_storage_gib(local_ssds: int, boot_disk_gb: int) -> float:
    if local_ssds:
        return 375 * local_ssds * 0.9 - {1: 50, 2: 75}.get(local_ssds, 100)
    disk_gib = boot_disk_gb * 1e9 / GIB
    return disk_gib * 0.9 - min(0.5 * disk_gib, 6 + 0.35 * disk_gib, 100)


@pytest.mark.parametrize(
    ("machine_type", "cpu", "memory_gib"),
    [
        ("g2-standard-4", 3.920, 12.86),
        ("g2-standard-8", 7.910, 27.59),
        ("g2-standard-96", 95.690, 362.93),
        ("g4-standard-48", 47.810, 166.31),
        ("a2-ultragpu-1g", 11.900, 156.67),
        ("a3-highgpu-1g", 25.865, 218.38),
        ("a3-highgpu-8g", 207.410, 1796.72),
    ],
)
def test_the_formulas_give_the_published_figures(machine_type: str, cpu: float, memory_gib: float) -> None:
    machine = next(one for _, one in MACHINES if one.machine_type == machine_type)
    assert allocatable_cpu(machine) == pytest.approx(cpu, abs=0.001)
    assert allocatable_memory_gib(machine) == pytest.approx(memory_gib, abs=0.02)


@EACH
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_checkpoint_fits_every_machine_beside_its_daemons(
    accelerator: Accelerator, machine: Machine, framework: str
) -> None:
    facts = CATALOG.frameworks[framework]
    image = image_for(facts, accelerator)
    assumed_gib = image_gib(image, accelerator) or 0
    for model in CATALOG.models.values():
        for checkpoint in model.checkpoints:
            if framework not in checkpoint.frameworks:
                continue
            size_bytes = FRAMEWORKS[framework].capabilities.weights_bytes(model, checkpoint, ("image", "text"))
            if size_bytes is None:
                continue
            asked = host(accelerator, machine, weights_gib=size_bytes / GIB, image_gib=assumed_gib, need_gib=1)
            storage_gib = allocatable_storage_gib(asked.local_ssds, asked.boot_disk_gb)
            assert asked.cpu <= allocatable_cpu(machine) - DAEMON_CPU - PROXY_CPU
            assert asked.memory_gib <= allocatable_memory_gib(machine) - DAEMON_MEMORY_GIB - PROXY_GIB
            assert size_bytes / GIB < asked.ephemeral_storage_gib <= storage_gib - DAEMON_STORAGE_GIB - PROXY_GIB
            disk_gib = 375 * asked.local_ssds or asked.boot_disk_gb * 1e9 / GIB
            assert asked.ephemeral_storage_gib + 2 * assumed_gib + DAEMON_STORAGE_GIB < 0.9 * disk_gib


@EACH
def test_a_pod_asks_for_most_of_the_machine_that_is_paid_for(accelerator: Accelerator, machine: Machine) -> None:
    asked = host(accelerator, machine, weights_gib=3.0, image_gib=3, need_gib=1)
    assert asked.cpu >= machine.vcpus / 2
    assert asked.memory_gib >= machine.memory_gib * 0.6
