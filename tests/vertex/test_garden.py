"""The real Google clients against a loopback Vertex: in every fault nothing is left, nothing of others is touched."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from infra.vertex.clients import connect
from infra.vertex.failures import OperationTimeoutError, TakenError, VertexError
from infra.vertex.garden import Garden
from simulator.managed.errors import EXISTS
from simulator.managed.faults import Fault, Outcome
from tests.vertex.conftest import NOTHING, OURS, WANTED, MakeGarden, World, foreign_endpoint

LABELS = {"team": "search", "managed-by": "servestack", "servestack-stack": WANTED.stack}


def readable(error: BaseException) -> str:
    """The text of an error, once it is short lines without a traceback."""
    text = str(error)
    assert max(len(line) for line in text.splitlines()) <= 76, text
    assert "Traceback" not in text
    return text


def test_a_deployment_has_our_ids_labels_and_replicas_and_says_where_it_serves(
    world: World, garden: MakeGarden, capfd: pytest.CaptureFixture[str]
) -> None:
    live = garden(max_replicas=3).create()
    assert world.made() == OURS
    there = world.endpoints[WANTED.endpoint_id]
    assert there["labels"] == LABELS
    outputs = live.outputs()
    host = f"{WANTED.endpoint_id}.us-central1-314159265358.prediction.vertexai.goog"
    assert outputs == {
        "endpoint": WANTED.endpoint_id,
        "dedicated_dns": host,
        "base_url": f"https://{host}/v1/{WANTED.endpoint_name}",
        "request_model": "",
        "console_url": "https://console.cloud.google.com/vertex-ai/online-prediction/locations/us-central1/endpoints/"
        f"{WANTED.endpoint_id}?project=shop-prod",
        "deployed_model_id": there["deployedModels"][0]["id"],
    }
    (deploy,) = [call.body for call in world.calls if call.route == "deploy"]
    resources = deploy["deployConfig"]["dedicatedResources"]
    assert (resources["minReplicaCount"], resources["maxReplicaCount"]) == (1, 3)
    assert not deploy["modelConfig"].get("acceptEula")
    said = capfd.readouterr()
    assert not said.out
    (operation,) = [one.name for one in world.operations.values() if one.kind == "Deploy"]
    assert operation in said.err


def test_without_a_dedicated_endpoint_the_region_serves(garden: MakeGarden) -> None:
    live = garden(dedicated_endpoint=False).create()
    assert live.outputs()["base_url"].startswith("https://us-central1-aiplatform.googleapis.com/v1/projects/shop-prod/")
    assert not live.deployment.dedicated_endpoint


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({"spot": True}, {"spot": True}),
        ({"flex_start_seconds": 7200}, {"flexStart": {"maxRuntimeDuration": "7200s"}}),
        (
            {"autoscaling": (("a.b/duty_cycle", 70),)},
            {"autoscalingMetricSpecs": [{"metricName": "a.b/duty_cycle", "target": 70}]},
        ),
    ],
)
def test_ways_to_buy_and_scale_reach_google_and_come_back_as_they_were_asked(
    world: World, garden: MakeGarden, changes: dict[str, Any], sent: dict[str, Any]
) -> None:
    made = garden(**changes)
    assert made.create().deployment == made._wanted
    (deploy,) = [call.body for call in world.calls if call.route == "deploy"]
    resources = deploy["deployConfig"]["dedicatedResources"]
    assert {name: resources[name] for name in sent} == sent


def test_a_reservation_reaches_google_by_name(world: World, garden: MakeGarden) -> None:
    name = "projects/shop-prod/zones/us-central1-a/reservations/h100"
    live = garden(reservation=name).create()
    assert live.deployment.reservation == name
    (deploy,) = [call.body for call in world.calls if call.route == "deploy"]
    affinity = deploy["deployConfig"]["dedicatedResources"]["machineSpec"]["reservationAffinity"]
    assert affinity == {
        "reservationAffinityType": 3,
        "key": "compute.googleapis.com/reservation-name",
        "values": [name],
    }


@pytest.mark.parametrize(
    ("code", "advice"),
    [(7, "roles/aiplatform.user"), (5, "Model Garden"), (8, "quota"), (14, "out of order"), (16, "gcloud auth")],
)
def test_a_refusal_names_what_helps_and_leaves_nothing(
    world: World, garden: MakeGarden, code: int, advice: str
) -> None:
    world.faults.append(Fault("deploy", code=code, times=9))
    with pytest.raises(VertexError) as caught:
        garden().create()
    assert advice in readable(caught.value)
    assert world.made() == NOTHING


@pytest.mark.parametrize("route", ["deploy", "operation.get", "endpoint.get", "endpoint.patch", "model.get"])
@pytest.mark.parametrize("code", [8, 14])
def test_a_busy_google_is_asked_again(world: World, garden: MakeGarden, route: str, code: int) -> None:
    world.faults.append(Fault(route, code=code, times=2))
    garden().create()
    assert world.made() == OURS
    assert world.endpoints[WANTED.endpoint_id]["labels"] == LABELS


def test_a_machine_that_is_not_offered_is_answered_with_those_that_are(world: World, garden: MakeGarden) -> None:
    with pytest.raises(VertexError) as caught:
        garden(machine_type="g2-standard-48", accelerator_type="NVIDIA_L4", accelerator_count=4).create()
    assert "g4-standard-48, 1 x NVIDIA_RTX_PRO_6000" in readable(caught.value)
    assert world.made() == NOTHING


def test_a_licence_is_accepted_only_when_asked(world: World, garden: MakeGarden) -> None:
    world.licence_asked = True
    with pytest.raises(VertexError, match="accept_eula") as caught:
        garden().create()
    readable(caught.value)
    assert not world.licence_accepted
    assert world.made() == NOTHING
    garden(accept_eula=True).create()
    assert "eula.accept" not in world.routes()
    assert world.made() == OURS


def test_an_operation_that_fails_late_leaves_nothing_and_is_named(world: World, garden: MakeGarden) -> None:
    world.outcomes.append(Outcome(looks=3, code=8))
    with pytest.raises(VertexError) as caught:
        garden().create()
    text = readable(caught.value)
    (operation,) = [one.name for one in world.operations.values() if one.kind == "Deploy"]
    assert operation in text
    assert "machine type temporarily unavailable" in " ".join(text.split())
    assert "removed" in text
    assert world.made() == NOTHING


@pytest.mark.parametrize("cancellable", [True, False])
def test_an_operation_that_never_ends_is_cancelled_named_and_leaves_nothing(
    world: World, garden: MakeGarden, cancellable: bool
) -> None:
    world.outcomes.append(Outcome(looks=None, cancellable=cancellable))
    with pytest.raises(TimeoutError) as caught:
        garden(pace={"removal_seconds": 5 if cancellable else 1}, timeout_seconds=0).create()
    assert isinstance(caught.value, OperationTimeoutError)
    (operation,) = [one.name for one in world.operations.values() if one.kind == "Deploy"]
    assert operation in readable(caught.value)
    assert "operation.cancel" in world.routes()
    assert world.made() == NOTHING


@pytest.mark.parametrize("arrives", [True, False])
def test_a_connection_cut_during_the_deploy_call_neither_doubles_nor_leaves(
    world: World, garden: MakeGarden, arrives: bool
) -> None:
    world.faults.append(Fault("deploy", cut=True, arrives=arrives))
    garden().create()
    assert world.made() == OURS
    assert len(world.endpoints[WANTED.endpoint_id]["deployedModels"]) == 1
    assert world.routes().count("deploy") == (1 if arrives else 2)


@pytest.mark.parametrize("route", ["operation.get", "endpoint.get", "endpoint.patch"])
def test_a_connection_cut_elsewhere_is_made_again(world: World, garden: MakeGarden, route: str) -> None:
    world.faults.append(Fault(route, cut=True, arrives=True))
    garden().create()
    assert world.made() == OURS


def test_an_answer_that_does_not_come_is_asked_for_again(world: World, garden: MakeGarden) -> None:
    world.faults.append(Fault("operation.get", slow=True))
    garden(pace={"call_seconds": 0.5}).create()
    assert world.made() == OURS


def test_a_google_that_never_answers_is_told_in_a_line(world: World, garden: MakeGarden) -> None:
    world.faults.append(Fault("endpoint.get", slow=True, times=99))
    with pytest.raises(VertexError, match="no answer from Google") as caught:
        garden(pace={"call_seconds": 0.1}).create()
    readable(caught.value)
    assert world.made() == NOTHING


def test_labels_that_cannot_be_set_do_not_fail_a_deployment_that_serves(world: World, garden: MakeGarden) -> None:
    world.faults.append(Fault("endpoint.patch", code=7, times=9))
    live = garden().create()
    assert live.deployment.labels == ()
    world.faults.clear()
    assert garden().update().deployment.labels == WANTED.labels


def test_an_endpoint_of_others_is_refused_and_not_touched(world: World, garden: MakeGarden) -> None:
    theirs = copy.deepcopy(foreign_endpoint(world))
    with pytest.raises(TakenError, match="left alone") as caught:
        garden().create()
    assert "fraud-model" in readable(caught.value)
    assert garden().read() is None
    garden().delete()
    with pytest.raises(VertexError, match="pulumi refresh"):
        garden().update()
    assert world.endpoints == {WANTED.endpoint_id: theirs}
    assert {call.method for call in world.calls} == {"GET"}


def test_another_stack_of_ours_is_not_this_stack(world: World, garden: MakeGarden) -> None:
    labels = {"managed-by": "servestack", "servestack-stack": "another"}
    foreign_endpoint(world, displayName=WANTED.display_name, labels=labels)
    with pytest.raises(TakenError):
        garden().create()
    garden().delete()
    assert world.made()["endpoints"] == [WANTED.endpoint_id]


def test_a_model_of_others_is_refused_and_not_touched(world: World, garden: MakeGarden) -> None:
    theirs = {"name": "projects/314159265358/locations/us-central1/models/m", "displayName": "tuned by hand"}
    world.models[WANTED.model_id] = theirs
    with pytest.raises(TakenError, match="tuned by hand"):
        garden().create()
    garden().delete()
    assert world.models == {WANTED.model_id: theirs}


def test_an_endpoint_made_by_others_between_look_and_deploy_is_not_touched(world: World, garden: MakeGarden) -> None:
    """The first look finds nothing; the deploy call is answered with 409."""
    foreign_endpoint(world)
    theirs = copy.deepcopy(world.endpoints)
    world.faults.append(Fault("endpoint.get", code=5))
    with pytest.raises(TakenError):
        garden().create()
    assert "deploy" in world.routes()
    assert world.endpoints == theirs


def test_what_others_deployed_to_our_endpoint_keeps_it(world: World, garden: MakeGarden) -> None:
    garden().create()
    foreign: dict[str, Any] = {"id": "77", "model": "projects/314159265358/locations/us-central1/models/fraud"}
    world.endpoints[WANTED.endpoint_id]["deployedModels"].append(foreign)
    before = copy.deepcopy(world.endpoints)
    with pytest.raises(TakenError, match="fraud") as caught:
        garden().delete()
    readable(caught.value)
    assert world.endpoints == before


def test_a_model_that_others_deployed_elsewhere_is_left(world: World, garden: MakeGarden) -> None:
    garden().create()
    model = world.models[WANTED.model_id]["name"]
    other = {
        "name": "projects/1/locations/us-central1/endpoints/other",
        "deployedModels": [{"id": "8", "model": model}],
    }
    world.endpoints["other"] = other
    garden().delete()
    assert world.made() == {"endpoints": ["other"], "models": [WANTED.model_id]}


def test_what_serves_already_is_taken_over_without_a_second_deployment(world: World, garden: MakeGarden) -> None:
    first = garden().create()
    again = garden(min_replicas=2, max_replicas=2).create()
    assert world.routes().count("deploy") == 1
    assert again.deployed_model_id == first.deployed_model_id
    assert again.deployment.min_replicas == 2


def test_what_serves_already_but_otherwise_is_refused_with_the_difference(world: World, garden: MakeGarden) -> None:
    garden().create()
    before = copy.deepcopy(world.endpoints)
    with pytest.raises(TakenError, match="machine_type: a3-highgpu-1g, wanted g4-standard-48") as caught:
        garden(machine_type="g4-standard-48", accelerator_type="NVIDIA_RTX_PRO_6000").create()
    readable(caught.value)
    assert world.endpoints == before


def interrupted(world: World, garden: Garden, looks: int = 0) -> None:
    """A run that starts a deployment and is killed after some looks at it."""
    world.faults.append(Fault("operation.get", code=7, after=looks))
    removal = "infra.vertex.removal.Removal.remove", "infra.vertex.removal.Removal.cancel"
    with pytest.MonkeyPatch.context() as patch:
        for name in removal:
            patch.setattr(name, lambda *_: None)
        with pytest.raises(VertexError):
            garden.create()
    assert world.made() == OURS


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("looks", [0, 1])
def test_a_killed_run_s_deployment_is_waited_for_and_taken_over(
    world: World, garden: MakeGarden, looks: int, ended: bool
) -> None:
    """After its first look the run has noted its operation on the endpoint; before that only the list tells it."""
    world.outcomes.append(Outcome(looks=4))
    interrupted(world, garden(), looks)
    world.strange_operations = bool(looks)
    if ended:
        world.end_all()
    garden().create()
    assert world.routes().count("deploy") == 1
    assert world.made() == OURS
    assert world.endpoints[WANTED.endpoint_id]["labels"] == LABELS


def test_a_half_made_deployment_is_removed_where_the_list_of_operations_cannot_be_read(
    world: World, garden: MakeGarden
) -> None:
    world.outcomes.append(Outcome(looks=99))
    interrupted(world, garden())
    world.strange_operations = True
    garden().create()
    assert world.routes().count("deploy") == 2
    assert world.made() == OURS


def test_an_operation_that_neither_ends_nor_lets_go_is_told_with_the_commands_and_taken_up_later(
    world: World, garden: MakeGarden
) -> None:
    world.locked_while_deploying = True
    world.outcomes.append(Outcome(looks=None, cancellable=False))
    with pytest.raises(TimeoutError) as caught:
        garden(pace={"removal_seconds": 0.2}, timeout_seconds=0).create()
    assert f"gcloud ai models delete {WANTED.model_id}" in readable(caught.value)
    (running,) = [one for one in world.operations.values() if one.kind == "Deploy"]
    running.looks, running.code = 1, 8
    garden().create()
    assert world.made() == OURS
    assert world.endpoints[WANTED.endpoint_id]["deployedModels"]


def test_a_model_undeployed_by_hand_reads_as_no_replicas_and_is_deployed_again(
    world: World, garden: MakeGarden
) -> None:
    garden().create()
    world.endpoints[WANTED.endpoint_id]["deployedModels"] = []
    live = garden().read()
    assert live
    assert (live.deployment.min_replicas, live.deployed_model_id) == (0, "")
    assert garden().update().deployment == WANTED
    assert world.made() == OURS


def test_a_killed_run_s_deployment_that_failed_is_removed_and_made_again(world: World, garden: MakeGarden) -> None:
    world.outcomes.append(Outcome(code=8))
    interrupted(world, garden())
    garden().create()
    assert world.routes().count("deploy") == 2
    assert len(world.endpoints[WANTED.endpoint_id]["deployedModels"]) == 1
    assert world.made() == OURS


def test_a_killed_run_s_deployment_that_never_ends_is_removed(world: World, garden: MakeGarden) -> None:
    world.outcomes.append(Outcome(looks=None))
    interrupted(world, garden())
    with pytest.raises(TimeoutError):
        garden(timeout_seconds=0).create()
    assert world.made() == NOTHING


def test_a_conflict_that_google_tells_late_is_no_reason_to_remove_what_serves(world: World, garden: MakeGarden) -> None:
    garden().create()
    world.late_conflict = True
    world.faults += [Fault("endpoint.get", code=5), Fault("model.get", code=5)]
    garden().create()
    assert world.made() == OURS
    assert [one.code for one in world.operations.values() if one.kind == "Deploy"] == [0, EXISTS]


def test_a_clean_up_that_fails_says_what_is_left_and_the_next_run_takes_it_up(world: World, garden: MakeGarden) -> None:
    world.outcomes.append(Outcome(code=8))
    world.faults.append(Fault("endpoint.delete", code=7))
    with pytest.raises(VertexError) as caught:
        garden().create()
    text = readable(caught.value)
    assert f"gcloud ai endpoints delete {WANTED.endpoint_id}" in text
    garden().create()
    assert world.made() == OURS
    assert len(world.endpoints[WANTED.endpoint_id]["deployedModels"]) == 1


def test_replicas_change_in_place(world: World, garden: MakeGarden) -> None:
    first = garden().create()
    changed = garden(min_replicas=2, max_replicas=4).update()
    assert (changed.deployment.min_replicas, changed.deployment.max_replicas) == (2, 4)
    assert changed.deployed_model_id == first.deployed_model_id
    (mutate,) = [call.body for call in world.calls if call.route == "endpoint.mutate"]
    assert mutate["updateMask"] == "dedicatedResources.minReplicaCount,dedicatedResources.maxReplicaCount"


def test_a_deployment_is_removed_with_its_model_and_removing_it_again_is_done(world: World, garden: MakeGarden) -> None:
    garden().create()
    garden().delete()
    assert world.made() == NOTHING
    garden().delete()


@pytest.mark.parametrize("route", ["endpoint.undeploy", "endpoint.delete", "model.delete"])
@pytest.mark.parametrize("fault", [{"code": 14}, {"code": 9}, {"cut": True, "arrives": True}])
def test_a_removal_survives_busy_locked_and_cut(
    world: World, garden: MakeGarden, route: str, fault: dict[str, Any]
) -> None:
    garden().create()
    world.faults.append(Fault(route, **fault))
    garden().delete()
    assert world.made() == NOTHING


def test_a_removal_without_permission_says_so(world: World, garden: MakeGarden) -> None:
    garden().create()
    world.faults.append(Fault("endpoint.undeploy", code=7))
    with pytest.raises(Exception, match="out of order"):
        garden().delete()
    assert world.made() == OURS


def test_a_deployment_removed_by_hand_reads_as_gone(world: World, garden: MakeGarden) -> None:
    garden().create()
    world.endpoints.clear()
    assert garden().read() is None
    garden().delete()
    assert world.made() == NOTHING


def test_replicas_changed_by_hand_are_read(world: World, garden: MakeGarden) -> None:
    garden().create()
    resources = world.endpoints[WANTED.endpoint_id]["deployedModels"][0]["dedicatedResources"]
    resources |= {"minReplicaCount": 5, "maxReplicaCount": 6}
    live = garden().read()
    assert live
    assert (live.deployment.min_replicas, live.deployment.max_replicas) == (5, 6)


def test_a_token_that_an_answer_quotes_is_not_repeated(
    world: World, garden: MakeGarden, capfd: pytest.CaptureFixture[str]
) -> None:
    token = "ya29.a0AfB_planted-token"
    world.faults.append(Fault("deploy", code=7, message=f"Authorization: Bearer {token} lacks aiplatform.deploy"))
    with pytest.raises(VertexError) as caught:
        garden().create()
    assert "planted" not in readable(caught.value) + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1:1",
        "http://10.0.0.1:80",
        "http://aiplatform.example:80",
        "http://127.0.0.1",
        "http://x@127.0.0.1:1",
        "http://127.0.0.1:1/evil",
        "127.0.0.1:80",
        "http://127.0.0.1:999999",
    ],
)
def test_only_a_loopback_address_stands_in_for_google(address: str) -> None:
    with pytest.raises(VertexError, match="http://127"):
        connect("us-central1", address)
