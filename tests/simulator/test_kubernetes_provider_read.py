from __future__ import annotations

from typing import Any

import pytest
from kubernetes import client
from provider_harness import Engine, ProviderCallError, Resource, urn_of

pytest_plugins = ["provider_fixtures"]


def service(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "web",
            "namespace": namespace,
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}},
    }


def test_refresh_shows_drift_of_given_fields_and_hides_what_others_added(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    made = engine.create(service(namespace))
    client.CoreV1Api(api).patch_namespaced_service(
        "web",
        namespace,
        {
            "metadata": {"labels": {"added": "by-hand"}},
            "spec": {"ports": [{"name": "a", "port": 81}, {"name": "b", "port": 80}]},
        },
    )

    seen = engine.read(made)

    assert seen.inputs["spec"]["ports"] == [{"port": 81}]
    assert "labels" not in seen.inputs["metadata"]
    assert seen.state["__inputs"] == seen.inputs
    assert engine.diff(made, made.inputs).changes == engine.diff(made, made.inputs).DIFF_NONE
    assert list(engine.diff(seen, made.inputs).detailedDiff) == ["spec.ports[0].port"]


def test_refresh_of_a_deleted_object_answers_no_identifier(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    made = engine.create(service(namespace))
    client.CoreV1Api(api).delete_namespaced_service("web", namespace)

    assert engine.read(made).identifier == ""


def test_refresh_after_no_change_gives_the_same_inputs(engine: Engine, namespace: str) -> None:
    made = engine.create(service(namespace))

    assert engine.read(made).inputs == made.inputs


def test_import_takes_inputs_from_the_live_object_without_server_metadata(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    client.CoreV1Api(api).create_namespaced_config_map(
        namespace, {"metadata": {"name": "settings"}, "data": {"a": "1"}}
    )

    seen = engine.read(Resource(urn_of("v1", "ConfigMap"), f"{namespace}/settings", {}, {}))

    assert seen.identifier == f"{namespace}/settings"
    assert seen.inputs == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": namespace},
        "data": {"a": "1"},
    }
    assert seen.state["metadata"]["uid"]


def test_refresh_of_an_unready_workload_is_a_partial_failure(engine: Engine, namespace: str) -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "app", "namespace": namespace, "annotations": {"pulumi.com/skipAwait": "true"}},
        "spec": {
            "selector": {"matchLabels": {"app": "app"}},
            "template": {
                "metadata": {"labels": {"app": "app"}},
                "spec": {
                    "nodeSelector": {"for": "nobody"},
                    "containers": [{"name": "app", "image": "example.com/app:1"}],
                },
            },
        },
    }
    made = engine.create(deployment)
    assert engine.read(made).identifier
    del made.inputs["metadata"]["annotations"]

    with pytest.raises(ProviderCallError) as failure:
        engine.read(made)

    assert failure.value.reasons[0] == "Resource 'app' was created but failed to initialize"
    assert "Minimum number of live Pods was not attained" in failure.value.reasons
    assert failure.value.inputs["spec"] == made.inputs["spec"]
