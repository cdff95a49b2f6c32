"""Record of the local SSDs that a machine type takes where it does not bring them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LocalSsds:
    """A machine type that may have local SSDs of 375 GiB: none, or exactly `disks`."""

    machine_type: str
    disks: int
    sources: tuple[str, ...]
