"""What Google refuses when a node pool is created, with its words where they are known.

Each rule's docstring names its source; "no source for the wording" means that the rule is documented but no
example of its error could be found.
"""

from __future__ import annotations

import re
from typing import Any

from simulator.google import pool_inputs
from simulator.google.errors import GoogleError, bad_request
from simulator.google.machine_types import Compute, MachineType, region_of
from simulator.google.pool_inputs import Inputs
from simulator.google.purchase_rules import check_purchase
from simulator.google.tpu_rules import check_tpu

_NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?")
_NAME_LIMIT = 40
_DRIVER_VERSIONS = ("GPU_DRIVER_VERSION_UNSPECIFIED", "INSTALLATION_DISABLED", "DEFAULT", "LATEST")
_GKE_LABELS = frozenset(
    f"cloud.google.com/{key}"
    for key in (
        "gke-nodepool",
        "gke-accelerator",
        "gke-gpu-driver-version",
        "gke-spot",
        "gke-flex-start",
        "gke-provisioning",
        "gke-boot-disk",
        "machine-family",
    )
)


def check_name(field: str, name: str) -> None:
    """Refuse a cluster's or node pool's name as GKE does.

    Sources: GKE's answer for "cluster.name" in a public terminal log; "Node_pool.name must be less than 40
    characters." from a Terraform run.
    """
    if len(name) > _NAME_LIMIT:
        raise bad_request(f"{field.capitalize()} must be less than {_NAME_LIMIT} characters.")
    if not _NAME.fullmatch(name):
        raise bad_request(
            f'Invalid value for field "{field}": "{name}". Must be a match of regex '
            "'(?:[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?)' (only lowercase alphanumerics and '-' allowed; must start "
            "with a letter and end with an alphanumeric; must be no longer than 40 characters)."
        )


def check_pool(compute: Compute, cluster_location: str, cluster: Inputs, name: str, pool: Inputs) -> None:
    """Refuse a node pool that Google would refuse.

    Args:
        compute: What is on offer.
        cluster_location: The cluster's region or zone.
        cluster: The cluster's inputs.
        name: The pool's name.
        pool: The pool's inputs.

    Raises:
        GoogleApiError: The first rule that is broken.
    """
    check_name("node_pool.name", name)
    _check_count(name, pool)
    zones = pool_inputs.zones(compute, cluster_location, cluster, pool)
    _check_zones(compute, cluster_location, zones)
    machine_type = _check_machine_type(compute, pool, zones)
    _check_accelerator(compute, machine_type, pool, zones)
    _check_disks(compute, machine_type, pool)
    check_purchase(machine_type, pool)
    check_tpu(compute, machine_type, pool)
    _check_image(pool)
    _check_autoscaling(pool)
    _check_upgrades(pool)
    _check_management(cluster, pool)
    _check_labels(pool)


def _check_count(name: str, pool: Inputs) -> None:
    """Terraform provider, resource_container_node_pool.go, expandNodePool."""
    if pool.get("initialNodeCount") and pool.get("nodeCount"):
        raise GoogleError(f"Cannot set both initial_node_count and node_count on node pool {name}")


def _check_zones(compute: Compute, cluster_location: str, zones: list[str]) -> None:
    """The rule is the provider's description of node_locations; no source for the wording."""
    region = region_of(cluster_location)
    for zone in zones:
        if zone not in compute.zones_of(region):
            raise bad_request(
                f'Location "{zone}" is not a zone of region "{region}"; node_pool.locations must be in the '
                f"cluster's region: {', '.join(compute.zones_of(region))}."
            )


def _check_machine_type(compute: Compute, pool: Inputs, zones: list[str]) -> MachineType:
    """Wording as seen in a public troubleshooting page for T2A."""
    name = pool_inputs.machine_type_name(pool)
    machine_type = compute.machine_types.get(name)
    if machine_type is None:
        raise bad_request(f"Invalid machine type {name} in zone {zones[0]}: resource not found")
    return machine_type


def _check_accelerator(compute: Compute, machine_type: MachineType, pool: Inputs, zones: list[str]) -> None:
    """GPU model, count, zone and driver version.

    Sources: "does not exist in zone" from several public Terraform and Crossplane runs; "Cannot use default
    machine type" from terraform-provider-google #8387; "GPU type ... is not supported with machine type"
    from GKE's autoscaler (status/validator), used here for the API as well; the enum error is the common
    form of Google's JSON parser. No source for a missing accelerator, nor for the wording about partitions.
    """
    label, count, entry = pool_inputs.accelerator(pool)
    if label and not pool_inputs.node_config(pool).get("machineType"):
        raise bad_request("Cannot use default machine type (e2-medium) with GPUs; choose a different machine type.")
    if label and label not in compute.accelerators:
        raise bad_request(f'Accelerator type "{label}" does not exist in zone {zones[0]}.')
    for zone in zones:
        offered = compute.accelerators[label].zones if label else None
        if offered is not None and zone not in offered:
            raise bad_request(f'Accelerator type "{label}" does not exist in zone {zone}.')
        if not compute.is_offered(machine_type, zone):
            raise bad_request(f"Invalid machine type {machine_type.name} in zone {zone}: resource not found")
    if machine_type.accelerator and not label:
        raise bad_request(
            f"Machine type {machine_type.name} comes with {machine_type.gpus} {machine_type.accelerator}; "
            "node_pool.config.accelerators must name that type and count."
        )
    if label and not _matches(compute, machine_type, label, count):
        raise bad_request(
            f"GPU type {label} with count {count} is not supported with machine type {machine_type.name}."
        )
    partition = entry.get("gpuPartitionSize")
    if partition and partition not in compute.accelerators[label].partitions:
        raise bad_request(f"GPU partition size {partition} is not supported for GPU type {label}.")
    version = (entry.get("gpuDriverInstallationConfig") or {}).get("gpuDriverVersion")
    if version is not None and version not in _DRIVER_VERSIONS:
        raise bad_request(
            "Invalid value at 'node_pool.config.accelerators[0].gpu_driver_installation_config."
            "gpu_driver_version' (type.googleapis.com/google.container.v1beta1.GPUDriverInstallationConfig."
            f'GPUDriverVersion), "{version}"'
        )


def _matches(compute: Compute, machine_type: MachineType, label: str, count: int) -> bool:
    if machine_type.accelerator:
        return (label, count) == (machine_type.accelerator, machine_type.gpus)
    return label in machine_type.attachable and count in compute.accelerators[label].counts


def _check_disks(compute: Compute, machine_type: MachineType, pool: Inputs) -> None:
    """Boot disk type, and local SSDs.

    "disk type cannot be used by" is Compute Engine's (public runs with C3, C4 and N2). GKE has been seen to
    accept such a pool while it is empty and to fail at its first scale-up; here it is refused at once.
    "Local SSD count" is the text of GKE's autoscaler (status/validator).
    """
    kind, _ = pool_inputs.disk(compute, pool)
    if kind not in machine_type.boot_disks:
        raise bad_request(f"{kind} disk type cannot be used by {machine_type.name} machine type.")
    raw = pool_inputs.node_config(pool).get("localNvmeSsdBlockConfig") or {}
    bundled = machine_type.local_ssds_bundled
    for count in (pool_inputs.local_ssds(pool), int(raw.get("localSsdCount") or 0)):
        if count and (count != machine_type.local_ssds if bundled else count > machine_type.local_ssds):
            raise bad_request(f"Local SSD count {count} is not supported with machine type {machine_type.name}.")


def _check_autoscaling(pool: Inputs) -> None:
    """Limits of the autoscaler.

    "cannot be both set to zero" is GKE's (terraform-google-kubernetes-engine #1554). Rules for the others: the
    provider's field descriptions; no source for their wording.
    """
    autoscaling: dict[str, Any] = pool.get("autoscaling") or {}
    if not autoscaling:
        return
    prefix = "node_pool_autoscaling"
    most, total_most = (int(autoscaling.get(key) or 0) for key in ("maxNodeCount", "totalMaxNodeCount"))
    least, total_least = (int(autoscaling.get(key) or 0) for key in ("minNodeCount", "totalMinNodeCount"))
    if not most and not total_most:
        raise bad_request(
            f"{prefix.capitalize()}.max_node_count and {prefix}.total_max_node_count cannot be both set to zero."
        )
    if (most or least) and (total_most or total_least):
        raise bad_request(f"{prefix.capitalize()}.max_node_count and {prefix}.total_max_node_count cannot be both set.")
    for low, high, kind in ((least, most, ""), (total_least, total_most, "total_")):
        if low > high:
            raise bad_request(
                f"{prefix.capitalize()}.{kind}min_node_count ({low}) must not be greater than "
                f"{prefix}.{kind}max_node_count ({high})."
            )


def _check_image(pool: Inputs) -> None:
    """Image streaming needs Container-Optimized OS (GKE docs, image streaming). No source for the wording."""
    image = str(pool_inputs.node_config(pool).get("imageType") or "COS_CONTAINERD").upper()
    if pool_inputs.image_streaming(pool) and image != "COS_CONTAINERD":
        raise bad_request(f"Image streaming is not supported with image type {image}; use COS_CONTAINERD.")


def _check_upgrades(pool: Inputs) -> None:
    """A surge upgrade must be able to go on (GKE docs, surge upgrades). No source for the wording."""
    settings = pool.get("upgradeSettings") or {}
    given = settings.get("strategy", "SURGE") == "SURGE" and {"maxSurge", "maxUnavailable"} <= settings.keys()
    if given and not int(settings["maxSurge"] or 0) and not int(settings["maxUnavailable"] or 0):
        raise bad_request("Max_surge and max_unavailable cannot both be 0.")


def _check_management(cluster: Inputs, pool: Inputs) -> None:
    """GKE's answer "Auto_upgrade must be true when release_channel STABLE is set.", from release notes of a tool."""
    channel = (cluster.get("releaseChannel") or {}).get("channel")
    management = pool.get("management") or {}
    if channel in ("RAPID", "REGULAR", "STABLE", "EXTENDED") and not management.get("autoUpgrade", True):
        raise bad_request(f"Auto_upgrade must be true when release_channel {channel} is set.")


def _check_labels(pool: Inputs) -> None:
    """GKE's answer for "sandbox.gke.io/runtime", from a Terraform run; the keys are those that GKE sets itself."""
    for key in pool_inputs.node_config(pool).get("labels") or {}:
        if key in _GKE_LABELS:
            raise bad_request(f'Node labels with key "{key}" are managed by GKE and must not be manually specified.')
