"""Machine types, accelerators and zones of the simulated Google Cloud, read from compute.yaml."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_TABLE = Path(__file__).parent / "compute.yaml"


@dataclass(frozen=True)
class Accelerator:
    """A GPU model or a TPU slice type, by the name that GKE gives it."""

    gke_label: str
    quota_family: str
    counts: tuple[int, ...]
    zones: frozenset[str] | None
    """Zones that have it; None where no list was found, which is taken as every zone."""
    partitions: Mapping[str, int] = field(default_factory=dict)
    """Parts that a GPU can be cut into (MIG), and how many of each one GPU gives."""
    topologies: tuple[str, ...] = ()
    """Arrangements of TPU chips, of one host or several."""


@dataclass(frozen=True)
class MachineType:
    """One Compute Engine machine type with what GKE allows on it."""

    name: str
    vcpus: int
    memory_gib: float
    boot_disks: tuple[str, ...]
    provisioning: frozenset[str]
    """How it may be bought: on_demand, spot, flex_start, reservation."""
    accelerator: str | None = None
    gpus: int = 0
    attachable: tuple[str, ...] = ()
    """GPU models that may be attached to it (N1 only)."""
    local_ssds: int = 0
    local_ssds_bundled: bool = False
    shared_core: bool = False
    architecture: str = "amd64"
    tpu: str | None = None
    chips: int = 0
    tpu_topology: str = ""

    @property
    def family(self) -> str:
        """The value of the node label cloud.google.com/machine-family, such as "a3"."""
        return self.name.split("-", 1)[0]


@dataclass(frozen=True)
class Compute:
    """The whole table."""

    machine_types: dict[str, MachineType]
    accelerators: dict[str, Accelerator]
    tpus: dict[str, Accelerator]
    zone_letters: dict[str, tuple[str, ...]]

    def zones_of(self, region: str) -> list[str]:
        """Zones of a region, in order of their letters."""
        return [f"{region}-{letter}" for letter in self.zone_letters.get(region, ("a", "b", "c"))]

    def is_offered(self, machine_type: MachineType, zone: str) -> bool:
        """Whether a zone has a machine type: it does where it has the type's bundled accelerator."""
        zones = None
        if machine_type.accelerator:
            zones = self.accelerators[machine_type.accelerator].zones
        elif machine_type.tpu:
            zones = self.tpus[machine_type.tpu].zones
        return zones is None or zone in zones


def region_of(location: str) -> str:
    """The region of a zone such as "us-central1-a"; a region is its own.

    >>> region_of("us-central1-a"), region_of("us-central1")
    ('us-central1', 'us-central1')
    """
    return location if is_region(location) else location.rsplit("-", 1)[0]


def is_region(location: str) -> bool:
    """Whether a location is a region rather than a zone, by its number of dashes."""
    return location.count("-") == 1


def _accelerators(table: dict[str, dict[str, Any]]) -> dict[str, Accelerator]:
    return {
        label: Accelerator(
            gke_label=label,
            quota_family=entry.get("quota_family", label),
            counts=tuple(entry.get("counts", ())),
            zones=None if entry["zones"] is None else frozenset(entry["zones"]),
            partitions=entry.get("partitions", {}),
            topologies=tuple(entry.get("topologies", ())),
        )
        for label, entry in table.items()
    }


@functools.cache
def load() -> Compute:
    """The table, read once."""
    table = yaml.safe_load(_TABLE.read_text())
    machine_types = {}
    for name, entry in table["machine_types"].items():
        entry["boot_disks"] = tuple(entry["boot_disks"])
        entry["attachable"] = tuple(entry.get("attachable", ()))
        ways = frozenset(entry["provisioning"])
        entry["provisioning"] = ways | {"reservation"} if "on_demand" in ways else ways
        machine_types[name] = MachineType(name=name, **entry)
    return Compute(
        machine_types=machine_types,
        accelerators=_accelerators(table["accelerators"]),
        tpus=_accelerators(table["tpus"]),
        zone_letters={region: tuple(letters) for region, letters in table["zone_letters"].items()},
    )
