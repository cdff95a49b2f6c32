"""Whether a pod fits a node, for the scheduler's reasons."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.google.fitting import Room, reasons_against, requests_of, room_on
from simulator.google.quantity import milli

NODE: dict[str, Any] = {
    "metadata": {"name": "n", "labels": {"zone": "a", "gpus": "8"}},
    "spec": {"taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]},
    "status": {"allocatable": {"cpu": "25865m", "memory": "218Gi", "nvidia.com/gpu": "1", "pods": "110"}},
}
TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}


def pod(requests: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "resources": {"requests": requests or {}}}
    return {"spec": {"containers": [container], "tolerations": [TOLERATION], **spec}}


def reasons(of: dict[str, Any], room: Room | None = None) -> list[str]:
    return reasons_against(of, room or room_on(NODE))


def affinity(operator: str, *values: str, key: str = "zone") -> dict[str, Any]:
    expression = {"key": key, "operator": operator, "values": list(values)}
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def test_a_pod_that_asks_for_what_is_there_fits() -> None:
    assert reasons(pod({"nvidia.com/gpu": "1", "cpu": "25", "memory": "200Gi"})) == []


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (pod(tolerations=[]), ["node(s) had untolerated taint(s)"]),
        (pod(tolerations=[{**TOLERATION, "effect": "NoExecute"}]), ["node(s) had untolerated taint(s)"]),
        (
            pod(tolerations=[{"key": "nvidia.com/gpu", "value": "absent"}]),
            ["node(s) had untolerated taint(s)"],
        ),
        (pod(nodeSelector={"zone": "b"}), ["node(s) didn't match Pod's node affinity/selector"]),
        (pod(affinity=affinity("In", "b")), ["node(s) didn't match Pod's node affinity/selector"]),
        (pod(affinity=affinity("NotIn", "a")), ["node(s) didn't match Pod's node affinity/selector"]),
        (pod(affinity=affinity("DoesNotExist")), ["node(s) didn't match Pod's node affinity/selector"]),
        (pod({"nvidia.com/gpu": "2"}), ["Insufficient nvidia.com/gpu"]),
        (pod({"cpu": "26", "memory": "219Gi"}), ["Insufficient cpu", "Insufficient memory"]),
        (pod({"google.com/tpu": "1"}), ["Insufficient google.com/tpu"]),
    ],
)
def test_a_pod_that_does_not_fit_says_why(candidate: dict[str, Any], expected: list[str]) -> None:
    assert reasons(candidate) == expected


@pytest.mark.parametrize(
    "candidate",
    [
        pod(tolerations=[{"operator": "Exists"}]),
        pod(tolerations=[{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]),
        pod(nodeSelector={"zone": "a"}),
        pod(affinity=affinity("In", "a", "b")),
        pod(affinity=affinity("Gt", "7", key="gpus")),
        pod(affinity=affinity("Exists")),
    ],
)
def test_tolerations_selectors_and_affinities_are_understood(candidate: dict[str, Any]) -> None:
    assert reasons(candidate) == []


def test_pods_on_a_node_take_its_room() -> None:
    room = room_on(NODE, [pod({"nvidia.com/gpu": "1"})])
    assert reasons(pod({"nvidia.com/gpu": "1"}), room) == ["Insufficient nvidia.com/gpu"]


def test_a_cordoned_node_takes_nothing() -> None:
    cordoned = {**NODE, "spec": {**NODE["spec"], "unschedulable": True}}
    assert reasons(pod(), room_on(cordoned)) == ["node(s) were unschedulable"]


def test_a_big_init_container_counts_and_a_sidecar_is_added() -> None:
    spec = pod({"cpu": "1"})["spec"]
    big = {"name": "i", "resources": {"requests": {"cpu": "3"}}}
    sidecar = {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}
    assert requests_of({"spec": {**spec, "initContainers": [big]}})["cpu"] == 3000
    assert requests_of({"spec": {**spec, "initContainers": [sidecar]}})["cpu"] == 2000
    assert requests_of({"spec": {**spec, "initContainers": [sidecar, big]}})["cpu"] == 4000


def test_limits_count_where_nothing_is_requested() -> None:
    container = {"name": "c", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    assert requests_of({"spec": {"containers": [container]}})["nvidia.com/gpu"] == 1000


@given(st.integers(min_value=0, max_value=2**40))
def test_quantities_of_each_size_agree(number: int) -> None:
    assert milli(f"{number}") == milli(f"{number * 1000}m") == number * 1000
    assert milli(f"{number}Ki") == milli(str(number * 1024))


def test_what_is_no_quantity_is_refused() -> None:
    with pytest.raises(ValueError, match="12Q"):
        milli("12Q")
