"""The stand-in for the gcp provider, over gRPC as the engine speaks to it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from fake_kubernetes import FAKE_CA, FakeApi, FakeStarter
from google.protobuf import empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.rpc import UNKNOWN

from simulator.google.cloud import Cloud
from simulator.google.schema import CLUSTER, NODE_POOL
from simulator.google.server import serve
from simulator.google.wire import from_struct, to_struct

CLUSTER_URN = f"urn:pulumi:dev::servestack::{CLUSTER}::dev"
POOL_URN = f"urn:pulumi:dev::servestack::a:b:C${NODE_POOL}::gpu"
CLUSTER_ID = "projects/p/locations/us-central1/clusters/dev"
POOL_ID = f"{CLUSTER_ID}/nodePools/gpu"
CLUSTER_INPUTS = {
    "name": "dev",
    "location": "us-central1",
    "removeDefaultNodePool": True,
    "initialNodeCount": 1,
    "deletionProtection": False,
}
POOL_INPUTS: dict[str, Any] = {
    "name": "gpu",
    "cluster": "dev",
    "location": "us-central1",
    "initialNodeCount": 0,
    "nodeLocations": ["us-central1-a"],
    "autoscaling": {"totalMaxNodeCount": 2, "locationPolicy": "ANY"},
    "nodeConfig": {
        "machineType": "a3-highgpu-1g",
        "spot": True,
        "guestAccelerators": [{"type": "nvidia-h100-80gb", "count": 1}],
    },
}


@pytest.fixture
def starter() -> FakeStarter:
    return FakeStarter()


@pytest.fixture
def cloud(tmp_path: Path, starter: FakeStarter, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROVISION_SECONDS", "0")
    monkeypatch.setenv("SERVESTACK_SIMULATOR_STOCKOUT_RETRY_SECONDS", "0")
    cloud = Cloud(tmp_path, starter, connect=FakeApi)
    yield cloud
    cloud.close()


class Engine:
    """Calls the provider as the engine does."""

    def __init__(self, stub: Any) -> None:
        self.stub = stub

    def check(self, urn: str, inputs: dict[str, Any]) -> Any:
        return self.stub.Check(proto.CheckRequest(urn=urn, news=to_struct(inputs), randomSeed=b"seed"))

    def create(self, urn: str, inputs: dict[str, Any], **options: Any) -> Any:
        return self.stub.Create(proto.CreateRequest(urn=urn, properties=to_struct(inputs), **options))

    def read(self, urn: str, identifier: str, inputs: dict[str, Any] | None = None) -> Any:
        request = proto.ReadRequest(urn=urn, id=identifier)
        if inputs:
            request.inputs.CopyFrom(to_struct(inputs))
        return self.stub.Read(request)

    def update(self, urn: str, identifier: str, state: dict[str, Any], inputs: dict[str, Any]) -> Any:
        return self.stub.Update(
            proto.UpdateRequest(urn=urn, id=identifier, olds=to_struct(state), news=to_struct(inputs))
        )

    def delete(self, urn: str, identifier: str, state: dict[str, Any]) -> Any:
        return self.stub.Delete(proto.DeleteRequest(urn=urn, id=identifier, properties=to_struct(state)))

    def invoke(self, token: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = self.stub.Invoke(proto.InvokeRequest(tok=token, args=to_struct(arguments)))
        return from_struct(getattr(answer, "return"))


@pytest.fixture
def engine(cloud: Cloud) -> Iterator[Engine]:
    server, port = serve(cloud)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:0"))
        stub.Configure(proto.ConfigureRequest(variables={"gcp:config:project": "p"}))
        yield Engine(stub)
    server.stop(None)


@pytest.fixture
def cluster(engine: Engine) -> dict[str, Any]:
    return from_struct(engine.create(CLUSTER_URN, CLUSTER_INPUTS).properties)


def error_of(call: Any, *arguments: Any, **options: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    error: grpc.RpcError = caught.value
    return error


def partial_state(error: grpc.RpcError) -> proto.ErrorResourceInitFailed:
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(details)
    failed = proto.ErrorResourceInitFailed()
    assert status.details[0].Unpack(failed)
    return failed


def test_the_plugin_has_the_version_of_the_installed_sdk(engine: Engine) -> None:
    import importlib.metadata

    version = engine.stub.GetPluginInfo(empty_pb2.Empty()).version
    assert version == importlib.metadata.version("pulumi-gcp")


def test_handshake_is_left_to_configure_without_noise(engine: Engine) -> None:
    error = error_of(engine.stub.Handshake, proto.ProviderHandshakeRequest())
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
def test_check_refuses_inputs_of_the_wrong_form_by_name(engine: Engine, edits: dict[str, Any], reason: str) -> None:
    answer = engine.check(POOL_URN, POOL_INPUTS | edits)
    assert len(answer.failures) == 1
    assert reason in answer.failures[0].reason


def test_check_accepts_what_is_not_known_yet(engine: Engine) -> None:
    inputs = POOL_INPUTS | {"cluster": UNKNOWN, "nodeConfig": UNKNOWN}
    answer = engine.check(POOL_URN, inputs)
    assert not answer.failures
    assert from_struct(answer.inputs)["cluster"] == UNKNOWN


def test_check_names_a_resource_without_a_name_and_protects_a_cluster(engine: Engine) -> None:
    inputs = from_struct(engine.check(CLUSTER_URN, {"location": "us-central1"}).inputs)
    assert inputs["name"].startswith("dev-")
    assert inputs["deletionProtection"] is True
    assert inputs["__defaults"] == ["name", "deletionProtection"]


def test_other_resource_types_are_refused_by_name(engine: Engine) -> None:
    urn = "urn:pulumi:dev::p::gcp:storage/bucket:Bucket::b"
    error = error_of(engine.check, urn, {})
    assert "unrecognized resource type (Check): gcp:storage/bucket:Bucket" in error.details()


def test_unknown_provider_configuration_is_refused(engine: Engine) -> None:
    request = proto.CheckRequest(
        urn="urn:pulumi:dev::p::pulumi:providers:gcp::google",
        news=to_struct({"project": "p", "projekt": "p"}),
    )
    assert [failure.reason for failure in engine.stub.CheckConfig(request).failures] == [
        "could not validate provider configuration: Invalid or unknown key. Examine values at 'google.projekt'."
    ]


def test_a_preview_asks_google_nothing(engine: Engine, starter: FakeStarter) -> None:
    impossible = POOL_INPUTS | {"nodeConfig": {"machineType": "no-such-machine"}}
    answer = engine.create(POOL_URN, impossible, preview=True)
    outputs = from_struct(answer.properties)
    assert answer.id == ""
    assert outputs["version"] == UNKNOWN
    assert outputs["nodeConfig"] == {"machineType": "no-such-machine"}
    assert not starter.started


@pytest.mark.usefixtures("engine")
def test_creating_a_cluster_starts_a_control_plane_of_its_own(
    cluster: dict[str, Any], starter: FakeStarter, tmp_path: Path
) -> None:
    assert starter.started == [("p_us-central1_dev", tmp_path / "clusters" / "p_us-central1_dev")]
    assert cluster["id"] == CLUSTER_ID
    assert cluster["endpoint"] == "127.0.0.1:1"
    assert base64.b64decode(cluster["masterAuth"]["clusterCaCertificate"]).decode() == FAKE_CA
    assert cluster["nodePools"] == []


@pytest.mark.usefixtures("cluster")
def test_a_cluster_that_exists_is_googles_409(engine: Engine) -> None:
    error = error_of(engine.create, CLUSTER_URN, CLUSTER_INPUTS)
    assert error.details() == (
        f"1 error occurred:\n\t* googleapi: Error 409: Already exists: {CLUSTER_ID}., alreadyExists\n\n"
    )


def test_deleting_a_protected_cluster_is_refused_and_an_open_one_stops(
    engine: Engine, cluster: dict[str, Any], starter: FakeStarter
) -> None:
    error = error_of(engine.delete, CLUSTER_URN, CLUSTER_ID, cluster | {"deletionProtection": True})
    assert "Cannot destroy cluster because deletion_protection is set to true" in error.details()
    assert not starter.planes[0].stopped
    engine.delete(CLUSTER_URN, CLUSTER_ID, cluster)
    assert starter.planes[0].stopped
    assert not starter.started[0][1].exists()
    assert engine.read(CLUSTER_URN, CLUSTER_ID).id == ""


@pytest.mark.usefixtures("cluster")
def test_a_pool_lives_through_create_read_update_delete(engine: Engine, cloud: Cloud) -> None:
    answer = engine.create(POOL_URN, POOL_INPUTS)
    outputs = from_struct(answer.properties)
    assert answer.id == outputs["id"] == POOL_ID
    assert outputs["nodeCount"] == 0
    assert outputs["nodeConfig"]["effectiveTaints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
    ]
    read = engine.read(POOL_URN, POOL_ID, POOL_INPUTS)
    assert from_struct(read.properties) == outputs
    assert from_struct(read.inputs) == POOL_INPUTS
    inputs = POOL_INPUTS | {"autoscaling": {"totalMaxNodeCount": 4, "locationPolicy": "ANY"}}
    updated = from_struct(engine.update(POOL_URN, POOL_ID, outputs, inputs).properties)
    assert updated["autoscaling"]["totalMaxNodeCount"] == 4
    engine.delete(POOL_URN, POOL_ID, updated)
    assert engine.read(POOL_URN, POOL_ID, POOL_INPUTS).id == ""
    assert cloud.pools("p", "us-central1", "dev").all() == {}


@pytest.mark.parametrize("identifier", [POOL_ID, "p/us-central1/dev/gpu", "us-central1/dev/gpu"])
@pytest.mark.usefixtures("cluster")
def test_a_pool_is_imported_by_each_form_of_its_id(engine: Engine, identifier: str) -> None:
    engine.create(POOL_URN, POOL_INPUTS)
    read = engine.read(POOL_URN, identifier)
    assert read.id == POOL_ID
    assert from_struct(read.inputs) == POOL_INPUTS | {"__defaults": []}


@pytest.mark.usefixtures("cluster")
def test_a_refused_pool_leaves_nothing_behind(engine: Engine, cloud: Cloud) -> None:
    inputs = POOL_INPUTS | {"nodeConfig": POOL_INPUTS["nodeConfig"] | {"spot": False}}
    error = error_of(engine.create, POOL_URN, inputs)
    assert error.details().startswith(
        "1 error occurred:\n\t* error creating NodePool: googleapi: Error 400: Machine type a3-highgpu-1g is not "
        "available with provisioning model STANDARD."
    )
    assert cloud.pools("p", "us-central1", "dev").all() == {}


def test_a_pool_without_its_cluster_is_googles_404(engine: Engine) -> None:
    error = error_of(engine.create, POOL_URN, POOL_INPUTS)
    assert f"error creating NodePool: googleapi: Error 404: Not found: {CLUSTER_ID}., notFound" in error.details()


@pytest.mark.usefixtures("cluster")
def test_a_pool_that_exists_is_found_before_it_is_asked_for(engine: Engine) -> None:
    engine.create(POOL_URN, POOL_INPUTS)
    error = error_of(engine.create, POOL_URN, POOL_INPUTS)
    assert error.details() == f"1 error occurred:\n\t* resource - {POOL_ID} - already exists\n\n"


@pytest.mark.usefixtures("cluster")
def test_a_pool_with_nodes_in_a_stockout_is_kept_in_an_error_state(engine: Engine, cloud: Cloud) -> None:
    cloud.faults.set_stockout("*", "a3-highgpu-1g")
    error = error_of(engine.create, POOL_URN, POOL_INPUTS | {"initialNodeCount": 1})
    failed = partial_state(error)
    assert failed.id == POOL_ID
    assert failed.reasons == [
        f"creating {POOL_URN}: 1 error occurred:\n\t* NodePool gpu was created in the error state "
        '"RUNNING_WITH_ERROR"\n\n'
    ]
    record = cloud.pools("p", "us-central1", "dev").get("gpu")
    assert record is not None
    assert "[GCE_STOCKOUT]: Instance 'gke-dev-gpu-" in record["message"]
    assert "The zone 'us-central1-a' does not have enough resources available" in record["message"]


@pytest.mark.usefixtures("cluster")
def test_an_empty_pool_is_made_in_spite_of_a_stockout(engine: Engine, cloud: Cloud) -> None:
    cloud.faults.set_stockout("*", "*")
    assert engine.create(POOL_URN, POOL_INPUTS).id == POOL_ID


@pytest.mark.usefixtures("cluster")
def test_first_nodes_over_a_quota_are_googles_403(engine: Engine, cloud: Cloud) -> None:
    cloud.faults.set_quota("PREEMPTIBLE_NVIDIA_H100", "us-central1", 0)
    error = error_of(engine.create, POOL_URN, POOL_INPUTS | {"initialNodeCount": 1})
    assert (
        "googleapi: Error 403: Insufficient regional quota to satisfy request: resource "
        "\"PREEMPTIBLE_NVIDIA_H100\": request requires '1.0' and is short '1.0'." in error.details()
    )


def test_diff_deletes_a_pool_with_a_chosen_name_before_its_replacement(engine: Engine) -> None:
    state = POOL_INPUTS | {"id": POOL_ID}
    news = POOL_INPUTS | {"nodeConfig": POOL_INPUTS["nodeConfig"] | {"spot": False}, "__defaults": []}
    request = proto.DiffRequest(
        urn=POOL_URN,
        id=POOL_ID,
        olds=to_struct(state),
        news=to_struct(news),
        old_inputs=to_struct(POOL_INPUTS),
    )
    answer = engine.stub.Diff(request)
    assert answer.changes == proto.DiffResponse.DIFF_SOME
    assert list(answer.replaces) == ["nodeConfig"]
    assert answer.deleteBeforeReplace
    assert answer.detailedDiff["nodeConfig.spot"].kind == proto.PropertyDiff.UPDATE_REPLACE
    request.ignoreChanges.append("nodeConfig.spot")
    assert engine.stub.Diff(request).changes == proto.DiffResponse.DIFF_NONE


@pytest.mark.usefixtures("cluster")
def test_get_cluster_gives_what_the_sdk_reads(engine: Engine) -> None:
    engine.create(POOL_URN, POOL_INPUTS)
    found = engine.invoke(
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


def test_get_cluster_of_a_missing_cluster_gives_the_data_sources_error(engine: Engine) -> None:
    error = error_of(engine.invoke, "gcp:container/getCluster:getCluster", {"name": "nope", "location": "us-central1"})
    assert error.details() == (
        "invoking gcp:container/getCluster:getCluster: 1 error occurred:\n"
        "\t* projects/p/locations/us-central1/clusters/nope not found\n\n"
    )


def test_get_engine_versions_names_the_one_version(engine: Engine, cluster: dict[str, Any]) -> None:
    found = engine.invoke("gcp:container/getEngineVersions:getEngineVersions", {"location": "us-central1"})
    assert found["validMasterVersions"] == [cluster["masterVersion"]]


@pytest.mark.usefixtures("cluster")
def test_a_creation_ends_at_its_timeout_and_goes_on_without_its_watcher(
    engine: Engine, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROVISION_SECONDS", "60")
    error = error_of(engine.create, POOL_URN, POOL_INPUTS | {"initialNodeCount": 1}, timeout=0.1)
    assert 'has state "PROVISIONING"' in partial_state(error).reasons[0]
    record = cloud.pools("p", "us-central1", "dev").get("gpu")
    assert record is not None
    assert record["missing"] == ["us-central1-a"] or record["nodes"]


@pytest.mark.usefixtures("cluster")
def test_cancel_ends_the_wait_and_keeps_the_resource(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROVISION_SECONDS", "60")
    with futures.ThreadPoolExecutor() as pool:
        creation = pool.submit(engine.create, POOL_URN, POOL_INPUTS | {"initialNodeCount": 1})
        engine.stub.Cancel(empty_pb2.Empty())
        assert from_struct(creation.result(timeout=20).properties)["operation"]
