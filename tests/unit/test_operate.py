"""Recovery's state surgery and status's diagnosis, on data as Pulumi and the API give it."""

from __future__ import annotations

from typing import Any

import pytest

from infra.diagnosis_report import diagnosis_text
from infra.operate.diagnosis import diagnose, followed
from infra.operate.recovery import adopt_pending, keep_ours
from infra.operate.secrets import lacking, unsynced
from infra.plan.needed_secrets import NeededSecret

URN = "urn:pulumi:x::servestack::servestack:kubernetes:InferenceServer$kubernetes:core/v1:Namespace::x"


def pending(kind: str, inputs: dict[str, Any], urn: str = URN) -> dict[str, Any]:
    operation = {"type": "creating", "resource": {"urn": urn, "type": kind, "inputs": inputs, "custom": True}}
    return {"version": 3, "deployment": {"resources": [], "pending_operations": [operation]}}


@pytest.mark.parametrize(
    ("kind", "inputs", "identifier"),
    [
        ("kubernetes:core/v1:Namespace", {"metadata": {"name": "x"}}, "x"),
        ("kubernetes:apps/v1:Deployment", {"metadata": {"name": "x", "namespace": "n"}}, "n/x"),
        (
            "gcp:container/nodePool:NodePool",
            {"project": "p", "location": "l", "cluster": "c", "name": "x"},
            "projects/p/locations/l/clusters/c/nodePools/x",
        ),
        (
            "gcp:container/cluster:Cluster",
            {"project": "p", "location": "l", "name": "x"},
            "projects/p/locations/l/clusters/x",
        ),
    ],
)
def test_a_pending_create_becomes_a_protected_resource_with_the_id_that_its_provider_gives(
    kind: str, inputs: dict[str, Any], identifier: str
) -> None:
    state, adopted, forgotten = adopt_pending(pending(kind, inputs))
    (resource,) = state["deployment"]["resources"]
    assert (resource["id"], resource["protect"], resource["outputs"]) == (identifier, True, inputs)
    assert (adopted, forgotten) == ([URN], [])
    assert "pending_operations" not in state["deployment"]


def test_a_resource_without_an_id_of_its_own_is_forgotten_and_other_operations_are_dropped() -> None:
    before = pending("pulumi:providers:kubernetes", {})
    before["deployment"]["pending_operations"].append({"type": "updating", "resource": {"urn": "other"}})
    state, adopted, forgotten = adopt_pending(before)
    assert (state["deployment"]["resources"], adopted, forgotten) == ([], [], [URN])


def test_a_resource_that_is_in_the_state_already_is_never_doubled() -> None:
    before = pending("kubernetes:core/v1:Namespace", {"metadata": {"name": "x"}})
    before["deployment"]["resources"] = [{"urn": URN, "id": "x"}]
    state, adopted, _ = adopt_pending(before)
    assert (len(state["deployment"]["resources"]), adopted) == (1, [])


def test_a_replacement_that_was_being_made_takes_the_place_of_what_was_deleted_for_it() -> None:
    before = pending("kubernetes:core/v1:Namespace", {"metadata": {"name": "x"}})
    after_it = {"urn": "urn:after", "dependencies": [URN]}
    before["deployment"]["resources"] = [{"urn": URN, "id": "x", "pendingReplacement": True}, after_it]
    state, adopted, _ = adopt_pending(before)
    first, second = state["deployment"]["resources"]
    assert (first["urn"], first["protect"], second, adopted) == (URN, True, after_it, [URN])
    assert "pendingReplacement" not in first


def test_what_depends_on_something_of_someone_else_no_longer_names_it() -> None:
    other = {"urn": "urn:after", "dependencies": [URN, "urn:x"], "propertyDependencies": {"spec": [URN]}}
    state = {"deployment": {"resources": [{"urn": URN, "id": "x", "outputs": {}}, other]}}
    after, _, foreign = keep_ours(state, [URN], "x")
    (left,) = after["deployment"]["resources"]
    assert (foreign, left["dependencies"], left["propertyDependencies"]) == ([URN], ["urn:x"], {"spec": []})


@pytest.mark.parametrize(
    ("outputs", "ours"),
    [
        ({"metadata": {"annotations": {"servestack.dev/stack": "x"}}}, True),
        ({"metadata": {"annotations": {"servestack.dev/stack": "y"}}}, False),
        ({"metadata": {"labels": {"servestack.dev/stack": "x"}}}, False),
        ({"metadata": {}}, False),
        ({"nodeConfig": {"resourceLabels": {"servestack-endpoint": "x"}}}, True),
        ({"nodeConfig": {"resourceLabels": {"team": "x"}}}, False),
        ({"resourceLabels": {"servestack-platform": "x"}}, True),
    ],
)
def test_after_the_refresh_only_what_carries_the_stacks_mark_stays(outputs: dict[str, Any], ours: bool) -> None:
    state = {
        "deployment": {
            "resources": [{"urn": URN, "id": "x", "protect": True, "retainOnDelete": True, "outputs": outputs}]
        }
    }
    after, kept, foreign = keep_ours(state, [URN], "x")
    assert (kept, foreign) == (([URN], []) if ours else ([], [URN]))
    assert len(after["deployment"]["resources"]) == (1 if ours else 0)
    assert not any("protect" in one or "retainOnDelete" in one for one in after["deployment"]["resources"])


def test_a_recovery_that_was_killed_itself_goes_on_where_it_was() -> None:
    state, adopted, _ = adopt_pending(pending("kubernetes:core/v1:Namespace", {"metadata": {"name": "x"}}))
    assert adopt_pending(state) == (state, adopted, [])


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x-1"}, "status": status}


def event(reason: str, message: str, kind: str = "Warning", name: str = "x-1", time: str = "1") -> dict[str, Any]:
    about = {"kind": "Pod", "name": name}
    return {
        "metadata": {},
        "type": kind,
        "reason": reason,
        "message": message,
        "involvedObject": about,
        "lastTimestamp": time,
    }


DEPLOYMENT = {"metadata": {"name": "x"}, "spec": {"replicas": 1}, "status": {}}
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("Node scale up failed: GCE out of resources. Pod is at risk", "no capacity"),
        ("failed: GCE quota exceeded", "raise the project's GPU quota"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', "Pod Security"),
        ("1 max node group size reached", "node pool is full"),
        ("0/3 nodes are available: 1 Insufficient nvidia.com/gpu", "accelerators of the pool are in use"),
    ],
)
def test_the_control_planes_words_lead_to_the_next_step(words: str, step: str) -> None:
    found = diagnose(
        DEPLOYMENT, [pod(conditions=[{**UNSCHEDULED, "message": "0/1 nodes are available"}])], [event("E", words)]
    )
    assert found.state == "stuck"
    text = diagnosis_text("x", found, "url")
    assert "0/1 nodes are available" in text
    assert step in text.split("Next: ")[1]


def test_a_stock_out_outranks_the_scale_up_that_came_before_it() -> None:
    events = [
        event("TriggeredScaleUp", "pod triggered scale-up", "Normal"),
        event("FailedScaleUp", "GCE out of resources"),
    ]
    found = diagnose(DEPLOYMENT, [pod()], events)
    assert found.next_step
    assert found.next_step.startswith("no capacity")


def test_a_ready_endpoint_is_serving_whatever_old_events_say() -> None:
    ready = DEPLOYMENT | {"status": {"readyReplicas": 1}}
    found = diagnose(ready, [pod()], [event("FailedScaleUp", "GCE out of resources")])
    assert (found.state, found.findings) == ("serving", ())


def test_a_roll_out_that_waits_for_a_machine_is_told_while_the_old_pod_serves() -> None:
    status = {"readyReplicas": 1, "replicas": 2, "unavailableReplicas": 1}
    refused = event("FailedScaleUp", "Node scale up failed: GCE out of resources.")
    found = diagnose({"metadata": {"name": "x"}, "spec": {"replicas": 1}, "status": status}, [pod()], [refused])
    assert (found.state, found.ready) == ("serving", 1)
    assert any("out of resources" in one.message for one in found.findings)
    assert "no capacity in these zones now" in (found.next_step or "")


def test_a_crash_shows_the_engines_last_words() -> None:
    waiting = {"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}}
    last = {"lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "message": "no memory"}}}
    found = diagnose(DEPLOYMENT, [pod(containerStatuses=[waiting | last])], [])
    text = diagnosis_text("x", found, "url")
    assert "exit code 137 no memory" in text
    assert "host memory" in text


def test_an_absent_endpoint_names_the_command_that_makes_it() -> None:
    assert "pulumi up -s x" in diagnosis_text("x", diagnose(None, [], []), "url")


UNPLACED = pod(conditions=[{**UNSCHEDULED, "message": "0/1 nodes are available"}])
WAITING = event("FailedScheduling", "0/1 nodes are available")
TRIGGERED = event("TriggeredScaleUp", "pod triggered scale-up: [{x 0->1 (max: 1)}]", "Normal")
STOCK_OUT = event("FailedScaleUp", "Node scale up in zones z associated with this pod failed: GCE out of resources.")


@pytest.mark.parametrize(
    ("events", "state", "step"),
    [
        ([WAITING], "stuck", None),
        ([WAITING, TRIGGERED], "starting", "a node is on its way"),
        ([WAITING, TRIGGERED, STOCK_OUT], "stuck", "no capacity in these zones now"),
    ],
)
def test_waiting_for_a_machine_that_was_asked_for_is_starting_until_google_refuses_it(
    events: list[dict[str, Any]], state: str, step: str | None
) -> None:
    found = diagnose(DEPLOYMENT, [UNPLACED], events)
    assert found.state == state
    assert step is None or str(found.next_step).startswith(step)


def test_an_endpoint_that_someone_scaled_to_zero_is_not_serving() -> None:
    text = diagnosis_text("x", diagnose(DEPLOYMENT | {"spec": {"replicas": 0}}, [], []), "http://x")
    assert text.startswith("x: stuck, 0 of 0 replicas ready.")
    assert "pulumi up --refresh -s x" in text


KEYS = NeededSecret("x-keys", "calls", False, "kubectl create it")
REGISTRY = NeededSecret("x-registry", "starts", False, "kubectl create the registry's")
ENGINE = NeededSecret("x-engine", "starts", True, "gcloud secrets create it")


def test_a_ready_endpoint_without_its_secret_is_locked_and_names_the_command() -> None:
    ready = DEPLOYMENT | {"status": {"readyReplicas": 1}}
    text = diagnosis_text("x", lacking(diagnose(ready, [pod()], []), [KEYS]), "http://x")
    assert text.startswith("x: locked, 1 of 1 replica ready.")
    assert "secret x-keys: Missing" in text
    assert text.endswith("Next: kubectl create it.\n")


def test_a_stuck_endpoint_stays_stuck_without_its_secret() -> None:
    found = lacking(diagnose(DEPLOYMENT, [], [event("E", "GCE quota exceeded")]), [KEYS])
    assert found.state == "stuck"
    assert "quota" in str(found.next_step)


def test_an_endpoint_that_serves_without_the_secret_of_its_image_says_so_and_serves_on() -> None:
    ready = DEPLOYMENT | {"status": {"readyReplicas": 1}}
    found = lacking(diagnose(ready, [pod()], []), [REGISTRY, ENGINE])
    assert (found.state, found.next_step) == ("serving", None)
    text = diagnosis_text("x", found, "http://x")
    assert "secret x-registry: Missing: no pod starts without it" in text
    assert "secret x-engine: Missing: no pod starts without it" in text


@pytest.mark.parametrize(
    ("missing", "step"),
    [
        ([REGISTRY, ENGINE, KEYS], "kubectl create the registry's"),
        ([ENGINE, KEYS], "where Secret Manager has no such version: gcloud secrets create it"),
        ([KEYS], "check the image name"),
    ],
)
def test_a_pod_that_waits_for_a_secret_names_the_command_that_makes_it_and_not_the_symptom(
    missing: list[NeededSecret], step: str
) -> None:
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "401 Unauthorized"}}}
    found = lacking(diagnose(DEPLOYMENT, [pod(containerStatuses=[waiting])], []), missing)
    assert found.state == "stuck"
    assert str(found.next_step).startswith(step)


def test_a_pod_without_a_machine_is_not_sent_to_its_secret_first() -> None:
    found = lacking(diagnose(DEPLOYMENT, [UNPLACED], [WAITING, STOCK_OUT]), [REGISTRY])
    assert str(found.next_step).startswith("no capacity in these zones now")
    assert ("secret x-registry", "Missing") in {(one.about, one.reason) for one in found.findings}


def test_what_gke_cannot_synchronize_is_told_in_its_own_words() -> None:
    failed = {"type": "SecretCreated", "status": "False", "reason": "ProviderError", "message": "permission denied"}
    waits = {"type": "SecretUpdated", "status": "Unknown", "reason": "NoUpdatesAttemptedYet", "message": ""}
    syncs = [
        {"metadata": {"name": "x-keys"}, "status": {"conditions": [failed, waits]}},
        {"metadata": {"name": "x-hub"}, "status": {"conditions": [failed | {"status": "True", "reason": "Created"}]}},
        {"metadata": {"name": "x-engine"}},
    ]
    ready = diagnose(DEPLOYMENT | {"status": {"readyReplicas": 1}}, [pod()], [])
    found = unsynced(ready, syncs)
    assert [(one.about, one.reason, one.message) for one in found.findings] == [
        ("secretsync x-keys", "ProviderError", "permission denied")
    ]
    assert unsynced(ready, syncs[1:]) == ready


def test_a_proxy_that_does_not_start_is_found() -> None:
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no caddy"}}}
    found = diagnose(DEPLOYMENT, [pod(initContainerStatuses=[waiting])], [])
    assert (found.state, str(found.next_step)[:20]) == ("stuck", "check the image name")


def test_words_of_a_container_cannot_move_the_cursor() -> None:
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": "\x1b[2J\x07gone"}}
    found = diagnose(DEPLOYMENT, [pod(containerStatuses=[{"state": state}])], [])
    text = diagnosis_text("x", found, "http://x")
    assert text.replace("\n", "").isprintable()
    assert "kubectl logs -n x deployment/x --previous" in " ".join(text.split())


def scaled(wanted: int, ready: int) -> dict[str, Any]:
    return {"metadata": {"name": "x"}, "spec": {"replicas": wanted}, "status": {"readyReplicas": ready}}


WAITING_POD = {
    "metadata": {"name": "x-2"},
    "status": {
        "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}
        ]
    },
}


@pytest.mark.parametrize(
    ("wanted", "ready", "fewest", "state"),
    [
        (3, 3, 1, "serving"),
        (3, 1, 1, "serving"),  # two more are on their way, or are not to be had
        (3, 1, None, "stuck"),
        (3, 1, 2, "stuck"),
        (1, 1, 2, "serving"),  # just made: the autoscaler raises it next
        (1, 0, 0, "stuck"),
        (0, 0, 0, "serving"),
        (0, 0, 1, "stuck"),
    ],
)
def test_a_scaled_endpoint_serves_with_its_fewest_replicas(
    wanted: int, ready: int, fewest: int | None, state: str
) -> None:
    found = diagnose(scaled(wanted, ready), [WAITING_POD], [], fewest)
    assert found.state == state
    assert bool(found.findings) is (ready < wanted or wanted == 0), "what keeps the others away is told"


def test_a_scaled_endpoint_that_was_stopped_by_hand_is_started_by_hand() -> None:
    found = diagnose(scaled(0, 0), [], [], 1)
    assert found.next_step
    assert "kubectl -n x scale deployment/x --replicas=1" in found.next_step


def test_an_autoscaler_without_metrics_is_told_beside_the_state() -> None:
    conditions = [
        {"type": "ScalingActive", "status": "False", "reason": "FailedGetPodsMetric", "message": "no metrics returned"},
        {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale", "message": ""},
        {"type": "ScalingLimited", "status": "False", "reason": "DesiredWithinRange", "message": ""},
    ]
    hpa = {"metadata": {"name": "x"}, "status": {"conditions": conditions}}
    found = followed(diagnose(scaled(2, 2), [], [], 1), [hpa])
    assert found.state == "serving"
    assert diagnosis_text("x", found, "http://x").splitlines()[-1] == (
        "  autoscaler x: FailedGetPodsMetric: no metrics returned"
    )
