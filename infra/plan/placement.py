"""Where an endpoint lands: machine type, zones, disks, and what the pod may ask of the machine."""

from __future__ import annotations

import math

from infra.catalog.records import Accelerator, Machine
from infra.plan.offered import offered
from infra.plan.own_nodes import NodeShare, shares
from infra.plan.quantities import Host
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.spec import Capacity, Gke

# GKE and the node's system pods take part of every machine (GKE documentation, plan-node-sizes); asking for at most
# this share leaves room on all of them, by the formulas of cluster-autoscaler 7d25050 (tests/unit/test_placement.py).
_USABLE_SHARE = 0.8
_SYSTEM_PODS_GIB = 1.5
_BOOT_DISK_CHOICES_GB = (100, 200, 300, 500, 1000)


OWN = Capacity.model_construct(kind="own", reservation=None)
SOLD = tuple(Capacity.model_construct(kind=kind, reservation=None) for kind in ("on-demand", "flex-start", "spot"))


def machines(request: Request, capacities: tuple[Capacity, ...], nodes: int = 1) -> list[tuple[Machine, Capacity, int]]:
    """Machines that carry the accelerator, how each is bought, and how many accelerators a replica has there.

    A machine that the platform itself is comes alone, as `own`.

    Args:
        request: what is asked.
        capacities: how they may be bought.
        nodes: machines of one replica, all alike.

    Raises:
        RefusedError: the platform has no such accelerator, no machine carries that many, or none is sold like that.
    """
    spec, accelerator = request.spec, request.accelerator
    if request.platform.kubernetes is not None:
        return [(share, OWN, number) for share, number in shares(request, request.platform.kubernetes)]
    if request.on_vertex:
        return offered(request, capacities)
    if request.platform.gke is None:
        return [(_own_machine(request), OWN, 1)]
    if accelerator.kind == "apple":
        raise RefusedError(("accelerator",), f"{accelerator.display_name} is no part of GKE; use a platform with host.")
    if not accelerator.machines:
        why = accelerator.note or "no machine that carries it is known"
        raise RefusedError(("accelerator",), f"{accelerator.id}: {why.rstrip('.')}.")
    zones(accelerator, request.platform.gke)
    count = spec.on.count
    carried_by = [(one, nodes * (one.accelerators or 1)) for one in accelerator.machines]
    of_count = [(one, number) for one, number in carried_by if count in {None, number}]
    if not of_count:
        carried = sorted({number for _, number in carried_by})
        raise RefusedError(
            ("accelerator", "count"),
            f"no machine carries {count} x {accelerator.id}. Machines carry {', '.join(map(str, carried))}.",
        )
    known = [(one, number) for one, number in of_count if one.memory_gib and one.vcpus]
    if not known:
        names = ", ".join(one.machine_type for one, _ in of_count)
        raise RefusedError(("accelerator",), f"processors and memory of {names} are not known, so no pod can be sized.")
    sold = [(one, kind, number) for one, number in known for kind in capacities if kind.kind in one.capacity]
    if not sold:
        raise RefusedError(*_not_sold(request, [one for one, _ in known], capacities))
    return sold


def _own_machine(request: Request) -> Machine:
    platform, accelerator, spec = request.platform, request.accelerator, request.spec
    place = platform.host or platform.local
    assert place is not None
    if accelerator.kind not in {"apple", "cpu"}:
        raise RefusedError(
            ("accelerator",),
            f"a platform with {'host' if platform.host else 'local'} has apple or cpu accelerators, not "
            f"{accelerator.id}; use a platform with gke or kubernetes.",
        )
    if spec.capacity is not None:
        raise RefusedError(("capacity",), "the platform's machine is there already; leave it out.")
    if spec.on.count not in {None, 1}:
        raise RefusedError(("accelerator", "count"), "the platform is one machine; leave the count out.")
    memory_gib = accelerator.unified_memory_gib if accelerator.kind == "apple" else place.memoryGiB
    if memory_gib is None:
        raise RefusedError(
            ("accelerator",), f"say how much memory the machine has: memoryGiB in the file of platform {spec.platform}."
        )
    processors = platform.local.processors if platform.local else None
    return Machine("own machine", 0, processors, memory_gib, None, ("own",))


def _not_sold(
    request: Request, known: list[Machine], capacities: tuple[Capacity, ...]
) -> tuple[tuple[str | int, ...], str]:
    accelerator = request.accelerator
    offers = sorted({kind for one in known for kind in one.capacity})
    names = ", ".join(one.machine_type for one in known)
    asked = " or ".join(dict.fromkeys(one.kind for one in capacities))
    so = sorted(
        {one.accelerators for one in accelerator.machines for kind in capacities if kind.kind in one.capacity}
        - {one.accelerators for one in known}
    )
    other = f", or 'accelerator: {{type: {accelerator.id}, count: {so[0]}}}' to pay for {so[0]}" if so else ""
    counts = " or ".join(map(str, sorted({one.accelerators or 1 for one in known})))
    field = ("capacity",) if request.spec.capacity is not None else ("accelerator",)
    return field, (
        f"Compute Engine does not sell {names} ({counts} x {accelerator.id}) as {asked}. Write "
        f"'capacity: [{_written(offers[-1])}]' ({' or '.join(offers)}){other}."
    )


def _written(kind: str) -> str:
    return "{reservation: NAME}" if kind == "reservation" else kind


def zones(accelerator: Accelerator, gke: Gke) -> tuple[str, ...]:
    """Zones of the platform that offer the accelerator, sorted. A processor is in all: those named, or none.

    Raises:
        RefusedError: none does.
    """
    if accelerator.kind == "cpu":
        return tuple(sorted(gke.zones))
    zonal = gke.location.count("-") == 2
    region = gke.location.rpartition("-")[0] if zonal else gke.location
    allowed = gke.zones or ([gke.location] if zonal else [])
    if not accelerator.zones:
        raise RefusedError(("accelerator",), f"no zone that offers {accelerator.id} is known.")
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
    """Host memory that a pod, or a service on the platform's own machine, may use, in GiB."""
    assert machine.memory_gib is not None
    return math.floor(machine.memory_gib * _USABLE_SHARE - _SYSTEM_PODS_GIB)


def boot_disk_need_gb(*, weights_gib: float, image_gib: int, local_ssds: int) -> int:
    """Least size of a boot disk, GB: see `host`."""
    return 2 * (2 * image_gib + (0 if local_ssds else _storage_gib(weights_gib)))


def _storage_gib(weights_gib: float) -> int:
    return math.ceil(weights_gib * 1.1) + 4


def host(
    accelerator: Accelerator,
    machine: Machine,
    *,
    weights_gib: float,
    image_gib: int,
    need_gib: float,
    local_ssds: int | None = None,
) -> Host:
    """What the pod asks of its machine, and the disks that hold image and weights.

    Ephemeral storage of a boot disk: GKE reserves up to half of it or 100 GiB, and evicts at 10 % (GKE documentation,
    plan-node-sizes), so the disk is the smallest whose half holds the weights and the image, packed and unpacked.
    Where the machine has local SSDs, they hold the weights; None stands for those that it brings. Nodes that are
    there have the disks they have.
    """
    storage_gib = _storage_gib(weights_gib)
    local_ssds = (machine.bundled_local_ssds or 0) if local_ssds is None else local_ssds
    boot_need = boot_disk_need_gb(weights_gib=weights_gib, image_gib=image_gib, local_ssds=local_ssds)
    own = isinstance(machine, NodeShare)
    boot_disk_gb = next((size for size in _BOOT_DISK_CHOICES_GB if size >= boot_need), _BOOT_DISK_CHOICES_GB[-1])
    return Host(
        cpu=max(1, math.floor((machine.vcpus or 0) * _USABLE_SHARE) - 1),
        memory_gib=usable_memory_gib(machine),
        need_gib=need_gib,
        ephemeral_storage_gib=storage_gib,
        boot_disk_type="" if own else accelerator.boot_disk_type or "",
        boot_disk_gb=0 if own else boot_disk_gb,
        local_ssds=local_ssds,
    )
