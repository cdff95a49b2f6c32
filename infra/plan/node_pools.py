"""The machines of an endpoint as node pools or as a ComputeClass: what each is, and what makes new ones."""

from __future__ import annotations

from dataclasses import dataclass

# Google's own autoscaler (GoogleCloudPlatform/cluster-autoscaler 7d25050): this name is a node label and a taint.
CLASS_KEY = "cloud.google.com/compute-class"
POOL_KEY = "servestack.dev/node-pool"
ENDPOINT_KEY = "servestack.dev/endpoint"
FLEX_KEY = "cloud.google.com/gke-flex-start"
# What makes new nodes when it changes: it replaces a pool (ForceNew in the Google provider), or GKE makes every node
# anew. Labels, taints, zones, and the number of machines change in place.
REBUILT_BY = (
    "accelerators",
    "bootDiskGb",
    "bootDiskType",
    "capacity",
    "cluster",
    "driverVersion",
    "gkeLabel",
    "imageStreaming",
    "localSsds",
    "machineType",
    "maxRunSeconds",
    "reservation",
    "serviceAccount",
)


@dataclass(frozen=True)
class NodePool:
    """Machines of one kind, bought in one way.

    Attributes:
        name: GKE's; empty where GKE makes and names the pool.
        reservation: its name, where capacity is `reservation`.
        accelerators: of one machine; 0 where a processor serves.
        local_ssds: disks of 375 GiB that hold the pods' ephemeral storage.
    """

    name: str
    capacity: str
    reservation: str | None
    machine_type: str
    gke_label: str
    accelerators: int
    boot_disk_type: str
    boot_disk_gb: int
    local_ssds: int


@dataclass(frozen=True)
class NodePools:
    """All machines of an endpoint, in the order in which they are tried.

    Attributes:
        kind: `pools`; `autopilot`, where GKE makes them; `none`, where the platform is the machine.
        compute_class: name of the ComputeClass by which pods choose among them; empty where they name the one pool.
        driver_version: of the GPU driver that GKE installs, `default` or `latest`; empty without GPUs.
        image_streaming: whether images are read while they start.
        max_run_seconds: after which a machine is taken away; None for no limit of ours.
        rebuilt_by: fields of a pool, its cluster and its nodes' account, whose change makes new machines.
        move: what callers see of such a move, in words; `move_seconds` without any replica that answers.
        node_account: as which Google account GKE's own machines run, on Autopilot; empty for what the cluster gives.
    """

    kind: str
    compute_class: str
    pools: tuple[NodePool, ...]
    driver_version: str
    image_streaming: bool
    max_run_seconds: int | None
    rebuilt_by: tuple[str, ...]
    move: str
    move_seconds: int
    node_account: str = ""

    @property
    def text(self) -> str:
        """What they are called, who chooses among them, and what a change means."""
        made = ", ".join(one.name for one in self.pools)
        if self.kind == "autopilot":
            made = f"made by Autopilot, by ComputeClass {self.compute_class}"
        elif len(self.pools) > 1:
            made = f"{made}, tried in this order by ComputeClass {self.compute_class}"
        return f"{made}; another machine, capacity, disk, driver or account makes new ones first: downtime {self.move}"


NO_POOLS = NodePools("none", "", (), "", False, None, (), "", 0)
