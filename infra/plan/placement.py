"""Where an endpoint lands: machine type, zones, disks, and what the pod may ask of the machine."""

from __future__ import annotations

import math

from infra.catalog.records import Accelerator, Catalog, Machine
from infra.plan.refusal import RefusedError
from infra.plan.serving_plan import Host
from infra.spec import Gke

# GKE and the node's system pods take part of every machine (GKE documentation, plan-node-sizes); asking for at most
# this share leaves room on all of them, by the formulas of cluster-autoscaler 7d25050 (tests/unit/test_placement.py).
_USABLE_SHARE = 0.8
_SYSTEM_PODS_GIB = 1.5
_BOOT_DISK_CHOICES_GB = (100, 200, 300, 500, 1000)


def choose_machine(
    catalog: Catalog, accelerator: Accelerator, *, count: int, capacity: str, host_memory_gib: float
) -> Machine:
    """Cheapest machine with `count` accelerators and enough host memory.

    Raises:
        RefusedError: no such machine, or none sold with this capacity.
    """
    of_count = [machine for machine in accelerator.machines if machine.accelerators == count]
    if not of_count:
        sold = sorted({machine.accelerators for machine in accelerator.machines})
        raise RefusedError(
            ("accelerator", "count"),
            f"no machine carries {count} x {accelerator.id}. Machines carry {', '.join(map(str, sold))}.",
        )
    sold_so = [machine for machine in of_count if capacity in machine.capacity]
    if not sold_so:
        offers = sorted({kind for machine in of_count for kind in machine.capacity})
        names = ", ".join(machine.machine_type for machine in of_count)
        whole = sorted({machine.accelerators for machine in accelerator.machines if capacity in machine.capacity})
        other = (
            f", or 'accelerator: {{type: {accelerator.id}, count: {whole[0]}}}' to pay for {whole[0]}" if whole else ""
        )
        raise RefusedError(
            ("capacity", 0),
            f"Compute Engine does not sell {names} ({count} x {accelerator.id}) as {capacity}. Write "
            f"'capacity: [{offers[-1]}]' ({' or '.join(offers)}){other}.",
        )
    roomy = [m for m in sold_so if usable_memory_gib(m) >= host_memory_gib]
    if not roomy:
        most = max(sold_so, key=lambda machine: machine.memory_gib)
        raise RefusedError(
            ("accelerator",),
            f"the engine needs {host_memory_gib:.0f} GiB of host memory; {most.machine_type}, the largest with "
            f"{count} x {accelerator.id}, gives {usable_memory_gib(most)} GiB.",
        )
    return min(roomy, key=lambda machine: (_price(catalog, machine), machine.memory_gib))


def zones(accelerator: Accelerator, gke: Gke) -> tuple[str, ...]:
    """Zones of the platform that offer the accelerator, sorted.

    Raises:
        RefusedError: none does.
    """
    zonal = gke.location.count("-") == 2
    region = gke.location.rpartition("-")[0] if zonal else gke.location
    allowed = gke.zones or ([gke.location] if zonal else [])
    found = [z for z in accelerator.zones if z.startswith(f"{region}-") and (not allowed or z in allowed)]
    if not found:
        near = [z for z in accelerator.zones if z.startswith(f"{region}-")] or list(accelerator.zones)
        where = ", ".join(allowed) or region
        raise RefusedError(
            ("accelerator",),
            f"no zone of the platform ({where}) offers {accelerator.id}. Zones that do: {', '.join(near)}.",
        )
    return tuple(sorted(found))


def usable_memory_gib(machine: Machine) -> int:
    """Host memory that a pod may ask for, in GiB."""
    return math.floor(machine.memory_gib * _USABLE_SHARE - _SYSTEM_PODS_GIB)


def host(accelerator: Accelerator, machine: Machine, *, weights_gib: float, image_gib: int) -> Host:
    """What the pod asks of its machine, and the disks that hold image and weights.

    Ephemeral storage of a boot disk: GKE reserves up to half of it or 100 GiB, and evicts at 10 % (GKE documentation,
    plan-node-sizes), so the disk is the smallest whose half holds the weights and the image, packed and unpacked.
    Where the machine brings local SSDs, they hold both.
    """
    storage_gib = math.ceil(weights_gib * 1.1) + 4
    local_ssds = machine.bundled_local_ssds or 0
    boot_need = 2 * (2 * image_gib + (0 if local_ssds else storage_gib))
    boot_disk_gb = next((size for size in _BOOT_DISK_CHOICES_GB if size >= boot_need), _BOOT_DISK_CHOICES_GB[-1])
    return Host(
        cpu=max(1, math.floor(machine.vcpus * _USABLE_SHARE) - 1),
        memory_gib=usable_memory_gib(machine),
        ephemeral_storage_gib=storage_gib,
        boot_disk_type=accelerator.boot_disk_type,
        boot_disk_gb=boot_disk_gb,
        local_ssds=local_ssds,
    )


def _price(catalog: Catalog, machine: Machine) -> float:
    price = catalog.prices.get(machine.machine_type)
    return price.on_demand_usd_per_hour if price and price.on_demand_usd_per_hour is not None else math.inf
