"""On Autopilot a class has another name exactly where it says something else, and says the nodes' account."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import yaml

from infra.errors import StackError
from infra.pipeline import Endpoint, build
from tests.unit.files import Files
from tests.unit.test_pool_names import ACCOUNTS, PLATFORM, REGISTRY, SPEC, flat

STACK = "gemma4-e4b-l4"
GKE: dict[str, Any] = {
    "project": "servestack-dev",
    "location": "us-central1",
    "cluster": {"name": "dev", "mode": "autopilot"},
}
# Every field of both files that may reach the class, with the ones that must not.
FIELDS: dict[str, list[Any]] = {
    **{key: values for key, values in SPEC.items() if key != "nodePool"},
    "precision": [None, "bf16", "int4", "fp8"],
}
CLUSTERS: dict[str, list[Any]] = PLATFORM | {
    "cluster": [GKE["cluster"], {"name": "other", "mode": "autopilot"}, GKE["cluster"] | {"create": False}],
}
BASES: list[dict[str, Any]] = [{}, {"capacity": ["spot", "on-demand"]}, {"capacity": [{"reservation": "one"}]}]


def made(spec: dict[str, Any], gke: dict[str, Any]) -> tuple[str, Any, list[str]] | None:
    """Name and content of the class, and the class that the pods select; None where the plan refuses."""
    spec = {key: value for key, value in spec.items() if value is not None}
    count = spec.pop("count", None)
    values = {
        "apiVersion": "servestack/v1",
        "kind": "Endpoint",
        "platform": "dev",
        "model": "gemma-4-e4b-it",
        "accelerator": {"type": "l4", "count": count} if count else "l4",
        "framework": "vllm",
    } | spec
    platform = {
        "apiVersion": "servestack/v1",
        "kind": "Platform",
        "gke": {key: value for key, value in gke.items() if value is not None},
    }
    try:
        built = build(STACK, Files(dev=yaml.safe_dump(platform), **{STACK: yaml.safe_dump(values)}))
    except StackError:
        return None
    assert isinstance(built, Endpoint)
    if built.refusal or built.prepared is None:
        return None
    objects = built.objects()
    (found,) = (one for one in objects if one["kind"] == "ComputeClass")
    pods = [one["spec"]["template"]["spec"] for one in objects if one["kind"] == "Deployment"]
    return (
        found["metadata"]["name"],
        found["spec"],
        [pod["nodeSelector"]["cloud.google.com/compute-class"] for pod in pods],
    )


def cases() -> list[Any]:
    found = []
    for place, base in enumerate(BASES):
        for field, values in FIELDS.items():
            found.append(pytest.param([(base | {field: one}, GKE) for one in values], id=f"{place}-{field}"))
        for field, values in CLUSTERS.items():
            found.append(pytest.param([(base, GKE | {field: one}) for one in values], id=f"{place}-{field}"))
    return found


@pytest.mark.parametrize("asked", cases())
def test_of_two_files_of_one_stack_the_class_has_another_name_exactly_where_it_says_something_else(asked: Any) -> None:
    found = [one for spec, gke in asked if (one := made(spec, gke))]
    assert found
    for (name, spec, pods), (other_name, other, _) in itertools.combinations(found, 2):
        assert set(pods) == {name}
        assert (name == other_name) == (spec == other), (spec, other)


def test_the_files_reach_everything_that_a_class_says_of_l4_machines_but_their_disk() -> None:
    changed: set[str] = set()
    for base in BASES:
        first = made(base, GKE)
        assert first
        files = [(base | {field: value}, GKE) for field, values in FIELDS.items() for value in values]
        files += [(base, GKE | {field: value}) for field, values in CLUSTERS.items() for value in values]
        for spec, gke in files:
            other = made(spec, gke)
            left, right = flat(first[1]), flat(other[1]) if other else {}
            changed |= {path for path in left.keys() | right.keys() if other and left.get(path) != right.get(path)}
    assert {
        "nodePoolConfig.serviceAccount",
        "priorities[0].gpu.count",
        "priorities[0].location.zones[0]",
        "priorities[0].machineType",
        "priorities[0].reservations.specific[0].name",
        "priorities[0].spot",
        "priorities[1].spot",
    } <= changed


def test_an_image_that_can_be_streamed_renames_no_class_which_does_not_say_it() -> None:
    plain, streamed = made({}, GKE), made({"engine": {"image": REGISTRY}}, GKE)
    assert plain
    assert streamed
    assert plain[:2] == streamed[:2]


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("account", ACCOUNTS)
def test_machines_of_a_class_have_the_account_of_the_platform(create: bool, account: str | None) -> None:
    found = made({}, GKE | {"cluster": GKE["cluster"] | {"create": create}, "nodeServiceAccount": account})
    assert found
    said = found[1].get("nodePoolConfig")
    own = "dev-us-central1-nodes@servestack-dev.iam.gserviceaccount.com"
    expected = account or (own if create else None)
    assert said == ({"serviceAccount": expected} if expected else None)
