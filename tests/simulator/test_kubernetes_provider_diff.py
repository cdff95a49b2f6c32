from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from simulator.kubernetes_provider.configuration import Configuration
from simulator.kubernetes_provider.diff import Difference, diff
from simulator.kubernetes_provider.engine_log import EngineLog
from simulator.kubernetes_provider.errors import ProviderError
from simulator.kubernetes_provider.kinds import Urn
from simulator.kubernetes_provider.properties import UNKNOWN
from simulator.kubernetes_provider.session import Session
from simulator.kubernetes_provider.state import Checkpoint

OFFLINE = Configuration(cluster=None, unreachable="offline", namespace="default")


def run(
    old_inputs: dict[str, Any],
    new: dict[str, Any],
    *,
    live: dict[str, Any] | None = None,
    urn: str = "",
    ignored: list[str] | None = None,
    configuration: Configuration = OFFLINE,
) -> Difference:
    """Diffs without any cluster, as the official provider can."""
    kind, version = old_inputs["kind"], old_inputs["apiVersion"]
    urn = urn or f"urn:pulumi:s::p::kubernetes:{version if '/' in version else 'core/' + version}:{kind}::x"
    old = Checkpoint(old_inputs, live or deepcopy(old_inputs), version, "manager")
    return diff(Session(EngineLog(""), configuration), Urn(urn), old, deepcopy(new), ignored or [])


def deployment(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "app", "namespace": "llm"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "app"}},
            "template": {
                "metadata": {"labels": {"app": "app"}},
                "spec": {"containers": [{"name": "app", "image": "a:1", "env": [{"name": "A", "value": "1"}]}]},
            },
            **spec,
        },
    }


def set_at(obj: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one value set, or removed where it is None; path parts are split by dots."""
    result = deepcopy(obj)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    at: Any = result
    for part in parents:
        at = at[part] if isinstance(part, int) else at.setdefault(part, {})
    if value is None:
        del at[last]
    else:
        at[last] = value
    return result


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("spec.replicas", 2, {"spec.replicas": ("update", False)}),
        ("spec.replicas", 1.0, {}),
        ("spec.replicas", None, {"spec.replicas": ("delete", False)}),
        ("spec.paused", True, {"spec.paused": ("add", False)}),
        (
            "spec.template.spec.containers.0.image",
            "a:2",
            {"spec.template.spec.containers[0].image": ("update", False)},
        ),
        (
            "spec.template.spec.containers.0.env",
            [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            {"spec.template.spec.containers[0].env[1]": ("add", False)},
        ),
        (
            "spec.template.spec.containers.0.env",
            [],
            {"spec.template.spec.containers[0].env[0]": ("delete", False)},
        ),
        (
            "spec.template.spec.containers.0.env.0.value",
            None,
            {"spec.template.spec.containers[0].env[0].value": ("delete", False)},
        ),
        (
            "metadata.annotations",
            {"example.com/a.b": "1"},
            {"metadata.annotations": ("add", False)},
        ),
        ("spec.selector.matchLabels.app", "b", {"spec.selector.matchLabels.app": ("update", True)}),
        ("metadata.name", "other", {"metadata.name": ("update", True)}),
        ("metadata.namespace", "other", {"metadata.namespace": ("update", True)}),
        ("spec.replicas", UNKNOWN, {"spec.replicas": ("update", False)}),
        ("metadata", UNKNOWN, {"metadata": ("update", False)}),
        ("spec", UNKNOWN, {"spec": ("update", False)}),
    ],
)
def test_every_changed_leaf_has_its_path_and_kind(path: str, value: Any, expected: dict[str, tuple[str, bool]]) -> None:
    found = run(deployment(), set_at(deployment(), path, value))

    assert {key: tuple(change) for key, change in found.changes.items()} == expected
    assert found.changed == bool(expected)


def test_keys_with_dots_are_quoted_in_paths() -> None:
    old = set_at(deployment(), "metadata.annotations", {"example.com/a": "1"})
    new = set_at(deployment(), "metadata.annotations", {"example.com/a": "2"})

    assert list(run(old, new).changes) == ['metadata.annotations["example.com/a"]']


def test_fields_that_only_the_server_set_are_no_difference() -> None:
    live = set_at(deployment(), "spec.revisionHistoryLimit", 10)
    live["metadata"].update(uid="u", resourceVersion="7")

    assert not run(deployment(), deployment(), live=live).changed


def test_drift_in_the_state_is_undone() -> None:
    live = set_at(deployment(), "spec.replicas", 5)

    assert list(run(deployment(), deployment(), live=live).changes) == ["spec.replicas"]


@pytest.mark.parametrize(
    ("new", "delete_first"),
    [
        (set_at(deployment(), "spec.selector.matchLabels.app", "b"), True),
        (set_at(deployment(), "metadata.name", "other"), False),
        (set_at(deployment(), "metadata.namespace", "other"), False),
        (
            set_at(
                set_at(deployment(), "spec.selector.matchLabels.app", "b"),
                "metadata.annotations",
                {"pulumi.com/autonamed": "true"},
            ),
            False,
        ),
    ],
)
def test_the_old_object_goes_first_only_where_the_new_one_takes_its_name(
    new: dict[str, Any], delete_first: bool
) -> None:
    found = run(deployment(), new)

    assert found.replaces
    assert found.delete_before_replace is delete_first


def test_missing_namespace_means_default_on_both_sides() -> None:
    old = set_at(deployment(), "metadata.namespace", "default")

    assert not run(old, set_at(deployment(), "metadata.namespace", None)).changed


def test_cluster_scoped_objects_have_no_namespace() -> None:
    old = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "llm"}}

    assert not run(old, set_at(old, "metadata.namespace", "default")).changed


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        (["spec.replicas"], ["spec.template.spec.containers[0].image"]),
        (["spec.template.spec.containers[0]"], ["spec.replicas"]),
        (["spec.template.spec.containers[*].image"], ["spec.replicas"]),
        (["spec"], []),
    ],
)
def test_ignored_paths_leave_the_difference(ignored: list[str], left: list[str]) -> None:
    new = set_at(deployment(), "spec.replicas", 3)
    new = set_at(new, "spec.template.spec.containers.0.image", "a:2")

    assert list(run(deployment(), new, ignored=ignored).changes) == left


def test_broken_ignore_path_is_refused() -> None:
    with pytest.raises(ProviderError, match="failed to parse ignore path"):
        run(deployment(), set_at(deployment(), "spec.replicas", 3), ignored=["spec["])


def obj(api_version: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "llm"}, **fields}


REPLACING = [
    (obj("v1", "ConfigMap", data={"a": "1"}), "data.a", "2"),
    (obj("v1", "ConfigMap", data={"a": "1"}), "data.b", "2"),
    (obj("v1", "ConfigMap", data={"a": "1"}), "data", None),
    (obj("v1", "Secret", data={"a": "1"}), "data.a", "2"),
    (obj("v1", "Secret", type="Opaque"), "type", "other"),
    (obj("v1", "Service", spec={"clusterIP": "10.0.0.1"}), "spec.clusterIP", "10.0.0.2"),
    (obj("v1", "ResourceQuota", spec={"scopes": ["BestEffort"]}), "spec.scopes.0", "NotBestEffort"),
    (obj("v1", "PersistentVolumeClaim", spec={"storageClassName": "a"}), "spec.storageClassName", "b"),
    (obj("v1", "PersistentVolume", spec={"csi": {"driver": "a"}}), "spec.csi.driver", "b"),
    (obj("v1", "Pod", spec={"containers": [{"image": "a"}]}), "spec.containers.0.image", "b"),
    (obj("v1", "Pod", spec={"initContainers": [{"env": [{"name": "A"}]}]}), "spec.initContainers.0.env.0.name", "B"),
    (obj("v1", "Pod", spec={"nodeSelector": {"a": "1"}}), "spec.nodeSelector.a", "2"),
    (obj("apps/v1", "DaemonSet", spec={"selector": {"a": "1"}}), "spec.selector.a", "2"),
    (obj("apps/v1", "StatefulSet", spec={"serviceName": "a"}), "spec.serviceName", "b"),
    (obj("apps/v1", "StatefulSet", spec={"volumeClaimTemplates": [{"a": 1}]}), "spec.volumeClaimTemplates.0.a", 2),
    (obj("batch/v1", "Job", spec={"template": {"a": 1}}), "spec.template.a", 2),
    (obj("batch/v1", "Job", spec={"parallelism": 1}), "spec.parallelism", 2),
    (obj("rbac.authorization.k8s.io/v1", "RoleBinding", roleRef={"name": "a"}), "roleRef.name", "b"),
    (obj("storage.k8s.io/v1", "StorageClass", provisioner="a"), "provisioner", "b"),
    (obj("policy/v1beta1", "PodDisruptionBudget", spec={"minAvailable": 1}), "spec.minAvailable", 2),
]


@pytest.mark.parametrize(("old", "path", "value"), REPLACING)
def test_immutable_fields_force_a_replacement(old: dict[str, Any], path: str, value: Any) -> None:
    assert run(old, set_at(old, path, value)).replaces


IN_PLACE = [
    (obj("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1}), "spec.minAvailable", 2),
    (
        obj("v1", "PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "1Gi"}}}),
        "spec.resources.requests.storage",
        "2Gi",
    ),
    (obj("v1", "Pod", spec={"tolerations": [{"key": "a"}]}), "spec.tolerations.0.key", "b"),
    (obj("v1", "Pod", spec={"containers": [{"startupProbe": {"a": 1}}]}), "spec.containers.0.startupProbe.a", 2),
    (obj("apps/v1", "Deployment", spec={"replicas": 1}), "spec.replicas", 2),
    (obj("scheduling.k8s.io/v1", "PriorityClass", value=1), "value", 2),
    (obj("example.com/v1", "Deployment", spec={"selector": "a"}), "spec.selector", "b"),
    (obj("v1", "Service", spec={"type": "ClusterIP"}), "spec.type", "NodePort"),
]


@pytest.mark.parametrize(("old", "path", "value"), IN_PLACE)
def test_everything_else_is_updated_in_place(old: dict[str, Any], path: str, value: Any) -> None:
    found = run(old, set_at(old, path, value))

    assert found.changed
    assert not found.replaces


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_mutable_flag_updates_data_in_place_unless_the_object_is_immutable(kind: str) -> None:
    mutable = Configuration(None, "offline", "default", config_map_mutable=True, secret_mutable=True)
    old = obj("v1", kind, data={"a": "1"})
    frozen = obj("v1", kind, data={"a": "1"}, immutable=True)

    assert not run(old, set_at(old, "data.a", "2"), configuration=mutable).replaces
    assert run(frozen, set_at(frozen, "data.a", "2"), configuration=mutable).replaces


def test_patch_type_is_replaced_only_when_its_target_changes() -> None:
    urn = "urn:pulumi:s::p::kubernetes:core/v1:ConfigMapPatch::x"
    old = obj("v1", "ConfigMap", data={"a": "1"})

    assert not run(old, set_at(old, "data.a", "2"), urn=urn).replaces
    assert run(old, set_at(old, "metadata.name", "y"), urn=urn).replaces
