"""API keys: their strings, what they may call, and names that a deletion does not free."""

from __future__ import annotations

import datetime
import re

import pytest
from google_harness import Engine, error_of
from google_resource_samples import ACCOUNT, API_KEY, NODES, PROJECT, SAMPLES, SERVICE, Make, Refused, failure, urn
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2 as proto

from simulator.google import projects
from simulator.google.api_keys import valid_keys
from simulator.google.by_hand import ByHand
from simulator.google.cloud import Cloud
from simulator.google.failures import Failures
from simulator.google.wire import from_struct

pytest_plugins = ["google_fixtures", "google_resource_fixtures"]
GEMINI = "generativelanguage.googleapis.com"


def test_a_bound_key_and_a_standard_one_differ_in_form_and_no_two_are_alike(make: Make) -> None:
    account = make(ACCOUNT)
    bound = make(API_KEY, serviceAccountEmail=account["name"])
    standard = [make(API_KEY, name=f"key{index}", serviceAccountEmail=None) for index in range(2)]
    assert re.fullmatch(r"AQ\.[\w-]{50}", bound["keyString"])
    assert all(re.fullmatch(r"AIza[\w-]{35}", one["keyString"]) for one in standard)
    assert len({one[part] for one in (bound, *standard) for part in ("keyString", "uid")}) == 6


def test_only_keys_that_google_takes_are_valid(gcp: Engine, make: Make, ready: Cloud) -> None:
    account = make(ACCOUNT)
    targets = [{"service": GEMINI, "methods": ["Generate*"]}]
    bound = make(API_KEY, restrictions={"apiTargets": targets})
    free = make(API_KEY, name="free", serviceAccountEmail=None, restrictions=None)
    found = valid_keys(ready.state.read())
    assert found.keys() == {bound["keyString"], free["keyString"]}
    use = found[bound["keyString"]]
    assert (use.project, use.services, use.service_account) == (PROJECT, {GEMINI: ("Generate*",)}, NODES)
    assert use.may_call(GEMINI)
    assert not use.may_call("translate.googleapis.com")
    assert found[free["keyString"]].services is None
    assert found[free["keyString"]].may_call("translate.googleapis.com")

    gcp.delete(urn(API_KEY), free["id"], free)
    assert valid_keys(ready.state.read()).keys() == {bound["keyString"]}
    gcp.delete(urn(ACCOUNT), account["id"], account)
    assert valid_keys(ready.state.read()) == {}


def test_a_key_string_stays_over_an_update_and_a_refresh(gcp: Engine, make: Make) -> None:
    make(ACCOUNT)
    state = make(API_KEY)
    inputs = from_struct(gcp.check(urn(API_KEY), SAMPLES[API_KEY] | {"displayName": "other"}).inputs)
    changed = from_struct(gcp.update(urn(API_KEY), state["id"], state, inputs).properties)
    read = from_struct(gcp.read(urn(API_KEY), state["id"], inputs, changed).properties)
    assert read["keyString"] == changed["keyString"] == state["keyString"]
    assert read["uid"] == state["uid"]
    assert read["displayName"] == "other"


def test_an_engine_that_keeps_secrets_gets_the_key_string_as_one(gcp: Engine, make: Make) -> None:
    make(ACCOUNT)
    gcp.stub.Configure(proto.ConfigureRequest(variables={"gcp:config:project": PROJECT}, acceptSecrets=True))
    inputs = from_struct(gcp.check(urn(API_KEY), SAMPLES[API_KEY]).inputs)
    created = gcp.create(urn(API_KEY), inputs)
    state = rpc.deserialize_properties(created.properties)
    assert rpc.is_rpc_secret(state["keyString"])
    plain = from_struct(created.properties) | {"keyString": rpc.unwrap_rpc_secret(state["keyString"])}
    for answer in (
        gcp.create(urn(API_KEY), inputs, preview=True),
        gcp.read(urn(API_KEY), created.id, inputs, plain),
        gcp.update(urn(API_KEY), created.id, plain, inputs),
    ):
        assert rpc.is_rpc_secret(rpc.deserialize_properties(answer.properties)["keyString"])
    assert not rpc.is_rpc_secret(state["uid"])


def test_the_name_of_a_deleted_key_is_free_after_thirty_days_only(
    gcp: Engine, make: Make, ready: Cloud, refused: Refused
) -> None:
    make(ACCOUNT)
    words = (
        'Error creating Key: Resource already exists - apply blocked by lifecycle params: &apikeys.Key{Name:"gemini"}.'
    )
    state = make(API_KEY)
    assert refused(API_KEY) == words
    gcp.delete(urn(API_KEY), state["id"], state)
    assert gcp.read(urn(API_KEY), state["id"]).id == ""
    assert refused(API_KEY) == words
    make(API_KEY, name="other")
    with ready.state.change() as data:
        (entry,) = data["unmanaged"].values()
        long_ago = datetime.datetime.fromisoformat(entry["since"]) - datetime.timedelta(days=30)
        entry["since"] = long_ago.isoformat()
    assert make(API_KEY)["keyString"] != state["keyString"]
    assert ready.state.read()["unmanaged"] == {}


def test_a_key_deleted_by_hand_is_made_anew_under_another_name_only(
    gcp: Engine, make: Make, ready: Cloud, refused: Refused
) -> None:
    make(ACCOUNT)
    state = make(API_KEY)
    ByHand(ready.state).forget("keys/gemini")
    assert gcp.read(urn(API_KEY), state["id"]).id == ""
    assert valid_keys(ready.state.read()) == {}
    assert "Resource already exists" in refused(API_KEY)
    with pytest.raises(ValueError, match="names no one thing"):
        ByHand(ready.state).forget("keys/gemini")


def test_what_google_refuses_in_a_key(gcp: Engine, make: Make, refused: Refused) -> None:
    assert refused(API_KEY) == (f"Error creating Key: googleapi: Error 400: Service account {NODES} does not exist.")
    make(ACCOUNT)
    for name in ("1st", "Key", "key-", "a" * 64):
        assert f"Key ID {name} must match" in refused(API_KEY, name=name)
    assert "more than 63 characters" in refused(API_KEY, displayName="x" * 64)
    both = {"serverKeyRestrictions": {"allowedIps": ["10.0.0.1"]}, "iosKeyRestrictions": {"allowedBundleIds": ["a.b"]}}
    found = [one.reason for one in gcp.check(urn(API_KEY), SAMPLES[API_KEY] | {"restrictions": both}).failures]
    assert len(found) == 2
    assert (
        'Conflicting configuration arguments. "restrictions.0.ios_key_restrictions": conflicts with '
        "restrictions.0.server_key_restrictions" in found[0]
    )
    assert "expected check_existing_usage to be one of" in failure(gcp, API_KEY, checkExistingUsage="MAYBE")


def test_an_api_that_is_off_or_denied_is_the_librarys_403(make: Make, ready: Cloud, refused: Refused) -> None:
    make(ACCOUNT)
    Failures(ready.state).deny("apikeys.googleapis.com")
    words = "Error creating Key: failed to create a diff: failed to retrieve Key resource: googleapi: Error 403: "
    assert refused(API_KEY).startswith(f"{words}The caller does not have permission")
    Failures(ready.state).deny(None)
    with ready.state.change() as data:
        projects.turn_off(data, PROJECT, "apikeys.googleapis.com")
    assert refused(API_KEY).startswith(f"{words}API Keys API has not been used in project")


def test_failures_that_a_user_sets_happen_to_keys_once(gcp: Engine, make: Make, ready: Cloud, refused: Refused) -> None:
    make(ACCOUNT)
    ByHand(ready.state).fail("ApiKey", after_half=False)
    assert "Error 503" in refused(API_KEY)
    state = make(API_KEY)
    ByHand(ready.state).fail("ApiKey", after_half=False)
    assert (
        "Error deleting Key: googleapi: Error 503" in error_of(gcp.delete, urn(API_KEY), state["id"], state).details()
    )
    gcp.delete(urn(API_KEY), state["id"], state)


@pytest.mark.parametrize("name", ["aiplatform", "apikeys", GEMINI.partition(".")[0]])
def test_the_apis_of_managed_endpoints_are_turned_on_by_a_program(
    make: Make, ready: Cloud, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROJECTS", "new")
    with ready.state.change() as data:
        data["projects"].clear()
    service = f"{name}.googleapis.com"
    assert service not in projects.services(ready.state.read(), PROJECT)
    with ready.state.change() as data:
        projects.turn_on(data, PROJECT, "serviceusage.googleapis.com")
    assert make(SERVICE, service=service)["id"] == f"{PROJECT}/{service}"
    assert service in projects.services(ready.state.read(), PROJECT)
