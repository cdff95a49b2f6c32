"""TPU slices: which topology a machine is by itself, and what of them this version deploys."""

from __future__ import annotations

import math

from infra.catalog.records import Accelerator, Machine
from infra.plan.candidates import Candidate
from infra.plan.serving_plan import AcceleratorChoice

_Row = tuple[str, object, object, str, str]


def slice_topology(accelerator: Accelerator, machine: Machine) -> str:
    """Topology of a slice that is one machine, such as `2x4` for eight chips; "" where there is none.

    The same topology may also be a slice over several smaller machines (2x4 is two of four chips each); a node pool
    has one machine type, so its nodes are never both.
    """
    if accelerator.kind != "tpu":
        return ""
    shapes = (one for one in accelerator.topologies if math.prod(map(int, one.split("x"))) == machine.accelerators)
    return next(shapes, "")


def slice_reasons(accelerator: Accelerator, candidate: Candidate) -> list[str]:
    """Why a plan on TPUs is not deployed; empty where it is."""
    reasons = []
    if candidate.nodes > 1 or not slice_topology(accelerator, candidate.machine):
        reasons.append("TPU slices over several machines")
    if candidate.machine.vcpus is None or accelerator.boot_disk_type is None:
        reasons.append(f"node pools of {accelerator.id}, whose processors or boot disks are not known")
    if candidate.tensor != candidate.count:
        reasons.append("TPUs split in another way than tensor parallel over all chips")
    return reasons


def slice_rows(accelerator: AcceleratorChoice) -> list[_Row]:
    """The topology and its reason; nothing for other accelerators."""
    if not accelerator.topology:
        return []
    why = f"the slice that one {accelerator.machine_type} is; a pod asks for all of its chips"
    return [("accelerator.topology", accelerator.topology, None, "catalogue", why)]
