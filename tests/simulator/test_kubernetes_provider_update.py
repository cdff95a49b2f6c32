from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from kubernetes import client
from provider_harness import Engine, ProviderCallError

pytest_plugins = ["provider_fixtures"]


def config_map(namespace: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": namespace},
        "data": data,
    }


def unready_deployment(namespace: str, replicas: int = 1, image: str = "example.com/app:1") -> dict[str, Any]:
    """A Deployment that is not awaited and whose pod no node takes."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "app",
            "namespace": namespace,
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "app"}},
            "template": {
                "metadata": {"labels": {"app": "app"}},
                "spec": {
                    "nodeSelector": {"for": "nobody"},
                    "containers": [{"name": "app", "image": image}],
                },
            },
        },
    }


def apply_scale(api: client.ApiClient, namespace: str, replicas: int) -> None:
    body = {"spec": {"replicas": replicas}}
    client.AppsV1Api(api).patch_namespaced_deployment_scale(
        "app", namespace, body, field_manager="kube-controller-manager"
    )


def managers(live: Any) -> set[tuple[str, str]]:
    return {(entry.manager, entry.operation) for entry in live.metadata.managed_fields if not entry.subresource}


def test_first_update_takes_over_the_client_side_manager(engine: Engine, namespace: str, api: client.ApiClient) -> None:
    made = engine.create(config_map(namespace, a="1", b="2"))

    changed = engine.update(made, config_map(namespace, a="3"))

    live = client.CoreV1Api(api).read_namespaced_config_map("settings", namespace)
    assert live.data == {"a": "3"}
    assert managers(live) == {(made.state["__fieldManager"], "Apply")}
    assert changed.state["data"] == {"a": "3"}
    assert changed.state["__fieldManager"] == made.state["__fieldManager"]
    assert changed.state["__inputs"] == config_map(namespace, a="3")


def test_preview_of_an_update_changes_nothing(engine: Engine, namespace: str, api: client.ApiClient) -> None:
    made = engine.create(config_map(namespace, a="1"))

    shown = engine.update(made, config_map(namespace, a="2"), preview=True)

    assert shown.state["data"] == {"a": "2"}
    live = client.CoreV1Api(api).read_namespaced_config_map("settings", namespace)
    assert live.data == {"a": "1"}
    assert managers(live) == {("pulumi-kubernetes", "Update")}


def test_scaling_by_a_controller_leaves_the_preview_green_and_the_update_red(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    made = engine.create(unready_deployment(namespace))
    apply_scale(api, namespace, 3)
    wanted = unready_deployment(namespace, image="example.com/app:2")

    engine.update(made, wanted, preview=True)
    with pytest.raises(ProviderCallError) as failure:
        engine.update(made, wanted)

    message, cause = str(failure.value).splitlines()[0], str(failure.value).splitlines()[1]
    assert message.startswith("server-side apply field conflict detected, see https://www.pulumi.com/")
    assert cause == (
        f'The resource managed by field manager "{made.state["__fieldManager"]}" had an apply conflict: '
        'Apply failed with 1 conflict: conflict with "kube-controller-manager" with subresource "scale" using '
        "apps/v1: .spec.replicas"
    )
    assert failure.value.partial
    assert failure.value.reasons[0].startswith(
        f'the Kubernetes API server reported that "{namespace}/app" failed to fully initialize or become live: '
        "server-side apply field conflict detected"
    )
    assert failure.value.properties["spec"]["replicas"] == 3
    assert failure.value.properties["__inputs"]["spec"]["replicas"] == 1


def test_ignored_field_that_a_controller_owns_is_left_to_it(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    made = engine.create(unready_deployment(namespace))
    apply_scale(api, namespace, 3)
    wanted = unready_deployment(namespace, image="example.com/app:2")

    changed = engine.update(made, wanted, ignore_changes=["spec.replicas"])

    assert changed.state["spec"]["replicas"] == 3
    assert changed.state["spec"]["template"]["spec"]["containers"][0]["image"] == "example.com/app:2"


def test_force_annotation_wins_the_conflict(engine: Engine, namespace: str, api: client.ApiClient) -> None:
    made = engine.create(unready_deployment(namespace))
    apply_scale(api, namespace, 3)
    wanted = unready_deployment(namespace, replicas=2)
    wanted["metadata"]["annotations"]["pulumi.com/patchForce"] = "true"

    assert engine.update(made, wanted).state["spec"]["replicas"] == 2


def test_object_deleted_by_someone_else_fails_the_update(engine: Engine, namespace: str, api: client.ApiClient) -> None:
    made = engine.create(config_map(namespace, a="1"))
    client.CoreV1Api(api).delete_namespaced_config_map("settings", namespace)

    with pytest.raises(ProviderCallError) as failure:
        engine.update(made, config_map(namespace, a="2"))

    assert str(failure.value) == (
        f'update of resource "{made.urn}" failed: configmaps "settings" not found\n'
        'unable to get cluster state: configmaps "settings" not found'
    )
    assert not failure.value.partial


def test_invalid_update_is_a_partial_failure_with_the_live_object(engine: Engine, namespace: str) -> None:
    made = engine.create(unready_deployment(namespace))
    wanted = deepcopy(unready_deployment(namespace))
    wanted["spec"]["template"]["metadata"]["labels"] = {"app": "other"}

    with pytest.raises(ProviderCallError, match="selector") as failure:
        engine.update(made, wanted)

    assert failure.value.partial
    assert failure.value.identifier == f"{namespace}/app"
    assert failure.value.properties["spec"]["template"]["metadata"]["labels"] == {"app": "app"}


def test_new_field_manager_annotation_relinquishes_the_old_one(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    made = engine.create(config_map(namespace, a="1"))
    wanted = config_map(namespace, a="1")
    wanted["metadata"]["annotations"] = {"pulumi.com/patchFieldManager": "mine"}

    changed = engine.update(made, wanted)

    live = client.CoreV1Api(api).read_namespaced_config_map("settings", namespace)
    assert changed.state["__fieldManager"] == "mine"
    assert managers(live) == {("mine", "Apply")}


def test_patch_type_changes_one_field_and_gives_it_back(engine: Engine, namespace: str, api: client.ApiClient) -> None:
    core = client.CoreV1Api(api)
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "settings"}, "data": {"a": "1"}})
    urn = "urn:pulumi:stack::project::kubernetes:core/v1:ConfigMapPatch::x"

    made = engine.create(config_map(namespace, b="2"), urn=urn)
    assert core.read_namespaced_config_map("settings", namespace).data == {"a": "1", "b": "2"}
    engine.delete(made)

    assert core.read_namespaced_config_map("settings", namespace).data == {"a": "1"}
