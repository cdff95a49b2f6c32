"""Every rendered object, judged by the official schema and by a real API server."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from infra.pipeline import Endpoint, build
from infra.stack_folder import StackFolder
from tests.conftest import ROOT

FOLDERS = [StackFolder(ROOT / "stacks"), StackFolder(ROOT / "tests" / "examples" / "valid")]
ENDPOINTS = {
    name: one for folder in FOLDERS for name in folder.names() if isinstance(one := build(name, folder), Endpoint)
}
PATHS = {
    "Namespace": "/api/v1/namespaces",
    "PriorityClass": "/apis/scheduling.k8s.io/v1/priorityclasses",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Service": "/api/v1/namespaces/{}/services",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
}
# Kinds that an API server has only with definitions of its own: those of gateways, of KEDA and of Prometheus.
DEFINED = {
    "GCPBackendPolicy",
    "Gateway",
    "HTTPRoute",
    "HealthCheckPolicy",
    "InferencePool",
    "InterceptorRoute",
    "PodMonitor",
    "PodMonitoring",
    "PrometheusRule",
    "Rules",
    "ScaledObject",
}
OBJECTS = [
    pytest.param(one, id=f"{name}-{one['kind']}")
    for name, endpoint in ENDPOINTS.items()
    for one in endpoint.objects()
    if one["kind"] not in DEFINED
]


def post(api: client.ApiClient, path: str, body: dict[str, Any]) -> tuple[int, str, str]:
    """Create with strict field validation, dry run; status, warning header, body."""
    try:
        answer = api.call_api(
            path,
            "POST",
            query_params=[("dryRun", "All"), ("fieldValidation", "Strict")],
            header_params={"Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
        )
    except client.ApiException as error:
        return error.status, "", str(error.body)
    return answer.status, answer.headers.get("Warning", ""), answer.data.decode()


@pytest.fixture(scope="module")
def restricted(api: client.ApiClient) -> Iterator[str]:
    """A namespace that enforces Pod Security `restricted`, as our own does."""
    name = "rendered-objects"
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": name, "labels": labels}})
    yield name
    core.delete_namespace(name)


def placed(manifest: dict[str, Any], namespace: str) -> dict[str, Any]:
    moved = copy.deepcopy(manifest)
    if "namespace" in moved["metadata"]:
        moved["metadata"]["namespace"] = namespace
    return moved


@pytest.mark.parametrize("manifest", OBJECTS)
def test_every_object_follows_the_official_schema(manifest: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import kubernetes_validate
    kubernetes_validate.validate(json.loads(json.dumps(manifest)), "1.36", strict=True)


def test_the_schema_check_can_fail() -> None:
    import kubernetes_validate

    bad = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}, "specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(bad, "1.36", strict=True)


@pytest.mark.parametrize("manifest", OBJECTS)
def test_every_object_passes_a_strict_server_side_dry_run(
    manifest: dict[str, Any], api: client.ApiClient, restricted: str
) -> None:
    status, warning, body = post(api, PATHS[manifest["kind"]].format(restricted), placed(manifest, restricted))
    assert (status, warning) == (201, ""), body


@pytest.mark.parametrize("name", ENDPOINTS)
def test_pods_of_every_endpoint_are_admitted_where_pod_security_is_restricted(
    name: str, api: client.ApiClient, restricted: str
) -> None:
    for deployment in (one for one in ENDPOINTS[name].objects() if one["kind"] == "Deployment"):
        spec = copy.deepcopy(deployment["spec"]["template"]["spec"])
        spec.pop("serviceAccountName")
        spec.pop("priorityClassName", None)
        for constraint in spec.get("topologySpreadConstraints", []):
            constraint.pop("matchLabelKeys")
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
        status, warning, body = post(api, f"/api/v1/namespaces/{restricted}/pods", pod)
        assert (status, warning) == (201, ""), body


def test_a_pod_with_rights_is_refused_there(api: client.ApiClient, restricted: str) -> None:
    spec = {"containers": [{"name": "c", "image": "i", "securityContext": {"privileged": True}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
    status, _, body = post(api, f"/api/v1/namespaces/{restricted}/pods", pod)
    assert status == 403
    assert "violates PodSecurity" in body
