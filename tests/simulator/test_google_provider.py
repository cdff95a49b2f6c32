"""The stand-in for the gcp provider, over gRPC as the engine speaks to it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import grpc
import pytest
from fake_kubernetes import FAKE_CA, FakeStarter
from google.protobuf import empty_pb2
from google_harness import CLUSTER_ID, CLUSTER_INPUTS, CLUSTER_URN, POOL_INPUTS, POOL_URN, Engine, error_of
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.rpc import UNKNOWN

from simulator.google.wire import from_struct, to_struct

pytest_plugins = ["google_fixtures"]


def test_the_plugin_has_the_version_of_the_installed_sdk(gcp: Engine) -> None:
    import importlib.metadata

    version = gcp.stub.GetPluginInfo(empty_pb2.Empty()).version
    assert version == importlib.metadata.version("pulumi-gcp")


def test_handshake_is_left_to_configure_without_noise(gcp: Engine) -> None:
    error = error_of(gcp.stub.Handshake, proto.ProviderHandshakeRequest())
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("edits", "reason"),
    [
        (
            {"cluster": None},
            'Missing required argument. The argument "cluster" is required, but no definition',
        ),
        ({"colour": "red"}, "Invalid or unknown key. Examine values at 'gpu.colour'."),
        (
            {"nodeConfig": {"machineTyp": "x"}},
            "Invalid or unknown key. Examine values at 'gpu.nodeConfig.machineTyp'.",
        ),
        (
            {"nodeConfig": {"taints": [{"key": "k", "effect": "NO_SCHEDULE"}]}},
            "Examine values at 'gpu.nodeConfig.taints[0].value'.",
        ),
        (
            {"nodeConfig": {"spot": "maybe"}},
            "expected boolean type, got string type. Examine values at 'gpu.nodeConfig.spot'.",
        ),
        ({"nodeConfig": "big"}, "expected object type, got string type. Examine values at 'gpu.nodeConfig'."),
        ({"nodeLocations": "us-central1-a"}, "expected array type, got string type."),
        (
            {"autoscaling": {"locationPolicy": "SOME"}},
            'expected autoscaling.0.location_policy to be one of ["BALANCED" "ANY"], got SOME. '
            "Examine values at 'gpu.autoscaling.locationPolicy'.",
        ),
        (
            {"nodeConfig": {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]}},
            "expected node_config.0.taint.0.effect to be one of",
        ),
    ],
)
def test_check_refuses_inputs_of_the_wrong_form_by_name(gcp: Engine, edits: dict[str, Any], reason: str) -> None:
    answer = gcp.check(POOL_URN, POOL_INPUTS | edits)
    assert len(answer.failures) == 1
    assert reason in answer.failures[0].reason


def test_check_accepts_what_is_not_known_yet(gcp: Engine) -> None:
    inputs = POOL_INPUTS | {"cluster": UNKNOWN, "nodeConfig": UNKNOWN}
    answer = gcp.check(POOL_URN, inputs)
    assert not answer.failures
    assert from_struct(answer.inputs)["cluster"] == UNKNOWN


def test_check_names_a_resource_without_a_name_and_protects_a_cluster(gcp: Engine) -> None:
    inputs = from_struct(gcp.check(CLUSTER_URN, {"location": "us-central1"}).inputs)
    assert inputs["name"].startswith("dev-")
    assert inputs["deletionProtection"] is True
    assert inputs["__defaults"] == ["name", "deletionProtection"]


def test_other_resource_types_are_refused_by_name(gcp: Engine) -> None:
    urn = "urn:pulumi:dev::p::gcp:storage/folder:Folder::b"
    error = error_of(gcp.check, urn, {})
    assert "unrecognized resource type (Check): gcp:storage/folder:Folder" in error.details()


def test_unknown_provider_configuration_is_refused(gcp: Engine) -> None:
    request = proto.CheckRequest(
        urn="urn:pulumi:dev::p::pulumi:providers:gcp::google",
        news=to_struct({"project": "p", "projekt": "p"}),
    )
    assert [failure.reason for failure in gcp.stub.CheckConfig(request).failures] == [
        "could not validate provider configuration: Invalid or unknown key. Examine values at 'google.projekt'."
    ]


def test_a_preview_asks_google_nothing(gcp: Engine, starter: FakeStarter) -> None:
    impossible = POOL_INPUTS | {"nodeConfig": {"machineType": "no-such-machine"}}
    answer = gcp.create(POOL_URN, impossible, preview=True)
    outputs = from_struct(answer.properties)
    assert answer.id == ""
    assert outputs["version"] == UNKNOWN
    assert outputs["nodeConfig"] == {"machineType": "no-such-machine"}
    assert not starter.started


@pytest.mark.usefixtures("gcp")
def test_creating_a_cluster_starts_a_control_plane_of_its_own(
    cluster: dict[str, Any], starter: FakeStarter, tmp_path: Path
) -> None:
    assert starter.started == [("p_us-central1_dev", tmp_path / "clusters" / "p_us-central1_dev")]
    assert cluster["id"] == CLUSTER_ID
    assert cluster["endpoint"] == "127.0.0.1:1"
    assert base64.b64decode(cluster["masterAuth"]["clusterCaCertificate"]).decode() == FAKE_CA
    assert cluster["nodePools"] == []


@pytest.mark.usefixtures("cluster")
def test_a_cluster_that_exists_is_googles_409(gcp: Engine) -> None:
    error = error_of(gcp.create, CLUSTER_URN, CLUSTER_INPUTS)
    assert error.details() == (
        f"1 error occurred:\n\t* googleapi: Error 409: Already exists: {CLUSTER_ID}., alreadyExists\n\n"
    )


def test_deleting_a_protected_cluster_is_refused_and_an_open_one_stops(
    gcp: Engine, cluster: dict[str, Any], starter: FakeStarter
) -> None:
    error = error_of(gcp.delete, CLUSTER_URN, CLUSTER_ID, cluster | {"deletionProtection": True})
    assert "Cannot destroy cluster because deletion_protection is set to true" in error.details()
    assert not starter.planes[0].stopped
    gcp.delete(CLUSTER_URN, CLUSTER_ID, cluster)
    assert starter.planes[0].stopped
    assert not starter.started[0][1].exists()
    assert gcp.read(CLUSTER_URN, CLUSTER_ID).id == ""


@pytest.mark.usefixtures("cluster")
def test_get_cluster_gives_what_the_sdk_reads(gcp: Engine) -> None:
    gcp.create(POOL_URN, POOL_INPUTS)
    found = gcp.invoke(
        "gcp:container/getCluster:getCluster", {"name": "dev", "location": "us-central1", "project": "p"}
    )
    assert found["id"] == CLUSTER_ID
    assert found["endpoint"] == "127.0.0.1:1"
    assert base64.b64decode(found["masterAuths"][0]["clusterCaCertificate"]).decode() == FAKE_CA
    (pool,) = found["nodePools"]
    assert pool["name"] == "gpu"
    assert pool["nodeConfigs"][0]["guestAccelerators"][0]["gpuDriverInstallationConfigs"] == [
        {"gpuDriverVersion": "DEFAULT"}
    ]
    assert pool["autoscalings"][0]["totalMaxNodeCount"] == 2
    assert found["privateClusterConfigs"] == []


def test_get_cluster_of_a_missing_cluster_gives_the_data_sources_error(gcp: Engine) -> None:
    error = error_of(gcp.invoke, "gcp:container/getCluster:getCluster", {"name": "nope", "location": "us-central1"})
    assert error.details() == (
        "invoking gcp:container/getCluster:getCluster: 1 error occurred:\n"
        "\t* projects/p/locations/us-central1/clusters/nope not found\n\n"
    )


def test_get_engine_versions_names_the_one_version(gcp: Engine, cluster: dict[str, Any]) -> None:
    found = gcp.invoke("gcp:container/getEngineVersions:getEngineVersions", {"location": "us-central1"})
    assert found["validMasterVersions"] == [cluster["masterVersion"]]
