"""Every rendered object, judged by the official schema and by a real API server."""

from __future__ import annotations

import copy
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import dry_run
import pytest
from kubernetes import client

from infra.batch_job import BatchJob
from infra.judgement import subject
from infra.pipeline import Endpoint, ManagedEndpoint, build
from infra.stack_folder import StackFolder
from tests.conftest import ROOT
from tests.crd_schema import CustomResourceError, is_custom, validate

FOLDERS = [StackFolder(ROOT / "stacks"), StackFolder(ROOT / "tests" / "examples" / "valid")]
BUILT = {name: build(name, folder) for folder in FOLDERS for name in folder.names()}
# With pods in a cluster; a service of a machine has none, and an endpoint that Google runs only has callers.
ENDPOINTS = {
    name: one
    for name, one in BUILT.items()
    if isinstance(one, BatchJob) or (isinstance(one, Endpoint) and not one.on_a_machine)
}
MANAGED = {name: one for name, one in BUILT.items() if isinstance(one, ManagedEndpoint)}


def identifiers(objects: list[dict[str, Any]]) -> list[str]:
    """A test's name for each object: its kind, and its name too where the endpoint has several of that kind."""
    kinds = Counter(one["kind"] for one in objects)
    return [one["kind"] + (f"-{one['metadata']['name']}" if kinds[one["kind"]] > 1 else "") for one in objects]


OBJECTS = [
    pytest.param(one, id=f"{name}-{identifier}")
    for name, endpoint in (ENDPOINTS | MANAGED).items()
    for one, identifier in zip(endpoint.objects(), identifiers(endpoint.objects()), strict=True)
]


@pytest.fixture(scope="module")
def restricted(api: client.ApiClient, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace that enforces Pod Security `restricted`, as our own does; one per module."""
    name = request.module.__name__.rpartition(".")[2].replace("_", "-")
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": name, "labels": labels}})
    yield name
    core.delete_namespace(name)


def check(manifest: dict[str, Any]) -> None:
    """Judge an object of any kind by its official schema, offline."""
    if is_custom(manifest):
        validate(manifest)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import kubernetes_validate
    kubernetes_validate.validate(json.loads(json.dumps(manifest)), "1.36", strict=True)


@pytest.mark.parametrize("manifest", OBJECTS)
def test_every_object_follows_the_official_schema(manifest: dict[str, Any]) -> None:
    check(manifest)


def test_the_schema_check_can_fail() -> None:
    import kubernetes_validate

    bad = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}, "specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        check(bad)
    with pytest.raises(CustomResourceError):
        check({**bad, "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway"})


def test_two_objects_of_one_kind_have_different_names_in_reports() -> None:
    both = [{"kind": "Service", "metadata": {"name": name}} for name in ("a", "b")]
    assert identifiers([*both, {"kind": "Secret", "metadata": {"name": "c"}}]) == ["Service-a", "Service-b", "Secret"]


@pytest.mark.parametrize("manifest", OBJECTS)
def test_every_object_passes_a_strict_server_side_dry_run(
    manifest: dict[str, Any], api: client.ApiClient, restricted: str
) -> None:
    status, warning, body = dry_run.create(api, manifest, restricted)
    assert (status, warning) == (201, ""), body


@pytest.mark.parametrize("name", ENDPOINTS)
def test_pods_of_every_endpoint_are_admitted_where_pod_security_is_restricted(
    name: str, api: client.ApiClient, restricted: str
) -> None:
    pods = subject(ENDPOINTS[name]).pods
    assert pods
    for one in pods:
        spec = copy.deepcopy(one.spec)
        spec.pop("serviceAccountName")
        spec.pop("priorityClassName", None)
        for constraint in spec.get("topologySpreadConstraints", []):
            constraint.pop("matchLabelKeys")
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
        status, warning, body = dry_run.create(api, pod, restricted)
        assert (status, warning) == (201, ""), body


def test_a_pod_with_rights_is_refused_there(api: client.ApiClient, restricted: str) -> None:
    spec = {"containers": [{"name": "c", "image": "i", "securityContext": {"privileged": True}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
    status, _, body = dry_run.create(api, pod, restricted)
    assert status == 403
    assert "violates PodSecurity" in body
