"""Roll-outs end, keep what they promise, and never need a machine that the pool does not have."""

from __future__ import annotations

from typing import Any

import pytest

from infra.cloud.node_pool import accelerator_pool_inputs
from infra.judgement import subject
from infra.pipeline import Endpoint, build
from infra.plan.refusal import RefusedError
from infra.plan.rollout import rollout
from infra.policy import violations
from infra.spec import Cluster, Gke, Replicas
from tests.unit.files import Files, endpoint
from tests.unit.sample_plans import simple

TIMES = simple().timing
GKE = Gke(project="servestack-dev", location="us-central1", cluster=Cluster(name="dev"))
SHAPES = [
    Replicas(min=fewest, max=most, spare=spare)
    for fewest in (1, 2, 3, 7)
    for most in (fewest, fewest + 2)
    for spare in (0, 1, 2, 10)
    if spare <= most
]


def roll(strategy: dict[str, Any], replicas: int, machines: int) -> tuple[bool, int, int]:
    """A Deployment's controller, scheduler and kubelet in their simplest form, as an oracle.

    Returns:
        Whether the roll-out ends, the fewest pods that were available at any moment, and the most that asked at once.
    """
    old, new, waiting, least, most = replicas, 0, 0, replicas, replicas
    recreate = strategy["type"] == "Recreate"
    surge, unavailable = (0, replicas) if recreate else strategy["rollingUpdate"].values()
    while True:
        before = (old, new, waiting)
        if not recreate or old == 0:
            waiting += min(replicas - new - waiting, replicas + surge - (old + new + waiting))
        most = max(most, old + new + waiting)
        gone = min(old, max(0, old + new - (replicas - unavailable)))
        old -= gone
        least = min(least, old + new)
        placed = min(waiting, machines - old - new)
        new, waiting = new + placed, waiting - placed
        if new == replicas and old == 0:
            return True, least, most
        if before == (old, new, waiting):
            return False, least, most


@pytest.mark.parametrize("replicas", SHAPES, ids=str)
@pytest.mark.parametrize("one_node_volume", [False, True])
def test_a_roll_out_ends_on_the_machines_that_the_pool_may_have(replicas: Replicas, one_node_volume: bool) -> None:
    if one_node_volume and replicas.spare:
        with pytest.raises(RefusedError, match="one node at a time"):
            rollout(replicas, TIMES, own=False, one_node_volume=True)
        return
    plan = rollout(replicas, TIMES, own=False, one_node_volume=one_node_volume)
    for running in range(replicas.min, replicas.most + 1):
        ends, least, most = roll(plan.deployment_strategy, running, replicas.machines)
        assert ends
        assert most <= replicas.machines
        assert least >= plan.least_available
    assert roll(plan.deployment_strategy, replicas.min, replicas.machines)[1] == plan.least_available
    assert (plan.downtime_seconds == 0) == (plan.least_available > 0) == plan.downtime.startswith("none")


def test_the_oracle_can_fail() -> None:
    surge = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert not roll(surge, replicas=2, machines=2)[0]
    assert roll(surge, replicas=2, machines=3)[0]


@pytest.mark.parametrize(
    ("replicas", "one_node_volume", "strategy", "kind"),
    [
        (Replicas(), False, "replace", "RollingUpdate"),
        (Replicas(min=1, max=4), False, "replace", "RollingUpdate"),
        (Replicas(min=2), False, "one-at-a-time", "RollingUpdate"),
        (Replicas(spare=1), False, "surge", "RollingUpdate"),
        (Replicas(min=3, spare=2), False, "surge", "RollingUpdate"),
        (Replicas(), True, "recreate", "Recreate"),
    ],
    ids=str,
)
def test_the_strategy_follows_from_spare_machines_replicas_and_volume(
    replicas: Replicas, one_node_volume: bool, strategy: str, kind: str
) -> None:
    plan = rollout(replicas, TIMES, own=False, one_node_volume=one_node_volume)
    assert (plan.strategy, plan.type) == (strategy, kind)


@pytest.mark.parametrize("replicas", SHAPES, ids=str)
def test_a_roll_out_is_not_given_up_before_its_pods_may_be(replicas: Replicas) -> None:
    plan = rollout(replicas, TIMES, own=False)
    assert plan.progress_deadline_seconds >= TIMES.timeout_seconds + TIMES.grace_seconds + plan.min_ready_seconds
    assert plan.progress_deadline_seconds > plan.min_ready_seconds  # the API server refuses anything else
    at_once = max(plan.max_surge or 0, plan.max_unavailable or 0)
    assert plan.timeout_seconds * at_once >= plan.progress_deadline_seconds * replicas.most
    assert plan.duration_seconds <= plan.timeout_seconds


def test_a_machine_of_ones_own_has_no_spare() -> None:
    with pytest.raises(RefusedError, match="leave it out"):
        rollout(Replicas(spare=1), TIMES, own=True)


def planned(*lines: str) -> Endpoint:
    text = endpoint("gemma-4-e4b-it", "l4", "vllm", *lines)
    built = build("gemma4-e4b-l4", Files(gemma4_e4b_l4=text))
    assert isinstance(built, Endpoint)
    return built


@pytest.mark.parametrize("spare", [0, 1, 2])
def test_pool_deployment_and_budget_of_the_pods_agree_on_spare_machines(spare: int) -> None:
    built = planned(f"replicas: {{min: 2, spare: {spare}}}")
    pool = accelerator_pool_inputs(built.plan, GKE)
    deployment = next(one for one in built.objects() if one["kind"] == "Deployment")["spec"]
    assert pool["autoscaling"]["totalMaxNodeCount"] == 2 + spare
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": spare, "maxUnavailable": 0 if spare else 1}
    assert not violations(subject(built))


def test_spare_machines_count_in_the_monthly_maximum_and_are_priced_for_one_roll_out() -> None:
    without, one = planned("replicas: {min: 2}").plan, planned("replicas: {min: 2, spare: 1}").plan
    hourly = without.cost.hourly_usd
    assert hourly
    assert one.cost.hourly_usd == hourly
    assert one.cost.monthly_usd_min == without.cost.monthly_usd_max
    assert one.cost.monthly_usd_max == pytest.approx(hourly / 2 * 3 * 730)
    assert one.cost.rollout_usd == pytest.approx(hourly / 2 * one.rollout.duration_seconds / 3600)
    assert without.cost.rollout_usd == 0
    assert any("1 spare machine all month" in said for said in one.cautions)
    assert not any("spare" in said for said in without.cautions)
