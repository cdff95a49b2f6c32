"""A plan as a service of this machine: the pod's own arguments, in the file's names, and which changes restart it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from infra.components.local import service_of
from infra.frameworks.host_service import HostService
from infra.local.service import FIELDS, Service, changed, from_inputs, restarts, to_inputs
from infra.pipeline import Endpoint, build
from tests.unit.files import Files

LAPTOP = "apiVersion: servestack/v1\nkind: Platform\nlocal: {memoryGiB: 16, processors: 8}\n"
CLUSTER = (
    "apiVersion: servestack/v1\nkind: Platform\nkubernetes:\n  context: lab\n"
    "  nodes: [{accelerator: cpu, vcpus: 8, memoryGiB: 16, machines: 1, labels: {pool: cpu}}]\n"
)
# What differs between a pod and a machine, and nothing else.
PLACES = {"--model", "--mmproj", "--port"}


def built(name: str, platform: str, *more: str) -> Endpoint:
    words = ("model: gemma-4-e2b-it", "accelerator: cpu", "framework: llamacpp", "platform: here", *more)
    text = "\n".join(("apiVersion: servestack/v1", "kind: Endpoint", *words, ""))
    found = build(name, Files(**{name: text, "here": platform}))
    assert isinstance(found, Endpoint)
    return found


def service(*more: str, name: str = "gemma4-e2b-local") -> HostService:
    made = built(name, LAPTOP, *more).service
    assert made is not None
    return made


def flags(words: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word
            assert name not in found
            found[name] = ()
        else:
            found[name] += (word,)
    return found


@pytest.mark.parametrize(
    "more", [(), ("inputs: [text]",), ("concurrency: 2", "contextLength: 8192", "reasoning: true")]
)
def test_a_pod_and_this_machine_run_the_same_words(more: tuple[str, ...]) -> None:
    pod = flags(built("gemma4-e2b-cpu-llamacpp", CLUSTER, *more).workload.args)
    here = flags(service(*more).arguments)
    assert here.pop("--api-key-file") == ("services/gemma4-e2b-local/key",)
    assert list(pod) == list(here)
    differ = {name for name in pod if pod[name] != here[name]}
    assert differ <= PLACES
    assert "--model" in differ
    for name in {"--model", "--mmproj"} & differ:
        assert pod[name][0].rpartition("/")[2] == here[name][0].rpartition("/")[2]


def test_weights_are_named_on_the_hub_and_lie_below_their_commit() -> None:
    first, second = service().files
    repository, _, rest = first.address.partition("/resolve/")
    revision, _, name = rest.partition("/")
    assert len(revision) == 40
    assert first.path == f"weights/{repository}/{revision}/{name}"
    assert {first.path, second.path} <= set(service().arguments)


def test_nobody_is_asked_for_a_key_only_where_the_file_gives_a_reason() -> None:
    assert service().key_file
    free = service("expose: {authentication: none, reason: one user alone has this machine}")
    assert not free.key_file
    assert "--api-key-file" not in free.arguments


def test_the_tiny_model_does_not_pass_for_another() -> None:
    tiny = service("weights: {source: tiny}", name="gemma4-tiny-local")
    assert flags(tiny.arguments)["--alias"] == ("gemma-4-tiny-it",)
    plan = built("gemma4-tiny-local", LAPTOP, "weights: {source: tiny}").plan
    assert plan.model.id == "gemma-4-tiny-it"
    assert any("says one sentence" in one for one in plan.cautions)
    assert built("gemma4-e2b-local", LAPTOP).plan.model.id == "gemma-4-e2b-it"


WANTED = service_of("x", service(), keep_weights=True)
OTHER: dict[str, Any] = {
    "stack": "y",
    "program": "other-server",
    "arguments": ("--seed", "1"),
    "environment": (),
    "port": 9,
    "health_path": "/other",
    "files": (),
    "key_file": "",
    "start_seconds": 1,
    "keep_weights": False,
}


def test_what_a_resource_holds_is_the_service_whatever_became_of_its_numbers() -> None:
    inputs = to_inputs(WANTED)
    assert from_inputs(inputs) == WANTED
    assert from_inputs(inputs | {"port": float(WANTED.port), "start_seconds": float(WANTED.start_seconds)}) == WANTED


@pytest.mark.parametrize("name", FIELDS)
def test_each_change_is_seen_and_only_what_the_server_does_not_read_spares_it(name: str) -> None:
    assert set(OTHER) == {one.name for one in dataclasses.fields(Service)}
    other = dataclasses.replace(WANTED, **{name: OTHER[name]})
    assert changed(WANTED, other) == {name}
    assert restarts({name}) is (name not in ("start_seconds", "keep_weights"))
