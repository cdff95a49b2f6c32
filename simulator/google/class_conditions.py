"""What GKE's autoscaler finds wrong with a ComputeClass, as conditions of its status, word for word.

Source: GoogleCloudPlatform/cluster-autoscaler, status/validator/conditions: the checks, their order, and that only
the first condition of each type is kept. A bad class is accepted by the API server and never scales.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulator.google import class_pools, pool_inputs
from simulator.google.compute_class import CLASS_LABEL, ComputeClass, Rule
from simulator.google.machine_types import Compute, MachineType
from simulator.google.pool_inputs import Inputs

Condition = dict[str, str]
Findings = Iterator[tuple[str, str]]
"""Reason and message of whatever is wrong with a rule."""
Reserved = Mapping[str, set[str]]
"""Machine types of each reservation, by its name."""
_NODE_POOL, _CLASS, _RULE = "NodepoolMisconfigured", "CrdMisconfigured", "RuleMisconfigured"


def class_labels(pool: Inputs) -> str:
    """The class that a pool's label names; "" for none."""
    return str((pool_inputs.node_config(pool).get("labels") or {}).get(CLASS_LABEL, ""))


def class_taints(pool: Inputs) -> list[str]:
    """The classes that a pool's taints name."""
    taints = pool_inputs.node_config(pool).get("taints") or []
    return [str(taint.get("value", "")) for taint in taints if taint["key"] == CLASS_LABEL]


def serves(pool: Inputs, chosen: ComputeClass) -> bool:
    """Whether a pool carries the label and the taint of a class, and of no other; none for the cluster's default."""
    if chosen.is_default and not class_labels(pool):
        return not class_taints(pool)
    return class_labels(pool) == chosen.name and set(class_taints(pool)) == {chosen.name}


def conditions(
    compute: Compute,
    chosen: ComputeClass,
    pools: Mapping[str, Inputs],
    zones: list[str],
    reservations: Reserved,
) -> list[Condition]:
    """The class's own conditions.

    Args:
        compute: What is on offer.
        chosen: The class.
        pools: The cluster's autoscaled pools.
        zones: Zones in which pools may be made.
        reservations: Machine types of each reservation, by its name.
    """
    found: dict[str, Condition] = {}
    checks = (*_pool_checks(compute, chosen, pools), *_class_checks(compute, chosen, pools, zones))
    for condition in checks:
        found.setdefault(condition["type"], condition)
    for rule in chosen.rules:
        for condition in rule_conditions(compute, rule, zones, reservations):
            found.setdefault(_CLASS, condition | {"type": _CLASS})
    healthy = not found
    message = "Crd is healthy." if healthy else "Crd is not healthy."
    return [
        *found.values(),
        {"type": "Health", "status": "True" if healthy else "False", "reason": "Health", "message": message},
    ]


def _wrong(kind: str, reason: str, message: str) -> Condition:
    return {"type": kind, "status": "True", "reason": reason, "message": message}


def _pool_checks(compute: Compute, chosen: ComputeClass, pools: Mapping[str, Inputs]) -> Iterator[Condition]:
    if chosen.is_default:
        return
    labelled = {name: pool for name, pool in pools.items() if class_labels(pool) == chosen.name}
    if not chosen.scale_up_anyway:
        for name, pool in labelled.items():
            if not any(_rule_takes(compute, rule, name, pool) for rule in chosen.rules):
                text = f"Nodepool {name} has an Crd label but doesn't match any priority rule."
                yield _wrong(_NODE_POOL, "NoRuleMatching", text)
    for name in (name for rule in chosen.rules for name in rule.node_pools):
        if name in pools and name not in labelled:
            text = f"Crd label doesn't match Crd name for the nodepool {name}."
            yield _wrong(_NODE_POOL, "CrdLabelNotMatching", text)
    for name, pool in labelled.items():
        if not class_taints(pool):
            yield _wrong(_NODE_POOL, "TaintMissing", f"Crd taint is missing for the nodepool {name}.")
    for name, pool in labelled.items():
        if class_taints(pool) and class_taints(pool)[0] != chosen.name:
            text = f"Crd taint value doesn't match Crd name for the nodepool {name}."
            yield _wrong(_NODE_POOL, "TaintValueNotMatching", text)
    for name, pool in labelled.items():
        if len(set(class_taints(pool))) > 1:
            text = f"Nodepool {name} has more than one crd taints."
            yield _wrong(_NODE_POOL, "MultipleCrdTaints", text)


def _rule_takes(compute: Compute, rule: Rule, name: str, pool: Inputs) -> bool:
    return name in rule.node_pools if rule.node_pools else class_pools.matches(rule, pool, compute)


def _class_checks(
    compute: Compute, chosen: ComputeClass, pools: Mapping[str, Inputs], zones: list[str]
) -> Iterator[Condition]:
    for name in (name for rule in chosen.rules for name in rule.node_pools):
        if name not in pools:
            text = f"Nodepool {name} specified by name has autoscaling disabled or doesn't exist in the cluster."
            yield _wrong(_CLASS, "NodePoolNotExist", text)
    for zone in (zone for rule in chosen.rules if not rule.reservations for zone in rule.zones):
        if zone not in zones:
            text = (
                f"Location {zone} specified in zonal preferences is not eligible for autoprovisioning. "
                f"Available locations: [{' '.join(zones)}]"
            )
            yield _wrong(_CLASS, "LocationNotEnabledForAutoprovisioning", text)
    if not chosen.auto_creation and not any(
        (chosen.is_default or class_labels(pool) == chosen.name)
        and any(_rule_takes(compute, rule, name, pool) for rule in chosen.rules)
        for name, pool in pools.items()
    ):
        text = "Crd with NAP disabled should have at least one matching nodepool with autoscaling enabled."
        yield _wrong(_CLASS, "NapDisabledAndNoMatchingNodegroups", text)


def rule_conditions(compute: Compute, rule: Rule, zones: list[str], reservations: Reserved) -> list[Condition]:
    """The condition of one rule: the first thing that is wrong with it, or none."""
    if rule.node_pools:
        return []
    return [_wrong(_RULE, reason, text) for reason, text in _rule_checks(compute, rule, zones, reservations)][:1]


def _rule_checks(compute: Compute, rule: Rule, zones: list[str], reservations: Reserved) -> Findings:
    spec = rule.spec
    family, name = spec.get("machineFamily"), spec.get("machineType")
    families = {one.family for one in compute.machine_types.values()}
    if family and family not in families:
        yield "MachineFamilyNotFound", f"Machine family {family} is not a known family."
        return
    if name and name not in compute.machine_types:
        yield "MachineTypeNotFound", f"Machine type {name} is not a known type."
        return
    machine = compute.machine_types[name] if name else None
    wanted = [zone for zone in rule.zones or zones if zone in zones]
    if machine and wanted and not any(compute.is_offered(machine, zone) for zone in wanted):
        error = f"Invalid machine type {name} in zone {wanted[-1]}: resource not found"
        text = f"Machine type {name} is not available in any of auto provisioned zones, last zone check error: {error}"
        yield "UnavailableMachineType", text
    if not name and (spec.get("minCores") or spec.get("minMemoryGb")) and not class_pools.machine_types(compute, rule):
        text = (
            f"Machine type in the given machine family with at least {int(spec.get('minCores') or 0)} cpu and "
            f"{int(spec.get('minMemoryGb') or 0)} memory doesn't exist."
        )
        yield "NoSuitableMachineExists", text
    yield from _gpu_checks(compute, rule, machine)
    yield from _storage_checks(rule, machine)
    yield from _reservation_checks(rule, machine, reservations)


def _reservation_checks(rule: Rule, machine: MachineType | None, reservations: Reserved) -> Findings:
    """The words in brackets are not the source's, but for the first."""
    for name in (one["name"] for one in rule.reservations):
        if name not in reservations:
            yield "ReservationNotFound", f'Reservation "{name}" either does not exist or not accessible.'
            continue
        why = ""
        if (rule.spec.get("location") or {}).get("zones"):
            why = "location config with specific reservations enabled"
        elif machine and machine.name not in reservations[name]:
            why = f"machine type {machine.name}"
        elif machine and class_pools.lacks_local_ssds(rule, machine):
            why = f"local SSD count 0, machine type {machine.name} has {machine.local_ssds}"
        if why:
            text = f'Reservation "{name}" is incompatible with priority rule configuration ({why}).'
            yield "ReservationUnusable", text


def _gpu_checks(compute: Compute, rule: Rule, machine: MachineType | None) -> Findings:
    gpu_type, count = rule.gpu
    if not gpu_type:
        return
    kind = "NoSuitableMachineExists"
    if gpu_type not in compute.accelerators:
        yield kind, f"GPU type {gpu_type} is not supported."
    elif count and count not in compute.accelerators[gpu_type].counts:
        yield kind, f"GPU type {gpu_type} with count {count} is not supported."
    elif machine and not pool_matches(machine, gpu_type, count):
        yield kind, f"GPU type {gpu_type} with count {count} is not supported with machine type {machine.name}."
    elif rule.spec.get("machineFamily") and not class_pools.machine_types(compute, rule):
        text = f"GPU type {gpu_type} with count {count} is not supported with machine family"
        yield kind, f"{text} {rule.spec['machineFamily']}."


def pool_matches(machine: MachineType, gpu_type: str, count: int) -> bool:
    """Whether a machine has, or may have, GPUs of a model; count 0 is any."""
    if machine.accelerator:
        return machine.accelerator == gpu_type and count in (0, machine.gpus)
    return gpu_type in machine.attachable


def _storage_checks(rule: Rule, machine: MachineType | None) -> Findings:
    storage = rule.spec.get("storage") or {}
    if machine is None:
        return
    disk, ssds = storage.get("bootDiskType"), int(storage.get("localSSDCount") or 0)
    if disk and disk not in machine.boot_disks:
        yield "NoSuitableMachineExists", f"Disk type {disk} is not supported with machine type {machine.name}."
    if ssds and (ssds != machine.local_ssds if machine.local_ssds_bundled else ssds > machine.local_ssds):
        yield "NoSuitableMachineExists", f"Local SSD count {ssds} is not supported with machine type {machine.name}."
