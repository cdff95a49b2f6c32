"""Rarer rules of the official Kubernetes provider, in its own words."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import urllib3
from provider_harness import Engine, ProviderCallError, urn_of
from workloads import pod_template, workload

from simulator.control_plane import ControlPlane
from simulator.kubernetes_provider import create
from simulator.kubernetes_provider.annotation import timeout_seconds
from simulator.kubernetes_provider.properties import UNKNOWN

pytest_plugins = ["provider_fixtures"]

NOWHERE = """
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
contexts: [{name: c, context: {cluster: c}}]
current-context: c
"""


def config_map(namespace: str, **annotations: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "settings", "namespace": namespace}
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}


@pytest.mark.parametrize(
    ("custom", "annotated", "seconds"), [(7, "30", 7), (0, "30", 30), (0, "soon", 600), (0, None, 600)]
)
def test_timeout_is_the_custom_one_then_the_annotated_one_then_ten_minutes(
    custom: float, annotated: str | None, seconds: float
) -> None:
    annotations = {} if annotated is None else {"pulumi.com/timeoutSeconds": annotated}
    assert timeout_seconds(custom, config_map("x", **annotations)) == seconds


def test_overdue_rollout_and_unbound_claim_are_told_in_the_official_order(engine: Engine, namespace: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "weights", "namespace": namespace, "annotations": {"pulumi.com/skipAwait": "true"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    engine.create(claim)
    template = pod_template(namespace)
    template["spec"]["volumes"] = [{"name": "w", "persistentVolumeClaim": {"claimName": "weights"}}]
    obj = workload("Deployment", namespace, template, progressDeadlineSeconds=1)

    with pytest.raises(ProviderCallError) as failure:
        engine.create(obj, timeout=2.5)

    first, *rest = failure.value.reasons
    assert first.endswith("become live: 'app' timed out waiting to be Ready")
    assert sorted(rest[:2]) == [
        "[MinimumReplicasUnavailable] Deployment does not have minimum availability.",
        f'[ProgressDeadlineExceeded] ReplicaSet "{rest[1].split(chr(34))[1]}" has timed out progressing.',
    ]
    assert rest[2:] == [
        'Failed to bind PersistentVolumeClaim(s): "weights"',
        "Minimum number of live Pods was not attained",
    ]
    assert "PersistentVolumeClaim: [weights] is not ready. status.phase currently at: Pending" in engine.statuses()


def test_deployment_of_no_replicas_is_ready_with_a_warning(engine: Engine, namespace: str) -> None:
    engine.create(workload("Deployment", namespace, pod_template(namespace), replicas=0))
    assert 'Replicas scaled to 0 for Deployment "app"' in engine.statuses()


def test_kind_that_nobody_serves_is_retried_and_then_named(
    engine: Engine, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create, "_RETRY_SECONDS", (0.01,) * 6)
    metadata = {"name": "x", "namespace": namespace}
    with pytest.raises(ProviderCallError) as failure:
        engine.create({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": metadata})

    none = 'no matches for kind "Thing" in version "example.com/v1"'
    assert str(failure.value) == (
        f'creation of resource "{urn_of("example.com/v1", "Thing")}" with kind example.com/v1/Thing failed because the '
        "Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any required "
        f"CRDs have been created: {none}"
    )
    assert engine.statuses() == [f"Retry #{number}; creation failed: {none}" for number in range(6)]


def test_cluster_that_goes_away_after_configure_gives_the_raw_error_in_the_wrapped_message(
    engine: Engine, namespace: str, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = engine.create(config_map(namespace))

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]

    monkeypatch.setattr(urllib3.HTTPSConnectionPool, "request", refuse)
    url = f"{control_plane.server}/api/v1/namespaces/{namespace}/configmaps"
    refused = f"dial tcp {control_plane.endpoint}: connect: connection refused"
    with pytest.raises(ProviderCallError) as failure:
        engine.create(made.inputs, checked=True)
    assert str(failure.value).endswith(
        f'by the Kubernetes API server: Post "{url}?fieldManager=pulumi-kubernetes": {refused}'
    )
    with pytest.raises(ProviderCallError) as failure:
        engine.delete(made)
    assert str(failure.value) == f'Delete "{url}/settings": {refused}'


def test_unreachable_cluster_skips_updates_where_that_is_asked_for(unconfigured: Engine) -> None:
    unconfigured.configure(kubeconfig=NOWHERE, skipUpdateUnreachable="true")
    olds = config_map("default")
    urn = urn_of("v1", "ConfigMap")
    news = {**olds, "data": {"a": "2"}}
    assert unconfigured.check(urn, news, olds) == olds
    assert unconfigured.diagnostics() == [
        "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping..."
    ]


def test_helm_hooks_and_internal_annotations_are_warned_about(engine: Engine, namespace: str) -> None:
    annotations = {"helm.sh/hook": "pre-install", "pulumi.com/autonamed": "true"}
    engine.check(urn_of("v1", "ConfigMap"), config_map(namespace, **annotations))
    ignored, hooks = sorted(engine.diagnostics(), key=lambda text: "Helm" in text)
    assert ignored == 'ignoring user-specified value for internal annotation "pulumi.com/autonamed"'
    assert hooks.startswith("This resource contains Helm hooks that are not currently supported by Pulumi.")


def test_without_server_side_apply_objects_are_labelled_previewed_blindly_and_merged(
    unconfigured: Engine, control_plane: ControlPlane, namespace: str
) -> None:
    kubeconfig = control_plane.kubeconfig.read_text()
    unconfigured.configure(kubeconfig=kubeconfig, enableServerSideApply="false", enableConfigMapMutable="true")
    obj = config_map(namespace)
    assert unconfigured.create(obj, preview=True).state["metadata"].get("uid") is None
    made = unconfigured.create(obj)
    assert made.inputs["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "pulumi"}
    assert made.state["__fieldManager"] == "pulumi-kubernetes"
    wanted = deepcopy(obj)
    wanted["data"] = {"b": "2"}
    assert unconfigured.update(made, wanted).state["data"] == {"b": "2"}


def test_replace_unready_is_for_jobs_only(engine: Engine, namespace: str) -> None:
    made = engine.create(config_map(namespace, **{"pulumi.com/replaceUnready": "true"}))
    assert engine.diff(made, made.inputs).changes == engine.diff(made, made.inputs).DIFF_NONE
    assert "replaceUnready annotation is not supported for this resource" in engine.diagnostics()


def test_job_that_is_not_complete_is_replaced_where_that_is_asked_for(engine: Engine, namespace: str) -> None:
    template = pod_template(namespace)
    template["spec"]["restartPolicy"] = "Never"
    annotations = {"pulumi.com/replaceUnready": "true", "pulumi.com/skipAwait": "true"}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once", "namespace": namespace, "annotations": annotations},
        "spec": {"template": template},
    }
    made = engine.create(job)
    difference = engine.diff(made, made.inputs)
    assert difference.changes == difference.DIFF_SOME
    assert list(difference.replaces) == ['.metadata.annotations["pulumi.com/replaceUnready"]']
    assert difference.deleteBeforeReplace


@pytest.mark.parametrize("unknown", [("metadata",), ("data",), ("metadata", "name")])
def test_diff_takes_a_value_that_is_not_known_yet_at_any_level(
    engine: Engine, namespace: str, unknown: tuple[str, ...]
) -> None:
    made = engine.create(config_map(namespace))
    news = deepcopy(made.inputs)
    target: Any = news
    for key in unknown[:-1]:
        target = target[key]
    target[unknown[-1]] = UNKNOWN
    assert list(engine.diff(made, news).detailedDiff) == [".".join(unknown)]


def test_integral_numbers_reach_the_server_as_integers(engine: Engine, namespace: str) -> None:
    """On the wire every number is a double."""
    template = pod_template(namespace)
    template["spec"]["terminationGracePeriodSeconds"] = 1.0
    obj = workload("Deployment", namespace, template, replicas=0.0, minReadySeconds=2.0)
    made = engine.create(obj)
    assert made.state["spec"]["minReadySeconds"] == 2
    assert (
        engine.update(made, {**obj, "spec": {**obj["spec"], "minReadySeconds": 3.0}}).state["spec"]["minReadySeconds"]
        == 3
    )
