"""For any pools, classes and pods: each node that the autoscaler adds takes a pod that asked for it, and no pod waits
for a node that a pool could have given.

The oracle is the brute-force scheduler of `scaling_harness`, which shares no code with the simulator.
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from scaling_harness import Scaling, fits

from simulator.google.machine_types import load
from simulator.google.node import node_object

ZONES = ("us-central1-a", "us-central1-b")
KEY = "cloud.google.com/compute-class"
GPUS = {
    "g2-standard-8": ("nvidia-l4", 1),
    "g2-standard-24": ("nvidia-l4", 2),
    "a3-highgpu-1g": ("nvidia-h100-80gb", 1),
    "g4-standard-48": ("nvidia-rtx-pro-6000", 1),
    "ct5lp-hightpu-4t": ("", 0),
    "e2-standard-4": ("", 0),
    "n2-standard-8": ("", 0),
}
TEAM = {"key": "team", "value": "a", "effect": "NO_SCHEDULE"}


@st.composite
def pools(draw: st.DrawFn) -> dict[str, Any]:
    machine = draw(st.sampled_from(sorted(GPUS)))
    gpu, count = GPUS[machine]
    config: dict[str, Any] = {"machineType": machine, "spot": draw(st.booleans())}
    if gpu:
        config["guestAccelerators"] = [{"type": gpu, "count": count}]
    chosen = draw(st.sampled_from(["", "c", "d"]))
    taints = [TEAM] if draw(st.booleans()) else []
    if chosen and draw(st.integers(0, 3)):
        taints = [*taints, {"key": KEY, "value": chosen, "effect": "NO_SCHEDULE"}]
    config |= {"labels": {KEY: chosen} if chosen else {}, "taints": taints}
    return {
        "nodeLocations": sorted(draw(st.sets(st.sampled_from(ZONES), min_size=1))),
        "autoscaling": {"totalMaxNodeCount": draw(st.integers(1, 3)), "locationPolicy": "ANY"},
        "nodeConfig": config,
    }


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"nodepools": sorted(draw(st.sets(st.sampled_from(["p0", "p1", "p2", "p3"]), min_size=1)))}
    rule: dict[str, Any] = {"machineType": draw(st.sampled_from(sorted(GPUS)))}
    if draw(st.booleans()):
        rule["spot"] = True
    elif draw(st.booleans()):
        rule["flexStart"] = {"enabled": True}
    if draw(st.booleans()):
        rule["location"] = {"zones": [draw(st.sampled_from(ZONES))]}
    return rule


@st.composite
def pods(draw: st.DrawFn) -> dict[str, Any]:
    requests = {"cpu": f"{draw(st.integers(1, 32)) * 250}m", "memory": f"{draw(st.integers(1, 32))}Gi"}
    resource = draw(st.sampled_from(["", "nvidia.com/gpu", "nvidia.com/gpu", "google.com/tpu"]))
    if resource:
        requests[resource] = "4" if resource == "google.com/tpu" else str(draw(st.sampled_from([1, 1, 1, 2])))
    every = ["nvidia.com/gpu", "google.com/tpu", "team", KEY]
    keys = set(every) if draw(st.integers(0, 3)) else draw(st.sets(st.sampled_from(every)))
    selector = {}
    if draw(st.booleans()):
        selector[KEY] = draw(st.sampled_from(["c", "d", "missing"]))
    elif draw(st.booleans()):
        selector["cloud.google.com/gke-spot"] = "true"
    if draw(st.integers(0, 3)) == 0:
        selector["topology.kubernetes.io/zone"] = draw(st.sampled_from(ZONES))
    return {
        "requests": requests,
        "tolerations": [{"key": key, "operator": "Exists"} for key in sorted(keys)],
        "nodeSelector": selector,
    }


def _class_of(pod: dict[str, Any]) -> str:
    return str(pod["spec"]["nodeSelector"].get(KEY, ""))


def _would_help(pod: dict[str, Any], scaling: Scaling) -> bool:
    """Whether some pool with room could get a node on which a pod fits."""
    for name, record in scaling.pools().items():
        pool = record["inputs"]
        if len(record["nodes"]) < pool["autoscaling"]["totalMaxNodeCount"]:
            zones = pool["nodeLocations"]
            if any(fits(pod, node_object(load(), "p", name, pool, zone, "new"), []) for zone in zones):
                return True
    return False


@settings(max_examples=200, deadline=None)
@given(
    st.lists(pools(), min_size=1, max_size=4),
    st.lists(st.tuples(st.lists(rules(), min_size=1, max_size=3), st.booleans(), st.booleans()), max_size=2),
    st.lists(pods(), min_size=1, max_size=5),
    st.booleans(),
    st.sets(st.sampled_from(sorted(GPUS)), max_size=2),
)
def test_a_node_is_added_only_for_a_pod_that_fits_on_it(
    some_pools: list[dict[str, Any]],
    classes: list[tuple[list[dict[str, Any]], bool, bool]],
    some_pods: list[dict[str, Any]],
    autopilot: bool,
    sold_out: set[str],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        inputs = {} if autopilot else {f"p{index}": pool for index, pool in enumerate(some_pools)}
        scaling = Scaling(Path(folder), inputs, {"enableAutopilot": True} if autopilot else {})
        for name, (rungs, creates, anyway) in zip("cd", classes, strict=False):
            when = "ScaleUpAnyway" if anyway else "DoNotScaleUp"
            spec = {"nodePoolAutoCreation": {"enabled": creates}, "whenUnsatisfiable": when}
            scaling.add_class(name, copy.deepcopy(rungs), **spec)
        for machine in sold_out:
            scaling.faults.set_stockout("*", machine)
        for index, pod in enumerate(some_pods):
            spec = {key: pod[key] for key in ("tolerations", "nodeSelector")}
            scaling.add_pod(f"pod{index}", pod["requests"], **spec)
        added = 0
        for _ in range(12):
            before = {node["metadata"]["name"] for node in scaling.nodes()}
            scaling.autoscaler.scan(scaling.now)
            scaling.now += 1
            waiting = [pod for pod in scaling.api.items("/api/v1/pods") if not pod["spec"].get("nodeName")]
            for node in scaling.nodes():
                if node["metadata"]["name"] in before:
                    continue
                added += 1
                takers = [pod["metadata"]["name"] for pod in waiting if fits(pod, node, [])]
                assert takers, f"nobody fits on {node['metadata']['labels']}"
                told = {one for one in takers if scaling.events("TriggeredScaleUp", one)}
                assert told, f"{takers} were not told"
                assert node["metadata"]["labels"]["node.kubernetes.io/instance-type"] not in sold_out
            scaling.schedule()
        waiting = [pod for pod in scaling.api.items("/api/v1/pods") if not pod["spec"].get("nodeName")]
        if not sold_out:
            assert not any(_would_help(pod, scaling) for pod in waiting if not _class_of(pod)), "a pod waits in vain"
        event(f"{added} nodes")
        for name, record in scaling.pools().items():
            most = record["inputs"]["autoscaling"]["totalMaxNodeCount"]
            assert len(record["nodes"]) <= most, name
        with_node = {pod["spec"].get("nodeName") for pod in scaling.api.items("/api/v1/pods")} - {None}
        assert {node["metadata"]["name"] for node in scaling.nodes()} == with_node, "a node that nobody uses"
