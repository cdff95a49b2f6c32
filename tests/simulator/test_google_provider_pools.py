"""Node pools through the stand-in for the gcp provider, over gRPC as the engine speaks to it."""

from __future__ import annotations

from concurrent import futures
from pathlib import Path

import pytest
from fake_kubernetes import FakeApi, FakeStarter
from google.protobuf import empty_pb2
from google_harness import CLUSTER_ID, POOL_ID, POOL_INPUTS, POOL_URN, Engine, error_of, partial_state
from pulumi.runtime.proto import provider_pb2 as proto

from simulator.google.cloud import Cloud
from simulator.google.wire import from_struct, to_struct

pytest_plugins = ["google_fixtures"]


@pytest.mark.usefixtures("cluster")
def test_a_pool_lives_through_create_read_update_delete(gcp: Engine, google: Cloud) -> None:
    answer = gcp.create(POOL_URN, POOL_INPUTS)
    outputs = from_struct(answer.properties)
    assert answer.id == outputs["id"] == POOL_ID
    assert outputs["nodeCount"] == 0
    assert outputs["nodeConfig"]["effectiveTaints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
    ]
    read = gcp.read(POOL_URN, POOL_ID, POOL_INPUTS)
    assert from_struct(read.properties) == outputs
    assert from_struct(read.inputs) == POOL_INPUTS
    inputs = POOL_INPUTS | {"autoscaling": {"totalMaxNodeCount": 4, "locationPolicy": "ANY"}}
    updated = from_struct(gcp.update(POOL_URN, POOL_ID, outputs, inputs).properties)
    assert updated["autoscaling"]["totalMaxNodeCount"] == 4
    gcp.delete(POOL_URN, POOL_ID, updated)
    assert gcp.read(POOL_URN, POOL_ID, POOL_INPUTS).id == ""
    assert google.pools("p", "us-central1", "dev").all() == {}


@pytest.mark.parametrize("identifier", [POOL_ID, "p/us-central1/dev/gpu", "us-central1/dev/gpu"])
@pytest.mark.usefixtures("cluster")
def test_a_pool_is_imported_by_each_form_of_its_id(gcp: Engine, identifier: str) -> None:
    gcp.create(POOL_URN, POOL_INPUTS)
    read = gcp.read(POOL_URN, identifier)
    assert read.id == POOL_ID
    assert from_struct(read.inputs) == POOL_INPUTS | {"__defaults": []}


@pytest.mark.usefixtures("cluster")
def test_a_refused_pool_leaves_nothing_behind(gcp: Engine, google: Cloud) -> None:
    inputs = POOL_INPUTS | {"nodeConfig": POOL_INPUTS["nodeConfig"] | {"spot": False}}
    error = error_of(gcp.create, POOL_URN, inputs)
    assert error.details().startswith(
        "1 error occurred:\n\t* error creating NodePool: googleapi: Error 400: Machine type a3-highgpu-1g is not "
        "available with provisioning model STANDARD."
    )
    assert google.pools("p", "us-central1", "dev").all() == {}


def test_a_pool_without_its_cluster_is_googles_404(gcp: Engine) -> None:
    error = error_of(gcp.create, POOL_URN, POOL_INPUTS)
    assert f"error creating NodePool: googleapi: Error 404: Not found: {CLUSTER_ID}., notFound" in error.details()


@pytest.mark.usefixtures("cluster")
def test_a_pool_that_exists_is_found_before_it_is_asked_for(gcp: Engine) -> None:
    gcp.create(POOL_URN, POOL_INPUTS)
    error = error_of(gcp.create, POOL_URN, POOL_INPUTS)
    assert error.details() == f"1 error occurred:\n\t* resource - {POOL_ID} - already exists\n\n"


@pytest.mark.usefixtures("cluster")
def test_a_pool_with_nodes_in_a_stockout_is_kept_in_an_error_state(gcp: Engine, google: Cloud) -> None:
    google.faults.set_stockout("*", "a3-highgpu-1g")
    error = error_of(gcp.create, POOL_URN, POOL_INPUTS | {"initialNodeCount": 1})
    failed = partial_state(error)
    assert failed.id == POOL_ID
    assert failed.reasons == [
        f"creating {POOL_URN}: 1 error occurred:\n\t* NodePool gpu was created in the error state "
        '"RUNNING_WITH_ERROR"\n\n'
    ]
    record = google.pools("p", "us-central1", "dev").get("gpu")
    assert record is not None
    assert "[GCE_STOCKOUT]: Instance 'gke-dev-gpu-" in record["message"]
    assert "The zone 'us-central1-a' does not have enough resources available" in record["message"]


@pytest.mark.usefixtures("cluster")
def test_an_empty_pool_is_made_in_spite_of_a_stockout(gcp: Engine, google: Cloud) -> None:
    google.faults.set_stockout("*", "*")
    assert gcp.create(POOL_URN, POOL_INPUTS).id == POOL_ID


@pytest.mark.usefixtures("cluster")
def test_first_nodes_over_a_quota_are_googles_403(gcp: Engine, google: Cloud) -> None:
    google.faults.set_quota("PREEMPTIBLE_NVIDIA_H100", "us-central1", 0)
    error = error_of(gcp.create, POOL_URN, POOL_INPUTS | {"initialNodeCount": 1})
    assert (
        "googleapi: Error 403: Insufficient regional quota to satisfy request: resource "
        "\"PREEMPTIBLE_NVIDIA_H100\": request requires '1.0' and is short '1.0'." in error.details()
    )


def test_diff_deletes_a_pool_with_a_chosen_name_before_its_replacement(gcp: Engine) -> None:
    state = POOL_INPUTS | {"id": POOL_ID}
    news = POOL_INPUTS | {"nodeConfig": POOL_INPUTS["nodeConfig"] | {"spot": False}, "__defaults": []}
    request = proto.DiffRequest(
        urn=POOL_URN,
        id=POOL_ID,
        olds=to_struct(state),
        news=to_struct(news),
        old_inputs=to_struct(POOL_INPUTS),
    )
    answer = gcp.stub.Diff(request)
    assert answer.changes == proto.DiffResponse.DIFF_SOME
    assert list(answer.replaces) == ["nodeConfig"]
    assert answer.deleteBeforeReplace
    assert answer.detailedDiff["nodeConfig.spot"].kind == proto.PropertyDiff.UPDATE_REPLACE
    request.ignoreChanges.append("nodeConfig.spot")
    assert gcp.stub.Diff(request).changes == proto.DiffResponse.DIFF_NONE


@pytest.mark.usefixtures("cluster")
def test_a_creation_ends_at_its_timeout_and_goes_on_without_its_watcher(
    gcp: Engine, google: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROVISION_SECONDS", "60")
    error = error_of(gcp.create, POOL_URN, POOL_INPUTS | {"initialNodeCount": 1}, timeout=0.1)
    assert 'has state "PROVISIONING"' in partial_state(error).reasons[0]
    record = google.pools("p", "us-central1", "dev").get("gpu")
    assert record is not None
    assert record["missing"] == ["us-central1-a"] or record["nodes"]


@pytest.mark.usefixtures("cluster")
def test_cancel_ends_the_wait_and_keeps_the_resource(gcp: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROVISION_SECONDS", "60")
    with futures.ThreadPoolExecutor() as pool:
        creation = pool.submit(gcp.create, POOL_URN, POOL_INPUTS | {"initialNodeCount": 1})
        gcp.stub.Cancel(empty_pb2.Empty())
        assert from_struct(creation.result(timeout=20).properties)["operation"]


@pytest.mark.usefixtures("cluster")
def test_operations_that_nobody_watches_any_more_are_finished_all_the_same(gcp: Engine, google: Cloud) -> None:
    """As at Google: a pool must not stay for ever in a state in which it never grows or goes."""
    pools = google.pools("p", "us-central1", "dev")
    gcp.stub.Cancel(empty_pb2.Empty())
    gcp.create(POOL_URN, POOL_INPUTS)
    assert pools.all()["gpu"]["status"] == "RUNNING"
    fixed = POOL_INPUTS | {"name": "fixed", "nodeCount": 2}
    del fixed["autoscaling"], fixed["initialNodeCount"]
    state = from_struct(gcp.create(POOL_URN, fixed).properties)
    assert pools.all()["fixed"]["status"] == "PROVISIONING"
    assert pools.all()["fixed"]["missing"] == ["us-central1-a"] * 2
    error_of(gcp.update, POOL_URN, f"{CLUSTER_ID}/nodePools/fixed", state, fixed | {"nodeCount": 3})
    error_of(gcp.delete, POOL_URN, POOL_ID, POOL_INPUTS)
    assert list(pools.all()) == ["fixed"]


@pytest.mark.usefixtures("cluster")
def test_operations_that_a_killed_simulator_left_are_finished_when_it_resumes(
    gcp: Engine, google: Cloud, starter: FakeStarter, tmp_path: Path
) -> None:
    for name in ("made", "changed", "deleted"):
        gcp.create(POOL_URN, POOL_INPUTS | {"name": name, "initialNodeCount": 1})
    google.close()
    left = {"made": "PROVISIONING", "changed": "RECONCILING", "deleted": "STOPPING"}
    with google.state.change() as data:
        pools = data["clusters"][CLUSTER_ID]["nodePools"]
        for name, status in left.items():
            pools[name]["status"] = status
        pools["made"]["nodes"] = {}
    again = Cloud(tmp_path, starter, connect=FakeApi)
    again.resume()
    try:
        found = again.pools("p", "us-central1", "dev").all()
        assert found.keys() == {"made", "changed"}
        assert found["changed"]["status"] == "RUNNING"
        assert found["made"]["missing"] == ["us-central1-a"] or found["made"]["nodes"]
    finally:
        again.close()
