"""Which changes an update applies, which replace, and which are none."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.google.diff import changes
from simulator.google.schema import CLUSTER, NODE_POOL

INPUTS: dict[str, Any] = {
    "name": "gpu",
    "cluster": "dev",
    "location": "us-central1",
    "initialNodeCount": 0,
    "autoscaling": {"totalMaxNodeCount": 2, "locationPolicy": "ANY"},
    "nodeLocations": ["us-central1-a", "us-central1-c"],
    "nodeConfig": {
        "machineType": "a3-highgpu-1g",
        "spot": True,
        "guestAccelerators": [{"type": "nvidia-h100-80gb", "count": 1}],
        "labels": {"team": "a"},
        "taints": [{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}],
        "oauthScopes": ["one", "two"],
    },
}
STATE: dict[str, Any] = {
    **INPUTS,
    "autoscaling": {"totalMinNodeCount": 0, "totalMaxNodeCount": 2, "locationPolicy": "ANY"},
    "nodeLocations": ["us-central1-c", "us-central1-a"],
    "nodeCount": 1,
    "nodeConfig": {
        **INPUTS["nodeConfig"],
        "diskSizeGb": 100,
        "oauthScopes": ["two", "one"],
        "guestAccelerators": [
            {
                "type": "nvidia-h100-80gb",
                "count": 1,
                "gpuDriverInstallationConfig": {"gpuDriverVersion": "DEFAULT"},
            }
        ],
    },
}


def difference(
    inputs: dict[str, Any], state: dict[str, Any] = STATE, ignored: tuple[str, ...] = ()
) -> list[tuple[str, str, bool]]:
    found = changes(NODE_POOL, state, INPUTS, inputs, list(ignored))
    return [(change.path, change.action, change.replaces) for change in found]


def with_config(**edits: Any) -> dict[str, Any]:
    config = {**INPUTS["nodeConfig"], **edits}
    return {**INPUTS, "nodeConfig": {key: value for key, value in config.items() if value is not None}}


def test_values_that_google_filled_in_are_no_difference() -> None:
    assert difference(INPUTS) == []


def test_a_node_count_that_the_autoscaler_changed_is_no_difference() -> None:
    assert difference(INPUTS, {**STATE, "nodeCount": 7}) == []


@pytest.mark.parametrize(
    ("edits", "path", "replaces"),
    [
        ({"machineType": "a3-highgpu-2g"}, "nodeConfig.machineType", False),
        ({"diskSizeGb": 200}, "nodeConfig.diskSizeGb", False),
        ({"labels": {"team": "b"}}, "nodeConfig.labels.team", False),
        (
            {"taints": [{"key": "k", "value": "w", "effect": "NO_SCHEDULE"}]},
            "nodeConfig.taints[0].value",
            False,
        ),
        ({"spot": False}, "nodeConfig.spot", True),
        (
            {"guestAccelerators": [{"type": "nvidia-h100-80gb", "count": 2}]},
            "nodeConfig.guestAccelerators[0].count",
            True,
        ),
        ({"oauthScopes": ["one"]}, "nodeConfig.oauthScopes", True),
    ],
)
def test_a_changed_setting_is_updated_or_replaces(edits: dict[str, Any], path: str, replaces: bool) -> None:
    assert difference(with_config(**edits)) == [(path, "update", replaces)]


@pytest.mark.parametrize("key", ["name", "cluster", "location"])
def test_another_place_or_name_replaces(key: str) -> None:
    assert difference({**INPUTS, key: "other"}) == [(key, "update", True)]


def test_other_limits_of_the_autoscaler_are_updated_in_place() -> None:
    inputs = {**INPUTS, "autoscaling": {"totalMaxNodeCount": 5, "locationPolicy": "ANY"}}
    assert difference(inputs) == [("autoscaling.totalMaxNodeCount", "update", False)]


def test_a_setting_that_is_no_longer_given_is_removed_unless_google_fills_it_in() -> None:
    assert difference(with_config(taints=None)) == [("nodeConfig.taints", "delete", False)]
    assert difference(with_config(machineType=None)) == []


def test_a_label_that_is_no_longer_given_is_removed() -> None:
    assert difference(with_config(labels={})) == [("nodeConfig.labels.team", "delete", False)]


def test_ignored_paths_are_left_out() -> None:
    assert difference(with_config(spot=False), ignored=("nodeConfig.spot",)) == []
    assert difference({**INPUTS, "initialNodeCount": 3}, ignored=("initialNodeCount",)) == []


def test_an_unknown_value_counts_as_changed() -> None:
    from pulumi.runtime.rpc import UNKNOWN

    assert difference({**INPUTS, "cluster": UNKNOWN}) == [("cluster", "update", True)]


def test_a_cluster_is_replaced_for_another_datapath_and_updated_for_other_labels() -> None:
    state = {"datapathProvider": "LEGACY_DATAPATH", "resourceLabels": {"a": "1"}}
    inputs = {"datapathProvider": "ADVANCED_DATAPATH", "resourceLabels": {"a": "2"}}
    found = {change.path: change.replaces for change in changes(CLUSTER, state, state, inputs, [])}
    assert found == {"datapathProvider": True, "resourceLabels.a": False}
