"""Reads of a node pool's inputs, which have the shape that the Pulumi SDK gives them (camelCase, nested)."""

from __future__ import annotations

from typing import Any

from simulator.google.machine_types import Compute, MachineType, is_region

DEFAULT_MACHINE_TYPE = "e2-medium"
DEFAULT_DISK_GIB = 100
DEFAULT_DISK_TYPE = "pd-balanced"
DEFAULT_MAX_PODS = 110
FLEX_START_SECONDS = 604800.0

Inputs = dict[str, Any]


def node_config(pool: Inputs) -> Inputs:
    """The pool's nodeConfig, empty when not given."""
    return dict(pool.get("nodeConfig") or {})


def machine_type_name(pool: Inputs) -> str:
    """The machine type, GKE's default when not given."""
    return str(node_config(pool).get("machineType") or DEFAULT_MACHINE_TYPE)


def machine_type(compute: Compute, pool: Inputs) -> MachineType:
    """The machine type's entry in the table; the pool must have been validated."""
    return compute.machine_types[machine_type_name(pool)]


def accelerator(pool: Inputs) -> tuple[str, int, Inputs]:
    """GPU model, GPUs of one node and the whole entry; ("", 0, {}) for a pool without GPUs."""
    entries = [entry for entry in node_config(pool).get("guestAccelerators") or [] if entry.get("count")]
    if not entries:
        return "", 0, {}
    return str(entries[0].get("type", "")), int(entries[0]["count"]), entries[0]


def disk(compute: Compute, pool: Inputs) -> tuple[str, int]:
    """Type and size in GiB of the boot disk.

    Without a type GKE takes pd-balanced where the machine can boot from it; a machine that cannot gets the
    first type that it can use, as auto-created pools do (GKE facts, section 3.3).
    """
    config = node_config(pool)
    boot = config.get("bootDisk") or {}
    size = int(config.get("diskSizeGb") or boot.get("sizeGb") or DEFAULT_DISK_GIB)
    kind = config.get("diskType") or boot.get("diskType")
    if not kind:
        allowed = machine_type(compute, pool).boot_disks
        kind = DEFAULT_DISK_TYPE if DEFAULT_DISK_TYPE in allowed else allowed[0]
    return str(kind), size


def local_ssds(pool: Inputs) -> int:
    """How many local SSDs back the node's ephemeral storage."""
    return int((node_config(pool).get("ephemeralStorageLocalSsdConfig") or {}).get("localSsdCount") or 0)


def is_queued(pool: Inputs) -> bool:
    """Whether its nodes come for ProvisioningRequests alone."""
    return bool((pool.get("queuedProvisioning") or {}).get("enabled"))


def specific_reservation(pool: Inputs) -> str:
    """The name of the specific reservation that its nodes take from; "" for none."""
    affinity = node_config(pool).get("reservationAffinity") or {}
    if affinity.get("consumeReservationType") != "SPECIFIC_RESERVATION" or not affinity.get("values"):
        return ""
    return str(affinity["values"][0]).rpartition("/")[2]


def run_seconds(pool: Inputs) -> float | None:
    """How long a node may run; None for as long as it likes. Flex-start without a duration gets seven days."""
    config = node_config(pool)
    given = config.get("maxRunDuration")
    if given:
        return float(str(given).removesuffix("s"))
    return FLEX_START_SECONDS if config.get("flexStart") else None


def image_streaming(pool: Inputs) -> bool:
    """Whether images are streamed."""
    return bool((node_config(pool).get("gcfsConfig") or {}).get("enabled"))


def max_pods(pool: Inputs) -> int:
    """Most pods on one node."""
    return int(pool.get("maxPodsPerNode") or DEFAULT_MAX_PODS)


def zones(compute: Compute, cluster_location: str, cluster: Inputs, pool: Inputs) -> list[str]:
    """Zones that the pool's nodes may be in: its own, else the cluster's, else three of the region."""
    own = pool.get("nodeLocations")
    if own:
        return sorted(own)
    shared = sorted(cluster.get("nodeLocations") or [])
    if not is_region(cluster_location):
        return sorted({cluster_location, *shared})
    return shared or compute.zones_of(cluster_location)[:3]


def first_nodes_per_zone(pool: Inputs) -> int:
    """How many nodes each zone gets at creation.

    Terraform's google_container_node_pool sends nodeCount or initialNodeCount, else 0; GKE's API then
    makes an empty pool.
    """
    return int(pool.get("nodeCount") or pool.get("initialNodeCount") or 0)


def autoscaling_limits(pool: Inputs, zone_count: int) -> tuple[int, int, int | None] | None:
    """Least and most nodes of the whole pool, and most of one zone; None without autoscaling."""
    autoscaling = pool.get("autoscaling")
    if not autoscaling:
        return None
    if autoscaling.get("totalMaxNodeCount"):
        return int(autoscaling.get("totalMinNodeCount") or 0), int(autoscaling["totalMaxNodeCount"]), None
    per_zone = int(autoscaling.get("maxNodeCount") or 0)
    return int(autoscaling.get("minNodeCount") or 0) * zone_count, per_zone * zone_count, per_zone
