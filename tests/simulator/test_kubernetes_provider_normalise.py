from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_harness import Engine, urn_of

from simulator.kubernetes_provider.properties import UNKNOWN, Secret
from simulator.kubernetes_provider.quantity import canonical

pytest_plugins = ["provider_fixtures"]


@pytest.mark.parametrize(
    ("given_text", "written"),
    [
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000Gi", "1000Gi"),
        ("0.5Ki", "512"),
        ("0", "0"),
        (1, "1"),
        ("0.5", "500m"),
        (0.1, "100m"),
        ("1000m", "1"),
        ("2000M", "2G"),
        ("1500M", "1500M"),
        ("100e3", "100e3"),
        ("12e6", "12e6"),
        ("0.0000000001", "1n"),
        ("-1024Mi", "-1Gi"),
        ("+5", "5"),
        ("many", None),
        ("1 Gi", None),
        ("", None),
    ],
)
def test_quantities_are_written_as_kubernetes_writes_them(given_text: Any, written: str | None) -> None:
    assert canonical(given_text) == written


@given(st.integers(-(10**12), 10**12), st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3"]))
def test_canonical_quantities_stay_as_they_are(number: int, suffix: str) -> None:
    once = canonical(f"{number}{suffix}")

    assert once is not None
    assert canonical(once) == once


def pod_spec(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "i"}], **spec},
    }


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("hostNetwork", False, False),
        ("hostNetwork", True, True),
        ("shareProcessNamespace", False, True),
        ("automountServiceAccountToken", False, True),
        ("terminationGracePeriodSeconds", 0, True),
        ("runtimeClassName", "", True),
        ("serviceAccountName", "", False),
        ("nodeSelector", {}, False),
        ("tolerations", [], False),
        ("securityContext", {}, True),
        ("affinity", {}, True),
        ("terminationGracePeriodSecond", 30, False),
    ],
)
def test_zero_values_survive_exactly_where_the_go_type_has_a_pointer(
    engine: Engine, field: str, value: Any, kept: bool
) -> None:
    checked = engine.check(urn_of("v1", "Pod"), pod_spec(**{field: value}))

    assert (field in checked["spec"]) is kept
    assert not kept or checked["spec"][field] == value


def test_unknown_fields_vanish_at_every_depth_and_order_is_kept(engine: Engine) -> None:
    obj = pod_spec(volumes=[{"name": "v", "emptyDir": {}, "emptyDirr": {}}])
    obj["spec"]["containers"][0]["imagePullPolcy"] = "Always"
    obj["extra"] = 1

    assert engine.check(urn_of("v1", "Pod"), obj) == pod_spec(volumes=[{"name": "v", "emptyDir": {}}])


def test_quantities_of_a_pod_become_canonical_text(engine: Engine) -> None:
    obj = pod_spec()
    obj["spec"]["containers"][0]["resources"] = {"requests": {"cpu": 1, "memory": "1024Mi"}}

    checked = engine.check(urn_of("v1", "Pod"), obj)

    assert checked["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1", "memory": "1Gi"}


def test_one_wrong_type_leaves_the_whole_object_as_it_is(engine: Engine) -> None:
    obj = pod_spec(hostNetwork="no", nodeSelector={}, unheardOf=1)

    assert engine.check(urn_of("v1", "Pod"), obj) == obj


def test_an_unknown_value_leaves_the_object_as_it_is(engine: Engine) -> None:
    obj = pod_spec(nodeName=UNKNOWN, nodeSelector={}, unheardOf=1)

    assert engine.check(urn_of("v1", "Pod"), obj) == obj


def test_server_metadata_is_removed(engine: Engine) -> None:
    obj = pod_spec()
    noisy = deepcopy(obj)
    noisy["metadata"].update(uid="u", resourceVersion="1", creationTimestamp="2026-01-01T00:00:00Z", generation=2)

    assert engine.check(urn_of("v1", "Pod"), noisy) == obj


def test_secrets_stay_secret_and_a_list_with_one_becomes_secret_as_a_whole(engine: Engine) -> None:
    obj = pod_spec(nodeName=Secret("n1"))
    obj["spec"]["containers"][0]["args"] = ["a", Secret("b")]

    checked = engine.check(urn_of("v1", "Pod"), obj)

    assert checked["spec"]["nodeName"] == Secret("n1")
    assert checked["spec"]["containers"] == Secret([{"name": "c", "image": "i", "args": ["a", "b"]}])


def test_default_namespace_goes_only_into_namespaced_objects(engine: Engine) -> None:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}
    unheard_of = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x"}}

    assert engine.check(urn_of("v1", "ConfigMap"), config_map)["metadata"]["namespace"] == "default"
    assert "namespace" not in engine.check(urn_of("v1", "Namespace"), namespace)["metadata"]
    assert engine.check(urn_of("example.com/v1", "Thing"), unheard_of)["metadata"]["namespace"] == "default"


def test_removed_api_is_warned_about_and_still_checked(engine: Engine) -> None:
    obj = {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": {"name": "x"}}

    engine.check(urn_of("policy/v1beta1", "PodDisruptionBudget"), obj)

    assert engine.diagnostics() == [
        'apiVersion "policy/v1beta1/PodDisruptionBudget" was removed in Kubernetes 1.25. '
        'Use "policy/v1/PodDisruptionBudget" instead.'
    ]
