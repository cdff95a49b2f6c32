"""Autopilot makes the node that a pod's selectors and requests ask for, and refuses what its webhook refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google_nodes import LOCATION, PROJECT, Shared, Until, operation
from kubernetes import client
from scaling_harness import Scaling, label

from simulator.control_plane import ControlPlane
from simulator.google.cloud import Cloud

PREFIX = "cloud.google.com/"
AUTOPILOT = {"enableAutopilot": True}
POLICY = "warden-validating.common-webhooks.networking.gke.io"
EVERY = [{"operator": "Exists"}]


@pytest.mark.parametrize(
    ("requests", "selector", "machine", "wanted"),
    [
        (
            {"nvidia.com/gpu": "1", "cpu": "6", "memory": "24Gi"},
            {"gke-accelerator": "nvidia-l4"},
            "g2-standard-8",
            {"gke-accelerator-count": "1", "gke-provisioning": "standard"},
        ),
        (
            {"nvidia.com/gpu": "2", "cpu": "6"},
            {"gke-accelerator": "nvidia-l4", "gke-spot": "true"},
            "g2-standard-24",
            {"gke-accelerator-count": "2", "gke-spot": "true"},
        ),
        (
            {"nvidia.com/gpu": "1", "cpu": "4"},
            {"gke-accelerator": "nvidia-l4", "gke-accelerator-count": "1", "compute-class": "Accelerator"},
            "g2-standard-8",
            {"compute-class": "Accelerator"},
        ),
        ({"cpu": "3", "memory": "8Gi"}, {}, "e2-standard-4", {"machine-family": "e2"}),
        ({"cpu": "6", "memory": "20Gi"}, {"compute-class": "Balanced"}, "n2-standard-8", {}),
        (
            {"cpu": "6", "memory": "20Gi"},
            {"compute-class": "Performance", "machine-family": "c3"},
            "c3-standard-8",
            {"compute-class": "Performance"},
        ),
        (
            {"google.com/tpu": "4"},
            {"gke-tpu-accelerator": "tpu-v6e-slice", "gke-tpu-topology": "2x2"},
            "ct6e-standard-4t",
            {"gke-tpu-topology": "2x2"},
        ),
    ],
)
def test_a_pod_brings_the_node_that_it_selects(
    tmp_path: Path, requests: dict[str, str], selector: dict[str, str], machine: str, wanted: dict[str, str]
) -> None:
    scaling = Scaling(tmp_path, cluster=AUTOPILOT)
    selected = {PREFIX + key: value for key, value in selector.items()}
    scaling.add_pod("p", requests, nodeSelector=selected, tolerations=EVERY)
    scaling.rounds(2)
    (node,) = scaling.nodes()
    assert label(node, "node.kubernetes.io/instance-type") == machine
    assert {key: label(node, PREFIX + key) for key in wanted} == wanted
    assert scaling.api.request("GET", "/api/v1/pods/p")["spec"]["nodeName"] == node["metadata"]["name"]


@pytest.mark.parametrize(
    ("requests", "selector"),
    [
        ({"nvidia.com/gpu": "1"}, {}),
        ({"nvidia.com/gpu": "3"}, {"gke-accelerator": "nvidia-l4"}),
        ({"nvidia.com/gpu": "1"}, {"gke-accelerator": "nvidia-h100-80gb"}),
        ({"nvidia.com/gpu": "1", "cpu": "100"}, {"gke-accelerator": "nvidia-l4"}),
    ],
    ids=["no model", "no such count", "no on-demand shape", "too many processors"],
)
def test_a_gpu_pod_that_no_shape_serves_brings_nothing(
    tmp_path: Path, requests: dict[str, str], selector: dict[str, str]
) -> None:
    scaling = Scaling(tmp_path, cluster=AUTOPILOT)
    selected = {PREFIX + key: value for key, value in selector.items()}
    scaling.add_pod("p", requests, nodeSelector=selected, tolerations=EVERY)
    scaling.rounds(3)
    assert scaling.nodes() == []
    assert len(scaling.events("NotTriggerScaleUp")) == 1


def test_each_gpu_pod_has_a_node_of_its_own_and_a_class_makes_pools_unasked(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path, cluster=AUTOPILOT)
    scaling.add_class("c", [{"machineType": "g4-standard-48"}])
    for name in ("a", "b"):
        selector = {f"{PREFIX}gke-accelerator": "nvidia-l4"}
        scaling.add_pod(name, {"nvidia.com/gpu": "1"}, nodeSelector=selector)
    scaling.add_pod("c", {"nvidia.com/gpu": "1"}, "c")
    scaling.rounds(4)
    assert scaling.machines() == ["g2-standard-4", "g2-standard-4", "g4-standard-48"]


@pytest.fixture
def autopilot(control_plane: ControlPlane, api: client.ApiClient, tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path, lambda _name, _directory: Shared(control_plane))
    cloud.create_cluster(PROJECT, LOCATION, "auto", AUTOPILOT, operation())
    yield cloud
    cloud.close()
    rules = client.AdmissionregistrationV1Api(api)
    rules.delete_validating_admission_policy_binding(POLICY)
    rules.delete_validating_admission_policy(POLICY)


def container(**settings: Any) -> dict[str, Any]:
    return {"containers": [{"name": "c", "image": "i", **settings}]}


HOST = {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}
REFUSED = [
    (
        container(securityContext={"privileged": True}),
        '{"[denied by autogke-disallow-privilege]":["container c is privileged; not allowed in Autopilot"]}',
    ),
    (
        container() | {"hostNetwork": True, "hostPID": True},
        '{"[denied by autogke-disallow-hostnamespaces]":["enabling hostNetwork is not allowed in Autopilot.",'
        '"enabling hostPID is not allowed in Autopilot."]}',
    ),
    (
        container(volumeMounts=[{"name": "v", "mountPath": "/v"}]) | HOST,
        '{"[denied by autogke-no-write-mode-hostpath]":["hostPath volume v in container c is accessed in write mode; '
        'disallowed in Autopilot."]}',
    ),
]


@pytest.mark.usefixtures("autopilot")
def test_what_autopilot_refuses_is_refused_in_its_words(
    api: client.ApiClient, core: client.CoreV1Api, namespace: str, until: Until
) -> None:
    def refusal(spec: dict[str, Any], where: str = namespace) -> str:
        try:
            core.create_namespaced_pod(where, {"metadata": {"name": "x"}, "spec": spec}, dry_run="All")
        except client.ApiException as error:
            return str(error.body).replace("\\", "")
        return ""

    until(lambda: "Warden" in refusal(REFUSED[0][0]), what="the policy is in force")
    for spec, words in REFUSED:
        assert words in refusal(spec)
    read_only = container(volumeMounts=[{"name": "v", "mountPath": "/v", "readOnly": True}]) | HOST
    assert refusal(read_only) == ""
    assert refusal(container(securityContext={"privileged": False})) == ""
    managed = '[denied by managed-namespaces-limitation]: the namespace "kube-system" is managed'
    assert managed in refusal(container(), "kube-system")
    template = {"metadata": {"labels": {"a": "b"}}, "spec": REFUSED[0][0]}
    deployment = {"metadata": {"name": "x"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}
    with pytest.raises(client.ApiException) as refused:
        client.AppsV1Api(api).create_namespaced_deployment(namespace, deployment, dry_run="All")
    assert "container c is privileged; not allowed in Autopilot" in str(refused.value.body)


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)
