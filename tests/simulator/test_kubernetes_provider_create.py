from __future__ import annotations

import secrets
import threading
from typing import Any

import pytest
from kubernetes import client
from provider_harness import Engine, ProviderCallError, urn_of

from simulator.kubernetes_provider.properties import UNKNOWN, Secret

pytest_plugins = ["provider_fixtures"]


def config_map(namespace: str, name: str = "settings", **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data or {"a": "1"},
    }


def test_created_object_has_live_state_inputs_and_a_random_field_manager(engine: Engine, namespace: str) -> None:
    made = engine.create(config_map(namespace))

    assert made.identifier == f"{namespace}/settings"
    assert made.state["metadata"]["uid"]
    assert made.state["__inputs"] == config_map(namespace)
    assert made.state["__initialApiVersion"] == "v1"
    assert made.state["__fieldManager"].startswith("pulumi-kubernetes-")


def test_object_is_posted_by_the_client_side_manager(engine: Engine, namespace: str, api: client.ApiClient) -> None:
    engine.create(config_map(namespace))

    live = client.CoreV1Api(api).read_namespaced_config_map("settings", namespace)
    (entry,) = live.metadata.managed_fields
    assert (entry.manager, entry.operation) == ("pulumi-kubernetes", "Update")


def test_existing_object_fails_the_create_with_the_four_hints(engine: Engine, namespace: str) -> None:
    engine.create(config_map(namespace))

    with pytest.raises(ProviderCallError) as failure:
        engine.create(config_map(namespace))

    first, *rest = str(failure.value).splitlines()
    urn = urn_of("v1", "ConfigMap")
    assert first == (
        f'resource "{urn}" was not successfully created by the Kubernetes API server: '
        'configmaps "settings" already exists'
    )
    assert rest[:2] == ["", "The resource already exists in the cluster. This can happen when:"]
    assert len(rest) == 6
    assert not failure.value.partial


def test_existing_object_is_taken_over_with_upsert(
    unconfigured: Engine, control_plane: Any, namespace: str, api: client.ApiClient
) -> None:
    unconfigured.configure(kubeconfig=control_plane.kubeconfig.read_text(), upsertExistingObjects="true")
    client.CoreV1Api(api).create_namespaced_config_map(
        namespace, {"metadata": {"name": "settings"}, "data": {"b": "2"}}
    )

    made = unconfigured.create(config_map(namespace))

    assert made.state["data"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize("case", ["unknown value", "missing namespace", "already exists", "unknown kind", "forbidden"])
def test_preview_echoes_the_inputs_where_the_official_one_swallows(engine: Engine, namespace: str, case: str) -> None:
    obj = config_map(namespace)
    if case == "unknown value":
        obj["data"]["a"] = UNKNOWN
    elif case == "missing namespace":
        obj["metadata"]["namespace"] = "does-not-exist"
    elif case == "already exists":
        engine.create(obj)
    elif case == "unknown kind":
        obj = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x", "namespace": namespace}}
    elif case == "forbidden":
        engine.create(
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": "none", "namespace": namespace},
                "spec": {"hard": {"configmaps": "0"}},
            }
        )

    made = engine.create(obj, preview=True)

    assert made.identifier == ""
    assert made.state == made.inputs
    assert engine.diagnostics() == []


def test_preview_shows_server_defaults_without_status(engine: Engine, namespace: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}},
    }

    made = engine.create(service, preview=True)

    assert made.identifier == ""
    assert made.state["spec"]["type"] == "ClusterIP"
    assert "status" not in made.state
    assert made.state["__inputs"]["spec"] == service["spec"]


@pytest.mark.parametrize("preview", [True, False])
def test_invalid_object_fails_preview_and_create_with_the_servers_words(
    engine: Engine, namespace: str, preview: bool
) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"ports": [{"port": 0}]},
    }

    with pytest.raises(ProviderCallError) as failure:
        engine.create(service, preview=preview)

    assert str(failure.value).startswith(
        f'resource "{urn_of("v1", "Service")}" was not successfully created by the Kubernetes API server: '
        'Service "web" is invalid: [spec.ports[0].port: Invalid value: 0'
    )


def test_wrong_type_reaches_the_server(engine: Engine, namespace: str) -> None:
    obj = config_map(namespace)
    obj["data"] = {"a": 1}

    with pytest.raises(ProviderCallError, match=r"ConfigMap in version \"v1\" cannot be handled as a ConfigMap"):
        engine.create(obj)


def test_create_waits_for_its_namespace_with_retries(engine: Engine, api: client.ApiClient, until: Any) -> None:
    namespace = f"late-{secrets.token_hex(4)}"
    core = client.CoreV1Api(api)

    def make_namespace() -> None:
        until(lambda: any("Retry #0" in text for text in engine.statuses()))
        core.create_namespace({"metadata": {"name": namespace}})

    helper = threading.Thread(target=make_namespace)
    helper.start()
    try:
        made = engine.create(config_map(namespace))
    finally:
        helper.join()
        core.delete_namespace(namespace)

    assert made.identifier == f"{namespace}/settings"
    assert f'Retry #0; creation failed: namespaces "{namespace}" not found' in engine.statuses()


def test_unnamed_object_gets_the_logical_name_and_eight_digits(engine: Engine, namespace: str) -> None:
    obj = config_map(namespace)
    del obj["metadata"]["name"]

    made = engine.create(obj, urn=urn_of("v1", "ConfigMap", "settings"))

    name = made.state["metadata"]["name"]
    assert name.startswith("settings-")
    assert len(name) == len("settings-") + 8
    assert made.inputs["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert engine.check(made.urn, obj, made.inputs)["metadata"]["name"] == name


def test_secret_values_are_secret_in_state_wherever_they_appear(engine: Engine, namespace: str) -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token", "namespace": namespace},
        "stringData": {"key": "value"},
    }

    made = engine.create(obj)

    assert made.inputs["data"] == Secret({"key": "dmFsdWU="})
    assert "stringData" not in made.inputs
    assert made.state["data"] == Secret({"key": "dmFsdWU="})
    assert made.state["__inputs"]["data"] == Secret({"key": "dmFsdWU="})


def test_unreachable_cluster_lets_previews_pass_and_fails_the_create(unconfigured: Engine) -> None:
    kubeconfig = """
    clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
    contexts: [{name: c, context: {cluster: c}}]
    current-context: c
    """
    unconfigured.configure(kubeconfig=kubeconfig)
    obj = config_map("default")

    assert unconfigured.create(obj, preview=True).state == obj
    with pytest.raises(ProviderCallError) as failure:
        unconfigured.create(obj)

    assert str(failure.value) == (
        "configured Kubernetes cluster is unreachable: unable to load schema information from the API server: "
        'Get "http://127.0.0.1:9/version": dial tcp 127.0.0.1:9: connect: connection refused'
    )


def test_custom_resource_keeps_unknown_fields_in_inputs_and_is_pruned_by_the_server(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    group = f"{namespace}.example.com"
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
                        }
                    },
                }
            ],
        },
    }
    engine.create(definition)
    try:
        made = engine.create(
            {
                "apiVersion": f"{group}/v1",
                "kind": "Thing",
                "metadata": {"name": "x", "namespace": namespace},
                "spec": {"size": 1, "colour": "red"},
            }
        )
    finally:
        client.ApiextensionsV1Api(api).delete_custom_resource_definition(f"things.{group}")

    assert made.state["spec"] == {"size": 1}
    assert made.state["__inputs"]["spec"] == {"size": 1, "colour": "red"}
