"""What Google refuses about TPU node pools of one host.

Sources: topologies of machine types, GKE's autoscaler and AI-Hypercomputer/xpk; "is not a valid size of TPU pod
slice" from a public Terraform change (vllm-project/ci-infra #545). No source for the other wordings.
"""

from __future__ import annotations

import math

from simulator.google.errors import bad_request
from simulator.google.machine_types import Compute, MachineType
from simulator.google.pool_inputs import Inputs


def check_tpu(compute: Compute, machine_type: MachineType, pool: Inputs) -> None:
    """Refuse a TPU topology that Google would refuse, or that is not simulated.

    Raises:
        GoogleApiError: The topology does not belong to the machine type, or needs several hosts.
    """
    topology = (pool.get("placementPolicy") or {}).get("tpuTopology")
    if not topology:
        return
    if not machine_type.tpu:
        raise bad_request(f"TPU topology {topology} is not supported with machine type {machine_type.name}.")
    if topology == machine_type.tpu_topology:
        return
    known = compute.tpus[machine_type.tpu].topologies
    chips = math.prod(int(side) for side in topology.split("x")) if topology in known else 0
    if chips <= machine_type.chips:
        raise bad_request(
            f"TPU topology {topology} is not supported with machine type {machine_type.name}. A slice of one host "
            f"has topology {machine_type.tpu_topology}."
        )
    hosts = chips // machine_type.chips
    most = int((pool.get("autoscaling") or {}).get("maxNodeCount") or 0)
    if pool.get("autoscaling") and most != hosts:
        raise bad_request(f"Maximum node count {most} is not a valid size of TPU pod slice with topology {topology}")
    raise bad_request(
        f"TPU topology {topology} needs {hosts} hosts of {machine_type.name}: such slices are not simulated."
    )
