"""Examples for Argo CD, Flux and Pulumi's operator: of their definitions; they allow what the tree has, and no more."""

from __future__ import annotations

import fnmatch
import json
import re
import warnings
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.pipeline import build_all
from infra.rendered_tree import OTHER, tree
from infra.stack_folder import StackFolder
from tests.conftest import ROOT
from tests.crd_schema import CustomResourceError, is_custom, validate
from tests.gitops.conftest import EXAMPLES

STACK_SCHEMA = yaml.safe_load((ROOT / "tests" / "facts" / "pulumi-operator-stack.yaml").read_text(encoding="utf-8"))
FOLDER = StackFolder(ROOT / "stacks")


def objects(part: str) -> list[dict[str, Any]]:
    files = sorted((EXAMPLES / part).glob("*.yaml"))
    assert files, part
    return [one for file in files for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def by_kind(part: str, kind: str) -> dict[str, Any]:
    (found,) = [one for one in objects(part) if one["kind"] == kind]
    return found


ALL = [
    pytest.param(one, id=f"{part}-{one['kind']}-{one['metadata']['name']}")
    for part in ("argocd", "flux", "pulumi-operator")
    for one in objects(part)
]


def judge(obj: dict[str, Any]) -> None:
    if obj["apiVersion"] == "pulumi.com/v1":
        jsonschema.Draft202012Validator(STACK_SCHEMA).validate(obj["spec"])
    elif is_custom(obj):
        validate(obj)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import kubernetes_validate
        kubernetes_validate.validate(json.loads(json.dumps(obj)), "1.36", strict=True)


@pytest.mark.parametrize("obj", ALL)
def test_an_object_follows_its_definition(obj: dict[str, Any]) -> None:
    judge(obj)


@pytest.mark.parametrize("obj", [one for one in ALL if "spec" in one.values[0]])
def test_a_field_that_the_definition_lacks_is_found(obj: dict[str, Any]) -> None:
    with pytest.raises((CustomResourceError, jsonschema.ValidationError)):
        judge(obj | {"spec": obj["spec"] | {"prunes": True}})


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    return tree(build_all(FOLDER.names(), FOLDER))


def folder(files: dict[str, str], stack: str) -> list[dict[str, Any]]:
    """What Argo CD and Flux read of a folder: its YAML files."""
    return [yaml.safe_load(text) for file, text in files.items() if re.fullmatch(rf"{stack}/[^/]+\.ya?ml", file)]


def matched(files: dict[str, str]) -> list[str]:
    (generator,) = by_kind("argocd", "ApplicationSet")["spec"]["generators"]
    pattern = generator["git"]["directories"][0]["path"]
    return [one for one in FOLDER.names() if fnmatch.fnmatch(f"rendered/{one}", pattern)]


def test_what_the_tree_holds_beside_objects_is_passed_over(rendered: dict[str, str]) -> None:
    others = {Path(file).name for file in rendered if not file.endswith(".yaml")}
    assert others == {OTHER, ".servestack-tree"}
    assert not {Path(one).suffix for one in others} & {".yaml", ".yml", ".json", ".jsonnet"}


def test_argo_cd_gets_folders_alone_that_wait_for_nothing_of_pulumi(rendered: dict[str, str]) -> None:
    stacks = matched(rendered)
    assert stacks == ["gemma4-e4b-l4-lab"]
    assert not [one for one in stacks if f"{one}/{OTHER}" in rendered]


def test_the_project_allows_every_object_of_those_folders_and_no_secret_or_role(rendered: dict[str, str]) -> None:
    spec = by_kind("argocd", "AppProject")["spec"]
    whole = {(one["group"], one["kind"]) for one in spec["clusterResourceWhitelist"]}
    inside = {(one["group"], one["kind"]) for one in spec["namespaceResourceWhitelist"]}
    for stack in matched(rendered):
        for one in folder(rendered, stack):
            kind = (one["apiVersion"].rpartition("/")[0], one["kind"])
            namespace = one["metadata"].get("namespace")
            assert kind in (inside if namespace else whole), kind
            if namespace:
                assert any(fnmatch.fnmatch(namespace, place["namespace"]) for place in spec["destinations"])
    assert "*" not in {name for pair in whole | inside for name in pair}
    assert not {"Secret", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"} & {
        kind for _, kind in whole | inside
    }


def test_an_application_applies_the_folder_of_its_name_and_leaves_what_runs_when_it_goes() -> None:
    spec = by_kind("argocd", "ApplicationSet")["spec"]
    assert spec["syncPolicy"] == {"preserveResourcesOnDeletion": True}
    assert "finalizers" not in spec["template"]["metadata"]
    assert spec["template"]["spec"]["project"] == by_kind("argocd", "AppProject")["metadata"]["name"]
    source, (generator,) = spec["template"]["spec"]["source"], spec["generators"]
    assert source["repoURL"] == generator["git"]["repoURL"]
    assert source["repoURL"] in by_kind("argocd", "AppProject")["spec"]["sourceRepos"]


def test_flux_applies_a_folder_that_waits_for_nothing_as_an_account_that_may_do_just_that(
    rendered: dict[str, str],
) -> None:
    spec = by_kind("flux", "Kustomization")["spec"]
    stack = spec["path"].removeprefix("./rendered/")
    assert f"{stack}/{OTHER}" not in rendered
    rules = by_kind("flux", "ClusterRole")["rules"]
    written = {
        (group, kind)
        for rule in rules
        if "create" in rule["verbs"]
        for group in rule["apiGroups"]
        for kind in rule["resources"]
    }
    plurals = {"NetworkPolicy": "networkpolicies", "PriorityClass": "priorityclasses"}
    needed = {
        (one["apiVersion"].rpartition("/")[0], plurals.get(one["kind"], one["kind"].lower() + "s"))
        for one in folder(rendered, stack)
    }
    assert written == needed
    assert spec["serviceAccountName"] == by_kind("flux", "ServiceAccount")["metadata"]["name"]
    assert spec["deletionPolicy"] == "Orphan"


def test_operator_stacks_are_pinned_in_order_without_a_secret_and_destroy_nothing() -> None:
    stacks = {one["metadata"]["name"]: one["spec"] for one in objects("pulumi-operator") if one["kind"] == "Stack"}
    accounts = {one["metadata"]["name"] for one in objects("pulumi-operator") if one["kind"] == "ServiceAccount"}
    assert set(stacks) == {"dev", "gemma4-e4b-l4"} <= set(FOLDER.names())
    assert stacks["gemma4-e4b-l4"]["prerequisites"] == [{"name": "dev"}]
    for name, spec in stacks.items():
        assert spec["stack"] == f"organization/servestack/{name}"
        assert re.fullmatch(r"[0-9a-f]{40}", spec["commit"])
        assert spec["destroyOnFinalize"] is False
        assert spec["serviceAccountName"] in accounts
        assert spec["workspaceTemplate"]["spec"]["securityProfile"] == "restricted"
    assert "Secret" not in {one["kind"] for part in ("argocd", "flux", "pulumi-operator") for one in objects(part)}
