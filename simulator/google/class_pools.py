"""Node pools that GKE would make for a rule of a ComputeClass, or for a pod on Autopilot.

Sources: GKE's autoscaler (injection.go: label and taint of the class; a machine type with bundled GPUs fills in
type and count; fractional G4 machines are reached by name only; taint of Flex-start nodes only where the pod
tolerates it); names such as nap-g2-standard-8-spot-gpu1-1abcdefg from public logs.
"""

from __future__ import annotations

import secrets
from typing import Any

from simulator.google import pool_rules
from simulator.google.compute_class import CLASS_LABEL, ComputeClass, Rule
from simulator.google.errors import GoogleError
from simulator.google.fitting import tolerates
from simulator.google.machine_types import Compute, MachineType, is_region
from simulator.google.pool_inputs import Inputs

Object = dict[str, Any]
MOST_NODES = 1000
"""Most nodes of a pool that was made by itself (upstream autoscaler, node auto-provisioning)."""
FLEX_TAINT = {"key": "cloud.google.com/gke-flex-start", "value": "true", "effect": "NoSchedule"}
RESERVATION_KEY = "compute.googleapis.com/reservation-name"
_DEFAULT_FAMILY = "e2"
_NAME_LIMIT = 40
_FRACTIONAL = ("g4-standard-6", "g4-standard-12", "g4-standard-24")
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_EFFECTS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
_DRIVERS = {"latest": "LATEST", "autoinstall-disabled": "INSTALLATION_DISABLED"}


def pool_name(inputs: Inputs) -> str:
    """A new name for a pool that is made by itself."""
    config = inputs["nodeConfig"]
    parts = ["nap", config["machineType"]]
    if config.get("spot"):
        parts.append("spot")
    if config.get("guestAccelerators"):
        parts.append(f"gpu{config['guestAccelerators'][0]['count']}")
    suffix = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{'-'.join(parts)[: _NAME_LIMIT - 9]}-{suffix}"


def machine_types(compute: Compute, rule: Rule) -> list[MachineType]:
    """Machine types that meet a rule, smallest first."""
    spec = rule.spec
    name = spec.get("machineType")
    if name:
        return [compute.machine_types[name]] if name in compute.machine_types else []
    gpu_type, gpu_count = rule.gpu
    tpu = spec.get("tpu") or {}
    family = spec.get("machineFamily") or ("" if gpu_type or tpu else _DEFAULT_FAMILY)
    found = [
        one
        for one in compute.machine_types.values()
        if (not family or one.family == family)
        and one.vcpus >= int(spec.get("minCores") or 0)
        and one.memory_gib >= int(spec.get("minMemoryGb") or 0)
        and one.name not in _FRACTIONAL
        and _has_gpus(one, gpu_type, gpu_count)
        and _has_chips(one, tpu)
    ]
    return sorted(found, key=lambda one: (one.gpus, one.chips, one.vcpus, one.memory_gib, one.name))


def _has_gpus(machine: MachineType, gpu_type: str, count: int) -> bool:
    if not gpu_type:
        return True
    return (machine.accelerator == gpu_type and machine.gpus == (count or 1)) or gpu_type in machine.attachable


def _has_chips(machine: MachineType, tpu: Object) -> bool:
    if not tpu:
        return machine.tpu is None
    if machine.tpu != tpu.get("type") or (tpu.get("count") and machine.chips != int(tpu["count"])):
        return False
    return not tpu.get("topology") or machine.tpu_topology == tpu["topology"]


def new_pools(
    compute: Compute, location: str, cluster: Inputs, rule: Rule, chosen: ComputeClass | None, pod: Object
) -> list[Inputs]:
    """Inputs of the pools that could be made for a pod by a rule, smallest machine first.

    Args:
        compute: What is on offer.
        location: The cluster's.
        cluster: Its inputs, with the default account of pools that GKE makes.
        rule: Which nodes are wanted.
        chosen: The class, whose label and taint the nodes get; None for a pod without one, on Autopilot.
        pod: For whom.
    """
    pools = []
    reservations: list[Object | None] = [*rule.reservations] or [None]
    if rule.reservations and (rule.spec.get("location") or {}).get("zones"):
        return []
    for machine in machine_types(compute, rule):
        if lacks_local_ssds(rule, machine):
            continue
        for reservation in reservations:
            pool = _pool(rule, chosen, machine, pod, reservation)
            account = _account(cluster, chosen)
            if account:
                pool["nodeConfig"]["serviceAccount"] = account
            wanted = (reservation or {}).get("zones") or rule.zones
            offered = [
                zone
                for zone in _zones_of(compute, location)
                if zone in (wanted or [zone]) and _is_allowed(compute, location, cluster, pool, zone)
            ]
            if offered:
                pools.append(pool | {"nodeLocations": offered})
    return pools


def matches(rule: Rule, pool: Inputs, compute: Compute) -> bool:
    """Whether an existing pool is one that a rule without pool names asks for."""
    config = pool.get("nodeConfig") or {}
    spec = rule.spec
    if config.get("machineType") not in [one.name for one in machine_types(compute, rule)]:
        return False
    if bool(config.get("spot")) != bool(spec.get("spot")) or bool(config.get("flexStart")) != rule.is_flex_start:
        return False
    gpu_type, count = rule.gpu
    entries = config.get("guestAccelerators") or []
    if gpu_type and (not entries or entries[0].get("type") != gpu_type):
        return False
    if count and entries and int(entries[0].get("count") or 0) != count:
        return False
    names = [one["name"] for one in rule.reservations]
    affinity = config.get("reservationAffinity") or {}
    specific = affinity.get("consumeReservationType") == "SPECIFIC_RESERVATION"
    held = [str(value).rpartition("/")[2] for value in affinity.get("values") or []] if specific else []
    return held == [] if not names else bool(set(held) & set(names))


def lacks_local_ssds(rule: Rule, machine: MachineType) -> bool:
    """Whether a rule for a reservation leaves out the local SSDs that its machines come with.

    They must be counted in the rule (GKE docs, custom compute classes: 2 for a3-highgpu-1g).
    """
    given = (rule.spec.get("storage") or {}).get("localSSDCount")
    return bool(rule.reservations and machine.local_ssds_bundled and not given)


def _zones_of(compute: Compute, location: str) -> list[str]:
    return compute.zones_of(location) if is_region(location) else [location]


def _is_allowed(compute: Compute, location: str, cluster: Inputs, pool: Inputs, zone: str) -> bool:
    try:
        pool_rules.check_pool(compute, location, cluster, "nap", pool | {"nodeLocations": [zone]})
    except GoogleError:
        return False
    return True


def _account(cluster: Inputs, chosen: ComputeClass | None) -> str:
    """Account of the nodes: what the class says, else the cluster's default for pools that GKE makes."""
    defaults = (cluster.get("clusterAutoscaling") or {}).get("autoProvisioningDefaults") or {}
    own = chosen.pool_config.get("serviceAccount") if chosen else None
    return str(own or defaults.get("serviceAccount") or "")


def _pool(
    rule: Rule, chosen: ComputeClass | None, machine: MachineType, pod: Object, reservation: Object | None
) -> Inputs:
    spec = rule.spec
    config = chosen.pool_config if chosen else {}
    flex = rule.is_flex_start
    labels = {**(config.get("nodeLabels") or {}), **(spec.get("nodeLabels") or {})}
    taints = [*(config.get("taints") or []), *(spec.get("taints") or [])]
    if chosen and not chosen.is_default:
        labels[CLASS_LABEL] = chosen.name
        taints.append({"key": CLASS_LABEL, "value": chosen.name, "effect": "NoSchedule"})
    if flex and tolerates(pod, [FLEX_TAINT]):
        taints.append(FLEX_TAINT)
    node: Inputs = {
        "machineType": machine.name,
        "spot": bool(spec.get("spot")),
        "flexStart": flex,
        "labels": labels,
        "taints": [
            {"key": one["key"], "value": one.get("value", ""), "effect": _EFFECTS[one["effect"]]} for one in taints
        ],
    }
    node |= _accelerators(rule, machine) | _storage(spec) | _reservation(rule, reservation)
    if spec.get("maxRunDurationSeconds"):
        node["maxRunDuration"] = f"{spec['maxRunDurationSeconds']}s"
    if (config.get("imageStreaming") or {}).get("enabled"):
        node["gcfsConfig"] = {"enabled": True}
    if config.get("workloadMetadata"):
        node["workloadMetadataConfig"] = {"mode": config["workloadMetadata"]}
    policy = (spec.get("location") or {}).get("locationPolicy") or ("ANY" if flex or spec.get("spot") else "BALANCED")
    pool: Inputs = {
        "initialNodeCount": 0,
        "autoscaling": {"totalMaxNodeCount": MOST_NODES, "locationPolicy": policy},
        "management": {"autoRepair": not flex, "autoUpgrade": True},
        "nodeConfig": node,
    }
    if spec.get("maxPodsPerNode"):
        pool["maxPodsPerNode"] = int(spec["maxPodsPerNode"])
    return pool


def _accelerators(rule: Rule, machine: MachineType) -> Inputs:
    gpu_type, count = rule.gpu
    gpu_type, count = gpu_type or machine.accelerator or "", count or machine.gpus or (1 if gpu_type else 0)
    if not gpu_type:
        return {}
    gpu = rule.spec.get("gpu") or {}
    sharing = gpu.get("gpuSharing") or {}
    entry: Inputs = {
        "type": gpu_type,
        "count": count,
        "gpuDriverInstallationConfig": {"gpuDriverVersion": _DRIVERS.get(gpu.get("driverVersion", ""), "DEFAULT")},
    }
    if sharing.get("maxSharedClientsPerGPU"):
        entry["gpuSharingConfig"] = {
            "gpuSharingStrategy": sharing.get("sharingStrategy", "TIME_SHARING"),
            "maxSharedClientsPerGpu": int(sharing["maxSharedClientsPerGPU"]),
        }
    return {"guestAccelerators": [entry]}


def _storage(spec: Object) -> Inputs:
    storage = spec.get("storage") or {}
    found: Inputs = {}
    if storage.get("bootDiskType"):
        found["diskType"] = storage["bootDiskType"]
    if storage.get("bootDiskSize"):
        found["diskSizeGb"] = int(storage["bootDiskSize"])
    if storage.get("localSSDCount"):
        found["ephemeralStorageLocalSsdConfig"] = {"localSsdCount": int(storage["localSSDCount"])}
    return found


def _reservation(rule: Rule, specific: Object | None) -> Inputs:
    if rule.is_flex_start:
        return {"reservationAffinity": {"consumeReservationType": "NO_RESERVATION"}}
    affinity = (rule.spec.get("reservations") or {}).get("affinity")
    if specific is not None:
        name = specific["name"]
        if specific.get("project"):
            name = f"projects/{specific['project']}/reservations/{name}"
        return {
            "reservationAffinity": {
                "consumeReservationType": "SPECIFIC_RESERVATION",
                "key": RESERVATION_KEY,
                "values": [name],
            }
        }
    kinds = {"AnyBestEffort": "ANY_RESERVATION", "AnyThenFail": "ANY_RESERVATION", "None": "NO_RESERVATION"}
    return {"reservationAffinity": {"consumeReservationType": kinds[affinity]}} if affinity in kinds else {}
