"""Every resource type beside clusters and pools, through the stand-in for the gcp provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google_harness import Engine, error_of
from google_resource_samples import IDS, PROJECT, SAMPLES, SERVICES, urn
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.rpc import UNKNOWN

from simulator.google import projects
from simulator.google.cloud import Cloud
from simulator.google.resource_types import RESOURCE_TYPES
from simulator.google.wire import from_struct, to_struct

pytest_plugins = ["google_fixtures"]
EACH = pytest.mark.parametrize("token", SAMPLES)
READ = [token for token in SAMPLES if not RESOURCE_TYPES[token].unread]
"""Types that a refresh asks Google about."""
EACH_READ = pytest.mark.parametrize("token", READ)


@pytest.fixture
def made(gcp: Engine, google: Cloud, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """One of each type: its checked inputs, and its outputs under "outputs"."""
    monkeypatch.setenv("SERVESTACK_SIMULATOR_CREDENTIALS", "service-account")
    with google.state.change() as data:
        for service in SERVICES:
            projects.turn_on(data, PROJECT, service)
    found = {}
    for token, sample in SAMPLES.items():
        answer = gcp.check(urn(token), sample)
        assert not answer.failures, token
        inputs = from_struct(answer.inputs)
        created = gcp.create(urn(token), inputs)
        outputs = from_struct(created.properties)
        assert created.id == outputs["id"]
        found[token] = {"inputs": inputs, "outputs": outputs}
    return found


def diff(gcp: Engine, token: str, one: dict[str, Any], news: dict[str, Any]) -> Any:
    return gcp.stub.Diff(
        proto.DiffRequest(
            urn=urn(token),
            id=one["outputs"]["id"],
            olds=to_struct(one["outputs"]),
            news=to_struct(news),
            old_inputs=to_struct(one["inputs"]),
        )
    )


def test_there_is_a_sample_of_every_type() -> None:
    assert SAMPLES.keys() == RESOURCE_TYPES.keys()


@EACH
def test_an_unknown_input_is_refused(gcp: Engine, token: str) -> None:
    (failure,) = gcp.check(urn(token), SAMPLES[token] | {"colour": "red"}).failures
    assert "Invalid or unknown key. Examine values at 'one.colour'." in failure.reason


@EACH
def test_what_replaces_and_what_is_filled_in_are_inputs_of_the_sdk(token: str) -> None:
    from simulator.google.schema import resource_kind

    kind, described = resource_kind(token), RESOURCE_TYPES[token]
    assert kind is not None
    named = {*described.force_new, *described.computed, *described.links, *described.sets, *described.choices}
    for path in (*named, *described.defaults, *(one for group in described.one_of for one in group)):
        here = kind
        for key in path.split("."):
            here = here.element if here.name == "array" and here.element else here
            assert key in here.fields, path
            here = here.fields[key]


@EACH
def test_a_new_one_has_its_official_id_and_is_unchanged(gcp: Engine, made: dict[str, Any], token: str) -> None:
    outputs = made[token]["outputs"]
    assert outputs["id"] == IDS.get(token, outputs["id"])
    assert diff(gcp, token, made[token], made[token]["inputs"]).changes == proto.DiffResponse.DIFF_NONE


@EACH
def test_a_refresh_without_a_change_is_clean(gcp: Engine, made: dict[str, Any], token: str) -> None:
    one = made[token]
    read = gcp.read(urn(token), one["outputs"]["id"], one["inputs"], one["outputs"])
    assert read.id == one["outputs"]["id"]
    assert from_struct(read.properties) == one["outputs"]
    after = {"inputs": from_struct(read.inputs), "outputs": from_struct(read.properties)}
    assert diff(gcp, token, after, one["inputs"]).changes == proto.DiffResponse.DIFF_NONE


@EACH_READ
def test_an_import_gives_inputs_that_are_no_change(gcp: Engine, made: dict[str, Any], token: str) -> None:
    read = gcp.read(urn(token), made[token]["outputs"]["id"])
    one = {"inputs": from_struct(read.inputs), "outputs": from_struct(read.properties)}
    assert diff(gcp, token, one, one["inputs"]).changes == proto.DiffResponse.DIFF_NONE


@EACH
def test_only_its_force_new_inputs_replace_it(gcp: Engine, made: dict[str, Any], token: str) -> None:
    described, one = RESOURCE_TYPES[token], made[token]
    for key, value in one["inputs"].items():
        if key == "__defaults" or not isinstance(value, str | bool):
            continue
        other = (not value) if isinstance(value, bool) else f"{value}x"
        answer = diff(gcp, token, one, one["inputs"] | {key: other})
        assert list(answer.diffs) == [key]
        assert list(answer.replaces) == ([key] if key in described.force_new else [])


@EACH
def test_a_chosen_name_that_stays_is_freed_before_it_is_taken_again(
    gcp: Engine, made: dict[str, Any], token: str
) -> None:
    described, one = RESOURCE_TYPES[token], made[token]
    key = next(key for key in described.force_new if key != described.name and "." not in key)
    answer = diff(gcp, token, one, one["inputs"] | {key: UNKNOWN})
    assert key in answer.replaces
    assert answer.deleteBeforeReplace == bool(described.name)


@EACH_READ
def test_what_is_deleted_by_hand_is_gone_and_deleting_it_again_is_fine(
    gcp: Engine, google: Cloud, made: dict[str, Any], token: str
) -> None:
    outputs = made[token]["outputs"]
    with google.state.change() as data:
        del data["resources"][f"//{RESOURCE_TYPES[token].service}/{outputs['id']}"]
        projects.turn_off(data, PROJECT, "secretmanager.googleapis.com")
        if not token.startswith("gcp:projects/service"):
            projects.turn_on(data, PROJECT, "secretmanager.googleapis.com")
    assert gcp.read(urn(token), outputs["id"], made[token]["inputs"]).id == ""
    gcp.delete(urn(token), outputs["id"], outputs)


def test_all_of_them_go_in_the_reverse_order(gcp: Engine, google: Cloud, made: dict[str, Any]) -> None:
    for token in reversed(SAMPLES):
        outputs = made[token]["outputs"]
        gcp.delete(urn(token), outputs["id"], outputs)
        if token in READ:
            assert gcp.read(urn(token), outputs["id"]).id == ""
    assert google.state.read()["resources"] == {}


@EACH
def test_a_preview_asks_google_nothing(gcp: Engine, google: Cloud, token: str) -> None:
    inputs = from_struct(gcp.check(urn(token), SAMPLES[token]).inputs)
    answer = gcp.create(urn(token), inputs, preview=True)
    assert answer.id == ""
    planned = from_struct(answer.properties)
    assert all(planned[key] == UNKNOWN for key in RESOURCE_TYPES[token].unknown if key not in inputs)
    assert google.state.read()["resources"] == {}


@pytest.mark.parametrize(
    ("token", "edits"),
    [
        ("gcp:compute/network:Network", {"routingMode": "GLOBAL"}),
        ("gcp:compute/subnetwork:Subnetwork", {"ipCidrRange": "10.0.0.0/19"}),
        ("gcp:compute/router:Router", {"description": "egress"}),
        ("gcp:compute/routerNat:RouterNat", {"minPortsPerVm": 128}),
        ("gcp:serviceaccount/account:Account", {"displayName": "others"}),
        ("gcp:artifactregistry/repository:Repository", {"labels": {"team": "b"}}),
        ("gcp:storage/bucket:Bucket", {"labels": {"team": "b"}, "forceDestroy": True}),
        ("gcp:monitoring/notificationChannel:NotificationChannel", {"displayName": "others"}),
        ("gcp:billing/budget:Budget", {"amount": {"specifiedAmount": {"currencyCode": "USD", "units": "2000"}}}),
        ("gcp:secretmanager/secret:Secret", {"labels": {"team": "b"}}),
        ("gcp:secretmanager/secretVersion:SecretVersion", {"enabled": False}),
        ("gcp:projects/apiKey:ApiKey", {"displayName": "others", "restrictions": {"apiTargets": [{"service": "a.b"}]}}),
    ],
)
def test_an_update_in_place_keeps_the_id_and_settles(
    gcp: Engine, made: dict[str, Any], token: str, edits: dict[str, Any]
) -> None:
    one, news = made[token], made[token]["inputs"] | edits
    answer = diff(gcp, token, one, news)
    assert {*answer.diffs} == edits.keys()
    assert not answer.replaces
    outputs = from_struct(gcp.update(urn(token), one["outputs"]["id"], one["outputs"], news).properties)
    assert outputs["id"] == one["outputs"]["id"]
    after = {"inputs": news, "outputs": outputs}
    assert diff(gcp, token, after, news).changes == proto.DiffResponse.DIFF_NONE


@pytest.mark.usefixtures("made")
def test_labels_are_attributed_as_the_bridge_does(gcp: Engine) -> None:
    secret = from_struct(gcp.read(urn("gcp:secretmanager/secret:Secret"), "projects/p/secrets/hub").properties)
    assert secret["labels"] == {"team": "a"}
    assert secret["effectiveLabels"] == secret["pulumiLabels"] == {"goog-pulumi-provisioned": "true", "team": "a"}


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("token", "short"),
    [
        ("gcp:compute/network:Network", "vpc"),
        ("gcp:compute/network:Network", "p/vpc"),
        ("gcp:compute/subnetwork:Subnetwork", "us-central1/nodes"),
        ("gcp:compute/routerNat:RouterNat", "us-central1/router/nat"),
        ("gcp:serviceaccount/account:Account", "nodes-account@p.iam.gserviceaccount.com"),
        ("gcp:artifactregistry/repository:Repository", "p/us-central1/images"),
        ("gcp:storage/bucket:Bucket", "p/p-weights"),
        ("gcp:secretmanager/secret:Secret", "hub"),
        ("gcp:projects/apiKey:ApiKey", "p/gemini"),
        (
            "gcp:projects/iAMMember:IAMMember",
            "p roles/logging.logWriter serviceAccount:nodes-account@p.iam.gserviceaccount.com",
        ),
    ],
)
def test_a_thing_is_imported_by_a_short_form_of_its_id(gcp: Engine, token: str, short: str) -> None:
    assert gcp.read(urn(token), short).id == IDS[token]


def test_deletion_policies_abandon_and_prevent(gcp: Engine, google: Cloud, made: dict[str, Any]) -> None:
    token = "gcp:compute/router:Router"
    outputs = made[token]["outputs"]
    error = error_of(gcp.delete, urn(token), outputs["id"], outputs | {"deletionPolicy": "PREVENT"})
    assert f"Cannot destroy {outputs['id']} as deletion_policy is set to PREVENT" in error.details()
    gcp.delete(urn(token), outputs["id"], outputs | {"deletionPolicy": "ABANDON"})
    assert gcp.read(urn(token), outputs["id"]).id == outputs["id"]


def test_an_older_state_file_is_read_as_one_without_resources(google: Cloud, tmp_path: Path) -> None:
    (tmp_path / "google.json").write_text(
        '{"version": 1, "clusters": {}, "faults": {"stockouts": [], "quotas": [], "preemptions": []}}'
    )
    data = google.state.read()
    assert data["resources"] == data["projects"] == {}


def test_what_google_never_shows_is_kept_nowhere_but_in_the_programs_state(
    gcp: Engine, made: dict[str, Any], google: Cloud, tmp_path: Path
) -> None:
    token = "gcp:monitoring/notificationChannel:NotificationChannel"
    inputs = {"type": "slack", "labels": {"channel_name": "#a"}, "sensitiveLabels": {"authToken": "hush-hush"}}
    outputs = from_struct(gcp.create(urn(token), inputs).properties)
    assert outputs["sensitiveLabels"] == {"authToken": "hush-hush"}
    assert "hush-hush" not in (tmp_path / "google.json").read_text()
    one = {"inputs": inputs, "outputs": from_struct(gcp.read(urn(token), outputs["id"], inputs, outputs).properties)}
    assert diff(gcp, token, one, inputs).changes == proto.DiffResponse.DIFF_NONE


def test_an_api_that_was_on_already_is_imported_and_can_be_turned_off(gcp: Engine, google: Cloud) -> None:
    token, identifier = "gcp:projects/service:Service", "p/logging.googleapis.com"
    read = gcp.read(urn(token), identifier)
    assert read.id == identifier
    outputs = from_struct(read.properties)
    changed = from_struct(
        gcp.update(
            urn(token), identifier, outputs, {"service": outputs["service"], "disableOnDestroy": True}
        ).properties
    )
    gcp.delete(urn(token), identifier, changed)
    assert gcp.read(urn(token), identifier).id == ""
