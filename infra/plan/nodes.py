"""Over how many machines one replica may be split."""

from __future__ import annotations

from infra.plan.request import Request


def node_counts(request: Request) -> tuple[bool, tuple[int, ...]]:
    """Whether one machine may do, and which numbers of machines are tried where one does not.

    A replica is split over machines in stages of layers: between machines only the states of one layer travel. GPU
    machines on GKE alone: LeaderWorkerSet needs a cluster, and others may lack it. One machine is left out where the
    stack asks for more accelerators than any carries.
    """
    accelerator, capabilities = request.accelerator, request.capabilities
    if request.platform.gke is None or accelerator.kind != "gpu":
        return True, ()
    most = min(capabilities.max_nodes, capabilities.max_pipeline(request.model))
    count, carried = request.spec.on.count, {one.accelerators or 1 for one in accelerator.machines}
    if count is None:
        return True, tuple(range(2, most + 1))
    if not carried or count <= max(carried):
        return True, ()
    several = tuple(nodes for nodes in range(2, most + 1) if count % nodes == 0 and count // nodes in carried)
    return not several, several
