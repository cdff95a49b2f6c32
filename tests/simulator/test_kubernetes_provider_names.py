from __future__ import annotations

import re
from typing import Any

import pytest
from provider_harness import Engine, ProviderCallError, urn_of
from pulumi.runtime.proto import provider_pb2

from simulator.kubernetes_provider.errors import ProviderError
from simulator.kubernetes_provider.kinds import Urn, removal_text
from simulator.kubernetes_provider.names import Autonaming, assign_name, parse_identifier, qualified_name
from simulator.kubernetes_provider.properties import UNKNOWN, from_struct, to_struct

pytest_plugins = ["provider_fixtures"]

OPTIONS = provider_pb2.CheckRequest.AutonamingOptions


def test_the_same_seed_gives_the_same_name() -> None:
    names = []
    for seed in (b"1", b"1", b"2"):
        obj: dict[str, Any] = {}
        assign_name(obj, "engine", seed, None)
        names.append(obj["metadata"]["name"])

    assert names[0] == names[1] != names[2]
    assert re.fullmatch("engine-[0-9a-f]{8}", names[0])


@pytest.mark.parametrize("metadata", [UNKNOWN, {"name": UNKNOWN}, {"name": "x"}])
def test_a_name_that_is_not_known_yet_counts_as_a_name(metadata: Any) -> None:
    obj = {"metadata": metadata}

    assign_name(obj, "engine", b"1", Autonaming("proposed"))

    assert obj == {"metadata": metadata}


def test_the_engines_proposed_name_is_used() -> None:
    obj: dict[str, Any] = {"metadata": {"annotations": {"a": "b"}}}

    assign_name(obj, "engine", b"1", Autonaming("proposed"))

    annotations = {"a": "b", "pulumi.com/autonamed": "true"}
    assert obj == {"metadata": {"name": "proposed", "annotations": annotations}}


def test_disabled_autonaming_asks_for_a_name() -> None:
    with pytest.raises(ProviderError, match=r"autonaming is disabled, resource requires the \.metadata\.name field"):
        assign_name({}, "engine", b"1", Autonaming(disabled=True))


def test_autonaming_options_reach_the_provider(engine: Engine) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap"}
    request = provider_pb2.CheckRequest(
        urn=urn_of("v1", "ConfigMap"),
        news=to_struct(obj),
        autonaming=OPTIONS(proposed_name="proposed", mode=OPTIONS.ENFORCE),
    )

    assert from_struct(engine.stub.Check(request).inputs)["metadata"]["name"] == "proposed"


def test_generate_name_is_refused_under_server_side_apply(engine: Engine) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}

    with pytest.raises(ProviderCallError, match="is not supported in Server-Side Apply mode"):
        engine.check(urn_of("v1", "ConfigMap"), obj)


def test_list_types_are_refused(engine: Engine) -> None:
    with pytest.raises(ProviderCallError, match="list resources exist for compatibility with YAML manifests"):
        engine.check(urn_of("v1", "ConfigMapList"), {"apiVersion": "v1", "kind": "ConfigMapList"})


@pytest.mark.parametrize(("identifier", "parts"), [("llm/app", ("llm", "app")), ("app", ("", "app"))])
def test_identifiers_are_namespace_and_name(identifier: str, parts: tuple[str, str]) -> None:
    namespace, name = parts

    assert parse_identifier(identifier) == parts
    assert qualified_name({"metadata": {"namespace": namespace, "name": name}}) == identifier


@pytest.mark.parametrize(
    ("token", "api_version", "kind", "object_kind", "is_patch"),
    [
        ("kubernetes:core/v1:ConfigMap", "v1", "ConfigMap", "ConfigMap", False),
        ("kubernetes:apps/v1:DeploymentPatch", "apps/v1", "DeploymentPatch", "Deployment", True),
        ("kubernetes:example.com/v1:ThingPatch", "example.com/v1", "ThingPatch", "ThingPatch", False),
        ("my:index:Parent$kubernetes:batch/v1:Job", "batch/v1", "Job", "Job", False),
    ],
)
def test_urns_name_the_kind(token: str, api_version: str, kind: str, object_kind: str, is_patch: bool) -> None:
    urn = Urn(f"urn:pulumi:s::p::{token}::a::b")

    assert (urn.api_version, urn.kind, urn.object_kind, urn.is_patch) == (api_version, kind, object_kind, is_patch)
    assert urn.name == "a::b"


def test_apis_that_are_going_away_are_named_with_their_successor() -> None:
    assert removal_text("policy/v1beta1", "PodDisruptionBudget", 21) == (
        "policy/v1beta1/PodDisruptionBudget is deprecated by policy/v1/PodDisruptionBudget and not supported by "
        "Kubernetes v1.25+ clusters."
    )
    assert removal_text("policy/v1", "PodDisruptionBudget", 36) is None
