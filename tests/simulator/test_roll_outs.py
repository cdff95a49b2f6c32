"""Placement, roll-outs and drains of rendered endpoints under the real scheduler and the real controllers."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from kubernetes import client
from roll_outs import Running, example, is_ready, running

from infra.cloud import pool_names
from infra.pipeline import Endpoint

PAIR, SPARE = example("gemma4-e4b-l4-pair"), example("gemma4-e4b-l4-spare")
Until = Callable[..., Any]


def named(endpoint: Endpoint, stack: str) -> Endpoint:
    """The same endpoint as a stack of another name, so that tests do not meet in one namespace."""
    from infra.frameworks import FRAMEWORKS

    gke, plan = endpoint.platform.gke, dataclasses.replace(endpoint.plan, stack=stack)
    assert gke
    plan = dataclasses.replace(plan, node_pools=pool_names.named(plan, gke))
    make = FRAMEWORKS[plan.framework.name].workload
    assert make
    resolved = dataclasses.replace(endpoint.resolved, plan=plan)
    return dataclasses.replace(endpoint, name=stack, resolved=resolved, prepared=make(plan))


def roll(one: Running, until: Until) -> Any:
    """Change the engine's arguments and wait for the end; every moment between."""
    listed = one.core.list_namespaced_pod(one.name)
    one.change("--seed=7")
    until(one.is_complete, what="the roll-out's end")
    assert all("--seed=7" in pod.spec.containers[0].args for pod in one.pods())
    return one.moments_since(listed.metadata.resource_version, listed.items)


def test_pods_run_on_their_own_pool_only(api: client.ApiClient, until: Until) -> None:
    with running(api, named(PAIR, "roll-placed"), machines=2) as one:
        others = copy.deepcopy(one.pool) | {"name": "other-endpoint"}
        others["nodeConfig"]["labels"] = {"servestack.dev/endpoint": "other"}
        others["nodeConfig"]["taints"][0]["value"] = "other"
        untainted = copy.deepcopy(one.pool) | {"name": "nobodys"}
        untainted["nodeConfig"] |= {"labels": {}, "taints": []}
        larger = copy.deepcopy(one.pool) | {"name": "other-cards"}
        larger["nodeConfig"] |= {"machineType": "a3-highgpu-1g", "spot": True}
        larger["nodeConfig"]["guestAccelerators"] = [{"type": "nvidia-h100-80gb", "count": 1}]
        own = {node.metadata.name for node in one.core.list_node().items if node.metadata.name.startswith(one.name)}
        for pool in (others, untainted, larger):
            one.machine(pool)
        until(one.is_complete, what="two replicas")
        assert {pod.spec.node_name for pod in one.pods()} == own

        one.apps.patch_namespaced_deployment_scale(one.name, one.name, {"spec": {"replicas": 3}})

        def refusals() -> list[str]:
            waiting = [pod for pod in one.pods() if not pod.spec.node_name]
            return [said.message for pod in waiting for said in pod.status.conditions or [] if said.message]

        (refusal,) = until(refusals, what="the scheduler's words on the third pod")
        assert "2 Insufficient nvidia.com/gpu" in refusal
        assert "1 node(s) had untolerated taint(s)" in refusal  # the other endpoint's
        assert "2 node(s) didn't match Pod's node affinity/selector" in refusal  # nobody's, and the other cards


def test_pods_have_the_priority_of_serving_and_leave_a_lost_node_after_a_minute(
    api: client.ApiClient, until: Until
) -> None:
    with running(api, named(PAIR, "roll-priority"), machines=2) as one:
        until(one.is_complete)
        for pod in one.pods():
            assert (pod.spec.priority_class_name, pod.spec.priority) == ("roll-priority", 1_000_000)
            gone = {toleration.key: toleration.toleration_seconds for toleration in pod.spec.tolerations}
            assert gone["node.kubernetes.io/unreachable"] == gone["node.kubernetes.io/not-ready"] == 60


def test_a_roll_out_without_a_spare_machine_ends_with_a_replica_always_there(
    api: client.ApiClient, until: Until
) -> None:
    with running(api, named(PAIR, "roll-pair"), machines=2) as one:
        until(one.is_complete, what="two replicas")
        seen = roll(one, until)
        assert max(seen.asked) <= 2
        assert min(seen.available) == PAIR.plan.rollout.least_available == 1
        assert one.is_complete()


def test_the_same_roll_out_hangs_where_it_surges_without_a_machine(api: client.ApiClient, until: Until) -> None:
    surge = {"maxSurge": 1, "maxUnavailable": 0}
    with running(api, named(PAIR, "roll-stuck"), machines=2, type="RollingUpdate", rollingUpdate=surge) as one:
        until(one.is_complete, what="two replicas")
        shorter = [
            {"op": "replace", "path": "/spec/minReadySeconds", "value": 1},
            {"op": "replace", "path": "/spec/progressDeadlineSeconds", "value": 2},
        ]
        one.apps.patch_namespaced_deployment(one.name, one.name, shorter)
        one.change("--seed=7")

        def reasons() -> list[str]:
            return [said.reason for said in one.deployment().status.conditions if said.type == "Progressing"]

        until(lambda: reasons() == ["ProgressDeadlineExceeded"], what="a roll-out that does not move")
        assert one.deployment().status.updated_replicas == 1
        assert [pod.spec.node_name for pod in one.pods() if "--seed=7" in pod.spec.containers[0].args] == [None]


def test_with_a_spare_machine_all_replicas_stay_while_a_roll_out_runs(api: client.ApiClient, until: Until) -> None:
    assert SPARE.plan.rollout.strategy == "surge"
    with running(api, named(SPARE, "roll-spare"), machines=SPARE.plan.machines) as one:
        until(one.is_complete, what="two replicas")
        seen = roll(one, until)
        assert max(seen.asked) == 3
        assert min(seen.available) == SPARE.plan.rollout.least_available == 2


@pytest.mark.parametrize("endpoint", [PAIR, SPARE], ids=["pair", "spare"])
def test_of_two_drains_at_once_the_second_waits_until_the_first_replica_is_replaced(
    endpoint: Endpoint, api: client.ApiClient, until: Until
) -> None:
    stack = f"roll-drain-{endpoint.name[-5:]}"
    with running(api, named(endpoint, stack), machines=2) as one:
        until(one.is_complete, what="two replicas")
        until(lambda: one.budget().disruptions_allowed == 1)
        old = one.pods()
        for pod in old:
            one.core.patch_node(pod.spec.node_name, {"spec": {"unschedulable": True}})

        def evicted(pod: Any) -> str:
            try:
                one.evict(pod.metadata.name)
            except client.ApiException as refusal:
                assert refusal.status == 429
                return str(refusal.body)
            return ""

        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(evicted, old))
        assert sorted(map(bool, said)) == [False, True]
        assert "would violate the pod's disruption budget" in "".join(said)
        (kept,) = [pod for pod, refusal in zip(old, said, strict=True) if refusal]
        until(lambda: one.budget().current_healthy == 1)
        assert evicted(kept)  # as long as no other machine is there

        one.machine()
        until(lambda: (one.budget().current_healthy, one.budget().disruptions_allowed) == (2, 1))
        one.machine()
        assert not evicted(kept)
        until(
            lambda: one.is_complete() and not {pod.metadata.uid for pod in old} & {p.metadata.uid for p in one.pods()}
        )


def test_the_only_replica_lets_its_machine_drain(api: client.ApiClient, until: Until) -> None:
    alone = example("gemma4-e4b-l4-open")
    assert alone.plan.min_replicas == 1
    with running(api, named(alone, "roll-alone"), machines=2) as one:
        until(one.is_complete, what="the replica")
        until(lambda: one.budget().disruptions_allowed == 1)
        (pod,) = one.pods()
        one.core.patch_node(pod.spec.node_name, {"spec": {"unschedulable": True}})
        one.evict(pod.metadata.name)
        until(lambda: [is_ready(now) and now.spec.node_name != pod.spec.node_name for now in one.pods()] == [True])


def test_a_replica_that_is_not_ready_never_blocks_a_drain(api: client.ApiClient, until: Until) -> None:
    with running(api, named(PAIR, "roll-unready"), machines=1) as one:
        until(lambda: [is_ready(pod) for pod in one.pods()].count(True) == 1, what="the one that has a machine")
        until(lambda: one.budget().current_healthy == 1)
        assert one.budget().disruptions_allowed == 0
        (unready,) = [pod for pod in one.pods() if not is_ready(pod)]
        one.evict(unready.metadata.name)
        until(lambda: unready.metadata.name not in {pod.metadata.name for pod in one.pods()})
