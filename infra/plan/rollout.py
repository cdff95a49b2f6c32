"""How a new version replaces the old one: what spare machines, replicas and volumes allow."""

from __future__ import annotations

import math

from infra.plan.quantities import Timing
from infra.plan.refusal import RefusedError
from infra.plan.serving_plan import Rollout
from infra.spec import Replicas

MIN_READY_SECONDS = 10


def rollout(
    replicas: Replicas, times: Timing, *, own: bool, one_node_volume: bool = False, processor: bool = False
) -> Rollout:
    """The roll-out that never waits for a machine that cannot come.

    Args:
        replicas: fewest, most, and machines that the pool may add for a roll-out.
        times: start-up and stop of one replica.
        own: the endpoint runs on the platform's own machine, as a service.
        processor: a machine's processors serve, and no accelerators.
        one_node_volume: the pods mount a claim that one node at a time can have.

    Raises:
        RefusedError: spare machines were asked for where no roll-out could use them.
    """
    field, spare, fewest = ("replicas", "spare"), replicas.spare, max(replicas.min, 1)
    if spare and own:
        raise RefusedError(field, "the platform's own machine is the only one; leave it out.")
    if spare and one_node_volume:
        raise RefusedError(field, "the claim is mounted by one node at a time, so a second pod never starts; use 0.")
    if one_node_volume:
        why = "every old pod must let go of the volume first"
        return _made("recreate", times, _stopped(times, why), surge=None, unavailable=None, left=0, steps=1)
    if own:
        why = "the old engine must free the machine's memory first"
        return _made("replace", times, _stopped(times, why), surge=0, unavailable=1, left=0, steps=1)
    if spare:
        machines = "1 spare machine" if spare == 1 else f"{spare} spare machines"
        said = f"none: a new pod answers before an old one stops, on {machines}"
        steps = math.ceil(replicas.most / spare)
        return _made("surge", times, said, surge=spare, unavailable=0, left=fewest, steps=steps)
    if fewest == 1:
        why = f"the old pod must free its {'machine' if processor else 'accelerators'} first"
        return _made("replace", times, _stopped(times, why), surge=0, unavailable=1, left=0, steps=replicas.most)
    said = f"none, with {fewest - 1} of {fewest} replicas answering"
    return _made("one-at-a-time", times, said, surge=0, unavailable=1, left=fewest - 1, steps=replicas.most)


def rollout_usd(plan: Rollout, usd_per_hour: float | None) -> float | None:
    """What the spare machines of one roll-out cost that succeeds, in USD; None where a machine has no known price."""
    return None if usd_per_hour is None else (plan.max_surge or 0) * usd_per_hour * plan.duration_seconds / 3600


def spare_caution(plan: Rollout, usd: float | None) -> str:
    """What the monthly maximum counts, "" where there is no spare machine."""
    if not plan.max_surge:
        return ""
    one = plan.max_surge == 1
    held = "1 spare machine" if one else f"{plan.max_surge} spare machines"
    price = "" if usd is None else f"; one that ends costs about {usd:,.2f} USD"
    return f"the monthly maximum counts {held} all month: a roll-out that fails keeps {'it' if one else 'them'}{price}"


def rollout_reasons(plan: Rollout, *, own_nodes: bool = False) -> list[tuple[str, object, object, str, str]]:
    """Field, value, what was asked, origin and reason of what was decided here."""
    alone = "accelerators are counted on" if own_nodes else "the pool has accelerators"
    strategy = {
        "surge": "replicas.spare: declared nodes hold more"
        if own_nodes
        else "replicas.spare lets the pool add machines",
        "one-at-a-time": f"{alone} for the replicas alone",
        "replace": f"{alone} for the replicas alone, and the fewest is one",
        "recreate": "the volume is mounted by one node at a time",
    }
    down = "the stop's grace period, and a restart" if plan.downtime_seconds else "some replica answers at every moment"
    deadline = "start-up budget, the old pod's grace period and minReadySeconds, without progress"
    return [
        ("rollout.strategy", plan.strategy, None, "derived", strategy[plan.strategy]),
        ("rollout.downtimeSeconds", plan.downtime_seconds, None, "derived", down),
        ("rollout.minReadySeconds", plan.min_ready_seconds, None, "derived", "an engine that dies at once counts not"),
        ("rollout.progressDeadlineSeconds", plan.progress_deadline_seconds, None, "derived", deadline),
    ]


def _stopped(times: Timing, why: str) -> str:
    """Downtime in words; a machine that is there has the old image, not a new one."""
    image = next((term.seconds for term in times.startup_terms if term.name == "image"), 0.0)
    pull = f", {image:,.0f} s more with another image" if image else ""
    return f"about {_down_seconds(times)} s{pull}: {why}"


def _down_seconds(times: Timing) -> int:
    """A restart, after a stop that takes its whole grace period at worst."""
    return times.grace_seconds + times.restart_seconds


def _made(
    strategy: str, times: Timing, downtime: str, *, surge: int | None, unavailable: int | None, left: int, steps: int
) -> Rollout:
    """All fields of a strategy; `left` replicas answer throughout, and pods are replaced in `steps`."""
    one = times.grace_seconds + times.restart_seconds + MIN_READY_SECONDS
    first = times.startup_seconds + MIN_READY_SECONDS if strategy == "surge" else one
    deadline = times.timeout_seconds + times.grace_seconds + MIN_READY_SECONDS
    return Rollout(
        strategy=strategy,
        type="Recreate" if strategy == "recreate" else "RollingUpdate",
        max_surge=surge,
        max_unavailable=unavailable,
        least_available=left,
        downtime=downtime,
        downtime_seconds=0 if left else _down_seconds(times),
        min_ready_seconds=MIN_READY_SECONDS,
        progress_deadline_seconds=deadline,
        duration_seconds=first + (steps - 1) * one,
        timeout_seconds=steps * deadline,
    )
