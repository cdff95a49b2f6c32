"""The rendered tree before a real API server, by the account with which Flux applies it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import dry_run
import pytest
import yaml
from kubernetes import client

from infra.pipeline import build
from infra.rendered_tree import stack_files
from infra.stack_folder import StackFolder
from tests.conftest import ROOT

ACCOUNT = "system:serviceaccount:flux-system:servestack-applies"
STACK = "gemma4-e4b-l4-lab"


@pytest.fixture(scope="module")
def flux(api: client.ApiClient) -> Iterator[client.ApiClient]:
    """The server as that account sees it, with the rights of `examples/flux/rbac.yaml` and no others."""
    found = yaml.safe_load_all((ROOT / "examples" / "flux" / "rbac.yaml").read_text(encoding="utf-8"))
    rights = {one["kind"]: one for one in found}
    server, core = client.RbacAuthorizationV1Api(api), client.CoreV1Api(api)
    server.create_cluster_role(rights["ClusterRole"])
    server.create_cluster_role_binding(rights["ClusterRoleBinding"])
    core.create_namespace({"metadata": {"name": STACK}})
    impersonating = client.ApiClient(copy.copy(api.configuration))
    impersonating.set_default_header("Impersonate-User", ACCOUNT)
    impersonating.set_default_header("Impersonate-Group", "system:serviceaccounts")
    yield impersonating
    core.delete_namespace(STACK)
    server.delete_cluster_role_binding("servestack-applies")
    server.delete_cluster_role("servestack-applies")


def files() -> dict[str, dict[str, Any]]:
    made = stack_files(build(STACK, StackFolder(ROOT / "stacks")))
    return {name: yaml.safe_load(text) for name, text in made.items() if name.endswith(".yaml")}


@pytest.mark.parametrize("file", files())
def test_a_file_of_the_tree_is_accepted_from_the_account_of_flux(file: str, flux: client.ApiClient) -> None:
    obj = files()[file]
    if obj["kind"] == "Namespace":
        obj["metadata"]["name"] += "-new"  # the fixture made the other
    answer = dry_run.create(flux, obj, STACK)
    assert (answer.status, answer.warning) == (201, ""), answer.body


@pytest.mark.parametrize(("kind", "version"), [("Secret", "v1"), ("Role", "rbac.authorization.k8s.io/v1")])
def test_a_secret_or_a_role_is_refused_from_that_account(kind: str, version: str, flux: client.ApiClient) -> None:
    assert dry_run.create(flux, {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}, STACK).status == 403


def test_that_account_reads_no_secret(flux: client.ApiClient) -> None:
    assert dry_run.send(flux, "GET", f"/api/v1/namespaces/{STACK}/secrets").status == 403
