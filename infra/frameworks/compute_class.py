"""The ComputeClass of an endpoint: in which order GKE tries its rungs, and on Autopilot which machines it makes.

Fields and what GKE admits: GoogleCloudPlatform/compute-class-api 8067eae (`cloud.google.com_computeclasses.yaml`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.plan.node_pools import NodePool
from infra.plan.serving_plan import AcceleratorChoice, ServingPlan


@dataclass(frozen=True)
class ComputeClass:
    """A class and its rules, best first. `auto_creation` is one switch where GKE makes the pools, else nothing."""

    name: str
    priorities: tuple[dict[str, Any], ...]
    auto_creation: tuple[dict[str, bool], ...]


def compute_class(plan: ServingPlan) -> ComputeClass | None:
    """The class, or None where the pods select their one pool."""
    found = plan.node_pools
    if not found.compute_class:
        return None
    if found.kind == "autopilot":
        rules = tuple(_made_by_gke(one, found.driver_version, plan.accelerator) for one in found.pools)
        return ComputeClass(found.compute_class, rules, ({"enabled": True},))
    return ComputeClass(found.compute_class, tuple({"nodepools": [one.name]} for one in found.pools), ())


def _made_by_gke(one: NodePool, driver: str, accelerator: AcceleratorChoice) -> dict[str, Any]:
    """A rule by which GKE makes machines. It says no disk type: Autopilot takes pd-balanced alone, and G4 does not.

    Where machines bring local SSDs their number must be said, and a specific reservation has its own zones (GKE
    documentation, about custom compute classes).
    """
    rule: dict[str, Any] = {"machineType": one.machine_type, "storage": {"bootDiskSize": one.boot_disk_gb}}
    if one.local_ssds:
        rule["storage"]["localSSDCount"] = one.local_ssds
    if accelerator.kind == "tpu":
        rule["tpu"] = {"type": one.gke_label, "count": one.accelerators, "topology": accelerator.topology}
    elif one.gke_label:
        rule["gpu"] = {"type": one.gke_label, "count": one.accelerators, "driverVersion": driver}
    if accelerator.zones and one.capacity != "reservation":
        rule["location"] = {"zones": list(accelerator.zones)}
    match one.capacity:
        case "spot":
            rule["spot"] = True
        case "flex-start":
            rule["flexStart"] = {"enabled": True}
        case "reservation":
            rule["reservations"] = {"affinity": "Specific", "specific": [{"name": one.reservation}]}
        case _:
            rule["spot"] = False
    return rule
