"""The offline check of custom resources and a real API server with the same definitions agree."""

from __future__ import annotations

from typing import Any

import dry_run
import pytest
from custom_resource_samples import GOOD, MISTAKES, Mistake
from kubernetes import client

from tests.crd_schema import CustomResourceError, known, validate


def named(mistake: Mistake) -> str:
    return f"{mistake.sample}-{'.'.join(map(str, mistake.path))}"


@pytest.mark.parametrize("sample", GOOD)
def test_a_good_object_passes_offline_and_on_the_server(sample: str, api: client.ApiClient, namespace: str) -> None:
    validate(GOOD[sample])
    answer = dry_run.create(api, GOOD[sample], namespace)
    assert (answer.status, answer.warning) == (201, ""), answer.body


@pytest.mark.parametrize("mistake", MISTAKES, ids=named)
def test_a_mistake_is_found_offline_and_by_the_server(mistake: Mistake, api: client.ApiClient, namespace: str) -> None:
    with pytest.raises(CustomResourceError) as found:
        validate(mistake.applied())
    assert mistake.said in str(found.value)
    assert dry_run.create(api, mistake.applied(), namespace).status in (400, 404, 422)


@pytest.mark.parametrize(
    ("sample", "change"),
    [
        ("InterceptorRoute", {"target": {"service": "x", "port": 1, "portName": "http"}}),
        ("InferencePool", {"targetPorts": [{"number": 1}, {"number": 1}]}),
    ],
)
def test_rules_in_cel_are_checked_by_the_server_alone(
    sample: str, change: dict[str, Any], api: client.ApiClient, namespace: str
) -> None:
    bad = {**GOOD[sample], "spec": {**GOOD[sample]["spec"], **change}}
    validate(bad)
    assert dry_run.create(api, bad, namespace).status == 422


def test_every_kind_has_a_sample_but_those_of_a_whole_cluster_and_two_policies() -> None:
    whole_cluster = {"ClusterPodMonitoring", "ClusterRules", "GlobalRules", "ClusterTriggerAuthentication"}
    policies = {"GCPSessionAffinityPolicy", "GCPTrafficDistributionPolicy"}
    sampled = {(one["apiVersion"].partition("/")[0], one["kind"]) for one in GOOD.values()}
    assert {one for one in known() if one[1] not in whole_cluster | policies} == sampled


def test_namespaced_metadata_of_a_cluster_wide_kind_is_refused() -> None:
    bad = {**GOOD["GatewayClass"], "metadata": {"name": "x", "namespace": "y"}}
    with pytest.raises(CustomResourceError, match="GatewayClass is not namespaced"):
        validate(bad)
