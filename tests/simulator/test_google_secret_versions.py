"""Versions of secrets: their numbers, their values, and what stays when they go."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from google_harness import Engine, error_of
from google_resource_samples import PROJECT, SAMPLES, SECRET, SECRET_VERSION, Make, Refused, failure, urn
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2 as proto

from simulator.google import projects, unmanaged
from simulator.google.by_hand import ByHand
from simulator.google.cloud import Cloud
from simulator.google.secrets import secret_value
from simulator.google.wire import from_struct, to_struct

pytest_plugins = ["google_fixtures", "google_resource_fixtures"]
VALUE = "planted-value"


def value(cloud: Cloud, version: str = "latest") -> str | None:
    return secret_value(cloud.state.read(), PROJECT, "hub", version)


def replaced_by(gcp: Engine, state: dict[str, Any], old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    request = proto.DiffRequest(
        urn=urn(SECRET_VERSION),
        id=state["id"],
        olds=to_struct(state),
        old_inputs=to_struct(old),
        news=to_struct(new),
    )
    answer = gcp.stub.Diff(request)
    assert not answer.deleteBeforeReplace
    return list(answer.replaces)


@pytest.mark.parametrize(
    "secret", ["hub", "projects/p/secrets/hub", f"projects/{projects.number(PROJECT)}/secrets/hub"]
)
def test_a_version_names_its_secret_in_any_form(gcp: Engine, make: Make, ready: Cloud, secret: str) -> None:
    make(SECRET)
    state = make(SECRET_VERSION, secret=secret)
    assert state["id"] == state["name"] == f"projects/{projects.number(PROJECT)}/secrets/hub/versions/1"
    assert (state["version"], state["secret"]) == ("1", secret if "/" in secret else "projects/p/secrets/hub")
    inputs = from_struct(gcp.check(urn(SECRET_VERSION), SAMPLES[SECRET_VERSION] | {"secret": secret}).inputs)
    assert replaced_by(gcp, state, inputs, inputs) == []
    assert state["createTime"]
    assert value(ready) == value(ready, "1") == VALUE


def test_each_version_has_a_number_of_its_own_and_none_is_given_twice(gcp: Engine, make: Make, ready: Cloud) -> None:
    make(SECRET)
    first, second = make(SECRET_VERSION), make(SECRET_VERSION, secretData="second")
    assert [first["version"], second["version"]] == ["1", "2"]
    assert value(ready) == "second"
    gcp.delete(urn(SECRET_VERSION), second["id"], second)
    assert value(ready, "1") == VALUE
    assert value(ready) is None
    assert make(SECRET_VERSION)["version"] == "3"
    assert value(ready) == VALUE
    assert value(ready, "9") is None
    assert secret_value(ready.state.read(), PROJECT, "another") is None


def test_a_version_is_disabled_in_place(gcp: Engine, make: Make, ready: Cloud) -> None:
    make(SECRET)
    state = make(SECRET_VERSION)
    inputs = from_struct(gcp.check(urn(SECRET_VERSION), SAMPLES[SECRET_VERSION] | {"enabled": False}).inputs)
    changed = from_struct(gcp.update(urn(SECRET_VERSION), state["id"], state, inputs).properties)
    assert changed["enabled"] is False
    assert value(ready) is None
    gcp.update(urn(SECRET_VERSION), state["id"], changed, inputs | {"enabled": True})
    assert value(ready) == VALUE


@pytest.mark.parametrize(
    ("policy", "left", "kept"),
    [("DELETE", [], False), ("DISABLE", ["DISABLED"], False), ("ABANDON", [], True)],
)
def test_a_deletion_destroys_disables_or_abandons(
    gcp: Engine, make: Make, ready: Cloud, policy: str, left: list[str], kept: bool
) -> None:
    secret = make(SECRET)
    state = make(SECRET_VERSION, deletionPolicy=policy)
    gcp.delete(urn(SECRET_VERSION), state["id"], state)
    data = ready.state.read()
    assert [one["state"] for one in unmanaged.left(data, unmanaged.SECRET_VERSION).values()] == left
    assert (value(ready) == VALUE) is kept
    assert bool(gcp.read(urn(SECRET_VERSION), state["id"]).id) is kept
    gcp.delete(urn(SECRET), secret["id"], secret)
    data = ready.state.read()
    assert data["resources"] == data["unmanaged"] == {}


def test_a_protected_version_stays(gcp: Engine, make: Make) -> None:
    make(SECRET)
    state = make(SECRET_VERSION, deletionPolicy="PREVENT")
    error = error_of(gcp.delete, urn(SECRET_VERSION), state["id"], state)
    assert "deletion_policy is set to PREVENT" in error.details()


def test_its_value_is_a_secret_on_the_wire_and_stands_in_the_clouds_own_file_only(
    gcp: Engine, make: Make, ready: Cloud, tmp_path: Path
) -> None:
    make(SECRET)
    gcp.stub.Configure(proto.ConfigureRequest(variables={"gcp:config:project": PROJECT}, acceptSecrets=True))
    inputs = from_struct(gcp.check(urn(SECRET_VERSION), SAMPLES[SECRET_VERSION]).inputs)
    created = gcp.create(urn(SECRET_VERSION), inputs)
    plain = from_struct(created.properties) | {"secretData": VALUE}
    read = gcp.read(urn(SECRET_VERSION), created.id, inputs, plain)
    updated = gcp.update(urn(SECRET_VERSION), created.id, plain, inputs)
    for properties in (created.properties, read.properties, read.inputs, updated.properties):
        assert rpc.unwrap_rpc_secret(rpc.deserialize_properties(properties)["secretData"]) == VALUE
        assert rpc.is_rpc_secret(rpc.deserialize_properties(properties)["secretData"])
    holding = [file for file in tmp_path.rglob("*") if file.is_file() and VALUE in file.read_text(errors="replace")]
    assert holding == [ready.state.path]
    assert ready.state.path.stat().st_mode & 0o077 == 0


def test_a_write_only_value_comes_back_nowhere_and_its_version_replaces(gcp: Engine, make: Make, ready: Cloud) -> None:
    make(SECRET)
    edits = {"secretData": None, "secretDataWo": "unseen", "secretDataWoVersion": "1"}
    state = make(SECRET_VERSION, **edits)
    assert "unseen" not in str(state)
    assert value(ready) == "unseen"
    inputs = from_struct(gcp.check(urn(SECRET_VERSION), SAMPLES[SECRET_VERSION] | edits).inputs)
    read = gcp.read(urn(SECRET_VERSION), state["id"], inputs, state)
    assert "unseen" not in str(read.properties)
    assert replaced_by(gcp, state, inputs, inputs | {"secretDataWo": "changed"}) == []
    assert replaced_by(gcp, state, inputs, inputs | {"secretDataWoVersion": "2"}) == ["secretDataWoVersion"]
    seen = {key: one for key, one in inputs.items() if not key.startswith("secretDataWo")} | {"secretData": "now"}
    assert set(replaced_by(gcp, state, inputs, seen)) == {"secretData", "secretDataWoVersion"}


def test_an_import_leaves_the_value_out(gcp: Engine, make: Make) -> None:
    make(SECRET)
    read = gcp.read(urn(SECRET_VERSION), make(SECRET_VERSION)["id"])
    assert from_struct(read.inputs)["secret"] == "projects/p/secrets/hub"
    assert VALUE not in str(read)


def test_what_google_refuses_in_a_version(gcp: Engine, make: Make, refused: Refused) -> None:
    assert refused(SECRET_VERSION) == (
        "Error creating SecretVersion: googleapi: Error 404: Secret "
        f"[projects/{projects.number(PROJECT)}/secrets/hub] not found."
    )
    make(SECRET)
    words = "Error creating SecretVersion: googleapi: Error 400: Field [payload] is required."
    assert refused(SECRET_VERSION, secretData=None) == words
    assert "larger than 65536 bytes" in refused(SECRET_VERSION, secretData="x" * 65537)
    assert "Base64 decoding failed" in refused(SECRET_VERSION, secretData="?", isSecretDataBase64=True)
    both = {"secretDataWo": "x", "secretDataWoVersion": "1"}
    found = [one.reason for one in gcp.check(urn(SECRET_VERSION), SAMPLES[SECRET_VERSION] | both).failures]
    assert ['"secret_data": conflicts with secret_data_wo' in one for one in found] == [True, False]
    lacking = failure(gcp, SECRET_VERSION, secretData=None, secretDataWo="x")
    assert '"secret_data_wo": all of `secret_data_wo,secret_data_wo_version` must be specified' in lacking


def test_a_value_in_base64_is_stored_as_what_it_stands_for(make: Make, ready: Cloud) -> None:
    make(SECRET)
    make(SECRET_VERSION, secretData=base64.b64encode(b"token").decode(), isSecretDataBase64=True)
    assert value(ready) == "token"


def test_a_version_destroyed_by_hand_is_made_anew_with_the_next_number(gcp: Engine, make: Make, ready: Cloud) -> None:
    make(SECRET)
    state = make(SECRET_VERSION)
    ByHand(ready.state).forget("secrets/hub/versions/1")
    assert gcp.read(urn(SECRET_VERSION), state["id"]).id == ""
    assert make(SECRET_VERSION)["version"] == "2"


def test_failures_and_denials_reach_versions(gcp: Engine, make: Make, ready: Cloud, refused: Refused) -> None:
    make(SECRET)
    ByHand(ready.state).fail("SecretVersion", after_half=False)
    assert "Error creating SecretVersion: googleapi: Error 503" in refused(SECRET_VERSION)
    state = make(SECRET_VERSION)
    assert state["version"] == "1"
    with ready.state.change() as data:
        projects.turn_off(data, PROJECT, "secretmanager.googleapis.com")
    assert "Secret Manager API has not been used" in refused(SECRET_VERSION)
