"""What this version plans but does not deploy."""

from __future__ import annotations

from infra.plan.request import Request
from infra.plan.search import Choice
from infra.plan.slices import slice_reasons


def only_planned(request: Request, choice: Choice) -> tuple[str, ...]:
    """Why an endpoint is planned alone; empty where it is deployed."""
    spec, reasons = request.spec, []
    if not request.platform.in_cluster:
        reasons.append("services on a host or on this machine")
    elif request.accelerator.kind == "tpu":
        reasons += slice_reasons(request.accelerator, choice.candidate)
    if request.accelerator.host_architecture != "amd64":
        reasons.append("machines with arm64 processors")
    if spec.capacity and len(spec.capacity) > 1:
        reasons.append("ladders of several capacities")
    if choice.candidate.capacity.kind == "reservation":
        reasons.append("reservations")
    if choice.candidate.nodes > 1 and spec.replicas.most > spec.replicas.min:
        reasons.append("autoscaling of replicas of several machines")
    if spec.replicas.most > spec.replicas.min and not request.platform.in_cluster:
        reasons.append("autoscaling outside a cluster")
    return tuple(reasons)
