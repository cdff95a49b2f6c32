"""The Kubernetes Node that a GKE instance registers: labels, taints, capacity.

Sources: GKE's autoscaler (system_labels.go, templates.go) for the label keys; GKE docs how-to/gpus for the
taint that GPU pools get by themselves.
"""

from __future__ import annotations

from typing import Any

from simulator.google import pool_inputs
from simulator.google.allocatable import node_size
from simulator.google.machine_types import Compute, region_of
from simulator.google.pool_inputs import Inputs

KUBELET_VERSION = "v1.36.4-gke.1000000"
"""The control plane's version with a GKE patch number; the number itself is made up."""
GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
TPU_TAINT = {"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"}
QUEUED_TAINT = {"key": "cloud.google.com/gke-queued", "value": "true", "effect": "NoSchedule"}
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}
_DRIVERS = {"LATEST": "latest", "INSTALLATION_DISABLED": "disabled"}
_PREFIX = "cloud.google.com/"


def node_taints(compute: Compute, pool: Inputs) -> list[dict[str, str]]:
    """Taints of the pool's nodes: the user's, then those that GKE adds to GPU and TPU pools."""
    given = [
        {
            "key": taint["key"],
            "value": taint.get("value", ""),
            "effect": _EFFECTS.get(taint["effect"], taint["effect"]),
        }
        for taint in pool_inputs.node_config(pool).get("taints") or []
    ]
    own = []
    if pool_inputs.accelerator(pool)[0]:
        own.append(GPU_TAINT)
    if pool_inputs.machine_type(compute, pool).tpu:
        own.append(TPU_TAINT)
    if pool_inputs.is_queued(pool):
        own.append(QUEUED_TAINT)
    keys = {(taint["key"], taint["effect"]) for taint in given}
    return given + [dict(taint) for taint in own if (taint["key"], taint["effect"]) not in keys]


def _provisioning_labels(config: Inputs) -> dict[str, str]:
    if config.get("flexStart"):
        labels = {"gke-flex-start": "true", "gke-provisioning": "flex-start"}
        if config.get("maxRunDuration"):
            labels["gke-max-run-duration-seconds"] = str(config["maxRunDuration"]).rstrip("s")
        return labels
    if config.get("spot"):
        return {"gke-spot": "true", "gke-provisioning": "spot"}
    if config.get("preemptible"):
        return {"gke-preemptible": "true", "gke-provisioning": "preemptible"}
    return {"gke-provisioning": "standard"}


def _accelerator_labels(compute: Compute, pool: Inputs) -> dict[str, str]:
    labels = {}
    accelerator, _, entry = pool_inputs.accelerator(pool)
    if accelerator:
        driver = (entry.get("gpuDriverInstallationConfig") or {}).get("gpuDriverVersion", "DEFAULT")
        labels = {"gke-accelerator": accelerator, "gke-gpu-driver-version": _DRIVERS.get(driver, "default")}
        if entry.get("gpuPartitionSize"):
            labels["gke-gpu-partition-size"] = entry["gpuPartitionSize"]
        sharing = entry.get("gpuSharingConfig") or {}
        if sharing:
            strategy = str(sharing.get("gpuSharingStrategy") or "TIME_SHARING")
            labels["gke-gpu-sharing-strategy"] = strategy.lower().replace("_", "-")
            labels["gke-max-shared-clients-per-gpu"] = str(sharing.get("maxSharedClientsPerGpu") or 2)
    machine_type = pool_inputs.machine_type(compute, pool)
    if machine_type.tpu:
        labels = {
            "gke-tpu-accelerator": machine_type.tpu,
            "gke-tpu-topology": machine_type.tpu_topology,
        }
    return labels


def node_labels(compute: Compute, pool_name: str, pool: Inputs, zone: str, name: str) -> dict[str, str]:
    """Labels of one node of a pool in a zone."""
    config = pool_inputs.node_config(pool)
    machine_type = pool_inputs.machine_type(compute, pool)
    disk_type, _ = pool_inputs.disk(compute, pool)
    gke = {
        "gke-nodepool": pool_name,
        "gke-boot-disk": disk_type,
        "gke-os-distribution": "cos",
        "gke-container-runtime": "containerd",
        "gke-cpu-scaling-level": str(machine_type.vcpus),
        "gke-max-pods-per-node": str(pool_inputs.max_pods(pool)),
        "machine-family": machine_type.family,
        **_provisioning_labels(config),
        **_accelerator_labels(compute, pool),
    }
    if pool_inputs.local_ssds(pool):
        gke["gke-ephemeral-storage-local-ssd"] = "true"
    if pool_inputs.image_streaming(pool):
        gke |= {"gke-gcfs": "true", "gke-image-streaming": "true"}
    if (config.get("workloadMetadataConfig") or {}).get("mode") == "GKE_METADATA":
        gke["gke-metadata-server-enabled"] = "true"
    reservation = config.get("reservationAffinity") or {}
    if reservation.get("consumeReservationType") == "SPECIFIC_RESERVATION" and reservation.get("values"):
        parts = reservation["values"][0].split("/")
        gke |= {"reservation-name": parts[-1], "reservation-affinity": "specific"}
        if parts[0] == "projects":
            gke["reservation-project"] = parts[1]
    labels = {f"{_PREFIX}{key}": value for key, value in gke.items()}
    labels |= {
        "kubernetes.io/arch": machine_type.architecture,
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        "node.kubernetes.io/instance-type": machine_type.name,
        "topology.kubernetes.io/region": region_of(zone),
        "topology.kubernetes.io/zone": zone,
        "topology.gke.io/zone": zone,
    }
    for disk in sorted(machine_type.boot_disks):
        labels[f"disk-type.gke.io/{disk}"] = "true"
    return labels | {str(key): str(value) for key, value in (config.get("labels") or {}).items()}


def gpus_of(compute: Compute, pool: Inputs) -> dict[str, int]:
    """Extended resources of one node: whole GPUs, GPU slices or shared GPUs, or TPU chips.

    MIG and sharing: GPUs x partitions x shared clients, as GKE's autoscaler counts them.
    """
    machine_type = pool_inputs.machine_type(compute, pool)
    if machine_type.tpu:
        return {"google.com/tpu": machine_type.chips}
    label, count, entry = pool_inputs.accelerator(pool)
    if entry.get("gpuPartitionSize"):
        count *= compute.accelerators[label].partitions[entry["gpuPartitionSize"]]
    clients = int((entry.get("gpuSharingConfig") or {}).get("maxSharedClientsPerGpu") or 1)
    return {"nvidia.com/gpu": count * clients} if count else {}


def node_resources(compute: Compute, pool: Inputs) -> tuple[dict[str, str], dict[str, str]]:
    """Capacity and allocatable, as Kubernetes quantities."""
    size = node_size(
        pool_inputs.machine_type(compute, pool),
        boot_disk_gib=pool_inputs.disk(compute, pool)[1],
        local_ssds=pool_inputs.local_ssds(pool),
        image_streaming=pool_inputs.image_streaming(pool),
        max_pods=pool_inputs.max_pods(pool),
    )
    same = {"pods": str(pool_inputs.max_pods(pool)), "hugepages-1Gi": "0", "hugepages-2Mi": "0"}
    same |= {key: str(count) for key, count in gpus_of(compute, pool).items()}
    capacity = {
        "cpu": str(size.capacity_millicpu // 1000),
        "memory": f"{size.capacity_memory_bytes // 1024}Ki",
        "ephemeral-storage": f"{size.capacity_storage_bytes // 1024}Ki",
    }
    allocatable = {
        "cpu": f"{size.allocatable_millicpu}m",
        "memory": f"{size.allocatable_memory_bytes // 1024}Ki",
        "ephemeral-storage": str(size.allocatable_storage_bytes),
    }
    return capacity | same, allocatable | same


def node_object(compute: Compute, project: str, pool_name: str, pool: Inputs, zone: str, name: str) -> dict[str, Any]:
    """The Node as its kubelet would register it; it becomes Ready when kwok takes it over.

    Args:
        compute: The machine types.
        project: The Google Cloud project, part of the provider id.
        pool_name: The node pool.
        pool: Its inputs.
        zone: Where the instance is.
        name: The instance's name.
    """
    capacity, allocatable = node_resources(compute, pool)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": node_labels(compute, pool_name, pool, zone, name)},
        "spec": {"providerID": f"gce://{project}/{zone}/{name}", "taints": node_taints(compute, pool)},
        "status": {
            "capacity": capacity,
            "allocatable": allocatable,
            "nodeInfo": {
                "architecture": pool_inputs.machine_type(compute, pool).architecture,
                "bootID": "",
                "containerRuntimeVersion": "containerd://2.1.5",
                "kernelVersion": "6.12.46+",
                "kubeProxyVersion": "",
                "kubeletVersion": KUBELET_VERSION,
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "Container-Optimized OS from Google",
                "systemUUID": "",
            },
        },
    }
