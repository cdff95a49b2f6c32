"""What a Model Garden deployment may be, how its inputs travel, and which changes replace it."""

from __future__ import annotations

import json
import string
from dataclasses import fields, replace
from typing import Any

import pytest
from google.cloud.aiplatform_v1beta1.types import AcceleratorType
from hypothesis import given
from hypothesis import strategies as st

from infra.vertex.deployment import FIELDS, LOCAL, MUTABLE, changed, from_inputs, replacing, resource_id, to_inputs
from infra.vertex.reading import READERS, problems
from tests.vertex.conftest import WANTED

LABEL = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True).filter(lambda one: not one.startswith("servestack"))


@given(st.text(max_size=200))
def test_an_id_is_valid_whatever_the_name_and_the_same_for_the_same_name(name: str) -> None:
    made = resource_id(name)
    assert made == resource_id(name)
    assert 1 <= len(made) <= 63
    assert set(made) <= set(string.ascii_lowercase + string.digits + "-")
    assert made[0] in string.ascii_lowercase
    assert made[-1] != "-"
    assert not problems(to_inputs(WANTED) | {"endpoint_id": made, "model_id": made})


@given(st.lists(st.text(max_size=100), unique=True, max_size=30))
def test_two_names_never_share_an_id(names: list[str]) -> None:
    assert len({resource_id(name) for name in names}) == len(names)


def test_a_stack_s_name_is_its_id() -> None:
    assert resource_id("gemma4-31b-vertex") == "gemma4-31b-vertex"


@given(
    low=st.integers(1, 5),
    more=st.integers(0, 5),
    labels=st.dictionaries(LABEL, LABEL, max_size=3),
    metrics=st.dictionaries(LABEL, st.integers(1, 99), max_size=2),
    arguments=st.lists(st.text(max_size=5), max_size=3),
)
def test_inputs_survive_json_with_floats(
    low: int, more: int, labels: dict[str, str], metrics: dict[str, int], arguments: list[str]
) -> None:
    wanted = replace(
        WANTED,
        min_replicas=low,
        max_replicas=low + more,
        labels=tuple(sorted(labels.items())),
        autoscaling=tuple(sorted(metrics.items())),
        container_image="a/b:c",
        container_args=tuple(arguments),
    )
    travelled = json.loads(json.dumps(to_inputs(wanted)), parse_int=float)
    assert not problems(travelled)
    read = from_inputs(travelled)
    assert read == wanted
    assert all(type(getattr(read, one.name)) is type(getattr(wanted, one.name)) for one in fields(wanted))
    assert changed(travelled, to_inputs(wanted)) == []


def test_every_field_is_read_and_is_either_changed_in_place_or_replaces() -> None:
    assert set(READERS) == set(FIELDS)
    assert (MUTABLE | LOCAL) - {"provider_version"} <= set(FIELDS)
    old = to_inputs(WANTED) | {"provider_version": 1}
    assert replacing(changed(old, old | {"min_replicas": 2, "labels": {}, "autoscaling": {"a": 1}})) == []
    assert changed(old, old | {"provider_version": 2}) == ["provider_version"]
    for name in set(FIELDS) - MUTABLE - LOCAL:
        assert replacing(changed(old, old | {name: "another"})) == [name]


def test_a_default_left_out_is_no_change() -> None:
    full = to_inputs(WANTED)
    short = {name: value for name, value in full.items() if name not in {"spot", "autoscaling", "container_args"}}
    assert changed(full, short) == []


def test_accelerators_are_names_of_the_api() -> None:
    named = [
        name for name in AcceleratorType.__members__ if not problems(to_inputs(WANTED) | {"accelerator_type": name})
    ]
    assert {"NVIDIA_L4", "NVIDIA_H100_80GB", "NVIDIA_RTX_PRO_6000"} <= set(named)
    ((_, reason),) = problems(to_inputs(WANTED) | {"accelerator_type": "h100"})
    for name in reason.partition("one of ")[2].split(", "):
        assert name in AcceleratorType.__members__


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stack", "Upper"),
        ("project", "x"),
        ("project", "../other"),
        ("location", "global"),
        ("location", "us-central1.evil.example"),
        ("location", "us-central1/endpoints"),
        ("publisher_model", "gemma"),
        ("publisher_model", "google/gemma4@x/../y"),
        ("endpoint_id", "1abc"),
        ("endpoint_id", "a" * 64),
        ("endpoint_id", "ends-"),
        ("endpoint_id", "with/slash"),
        ("endpoint_id", "line\n"),
        ("model_id", "-a"),
        ("machine_type", "a3"),
        ("accelerator_count", 0.5),
        ("accelerator_count", True),
        ("accelerator_count", float("nan")),
        ("accelerator_count", float("inf")),
        ("accelerator_count", "1"),
        ("min_replicas", 0),
        ("min_replicas", 5),
        ("spot", "yes"),
        ("reservation", "h100"),
        ("flex_start_seconds", 8 * 24 * 3600),
        ("container_args", ["--x"]),
        ("container_args", "--x"),
        ("container_image", "a b"),
        ("labels", {"managed-by": "me"}),
        ("labels", {"servestack-operation": "1"}),
        ("labels", {"Key": "v"}),
        ("labels", {"k": "V"}),
        ("labels", ["a"]),
        ("autoscaling", {"cpu": 0}),
        ("timeout_seconds", 0),
    ],
)
def test_a_wrong_input_is_named(field: str, value: Any) -> None:
    found = problems(to_inputs(WANTED) | {field: value})
    assert field in [name for name, _ in found]


def test_machines_are_bought_in_one_way() -> None:
    ((field, reason),) = problems(to_inputs(WANTED) | {"spot": True, "flex_start_seconds": 60})
    assert field == "flex_start_seconds"
    assert "spot" in reason


def test_what_is_known_only_later_is_not_judged() -> None:
    later = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    names = ["project", "min_replicas", "max_replicas", "container_image", "labels"]
    inputs = to_inputs(WANTED) | dict.fromkeys(names, later) | {"container_args": ["--x"]}
    assert problems(inputs, names) == []


def test_missing_inputs_are_named() -> None:
    assert ("machine_type", "is missing") in problems({})
