"""llama.cpp on processors: a pool without accelerators, pods that ask for none, threads as the pod's request."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from infra.catalog.loader import load_catalog
from infra.cloud.node_pool import accelerator_pool_inputs
from infra.frameworks import FRAMEWORKS
from infra.pipeline import Endpoint
from infra.plan.placement import zones
from infra.spec import Gke
from simulator.google.machine_types import load
from simulator.google.pool_rules import check_pool
from tests.unit.policy_case import Case
from tests.unit.test_golden import ENDPOINTS, MORE, find, pod

NAME = "gemma4-e2b-cpu-llamacpp"
ONES = [one for one in (*ENDPOINTS.values(), *MORE.values()) if one.plan.accelerator.kind == "cpu"]
EACH = pytest.mark.parametrize("endpoint", ONES, ids=[one.name for one in ONES])
POOLED = [one for one in ONES if one.platform.gke]
ON_GKE = pytest.mark.parametrize("endpoint", POOLED, ids=[one.name for one in POOLED])
GKE = {"project": "servestack-dev", "location": "us-central1", "cluster": {"name": "dev"}}


def gke(**more: Any) -> Gke:
    return TypeAdapter(Gke).validate_python(GKE | more)


@ON_GKE
def test_google_takes_the_pool_and_it_has_no_accelerator(endpoint: Endpoint) -> None:
    inputs = accelerator_pool_inputs(endpoint.plan, gke())
    check_pool(load(), "us-central1", {"releaseChannel": {"channel": "REGULAR"}}, endpoint.name, inputs)
    assert "guestAccelerators" not in inputs["nodeConfig"]
    assert "nodeLocations" not in inputs, "every zone of the cluster has processors"


@ON_GKE
def test_the_pod_asks_for_processors_and_memory_and_no_device(endpoint: Endpoint) -> None:
    (engine,) = pod(endpoint)["containers"]
    assert set(engine["resources"]["limits"]) == {"memory", "ephemeral-storage"}
    assert set(engine["resources"]["requests"]) == {"cpu", "memory", "ephemeral-storage"}
    threads = engine["args"][engine["args"].index("--threads") + 1]
    assert threads == engine["resources"]["requests"]["cpu"]
    assert "--n-gpu-layers" not in engine["args"]
    assert engine["image"].endswith("/dev-ghcr/ggml-org/llama.cpp:server-b11434")


@EACH
def test_everything_that_the_proof_counts_is_within_the_pods_limit(endpoint: Endpoint) -> None:
    """A processor has one memory: weights, caches and checkpoints are all charged to the pod."""
    plan = endpoint.plan
    assert plan.memory.need_gib <= plan.host.memory_gib
    names = {one.name for one in plan.memory.terms}
    assert {"prompt cache", "context checkpoints"} <= names, names


@ON_GKE
def test_the_pod_is_bound_to_the_endpoints_own_nodes_and_tolerates_their_taint_alone(endpoint: Endpoint) -> None:
    spec = pod(endpoint)
    assert spec["nodeSelector"]["servestack.dev/endpoint"] == endpoint.name
    assert not [key for key in spec["nodeSelector"] if "accelerator" in key]
    assert [one["key"] for one in spec["tolerations"] if one["operator"] == "Equal"] == ["servestack.dev/endpoint"]
    assert find(endpoint, "Deployment")["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0


def test_zones_that_the_platform_names_hold_for_processors_too() -> None:
    cpu = load_catalog().accelerators["cpu"]
    assert zones(cpu, gke()) == ()
    assert zones(cpu, gke(zones=["us-central1-f", "us-central1-a"])) == ("us-central1-a", "us-central1-f")


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda case: case.pod["nodeSelector"].clear(), "on-its-pool"),
        (lambda case: case.pod["tolerations"].clear(), "on-its-pool"),
        (lambda case: case.accelerators("1"), "accelerators-used"),
        (lambda case: case.deployment["strategy"]["rollingUpdate"].update(maxSurge=1), "roll-out-fits"),
    ],
    ids=["no selector", "no toleration", "a GPU", "surge"],
)
def test_policies_hold_without_accelerators(spoil: Any, rule: str) -> None:
    case = Case(NAME)
    assert not case.found().keys() & {"on-its-pool", "accelerators-used", "roll-out-fits"}
    spoil(case)
    assert rule in case.found()


def test_only_llamacpp_serves_on_processors() -> None:
    assert [name for name, one in FRAMEWORKS.items() if "cpu" in one.capabilities.kinds] == ["llamacpp"]
