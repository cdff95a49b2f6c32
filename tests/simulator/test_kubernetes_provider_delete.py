from __future__ import annotations

from typing import Any

import pytest
from kubernetes import client
from provider_harness import Engine, ProviderCallError

pytest_plugins = ["provider_fixtures"]


def config_map(namespace: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": namespace, **metadata},
        "data": {"a": "1"},
    }


def test_delete_returns_when_the_object_is_gone(engine: Engine, namespace: str, api: client.ApiClient) -> None:
    made = engine.create(config_map(namespace))

    engine.delete(made)

    with pytest.raises(client.ApiException, match="Not Found"):
        client.CoreV1Api(api).read_namespaced_config_map("settings", namespace)


def test_delete_of_a_missing_object_or_kind_succeeds(engine: Engine, namespace: str, api: client.ApiClient) -> None:
    made = engine.create(config_map(namespace))
    client.CoreV1Api(api).delete_namespaced_config_map("settings", namespace)
    engine.delete(made)
    made.state.update(apiVersion="example.com/v1", kind="Thing")
    engine.delete(made)


def test_delete_that_a_finalizer_holds_back_names_it(engine: Engine, namespace: str, api: client.ApiClient) -> None:
    made = engine.create(config_map(namespace, finalizers=["example.com/hold"]))

    with pytest.raises(ProviderCallError) as failure:
        engine.delete(made, timeout=1)

    assert str(failure.value) == "timed out waiting for the condition"
    (warning,) = engine.diagnostics()
    assert warning.startswith("finalizers might be preventing deletion (")
    assert "example.com/hold" in warning
    assert "Resource scheduled for deletion" in engine.statuses()
    client.CoreV1Api(api).patch_namespaced_config_map("settings", namespace, {"metadata": {"finalizers": None}})


def test_deletion_policy_comes_from_the_old_inputs(engine: Engine, namespace: str, api: client.ApiClient) -> None:
    """Orphaning leaves a finalizer that the garbage collector removes only after it has cut the owners' ties."""
    orphan = {"pulumi.com/deletionPropagationPolicy": "Orphan"}
    owner = engine.create(config_map(namespace, annotations=orphan))
    core = client.CoreV1Api(api)
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "settings",
        "uid": owner.state["metadata"]["uid"],
    }
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "dependent", "ownerReferences": [reference]}})

    engine.delete(owner)

    assert core.read_namespaced_config_map("dependent", namespace).metadata.owner_references is None


def test_delete_on_an_unreachable_cluster_says_how_to_drop_the_resource(unconfigured: Engine) -> None:
    unconfigured.configure(
        kubeconfig="""
        clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
        contexts: [{name: c, context: {cluster: c}}]
        current-context: c
        """
    )
    made = unconfigured.create(config_map("default"), preview=True)
    made.identifier = "default/settings"

    with pytest.raises(ProviderCallError, match='PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'):
        unconfigured.delete(made)
    assert unconfigured.diagnostics()[0].startswith("configured Kubernetes cluster is unreachable: ")
