"""A pool has another name exactly where a change makes other nodes, by the simulated Google's own tables."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
import yaml

from infra.cloud.node_pool import NODE_POOL, node_pools
from infra.cloud.pool_names import LONGEST_NAME, cut, named
from infra.errors import StackError
from infra.pipeline import Endpoint, build
from simulator.google.errors import GoogleError
from simulator.google.pool_rules import check_name
from simulator.google.replacement import forces_replacement
from tests.unit.files import Files
from tests.unit.test_golden import ENDPOINTS

# GKE makes every node anew (simulator/google/node_pools.py, of GKE's documentation), though the pool stays.
RECREATES = ("machineType", "diskType", "diskSizeGb", "imageType", "bootDisk", "gcfsConfig", "gvnic")
RECREATES += ("workloadMetadataConfig",)
GKE: dict[str, Any] = {"project": "servestack-dev", "location": "us-central1", "cluster": {"name": "dev"}}
ACCOUNTS = [None, "nodes-one@p-dev1.iam.gserviceaccount.com", "nodes-two@p-dev1.iam.gserviceaccount.com"]
REGISTRY = "us-docker.pkg.dev/p/r/vllm@sha256:" + "0" * 64
# Each field of the stack file with values, and of its platform.
SPEC: dict[str, list[Any]] = {
    "capacity": [
        None,
        ["on-demand"],
        ["spot"],
        ["flex-start"],
        [{"reservation": "one"}],
        [{"reservation": "two"}],
        ["spot", "on-demand"],
        ["on-demand", "spot"],
        ["spot", {"reservation": "one"}],
    ],
    "count": [None, 1, 2, 4, 8],
    "replicas": [{"min": 1}, {"min": 2}, {"min": 1, "spare": 1}],
    "labels": [{}, {"team": "search"}],
    "contextLength": [None, 4096],
    "concurrency": [None, 2],
    "longestAnswerSeconds": [None, 120],
    "tools": [False, True],
    "engine": [{}, {"image": REGISTRY}],
    "nodePool": [
        {},
        {"driverVersion": "default"},
        {"driverVersion": "latest"},
        {"imageStreaming": False},
        {"localSsds": 1},
        {"maxRunSeconds": 86_400},
        {"maxRunSeconds": 90_000},
        {"bootDiskGb": 400},
    ],
}
PLATFORM: dict[str, list[Any]] = {
    "zones": [[], ["us-central1-a"], ["us-central1-a", "us-central1-b"]],
    "cluster": [{"name": "dev"}, {"name": "other"}, {"name": "dev", "create": False}],
    "project": ["servestack-dev", "servestack-two"],
    "releaseChannel": ["REGULAR", "RAPID"],
    "nodeServiceAccount": ACCOUNTS,
    "deletionProtection": [True, False],
}
BASES: list[tuple[str, dict[str, Any]]] = [
    ("l4", {}),
    ("l4", {"capacity": ["spot", "on-demand"], "replicas": {"min": 2, "spare": 1}}),
    ("l4", {"nodePool": {"localSsds": 1}}),
    ("h100", {"capacity": ["spot"]}),
    ("h100", {"capacity": ["flex-start"], "nodePool": {"maxRunSeconds": 3600}}),
]


def pools(accelerator: str, spec: dict[str, Any], gke: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Inputs of the pools; None where the plan refuses, or only plans."""
    spec = dict(spec)
    count = spec.pop("count", None)
    values = {
        "apiVersion": "servestack/v1",
        "kind": "Endpoint",
        "platform": "dev",
        "model": "gemma-4-e4b-it",
        "accelerator": {"type": accelerator, "count": count} if count else accelerator,
        "framework": "vllm",
        **{key: value for key, value in spec.items() if value is not None},
    }
    platform = {
        "apiVersion": "servestack/v1",
        "kind": "Platform",
        "gke": {k: v for k, v in gke.items() if v is not None},
    }
    name = f"gemma4-e4b-{accelerator}"
    try:
        built = build(name, Files(dev=yaml.safe_dump(platform), **{name: yaml.safe_dump(values)}))
    except StackError:
        return None
    assert isinstance(built, Endpoint)
    assert built.platform.gke
    return None if built.refusal else [one.inputs for one in node_pools(built.plan, built.platform.gke)]


def flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in flat(item, f"{path}.{key}" if path else key).items()}
    if isinstance(value, list):
        return {k: v for index, item in enumerate(value) for k, v in flat(item, f"{path}[{index}]").items()}
    return {path: value}


def has_other_nodes(one: dict[str, Any], other: dict[str, Any]) -> bool:
    left, right = flat(one), flat(other)
    changed = {path for path in left.keys() | right.keys() if left.get(path) != right.get(path)} - {"name"}
    recreated = any(path.startswith(tuple(f"nodeConfig.{key}" for key in RECREATES)) for path in changed)
    return recreated or any(forces_replacement(NODE_POOL, path) for path in changed)


def pairs() -> list[Any]:
    found = []
    for place, (accelerator, base) in enumerate(BASES):
        for field, values in SPEC.items():
            found.append(
                pytest.param(accelerator, [(base | {field: one}, GKE) for one in values], id=f"{place}-{field}")
            )
        for field, values in PLATFORM.items():
            found.append(
                pytest.param(accelerator, [(base, GKE | {field: one}) for one in values], id=f"{place}-{field}")
            )
    return found


@pytest.mark.parametrize(("accelerator", "asked"), pairs())
def test_of_two_files_that_differ_in_one_field_the_pools_differ_in_name_exactly_where_their_nodes_do(
    accelerator: str, asked: list[tuple[dict[str, Any], dict[str, Any]]]
) -> None:
    made = [found for spec, gke in asked if (found := pools(accelerator, spec, gke))]
    for one, other in itertools.combinations(made, 2):
        same_shape = len(one) == len(other)
        changed = not same_shape or any(has_other_nodes(a, b) for a, b in zip(one, other, strict=True))
        renamed = {pool["name"] for pool in one} != {pool["name"] for pool in other}
        assert renamed == changed, (one, other)
        # Never half: a ladder's pools move together, as their class does.
        assert not renamed or not {pool["name"] for pool in one} & {pool["name"] for pool in other}


def test_the_files_reach_every_way_of_buying_and_changes_of_both_kinds() -> None:
    changed: set[str] = set()
    for accelerator, base in BASES:
        first = pools(accelerator, base, GKE)
        assert first
        for field, values in SPEC.items():
            for value in values:
                other = pools(accelerator, base | {field: value}, GKE)
                if other and other[0]["name"] != first[0]["name"]:
                    left, right = flat(first[0]), flat(other[0])
                    changed |= {path for path in left.keys() | right.keys() if left.get(path) != right.get(path)}
    assert {
        "nodeConfig.spot",
        "nodeConfig.flexStart",
        "nodeConfig.reservationAffinity.values[0]",
        "nodeConfig.machineType",
        "nodeConfig.diskSizeGb",
        "nodeConfig.gcfsConfig.enabled",
        "nodeConfig.maxRunDuration",
        "nodeConfig.ephemeralStorageLocalSsdConfig.localSsdCount",
        "nodeConfig.guestAccelerators[0].count",
        "nodeConfig.guestAccelerators[0].gpuDriverInstallationConfig.gpuDriverVersion",
    } <= changed


@pytest.mark.parametrize("stack", ["a", "gemma4-e4b-l4", "a" * 40, "a" * 33 + "-" * 1 + "b" * 6, "a" * 31 + "-b-c-d"])
@pytest.mark.parametrize("ending", ["-0af19", "-0af19-1", "-0af19-8"])
def test_google_takes_every_name(stack: str, ending: str) -> None:
    name = cut(stack, ending)
    check_name("node_pool.name", name)
    assert len(name) <= LONGEST_NAME
    assert "--" not in name
    assert name.endswith(ending)
    with pytest.raises(GoogleError):
        check_name("node_pool.name", f"{stack:a<40}{ending}")


def test_two_stacks_whose_long_names_begin_alike_have_pools_of_their_own() -> None:
    one = ENDPOINTS["gemma4-e4b-l4"]
    assert one.platform.gke
    stacks = ["a" * 39 + end for end in "bcd"]
    made = [named(dataclasses.replace(one.plan, stack=stack), one.platform.gke).pools[0].name for stack in stacks]
    assert len({name[:-5] for name in made}) == 1
    assert len(set(made)) == 3
