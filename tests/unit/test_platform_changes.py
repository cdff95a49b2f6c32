"""A platform's plan names every field whose change replaces what cannot be had back, by the provider's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from infra.cloud.platform import platform_resources
from infra.cloud.platform_changes import remade
from infra.cloud.platform_plan import platform_plan
from infra.platform_report import platform_text
from infra.spec import Gke, PlatformSpec
from simulator.google.diff import changes
from tests.unit.platform_samples import platform

BUDGET = {"billingAccount": "0A1B2C-3D4E5F-678901", "usdPerMonth": 500, "emails": ["a@example.com"]}
THERE = {"create": False, "name": "vpc", "subnetwork": "gke", "podsRange": "p", "servicesRange": "s"}
BASE: dict[str, Any] = {
    "budget": BUDGET,
    "bucket": {"name": "our-models"},
    "proxyOnlySubnet": "10.129.0.0/23",
    "controlPlane": "172.16.0.32/28",
    "authorizedNetworks": ["203.0.113.0/24"],
}
SHAPES: dict[str, dict[str, Any]] = {
    "standard": BASE,
    "autopilot": BASE | {"cluster": {"name": "dev", "mode": "autopilot"}},
    "network there": BASE | {"network": THERE},
    "no registry": BASE | {"registry": False},
}
# Of every field: other values, of which at least one is valid in some shape.
OTHERS: dict[str, list[Any]] = {
    "project": ["other-project"],
    "location": ["us-central1-a", "europe-west4"],
    "zones": [["us-central1-a"]],
    "cluster.name": ["other"],
    "cluster.create": [False],
    "cluster.mode": ["autopilot", "standard"],
    "cluster.lacks": [],
    "network.create": [],
    "network.name": ["other"],
    "network.subnetwork": ["other"],
    "network.nodes": ["10.0.0.0/21", "10.32.0.0/20"],
    "network.pods": ["10.16.0.0/14"],
    "network.services": ["10.9.0.0/20"],
    "network.maxNodes": [50],
    "network.maxPodsPerNode": [64],
    "network.podsRange": ["other"],
    "network.servicesRange": ["other"],
    "proxyOnlySubnet": ["10.130.0.0/23", None],
    "controlPlane": ["172.16.0.48/28", None],
    "authorizedNetworks": [[], ["198.51.100.7/32"]],
    "releaseChannel": ["RAPID"],
    "nodeServiceAccount": ["my-nodes@servestack-dev.iam.gserviceaccount.com"],
    "registry": [False, True],
    "bucket.name": ["other-models"],
    "budget.billingAccount": ["AA1B2C-3D4E5F-678901"],
    "budget.usdPerMonth": [7],
    "budget.emails": [["b@example.com"]],
    "budget.covers": ["platform"],
    "deletionProtection": [False],
}
# Parts that can be made anew with nothing lost: what names them names the cluster or the project as well.
PARTS = {
    "plat": "cluster",
    "plat-weights": "bucket",
    "plat-system": "system pool",
    "plat-proxy-only": "proxy-only subnet",
    "plat-ghcr": "repositories",
    "plat-nodes": "ranges",
}
# A part that goes with its cluster is said to go with it.
WITH_THE_CLUSTER = {"ranges", "system pool", "proxy-only subnet"}


def fields(model: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        below = [one for one in (field.annotation, *getattr(field.annotation, "__args__", ())) if _is_model(one)]
        if below:
            yield from fields(below[0], f"{before}{name}.")
        else:
            yield f"{before}{name}"


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def changed(shape: dict[str, Any], field: str, value: Any) -> PlatformSpec | None:
    first, _, second = field.partition(".")
    base = {"cluster": {"name": "dev"}, **shape}
    inner = {**base.get(first, {}), second: value} if second else value
    try:
        return platform(**{**base, first: inner})
    except ValueError:
        return None


def lost(old: PlatformSpec, new: PlatformSpec) -> set[str]:
    """Parts that the provider replaces, that are deleted, or that Google refuses to change in a subnet in use."""
    after = {one.name: one for one in platform_resources("plat", new)}
    found = set()
    for one in platform_resources("plat", old):
        other, part = after.get(one.name), PARTS.get(one.name)
        if part is None:
            continue
        seen = changes(one.token, one.inputs, one.inputs, other.inputs, list(other.ignore)) if other else []
        ranges = any(change.path.startswith("secondaryIpRanges") for change in seen)
        if other is None or ranges or any(change.replaces for change in seen):
            found.add(part)
    return found - WITH_THE_CLUSTER if "cluster" in found else found


def test_every_field_of_gke_is_tried() -> None:
    assert set(fields(Gke)) == set(OTHERS)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_plan_names_every_field_that_makes_a_part_anew_and_no_other(shape: str) -> None:
    old = platform(**SHAPES[shape])
    assert old.gke
    found: dict[str, set[str]] = {}
    for field, values in OTHERS.items():
        for value in values:
            new = changed(SHAPES[shape], field, value)
            for part in lost(old, new) if new else ():
                found.setdefault(part, set()).add(field)
    other = platform(**{**SHAPES[shape], "network": {} if shape == "network there" else THERE})
    for part in lost(old, other):
        found[part].add("network.create")
    said = {one.part: set(one.fields) for one in remade(old.gke)}
    adopts = {"cluster", "bucket", "repositories"}
    for part in (
        adopts & said.keys()
    ):  # an adopted cluster's file has none of what is made, so that no one field does it
        assert platform_resources("plat", platform(cluster={"name": "dev", "create": False})) == ()
        found.setdefault(part, set()).add("cluster.create")
    assert said == found


def test_text_and_json_say_it_and_whether_anything_forbids_it() -> None:
    for protected in (True, False):
        plan = platform_plan("plat", platform(**BASE, deletionProtection=protected))
        text, data = platform_text(plan), plan.to_json()["remade"]
        assert max(map(len, text.splitlines())) <= 80
        for one in data:
            assert all(field in text for field in one["fields"])
        (cluster,) = [one for one in data if one["part"] == "cluster"]
        assert ("Pulumi refuses" in cluster["means"]) is protected
        assert [one.protect for one in plan.resources if one.name == "plat"] == [protected]
    assert platform_plan("plat", platform(cluster={"name": "prod", "create": False})).to_json()["remade"] == []
