"""Custom resources in the provider stand-in: they are sent as they are, never awaited, never replaced but for names."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from custom_resource_samples import GOOD
from kubernetes import client, config
from provider_fixtures import attached
from provider_harness import Engine, ProviderCallError, urn_of
from pulumi.runtime.proto import provider_pb2

from simulator.binaries import Binaries
from simulator.control_plane import ControlPlane
from simulator.kubernetes_provider import create, serve

pytest_plugins = ["provider_fixtures"]


def sample(kind: str, namespace: str) -> dict[str, Any]:
    obj = copy.deepcopy(GOOD[kind])
    obj["metadata"]["namespace"] = namespace
    return obj


def live(api: client.ApiClient, namespace: str) -> dict[str, Any]:
    custom = client.CustomObjectsApi(api)
    found = custom.get_namespaced_custom_object("gateway.networking.k8s.io", "v1", namespace, "httproutes", "x")
    return dict(found)


def test_custom_resource_is_created_changed_and_deleted_without_a_wait(
    engine: Engine, api: client.ApiClient, namespace: str
) -> None:
    route = sample("HTTPRoute", namespace)
    preview = engine.create(route, preview=True)
    assert preview.identifier == ""
    made = engine.create(route)
    assert made.identifier == f"{namespace}/x"
    assert made.state["__inputs"] == route
    # Defaults of the definition are the server's; they are live state, not inputs, and make no difference.
    assert live(api, namespace)["spec"]["rules"][0]["matches"][0]["path"] == {"type": "PathPrefix", "value": "/v1"}
    assert live(api, namespace)["spec"]["parentRefs"][0]["kind"] == "Gateway"
    assert engine.diff(made, engine.check(made.urn, route, made.inputs)).changes == provider_pb2.DiffResponse.DIFF_NONE

    changed = copy.deepcopy(route)
    changed["spec"]["rules"][0]["timeouts"]["request"] = "600s"
    difference = engine.diff(made, engine.check(made.urn, changed, made.inputs))
    assert difference.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert not difference.replaces
    assert list(difference.detailedDiff) == ["spec.rules[0].timeouts.request"]
    made = engine.update(made, changed)
    assert live(api, namespace)["spec"]["rules"][0]["timeouts"]["request"] == "600s"
    assert engine.read(made).inputs["spec"] == changed["spec"]

    engine.delete(made)
    with pytest.raises(client.ApiException, match="404"):
        live(api, namespace)


def test_another_name_replaces_a_custom_resource(engine: Engine, namespace: str) -> None:
    route = sample("HTTPRoute", namespace)
    made = engine.create(route)
    renamed = {**route, "metadata": {**route["metadata"], "name": "y"}}
    assert list(engine.diff(made, engine.check(made.urn, renamed, made.inputs)).replaces) == ["metadata.name"]
    engine.delete(made)


@pytest.mark.parametrize("kind", [kind for kind in GOOD if kind != "GatewayClass"])
def test_custom_resource_of_every_kind_is_made_and_shows_no_change_afterwards(
    kind: str, engine: Engine, namespace: str
) -> None:
    obj = sample(kind, namespace)
    made = engine.read(engine.create(obj))
    assert engine.diff(made, engine.check(made.urn, obj, made.inputs)).changes == provider_pb2.DiffResponse.DIFF_NONE
    engine.delete(made)


def test_value_that_the_definition_refuses_fails_with_the_servers_words(engine: Engine, namespace: str) -> None:
    pool = sample("InferencePool", namespace)
    pool["spec"]["endpointPickerRef"]["failureMode"] = "Open"
    with pytest.raises(ProviderCallError) as failure:
        engine.create(pool)
    urn = urn_of(pool["apiVersion"], "InferencePool")
    assert str(failure.value).startswith(
        f'resource "{urn}" was not successfully created by the Kubernetes API server: '
        'InferencePool.inference.networking.k8s.io "x" is invalid: [spec.endpointPickerRef.failureMode: '
        'Unsupported value: "Open"'
    )


@pytest.fixture
def without_add_ons(binaries: Binaries, tmp_path: Path) -> Iterator[ControlPlane]:
    cluster = ControlPlane(tmp_path / "bare", binaries, secrets.token_hex(16), add_ons=False)
    cluster.start()
    yield cluster
    cluster.stop()


def test_cluster_without_add_ons_has_what_gke_brings_and_names_a_missing_definition(
    without_add_ons: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create, "_RETRY_SECONDS", (0.01,) * 6)
    server, port = serve()
    with attached(port) as engine:
        engine.configure(kubeconfig=without_add_ons.kubeconfig.read_text())
        assert engine.create(sample("PodMonitoring", "default")).identifier == "default/x"
        scaler = sample("ScaledObject", "default")
        assert engine.create(scaler, preview=True).identifier == ""
        with pytest.raises(ProviderCallError) as failure:
            engine.create(scaler)
    server.stop(None)
    assert str(failure.value).endswith(
        "with kind keda.sh/v1alpha1/ScaledObject failed because the Kubernetes API server reported that the apiVersion "
        "for this resource does not exist. Verify that any required CRDs have been created: "
        'no matches for kind "ScaledObject" in version "keda.sh/v1alpha1"'
    )


def test_definitions_outlive_a_restart_and_later_ones_are_added(without_add_ons: ControlPlane) -> None:
    def groups() -> set[str]:
        with config.new_client_from_config(str(without_add_ons.kubeconfig)) as api:
            return {one.name for one in client.ApisApi(api).get_api_versions().groups}

    assert "gateway.networking.k8s.io" in groups()
    assert "keda.sh" not in groups()
    without_add_ons.stop()
    without_add_ons._add_ons = True
    without_add_ons.start()
    assert {"gateway.networking.k8s.io", "keda.sh"} <= groups()
