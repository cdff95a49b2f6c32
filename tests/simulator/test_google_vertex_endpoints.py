"""Model Garden endpoints, with the limits of the official resource: what is left behind, and what nothing notices."""

from __future__ import annotations

import re
from typing import Any

import pytest
from google.cloud.aiplatform_v1beta1.types import AcceleratorType
from google_harness import Engine, error_of, partial_state
from google_resource_samples import ENDPOINT, PROJECT, SAMPLES, Make, Refused, failure, urn
from pulumi.runtime.proto import provider_pb2 as proto

from simulator.google import __main__ as command
from simulator.google import machine_types, projects, unmanaged
from simulator.google.by_hand import ByHand
from simulator.google.cloud import Cloud
from simulator.google.vertex_machines import _vertex_name, check_machine, gke_label
from simulator.google.wire import from_struct, to_struct

pytest_plugins = ["google_fixtures", "google_resource_fixtures"]
INPUTS = SAMPLES[ENDPOINT]
MACHINE = INPUTS["deployConfig"]["dedicatedResources"]["machineSpec"]


def resources(**edits: Any) -> dict[str, Any]:
    """The deployConfig of the sample with other resources."""
    given = INPUTS["deployConfig"]["dedicatedResources"] | edits
    return {"dedicatedResources": {key: one for key, one in given.items() if one is not None}}


def machine(kind: str, accelerator: str | None = None, count: int | None = None, **others: Any) -> dict[str, Any]:
    spec = {"machineType": kind, "acceleratorType": accelerator, "acceleratorCount": count, **others}
    return resources(machineSpec={key: one for key, one in spec.items() if one is not None})


def diff(gcp: Engine, state: dict[str, Any], news: dict[str, Any]) -> Any:
    olds = to_struct(state)
    return gcp.stub.Diff(
        proto.DiffRequest(
            urn=urn(ENDPOINT), id=state["id"], olds=olds, news=to_struct(news), old_inputs=to_struct(INPUTS)
        )
    )


def test_its_ids_have_googles_forms(make: Make) -> None:
    state = make(ENDPOINT)
    number = projects.number(PROJECT)
    assert state["id"] == f"projects/{number}/locations/us-central1/endpoints/{state['endpoint']}"
    assert re.fullmatch(r"mg-endpoint-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", state["endpoint"])
    assert re.fullmatch(r"\d{19}", state["deployedModelId"])
    assert state["deployedModelDisplayName"] == "gemma-4-31b-it"
    assert (state["project"], state["location"]) == (PROJECT, "us-central1")
    named = make(ENDPOINT, modelConfig={"modelDisplayName": "chat"})
    assert named["deployedModelDisplayName"] == "chat"
    assert named["id"] != state["id"]


def test_numbers_of_replicas_change_in_place_and_all_else_replaces(gcp: Engine, make: Make) -> None:
    state = make(ENDPOINT)
    metric = "aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle"
    in_place: list[dict[str, Any]] = [
        {"minReplicaCount": 2},
        {"maxReplicaCount": 3},
        {"maxReplicaCount": None},
        {"requiredReplicaCount": 1},
        {"autoscalingMetricSpecs": [{"metricName": metric, "target": 70}]},
    ]
    for edits in in_place:
        answer = diff(gcp, state, INPUTS | {"deployConfig": resources(**edits)})
        assert (list(answer.diffs), list(answer.replaces)) == (["deployConfig"], [])
    for edits in (
        {"deployConfig": resources(spot=True)},
        {"deployConfig": machine("a3-highgpu-1g", "NVIDIA_H100_80GB", 1)},
        {"deployConfig": {**resources(), "fastTryoutEnabled": True}},
        {"deployConfig": None},
        {"location": "us-east1"},
        {"modelConfig": {"acceptEula": True, "modelDisplayName": "chat"}},
        {"endpointConfig": {"endpointDisplayName": "chat"}},
        {"publisherModelName": "publishers/google/models/gemma4@gemma-4-26b-a4b-it"},
    ):
        answer = diff(gcp, state, INPUTS | edits)
        assert list(answer.replaces) == list(edits)
        assert not answer.deleteBeforeReplace


def test_an_update_keeps_the_endpoint_and_settles(gcp: Engine, make: Make, ready: Cloud) -> None:
    state = make(ENDPOINT)
    news = INPUTS | {"deployConfig": resources(maxReplicaCount=4)}
    changed = from_struct(gcp.update(urn(ENDPOINT), state["id"], state, news).properties)
    assert {**changed, "deployConfig": None} == {**state, "deployConfig": None}
    assert diff(gcp, changed, news).changes == proto.DiffResponse.DIFF_NONE
    (record,) = [one for one in ready.state.read()["resources"].values() if one["type"] == ENDPOINT]
    assert record["inputs"]["deployConfig"]["dedicatedResources"]["maxReplicaCount"] == 4


def test_a_refresh_asks_nothing_and_an_import_is_refused(gcp: Engine, make: Make, ready: Cloud) -> None:
    state = make(ENDPOINT)
    ByHand(ready.state).forget(state["endpoint"])
    read = gcp.read(urn(ENDPOINT), state["id"], INPUTS, state)
    assert (read.id, from_struct(read.properties), from_struct(read.inputs)) == (state["id"], state, INPUTS)
    words = error_of(gcp.read, urn(ENDPOINT), state["id"]).details()
    assert "google_vertex_ai_endpoint_with_model_garden_deployment doesn't support import" in words


def test_one_removed_by_hand_can_be_neither_deleted_nor_changed(gcp: Engine, make: Make, ready: Cloud) -> None:
    state = make(ENDPOINT)
    ByHand(ready.state).forget(state["endpoint"])
    missing = f"googleapi: Error 404: Endpoint `{state['id']}` not found."
    words = error_of(gcp.delete, urn(ENDPOINT), state["id"], state).details()
    assert f"Error undeploying model from EndpointWithModelGardenDeployment: {missing}" in words
    news = INPUTS | {"deployConfig": resources(maxReplicaCount=4)}
    error = error_of(gcp.update, urn(ENDPOINT), state["id"], state, news)
    assert f'Error updating EndpointWithModelGardenDeployment "{state["id"]}": {missing}' in error.details()
    assert from_struct(partial_state(error).properties) == state


@pytest.mark.parametrize("known", [None, "", "1234567890123456789"])
def test_a_deletion_needs_the_id_of_the_deployed_model(gcp: Engine, make: Make, known: str | None) -> None:
    state = make(ENDPOINT)
    error = error_of(gcp.delete, urn(ENDPOINT), state["id"], state | {"deployedModelId": known})
    assert "Error undeploying model from EndpointWithModelGardenDeployment: googleapi: Error 40" in error.details()
    gcp.delete(urn(ENDPOINT), state["id"], state)


def test_each_cycle_leaves_a_model_behind_until_a_person_deletes_it(
    gcp: Engine, make: Make, ready: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_HOME", str(ready.state.path.parent))
    for _ in range(2):
        state = make(ENDPOINT)
        gcp.delete(urn(ENDPOINT), state["id"], state)
    data = ready.state.read()
    assert data["resources"] == {}
    models = unmanaged.left(data, unmanaged.MODEL)
    assert len(models) == 2
    assert state["id"] in [one["endpoint"] for one in models.values()]
    assert unmanaged.left(data, unmanaged.ENDPOINT) == {}
    assert command.main(["resources"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.endswith(" (model, managed by nothing)") for line in shown] == [True, True]
    for line in shown:
        assert command.main(["forget", line.split(" ")[0]]) == 0
    assert ready.state.read()["unmanaged"] == {}


def test_a_failed_operation_leaks_the_half_made_endpoint(make: Make, ready: Cloud, refused: Refused) -> None:
    ByHand(ready.state).fail("AiEndpointWithModelGardenDeployment", after_half=True)
    assert refused(ENDPOINT).startswith(
        "Error waiting to create EndpointWithModelGardenDeployment: Error waiting for Creating "
        "EndpointWithModelGardenDeployment: "
    )
    data = ready.state.read()
    assert data["resources"] == {}
    (leaked,) = unmanaged.left(data, unmanaged.ENDPOINT)
    (model,) = unmanaged.left(data, unmanaged.MODEL).values()
    assert leaked.endswith(model["endpoint"])
    assert not make(ENDPOINT)["id"].endswith(leaked.rpartition("/")[2])


def test_an_operation_that_takes_too_long_leaks_what_it_goes_on_to_make(
    gcp: Engine, ready: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_OPERATION_SECONDS", "60")
    error = error_of(gcp.create, urn(ENDPOINT), INPUTS, timeout=0.1)
    assert "timeout while waiting for state to become 'DONE'" in error.details()
    assert len(unmanaged.left(ready.state.read(), unmanaged.ENDPOINT)) == 1


def test_a_failure_at_once_leaves_nothing(ready: Cloud, refused: Refused) -> None:
    ByHand(ready.state).fail("vertex.AiEndpointWithModelGardenDeployment", after_half=False)
    assert "Error creating EndpointWithModelGardenDeployment: googleapi: Error 503" in refused(ENDPOINT)
    data = ready.state.read()
    assert data["resources"] == data["unmanaged"] == {}


def test_an_api_that_is_off_is_googles_403_also_for_a_deletion(
    gcp: Engine, make: Make, ready: Cloud, refused: Refused
) -> None:
    state = make(ENDPOINT)
    with ready.state.change() as data:
        projects.turn_off(data, PROJECT, "aiplatform.googleapis.com")
    words = "googleapi: Error 403: Vertex AI API has not been used in project"
    assert refused(ENDPOINT).startswith(f"Error creating EndpointWithModelGardenDeployment: {words}")
    assert f"Error undeploying model from EndpointWithModelGardenDeployment: {words}" in (
        error_of(gcp.delete, urn(ENDPOINT), state["id"], state).details()
    )


def test_exactly_one_model_is_named_in_one_of_its_forms(make: Make, refused: Refused) -> None:
    both = refused(ENDPOINT, huggingFaceModelId="google/gemma-4-31B-it")
    assert "oneof field 'artifacts' is already set. Cannot set 'huggingFaceModelId'" in both
    assert "is required" in refused(ENDPOINT, publisherModelName=None)
    assert "Invalid publisher model name" in refused(ENDPOINT, publisherModelName="google/gemma4@gemma-4-31b-it")
    assert "Invalid Hugging Face model" in refused(ENDPOINT, publisherModelName=None, huggingFaceModelId="gemma")
    made = make(ENDPOINT, publisherModelName=None, huggingFaceModelId="google/gemma-4-31B-it")
    assert made["deployedModelDisplayName"] == "gemma-4-31B-it"


@pytest.mark.parametrize(
    "config",
    [
        machine("a3-highgpu-1g", "NVIDIA_H100_80GB", 1),
        machine("g2-standard-48", "NVIDIA_L4", 4),
        machine("a2-ultragpu-1g", "NVIDIA_A100_80GB", 1),
        machine("n1-standard-8", "NVIDIA_TESLA_T4", 2),
        machine("ct5lp-hightpu-1t", tpuTopology="1x1"),
        machine("e2-standard-4"),
        None,
    ],
)
def test_machines_of_the_table_are_taken(make: Make, config: dict[str, Any] | None) -> None:
    assert make(ENDPOINT, deployConfig=config)["deployConfig" if config else "id"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            machine("g2-standard-8", "NVIDIA_L4", 8),
            'The accelerator count "8" is not allowed. The allowed numbers of accelerator "NVIDIA_L4" to use with '
            'machine type "g2-standard-8" are: [1].',
        ),
        (
            machine("n1-standard-4", "NVIDIA_TESLA_K80", 1),
            'Accelerator "NVIDIA_TESLA_K80" is not supported for machine type "n1-standard-4"',
        ),
        (machine("e2-standard-4", "NVIDIA_L4", 1), 'is not supported for machine type "e2-standard-4"'),
        (machine("g4-standard-48", "NVIDIA_H100_80GB", 1), 'is not supported for machine type "g4-standard-48"'),
        (machine("n1-standard-8", "NVIDIA_TESLA_T4", 3), "are: [1, 2, 4]."),
        (machine("g4-standard-48", "us-central1", 1), 'Accelerator "us-central1" is not supported'),
        (machine("g9-standard-8", "NVIDIA_L4", 1), 'Machine type "g9-standard-8" is not supported.'),
        (machine("g2-standard-8", "NVIDIA_L4"), "must be set together"),
        (machine("g2-standard-8"), 'needs the accelerator "NVIDIA_L4"'),
        (machine("ct5lp-hightpu-1t", tpuTopology="3x3"), 'TPU topology "3x3" is not supported'),
        (resources(minReplicaCount=0), "min_replica_count must be greater than or equal to 1."),
        (resources(minReplicaCount=3), "max_replica_count 2 must not be less than min_replica_count 3."),
        (resources(requiredReplicaCount=2), "required_replica_count 2 must not be greater"),
        (
            resources(autoscalingMetricSpecs=[{"metricName": "a"}, {"metricName": "a"}]),
            "at most one entry per metric",
        ),
        (resources(autoscalingMetricSpecs=[{"metricName": "a", "target": 101}]), "between 1 and 100"),
    ],
)
def test_machines_and_replicas_that_vertex_lacks_are_refused(
    ready: Cloud, refused: Refused, config: dict[str, Any], words: str
) -> None:
    told = refused(ENDPOINT, deployConfig=config)
    assert told.startswith("Error creating EndpointWithModelGardenDeployment: googleapi: Error 400: ")
    assert words in told
    assert ready.state.read()["unmanaged"] == {}


def test_a_region_must_be_one_and_have_the_machine(gcp: Engine, refused: Refused) -> None:
    assert "Unsupported region for Vertex AI: global." in refused(ENDPOINT, location="global")
    assert 'Machine type "g4-standard-48" is not available in me-west1.' in refused(ENDPOINT, location="me-west1")
    assert 'The argument "location" is required' in failure(gcp, ENDPOINT, location=None)


def test_each_accelerator_of_the_table_has_the_name_that_the_api_gives_it() -> None:
    compute = machine_types.load()
    names = {_vertex_name(label) for label in compute.accelerators}
    assert names <= {one.name for one in AcceleratorType}
    assert {gke_label(name) for name in names} == set(compute.accelerators)
    for kind in compute.machine_types.values():
        if kind.accelerator:
            spec = {
                "machineType": kind.name,
                "acceleratorType": _vertex_name(kind.accelerator),
                "acceleratorCount": kind.gpus,
            }
            zones = compute.accelerators[kind.accelerator].zones
            region = min(zones).rpartition("-")[0] if zones else "us-central1"
            check_machine(compute, region, spec)


def test_a_deletion_policy_holds(gcp: Engine, make: Make, ready: Cloud) -> None:
    state = make(ENDPOINT)
    error = error_of(gcp.delete, urn(ENDPOINT), state["id"], state | {"deletionPolicy": "PREVENT"})
    assert "deletion_policy is set to PREVENT" in error.details()
    gcp.delete(urn(ENDPOINT), state["id"], state | {"deletionPolicy": "ABANDON"})
    assert [one["type"] for one in ready.state.read()["resources"].values()] == [ENDPOINT]
