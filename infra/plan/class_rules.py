"""What the ComputeClass of an endpoint says: in which order GKE tries its rungs, on Autopilot which machines it makes.

Fields and what GKE admits: GoogleCloudPlatform/compute-class-api 8067eae (`cloud.google.com_computeclasses.yaml`).
"""

from __future__ import annotations

from typing import Any

from infra.plan.node_pools import NodePool, NodePools
from infra.plan.placed import Placed
from infra.plan.serving_plan import AcceleratorChoice


def class_rules(plan: Placed, found: NodePools) -> tuple[dict[str, Any], ...]:
    """The priorities of a class, best first: pools by name, or on Autopilot the machines that GKE makes.

    Args:
        plan: of the endpoint.
        found: its pools, with their names where the stack makes them.
    """
    if found.kind == "autopilot":
        return tuple(_made_by_gke(one, found.driver_version, plan.accelerator) for one in found.pools)
    return tuple({"nodepools": [one.name]} for one in found.pools)


def class_node_config(found: NodePools) -> tuple[dict[str, str], ...]:
    """What all machines of a class share, where GKE makes them: one mapping, or none.

    The account is said although a created cluster has it as its default (`autoProvisioningDefaults`): an adopted one
    may have another, and a class's machines keep the account with which they were made.
    """
    if found.kind == "autopilot" and found.node_account:
        return ({"serviceAccount": found.node_account},)
    return ()


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
