"""Every rung of a ladder that is deployed can run its pods, and its ComputeClass is one that GKE admits."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import yaml

from infra.cloud.node_pool import node_pools
from infra.errors import StackError
from infra.judgement import subject
from infra.pipeline import Endpoint, build
from infra.policy import violations
from simulator.google import machine_types
from simulator.google.fitting import reasons_against, room_on
from simulator.google.node import node_object
from simulator.google.pool_rules import check_pool
from tests.unit.files import Files
from tests.unit.test_golden import ENDPOINTS, MORE

COMPUTE = machine_types.load()
CLASS = "cloud.google.com/compute-class"
FLEX = "cloud.google.com/gke-flex-start"
KINDS: list[Any] = [{"reservation": "r"}, "on-demand", "flex-start", "spot"]
LADDERS = [list(rungs) for size in (2, 3, 4) for rungs in itertools.permutations(KINDS, size)]
MACHINES = [
    ("gemma-4-e4b-it", "e4b", "l4", None, "vllm"),
    ("gemma-4-e4b-it", "e4b", "l4", 4, "vllm"),
    ("gemma-4-e4b-it", "e4b", "l4", None, "llamacpp"),
    ("gemma-4-e2b-it", "e2b", "cpu", None, "llamacpp"),
    ("gemma-4-31b-it", "31b", "h100", None, "vllm"),
    ("gemma-4-31b-it", "31b", "h100", 8, "sglang"),
    ("gemma-4-12b-it", "12b", "a100-80gb", None, "vllm"),
    ("gemma-4-26b-a4b-it", "26b-a4b", "rtxpro6000", None, "vllm"),
]
PLATFORM = {
    "apiVersion": "servestack/v1",
    "kind": "Platform",
    "gke": {"project": "servestack-dev", "location": "us-central1", "cluster": {"name": "dev"}},
}
# Of the ComputeClass CRD (GoogleCloudPlatform/compute-class-api 8067eae): fields of a rule that name no node pool.
ALONE = "nodepools"


def plan(
    model: str,
    size: str,
    accelerator: str,
    count: int | None,
    framework: str,
    capacity: list[Any],
    mode: str = "standard",
) -> Endpoint | None:
    values = {
        "apiVersion": "servestack/v1",
        "kind": "Endpoint",
        "platform": "dev",
        "model": model,
        "accelerator": {"type": accelerator, "count": count} if count else accelerator,
        "framework": framework,
        "capacity": capacity,
        "longestAnswerSeconds": 120,
    }
    platform = PLATFORM | {"gke": PLATFORM["gke"] | {"cluster": {"name": "dev", "mode": mode}}}  # type: ignore[operator]
    tail = "" if framework == "vllm" else f"-{framework}"
    name = f"gemma4-{size}-{accelerator}{tail}"
    try:
        built = build(name, Files(dev=yaml.safe_dump(platform), **{name: yaml.safe_dump(values)}))
    except StackError:
        return None
    assert isinstance(built, Endpoint)
    return built


def pod_of(built: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in built.objects() if one["kind"] == "Deployment")["spec"]["template"]
    return found


def class_of(built: Endpoint) -> dict[str, Any]:
    (found,) = [one for one in built.objects() if one["kind"] == "ComputeClass"]
    return found


def admitted(one: dict[str, Any]) -> list[str]:
    """What the CEL rules of the CRD would refuse, and what GKE says of it, written down anew."""
    spec, wrong = one["spec"], []
    assert "namespace" not in one["metadata"], "cluster-scoped"
    if spec.get("whenUnsatisfiable") not in {"ScaleUpAnyway", "DoNotScaleUp"}:
        wrong.append("whenUnsatisfiable must be written: its default differs by version")
    if not 1 <= len(spec["priorities"]) <= 10:
        wrong.append("a list that back-offs outrun")
    for rule in spec["priorities"]:
        if ALONE in rule and len(rule) > 1:
            wrong.append("Nodepool field cannot be set along with other nodepool configuration fields")
        if ALONE in rule and (spec.get("nodePoolAutoCreation") or {}).get("enabled"):
            wrong.append("pools of our own, and pools of GKE's")
        if ALONE not in rule and not (spec.get("nodePoolAutoCreation") or {}).get("enabled"):
            wrong.append("nothing makes such machines")
        if "machineFamily" in rule and "machineType" in rule:
            wrong.append("MachineFamily and MachineType cannot be set together")
        if (rule.get("flexStart") or {}).get("enabled") and rule.get("spot"):
            wrong.append("Flex Start provisioning model is incompatible with Spot")
        if "capacityCheckWaitTimeSeconds" in rule and "flexStart" not in rule:
            wrong.append("capacityCheckWaitTimeSeconds is only supported for Flex Start")
        held = rule.get("reservations")
        if held and (held["affinity"] == "Specific") != bool(held.get("specific")):
            wrong.append("At least 1 specific reservation required for specific affinity")
        if held and "machineType" not in rule:
            wrong.append("reservation rules need a machine")
        if held and "zones" in (rule.get("location") or {}):
            wrong.append("location config with specific reservations enabled")
        storage = rule.get("storage") or {}
        if "bootDiskType" in storage:
            wrong.append("Autopilot takes pd-balanced alone, which G4 does not boot from")
        if storage and "machineType" not in rule:
            wrong.append("local SSD needs machineType")
    return wrong


def cases() -> list[tuple[Any, ...]]:
    return [(*machine, rungs) for machine in MACHINES for rungs in LADDERS]


BUILT = [one for case in cases() if (one := plan(*case))]
DEPLOYED = [one for one in BUILT if one.refusal is None]
SHOWN = [
    one
    for one in [*ENDPOINTS.values(), *MORE.values()]
    if len(one.plan.ladder) > 1 and one.plan.node_pools.kind == "pools"
]


def fits(built: Endpoint, inputs: dict[str, Any]) -> list[str]:
    pod = pod_of(built)
    made = node_object(COMPUTE, "p", inputs["name"], inputs, "us-central1-a", "n")
    if inputs["nodeConfig"]["flexStart"] and any(one["key"] == FLEX for one in pod["spec"]["tolerations"]):
        made["spec"]["taints"].append({"key": FLEX, "value": "true", "effect": "NoSchedule"})
    return reasons_against(pod, room_on(made))


def test_enough_ladders_are_deployed_and_some_are_not() -> None:
    assert len(DEPLOYED) > 60
    assert len(BUILT) > len(DEPLOYED)
    kinds = {pool.capacity for one in DEPLOYED for pool in one.plan.node_pools.pools}
    assert kinds == {"reservation", "on-demand", "flex-start", "spot"}
    assert {one.plan.accelerator.type for one in DEPLOYED} >= {"l4", "cpu", "h100", "a100-80gb", "rtxpro6000"}


def test_every_rungs_pool_is_one_that_google_takes_and_can_run_the_pod() -> None:
    for built in [*DEPLOYED, *SHOWN]:
        gke = built.platform.gke
        assert gke
        pools = [one.inputs for one in node_pools(built.plan, gke)]
        assert len(pools) == len(built.plan.ladder)
        for rung, inputs in zip(built.plan.ladder, pools, strict=True):
            check_pool(COMPUTE, "us-central1", {"releaseChannel": {"channel": "REGULAR"}}, inputs["name"], inputs)
            assert fits(built, inputs) == [], (built.name, rung.capacity)
            bought = inputs["nodeConfig"]
            assert (bought["spot"], bought["flexStart"]) == (rung.capacity == "spot", rung.capacity == "flex-start")
            held = (bought.get("reservationAffinity") or {}).get("values")
            assert held == ([rung.reservation] if rung.capacity == "reservation" else None)


def test_the_class_names_the_rungs_pools_in_their_order_and_no_other() -> None:
    for built in [*DEPLOYED, *SHOWN]:
        found, gke = class_of(built), built.platform.gke
        assert gke
        pools = [one.inputs for one in node_pools(built.plan, gke)]
        assert [rule["nodepools"] for rule in found["spec"]["priorities"]] == [[pool["name"]] for pool in pools]
        assert admitted(found) == []
        name = found["metadata"]["name"]
        for pool in pools:
            assert pool["nodeConfig"]["labels"][CLASS] == name
            assert {"key": CLASS, "value": name, "effect": "NO_SCHEDULE"} in pool["nodeConfig"]["taints"]
        assert pod_of(built)["spec"]["nodeSelector"] == {CLASS: name}, "GKE refuses others beside a class"
        assert violations(subject(built)) == []


def test_the_oracle_of_fitting_can_fail() -> None:
    built = next(one for one in DEPLOYED if one.plan.accelerator.type == "l4")
    assert built.platform.gke
    inputs = node_pools(built.plan, built.platform.gke)[0].inputs
    smaller = inputs | {"nodeConfig": inputs["nodeConfig"] | {"machineType": "g2-standard-4"}}
    assert "Insufficient cpu" in fits(built, smaller)
    other = inputs["nodeConfig"]["labels"] | {CLASS: "other"}
    assert fits(built, inputs | {"nodeConfig": inputs["nodeConfig"] | {"labels": other}})


@pytest.mark.parametrize(
    "change",
    [
        {"machineType": "g2-standard-8"},
        {"spot": True, "flexStart": {"enabled": True}},
        {"reservations": {"affinity": "Specific"}, "machineType": "x"},
    ],
    ids=str,
)
def test_the_oracle_of_classes_can_fail(change: dict[str, Any]) -> None:
    found = class_of(DEPLOYED[0])
    found["spec"]["priorities"][0] |= change
    assert admitted(found)


def test_a_pods_grace_period_is_that_of_the_rung_that_lets_it_stop_slowest() -> None:
    """What a rung alone would give its pods is asked of a plan of that rung alone."""
    for case in [one for one in cases() if one[2] == "l4" and one[3] is None and len(one[-1]) == 2]:
        built = plan(*case)
        if built and built.refusal is None:
            alone = [plan(*case[:-1], [rung]) for rung in case[-1]]
            graces = [one.plan.timing.grace_seconds for one in alone if one]
            assert pod_of(built)["spec"]["terminationGracePeriodSeconds"] == max(graces)


def test_a_ladder_whose_rungs_need_other_pods_is_priced_and_names_the_rung_and_what_to_do() -> None:
    built = plan("gemma-4-31b-it", "31b", "h100", None, "vllm", ["spot", "on-demand"])
    assert built
    (reason,) = built.plan.only_planned
    assert reason.startswith("capacity[1] (on-demand), whose pods would be others than those of spot: ")
    assert "8 x h100 on a3-highgpu-8g" in reason
    assert "instead of 1 x h100 on a3-highgpu-1g" in reason
    assert "leave this rung out, take another accelerator, or give it a stack of its own" in reason
    assert [rung.hourly_usd for rung in built.plan.ladder if rung.hourly_usd]


def test_lower_rungs_take_the_first_ones_split_where_a_machine_is_sold_like_that() -> None:
    built = plan("gemma-4-31b-it", "31b", "h100", None, "vllm", ["on-demand", "spot"])
    assert built
    assert built.refusal is None
    assert [(rung.count, rung.machine_type) for rung in built.plan.ladder] == [(8, "a3-highgpu-8g")] * 2


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_on_autopilot_every_endpoint_has_a_class_by_which_gke_makes_its_machines(kind: Any) -> None:
    seen = 0
    for machine in MACHINES:
        built = plan(*machine, [kind], mode="autopilot")
        if not built or built.refusal:
            continue
        seen += 1
        assert built.platform.gke
        assert node_pools(built.plan, built.platform.gke) == ()
        found = class_of(built)
        assert admitted(found) == []
        (rule,) = found["spec"]["priorities"]
        bought = COMPUTE.machine_types[rule["machineType"]]
        held = (rule.get("gpu") or {}).get("type"), (rule.get("gpu") or {}).get("count", 0)
        assert held == ((bought.accelerator, bought.gpus) if bought.accelerator else (None, 0))
        if bought.local_ssds_bundled:
            assert rule["storage"]["localSSDCount"] == bought.local_ssds
        limits = pod_of(built)["spec"]["containers"][0]["resources"]["limits"]
        assert int(limits.get("nvidia.com/gpu", 0)) == bought.gpus
        assert pod_of(built)["spec"]["nodeSelector"] == {CLASS: found["metadata"]["name"]}
        tolerated = {one["key"] for one in pod_of(built)["spec"]["tolerations"]}
        assert CLASS in tolerated
        assert violations(subject(built)) == []
        assert any("Autopilot adds a premium" in one for one in built.plan.cautions)
    assert seen
