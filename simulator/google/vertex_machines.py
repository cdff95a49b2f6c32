"""What Vertex AI refuses about the machines of a deployment.

The pairs are those of the simulator's own table of machine types. Words: terraform-provider-google #18907 for an
accelerator that a machine does not have, vertex-ai-samples #3372 for a wrong number of them. How a machine type may be
bought is not looked at: Vertex prices a3-highgpu-1g as a normal machine, where Compute Engine has it as Spot only.
"""

from __future__ import annotations

from typing import Any

from simulator.google.errors import GoogleApiError
from simulator.google.machine_types import Compute, MachineType
from simulator.google.wire import Properties

_DEFAULT = "n1-standard-2"
"""Machine type where none is given (Vertex API, MachineSpec)."""


def gke_label(accelerator_type: str) -> str:
    """The name that GKE and Compute Engine give an accelerator that Vertex names "NVIDIA_H100_80GB".

    >>> gke_label("NVIDIA_H100_80GB")
    'nvidia-h100-80gb'
    """
    return accelerator_type.lower().replace("_", "-")


def check_machine(compute: Compute, location: str, spec: Properties) -> None:
    """Refuse a machine that Vertex AI would not deploy on.

    Raises:
        GoogleApiError: The machine type, its accelerators or their number are none of the table's, or no zone of the
            region has them. No source for the wording where none is named above.
    """
    name = str(spec.get("machineType") or _DEFAULT)
    wanted = str(spec.get("acceleratorType") or "")
    count = int(spec.get("acceleratorCount") or 0)
    machine = compute.machine_types.get(name)
    if machine is None and name != _DEFAULT:
        raise GoogleApiError(400, f'Machine type "{name}" is not supported.')
    if bool(wanted) != bool(count):
        raise GoogleApiError(400, "accelerator_type and accelerator_count must be set together.")
    if machine is None:
        if wanted:
            raise _unsupported(wanted, name)
        return
    if wanted:
        _check_accelerator(compute, machine, wanted, count)
    elif machine.accelerator:
        text = f'The machine type "{name}" needs the accelerator "{_vertex_name(machine.accelerator)}".'
        raise GoogleApiError(400, text)
    topology = str(spec.get("tpuTopology") or "")
    if topology and (not machine.tpu or topology not in compute.tpus[machine.tpu].topologies):
        raise GoogleApiError(400, f'TPU topology "{topology}" is not supported for machine type "{name}".')
    attached = compute.accelerators.get(gke_label(wanted))
    zones = compute.zones_of(location)
    if not any(
        compute.is_offered(machine, zone) and (attached is None or attached.zones is None or zone in attached.zones)
        for zone in zones
    ):
        raise GoogleApiError(400, f'Machine type "{name}" is not available in {location}.')


def _check_accelerator(compute: Compute, machine: MachineType, wanted: str, count: int) -> None:
    label = gke_label(wanted)
    if machine.accelerator == label:
        allowed: tuple[int, ...] = (machine.gpus,)
    elif label in machine.attachable:
        allowed = compute.accelerators[label].counts
    else:
        raise _unsupported(wanted, machine.name)
    if count not in allowed:
        raise GoogleApiError(
            400,
            f'The accelerator count "{count}" is not allowed. The allowed numbers of accelerator "{wanted}" to use '
            f'with machine type "{machine.name}" are: [{", ".join(map(str, allowed))}].',
        )


def check_replicas(resources: Properties) -> None:
    """Numbers of replicas and autoscaling targets.

    Rules: Vertex API, DedicatedResources ("must be greater than or equal to 1", "at most one entry is allowed per
    metric", "1% - 100%"). No source for the wording.

    Raises:
        GoogleApiError: The first rule that is broken.
    """
    least = int(resources.get("minReplicaCount") or 0)
    most = int(resources.get("maxReplicaCount") or least)
    required = int(resources.get("requiredReplicaCount") or 0)
    if least < 1:
        raise GoogleApiError(400, "min_replica_count must be greater than or equal to 1.")
    if most < least:
        raise GoogleApiError(400, f"max_replica_count {most} must not be less than min_replica_count {least}.")
    if required > least:
        text = f"required_replica_count {required} must not be greater than min_replica_count {least}."
        raise GoogleApiError(400, text)
    metrics: list[dict[str, Any]] = resources.get("autoscalingMetricSpecs") or []
    names = [str(one["metricName"]) for one in metrics]
    if len(set(names)) < len(names):
        raise GoogleApiError(400, "autoscaling_metric_specs must have at most one entry per metric.")
    if any(not 1 <= int(one.get("target") or 60) <= 100 for one in metrics):
        raise GoogleApiError(400, "The target of autoscaling_metric_specs must be between 1 and 100.")


def _unsupported(accelerator: str, machine_type: str) -> GoogleApiError:
    return GoogleApiError(400, f'Accelerator "{accelerator}" is not supported for machine type "{machine_type}"')


def _vertex_name(label: str) -> str:
    return label.upper().replace("-", "_")
