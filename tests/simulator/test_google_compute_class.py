"""A ComputeClass's rules are tried in order, are left alone after a failure, and say in its status what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from class_samples import H100, L4, MAKES, RTX, ZONE, pool
from scaling_harness import Scaling, label

IN_BACKOFF = "in backoff after failed scale-up"


def test_a_rung_that_is_sold_out_is_left_for_the_next_and_taken_again_after_its_back_off(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.add_class("c", [H100, RTX, L4], **MAKES)
    scaling.faults.set_stockout("*", "a3-highgpu-1g")
    scaling.add_pod("first", chosen="c")
    scaling.rounds(1)
    (asked,) = scaling.events("TriggeredScaleUp")
    (made,) = scaling.pools()
    assert made.startswith("nap-a3-highgpu-1g-spot-gpu1-")
    assert asked.startswith("pod triggered scale-up: [{https://www.googleapis.com/compute/v1/projects/p/zones/us-")
    assert asked.endswith("-grp 0->1 (max: 1000)}]")
    scaling.rounds(1)
    assert scaling.events("FailedScaleUp") == [
        f"Node scale up in zones {ZONE} associated with this pod failed: GCE out of resources. "
        "Pod is at risk of not being scheduled."
    ]
    assert scaling.rung("c", 0) == {"ProvisioningSuspended": "OutOfResources"}
    scaling.rounds(2)
    assert scaling.machines() == ["g4-standard-48"]
    (node,) = scaling.nodes()
    assert label(node, "cloud.google.com/compute-class") == "c"
    taint = {"key": "cloud.google.com/compute-class", "value": "c", "effect": "NoSchedule"}
    assert taint in node["spec"]["taints"]
    assert node["metadata"]["annotations"]["ccc_priority_index"] == "1"
    assert scaling.rung("c", 1) == {}

    scaling.faults.set_stockout("*", "a3-highgpu-1g", active=False)
    scaling.add_pod("second", chosen="c")
    scaling.rounds(3)
    assert scaling.machines() == ["g4-standard-48"] * 2, "still within five minutes"
    scaling.now += 300
    scaling.add_pod("third", chosen="c")
    scaling.rounds(3)
    assert scaling.machines() == ["a3-highgpu-1g", "g4-standard-48", "g4-standard-48"]
    assert scaling.rung("c", 0) == {}
    assert scaling.conditions("c") == {"Health": ("True", "Health", "Crd is healthy.")}


def test_a_new_failure_restarts_one_timer_for_all_rules_of_the_class(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.add_class("c", [H100, RTX | {"location": {"zones": ["us-central1-b"]}}, L4], **MAKES)
    scaling.faults.set_stockout("*", "a3-highgpu-1g")
    scaling.add_pod("first", chosen="c")
    scaling.rounds(4)
    scaling.now += 200
    scaling.faults.set_stockout("*", "g4-standard-48")
    scaling.add_pod("second", chosen="c")
    scaling.rounds(4)
    scaling.now += 150
    scaling.rounds(1)
    assert scaling.rung("c", 0) == {"ProvisioningSuspended": "OutOfResources"}, "longer than its own five minutes"
    scaling.now += 150
    scaling.rounds(1)
    assert scaling.rung("c", 0) == scaling.rung("c", 1) == {}


def test_the_last_rung_is_not_suspended_but_its_pool_is(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.add_class("c", [L4 | {"location": {"zones": [ZONE]}}], **MAKES)
    scaling.faults.set_stockout("*", "g2-standard-8")
    scaling.add_pod("p", chosen="c")
    scaling.rounds(3)
    assert scaling.rung("c", 0) == {}
    assert scaling.events("NotTriggerScaleUp") == [f"pod didn't trigger scale-up: 1 {IN_BACKOFF}"]


def test_a_quota_suspends_a_rung_in_the_whole_region(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.faults.set_quota("PREEMPTIBLE_NVIDIA_H100", "us-central1", 0)
    everywhere = {key: value for key, value in H100.items() if key != "location"}
    scaling.add_class("c", [everywhere, RTX], **MAKES)
    scaling.add_pod("p", chosen="c")
    scaling.rounds(4)
    assert "GCE quota exceeded" in scaling.events("FailedScaleUp")[0]
    assert len(scaling.events("FailedScaleUp")) == 1
    assert scaling.rung("c", 0) == {"ProvisioningSuspended": "QuotaExceeded"}
    assert scaling.machines() == ["g4-standard-48"]


def test_a_stockout_in_one_zone_only_constrains_the_rung(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.faults.set_stockout(ZONE, "g4-standard-48")
    rung = RTX | {"location": {"zones": ["us-central1-b", "us-central1-f"], "locationPolicy": "BALANCED"}}
    scaling.faults.set_stockout("us-central1-b", "g4-standard-48")
    scaling.add_class("c", [rung, L4], **MAKES)
    scaling.add_pod("p", chosen="c")
    scaling.rounds(4)
    assert scaling.rung("c", 0) == {"ProvisioningConstrained": "OutOfResources"}
    assert [label(node, "topology.kubernetes.io/zone") for node in scaling.nodes()] == ["us-central1-f"]


def test_an_on_demand_stockout_blocks_spot_of_the_same_gpu_but_not_flex_start(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.faults.set_stockout("*", "g2-standard-8")
    here = {"location": {"zones": [ZONE]}}
    flex = {"machineType": "g2-standard-16", "flexStart": {"enabled": True}}
    rungs = [L4 | here, {"machineType": "g2-standard-12", "spot": True} | here, flex | here]
    scaling.add_class("c", rungs, **MAKES)
    scaling.add_pod("p", chosen="c")
    scaling.rounds(4)
    assert scaling.machines() == ["g2-standard-16"]


def test_flex_start_waits_as_long_as_the_rung_says_and_then_the_next_is_tried(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.faults.set_stockout("*", "a3-highgpu-1g")
    flex = {
        "machineType": "a3-highgpu-1g",
        "flexStart": {"enabled": True},
        "capacityCheckWaitTimeSeconds": 60,
        "location": {"zones": [ZONE]},
    }
    scaling.add_class("c", [flex, L4], **MAKES)
    scaling.add_pod("p", chosen="c")
    scaling.rounds(50)
    assert scaling.events("FailedScaleUp") == []
    scaling.rounds(20)
    assert len(scaling.events("FailedScaleUp")) == 1
    assert scaling.machines() == ["g2-standard-8"]


@pytest.mark.parametrize("tolerates", [False, True])
def test_a_flex_start_node_has_its_taint_only_where_the_pod_tolerates_it(tmp_path: Path, tolerates: bool) -> None:
    scaling = Scaling(tmp_path)
    scaling.add_class("c", [L4 | {"flexStart": {"enabled": True}}], **MAKES)
    key = "cloud.google.com/gke-flex-start"
    every = [{"operator": "Exists", "key": one} for one in ("nvidia.com/gpu", "cloud.google.com/compute-class")]
    scaling.add_pod("p", chosen="c", tolerations=every + [{"key": key, "value": "true"}] * tolerates)
    scaling.rounds(2)
    (node,) = scaling.nodes()
    assert (key in [taint["key"] for taint in node["spec"]["taints"]]) is tolerates
    assert label(node, key) == "true"


def test_when_no_rung_can_be_met_e2_nodes_come_only_if_the_class_says_so(tmp_path: Path) -> None:
    for anyway, families in (("ScaleUpAnyway", ["e2"]), ("DoNotScaleUp", [])):
        scaling = Scaling(tmp_path / anyway)
        spec = {**MAKES, "whenUnsatisfiable": anyway}
        scaling.add_class("c", [{"machineType": "g2-standard-4"}], **spec)
        scaling.add_pod("p", {"cpu": "6"}, "c")
        scaling.rounds(2)
        assert [label(node, "cloud.google.com/machine-family") for node in scaling.nodes()] == families


def test_a_higher_score_is_preferred(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.add_class("c", [L4 | {"priorityScore": 10}, RTX | {"priorityScore": 20}], **MAKES)
    scaling.add_pod("p", chosen="c")
    scaling.rounds(2)
    assert scaling.machines() == ["g4-standard-48"]


def test_a_pod_that_selects_another_gpu_skips_the_rung(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.add_class("c", [RTX, L4], **MAKES)
    scaling.add_pod("p", chosen="c", nodeSelector={"cloud.google.com/gke-accelerator": "nvidia-l4"})
    scaling.rounds(2)
    assert scaling.machines() == ["g2-standard-8"]


def test_a_pool_that_was_made_goes_when_it_has_been_empty_for_ten_minutes(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.add_class("c", [L4], **MAKES)
    scaling.add_pod("p", chosen="c")
    scaling.rounds(2)
    assert len(scaling.pools()) == 1
    scaling.api.request("DELETE", "/api/v1/pods/p")
    scaling.rounds(1)
    scaling.now += 599
    scaling.rounds(2)
    assert len(scaling.nodes()) == 0
    assert len(scaling.pools()) == 1
    scaling.now += 600
    scaling.rounds(1)
    assert scaling.pools() == {}


def test_a_class_may_keep_its_idle_nodes_longer(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path, {"a": pool()})
    scaling.add_class("c", [{"nodepools": ["a"]}], autoscalingPolicy={"consolidationDelayMinutes": 30})
    scaling.add_pod("p", chosen="c")
    scaling.rounds(2)
    scaling.api.request("DELETE", "/api/v1/pods/p")
    scaling.rounds(1)
    scaling.now += 1700
    scaling.rounds(1)
    assert len(scaling.nodes()) == 1
    scaling.now += 100
    scaling.rounds(1)
    assert scaling.nodes() == []


def test_a_pool_of_the_class_that_no_rung_names_grows_when_the_class_says_anyway(tmp_path: Path) -> None:
    for anyway, count in (("ScaleUpAnyway", 1), ("DoNotScaleUp", 0)):
        scaling = Scaling(tmp_path / anyway, {"a": pool()})
        scaling.add_class("c", [{"nodepools": ["b"]}], whenUnsatisfiable=anyway)
        scaling.add_pod("p", chosen="c")
        scaling.rounds(2)
        assert len(scaling.nodes()) == count


@pytest.mark.parametrize("auto", [False, True])
def test_pools_are_made_only_for_a_class_that_says_so(tmp_path: Path, auto: bool) -> None:
    scaling = Scaling(tmp_path)
    scaling.add_class("c", [L4], nodePoolAutoCreation={"enabled": auto})
    scaling.add_pod("p", chosen="c")
    scaling.rounds(2)
    assert len(scaling.nodes()) == int(auto)


def test_named_pools_are_taken_in_the_order_of_the_rungs(tmp_path: Path) -> None:
    second = pool(machineType="g2-standard-12")
    scaling = Scaling(tmp_path, {"a": pool(), "b": second})
    scaling.add_class("c", [{"nodepools": ["b"]}, {"nodepools": ["a"]}])
    for index in range(3):
        scaling.add_pod(f"p{index}", {"nvidia.com/gpu": "1"}, "c")
    scaling.rounds(4)
    assert scaling.machines() == ["g2-standard-12", "g2-standard-12", "g2-standard-8"]
    assert scaling.conditions("c")["Health"][0] == "True"


def test_a_shape_without_on_demand_never_scales_on_demand(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path)
    scaling.add_class("c", [{"machineType": "a3-highgpu-1g"}, L4], **MAKES)
    scaling.add_pod("p", chosen="c")
    scaling.rounds(2)
    assert scaling.machines() == ["g2-standard-8"]


def test_a_class_that_does_not_exist_brings_nothing(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path, {"a": pool()})
    scaling.add_pod("p", chosen="d")
    scaling.rounds(2)
    assert scaling.nodes() == []
    assert scaling.events("NotTriggerScaleUp") == [
        "pod didn't trigger scale-up: 1 node(s) didn't match Pod's node affinity/selector"
    ]


def test_the_clusters_default_class_serves_pods_that_select_none_with_plain_nodes(tmp_path: Path) -> None:
    for enabled, machines in ((True, ["g4-standard-48"]), (False, [])):
        cluster = {"clusterAutoscaling": {"defaultComputeClassEnabled": enabled}}
        scaling = Scaling(tmp_path / str(enabled), cluster=cluster)
        scaling.add_class("default", [RTX], **MAKES)
        scaling.add_pod("p", tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists"}])
        scaling.rounds(2)
        assert scaling.machines() == machines
        assert [label(node, "cloud.google.com/compute-class") for node in scaling.nodes()] == [""] * len(machines)
