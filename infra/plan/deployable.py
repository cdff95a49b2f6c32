"""What this version plans but does not deploy."""

from __future__ import annotations

from infra.plan.ladder import unlike_rungs
from infra.plan.request import Request
from infra.plan.search import Choice
from infra.plan.slices import slice_reasons


def only_planned(request: Request, chosen: list[Choice]) -> tuple[str, ...]:
    """Why an endpoint is planned alone; empty where it is deployed.

    Args:
        request: what is asked.
        chosen: one choice per rung of its ladder.
    """
    spec, choice, reasons = request.spec, chosen[0], []
    here = request.platform.local is not None and request.framework.name == "llamacpp"
    mac = request.platform.host is not None and request.framework.name == "mlx"
    if here and spec.replicas.min > 1:
        reasons.append("several replicas on this machine")
    if not (here or mac or request.platform.in_cluster):
        reasons.append("services on a host or on this machine")
    elif request.accelerator.kind == "tpu":
        reasons += slice_reasons(request.accelerator, choice.candidate)
    if request.accelerator.host_architecture != "amd64" and not mac:
        reasons.append("machines with arm64 processors")
    reasons += unlike_rungs(request, chosen)
    if choice.candidate.nodes > 1 and request.platform.gke and request.platform.gke.cluster.mode == "autopilot":
        reasons.append("replicas of several machines on Autopilot")
    if choice.candidate.nodes > 1 and spec.replicas.most > spec.replicas.min:
        reasons.append("autoscaling of replicas of several machines")
    if spec.replicas.most > spec.replicas.min and not request.platform.in_cluster:
        reasons.append("autoscaling outside a cluster")
    return tuple(reasons)
