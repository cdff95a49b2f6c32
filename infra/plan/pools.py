"""Pools of an endpoint's machines, one per rung of its capacity ladder, and what a move to new ones means."""

from __future__ import annotations

import dataclasses

from infra.plan.node_pools import NO_POOLS, REBUILT_BY, NodePools
from infra.plan.pool_options import driver_version, image_streaming, machine_host, pool, shared_host
from infra.plan.quantities import Host, TimeTerm, Timing
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import Choice
from infra.plan.serving_plan import Rollout, ServingPlan
from infra.plan.timing import stop_seconds
from infra.spec import NodePool as NodePoolSpec

# GoogleCloudPlatform/cluster-autoscaler 7d25050: a flex-start machine is waited for so long before the next rung.
_FLEX_WAIT_SECONDS = 900
_FLEX_DAYS = 7
_DRIVER = "what GKE installs unless told otherwise"
_MOVE = "what makes other nodes makes a pool of another name first; the old one is deleted last"


def the_machines(
    request: Request, chosen: list[Choice], *, weights_gib: float, image_gib: int
) -> tuple[Host, list[Host]]:
    """What a pod asks, and every rung's machine.

    Raises:
        RefusedError: a machine does not take what nodePool asks.
    """
    hosts = [machine_host(request, one, weights_gib=weights_gib, image_gib=image_gib) for one in chosen]
    return shared_host(hosts), hosts


def stop_of_all(request: Request, chosen: list[Choice], first: Timing) -> Timing:
    """The first rung's times, but the stop of the rung that stops slowest: a pod has one grace period on all."""
    stops = [
        stop_seconds(request.capabilities, capacity=kind, answer_seconds=request.spec.longestAnswerSeconds)
        for kind in dict.fromkeys(one.candidate.capacity.kind for one in chosen)
    ]
    pre_stop, drain, teardown = max(stops, key=sum)
    if pre_stop + drain + teardown == first.grace_seconds:
        return first
    leave, answers, end = first.stop_terms
    return dataclasses.replace(
        first,
        pre_stop_seconds=pre_stop,
        drain_seconds=drain,
        grace_seconds=pre_stop + drain + teardown,
        notice_seconds=None,
        stop_terms=(
            TimeTerm(leave.name, float(pre_stop), leave.basis),
            TimeTerm(answers.name, float(drain), "longest answer, on the rung that lets a pod stop slowest"),
            TimeTerm(end.name, float(teardown), end.basis),
        ),
    )


def node_pools(
    request: Request, chosen: list[Choice], hosts: list[Host], image: str, rolling: Rollout, times: Timing
) -> NodePools:
    """One pool per rung; their names follow from their inputs, and are given by `infra.cloud.pool_names`.

    Args:
        request: what is asked.
        chosen: one choice per rung.
        hosts: the machine of each.
        image: reference of the engine's image.
        rolling: how a new version replaces the old one.
        times: of one replica.

    Raises:
        RefusedError: a machine or a capacity does not take what nodePool asks.
    """
    gke = request.platform.gke
    if gke is None:
        return NO_POOLS
    pools = []
    for index, (choice, disks) in enumerate(zip(chosen, hosts, strict=True)):
        try:
            pools.append(pool(request, choice, disks))
        except RefusedError as refused:
            if len(chosen) == 1:
                raise
            raise RefusedError(refused.field, f"capacity[{index}]: {refused.message}") from None
    seconds = 0 if rolling.least_available else times.grace_seconds + times.startup_seconds
    return NodePools(
        kind="autopilot" if gke.cluster.mode == "autopilot" else "pools",
        compute_class="",
        pools=tuple(pools),
        driver_version=driver_version(request),
        image_streaming=image_streaming(request, image),
        max_run_seconds=request.spec.nodePool.maxRunSeconds,
        rebuilt_by=REBUILT_BY,
        move=_move(rolling, seconds),
        move_seconds=seconds,
    )


def _move(rolling: Rollout, seconds: int) -> str:
    if rolling.strategy == "surge":
        return "none: a pod on a new machine answers before an old one stops"
    if rolling.least_available:
        return "none, with a replica less"
    return f"about {seconds:,} s: the old pod stops before a new machine comes"


def pool_rows(found: NodePools, asked: NodePoolSpec) -> list[tuple[str, object, object, str, str]]:
    """Field, value, what was asked, origin and reason of what all its machines share."""
    if found.kind == "none":
        return [("nodePools.kind", found.kind, None, "platform", "the platform's machines are there already")]
    if found.kind == "autopilot":
        return [("nodePools.kind", found.kind, None, "platform", "Autopilot makes its own nodes, by the ComputeClass")]
    where = "there" if found.image_streaming else "elsewhere"
    streaming = f"GKE streams images of Artifact Registry alone, and this one is {where}"
    stays = "a machine stays as long as it is paid for"
    if any(one.capacity == "flex-start" for one in found.pools):
        stays = f"Google ends a flex-start machine after {_FLEX_DAYS} days"
    streams, seconds = found.image_streaming, found.max_run_seconds
    return [
        ("nodePools.kind", found.kind, None, "platform", "a Standard cluster: the stack makes its own"),
        ("nodePools.driverVersion", found.driver_version or "none", asked.driverVersion, "derived", _DRIVER),
        ("nodePools.imageStreaming", str(streams).lower(), asked.imageStreaming, "derived", streaming),
        ("nodePools.maxRunSeconds", seconds or "none", asked.maxRunSeconds, "derived", stays),
        ("nodePools.move", found.move, None, "derived", _MOVE),
    ]


def pool_cautions(plan: ServingPlan) -> tuple[str, ...]:
    """What to know of the machines before paying for them."""
    found, said = plan.node_pools, []
    kinds = [one.capacity for one in found.pools]
    if found.max_run_seconds is not None:
        said.append(
            f"every machine is taken away after {found.max_run_seconds:,} s, and its pod starts anew on another"
        )
    if "flex-start" in kinds[:-1]:
        said.append(
            f"flex-start waits up to {_FLEX_WAIT_SECONDS} s for a machine before the next rung is tried; a start may "
            f"take that much longer than estimated, and is given up after {plan.timing.timeout_seconds:,} s"
        )
    if len(kinds) > 1 and "spot" in kinds and plan.timing.notice_seconds is None:
        cut = min(one.drain_seconds for one in plan.ladder)
        said.append(f"on spot, answers still running {cut} s after a stop are cut; other rungs let them end")
    if len(kinds) > 1:
        said.append(
            "pods stay on a lower rung until they stop: none is evicted to go back to a better one, and free machines "
            "of a lower rung are used first"
        )
    if found.kind == "autopilot":
        said.append("Autopilot adds a premium to accelerator machines, and the prices here are without it")
    return tuple(said)
