"""Buckets, repositories, secrets and budgets: what Google and its provider refuse."""

from __future__ import annotations

import pytest
from google_harness import Engine, error_of
from google_resource_samples import (
    BUCKET,
    BUDGET,
    CHANNEL,
    PROJECT,
    REPOSITORY,
    SAMPLES,
    SECRET,
    Make,
    Refused,
    failure,
    urn,
)
from pulumi.runtime.proto import provider_pb2 as proto

from simulator.google import projects
from simulator.google.by_hand import ByHand
from simulator.google.cloud import Cloud

pytest_plugins = ["google_fixtures", "google_resource_fixtures"]


def test_names_of_buckets_are_everybodys(gcp: Engine, make: Make, refused: Refused) -> None:
    make(BUCKET)
    assert refused(BUCKET) == (
        "googleapi: Error 409: Your previous request to create the named bucket succeeded and you already own it., "
        "conflict"
    )
    assert refused(BUCKET, project="another") == (
        "googleapi: Error 409: The requested bucket name is not available. The bucket namespace is shared by all users "
        "of the system. Please select a different name and try again., conflict"
    )
    for name in ("No", "a", "-abc", "my-google-bucket"):
        assert gcp.check(urn(BUCKET), SAMPLES[BUCKET] | {"name": name}).failures


def test_a_bucket_with_objects_stays_unless_forced(gcp: Engine, make: Make, ready: Cloud) -> None:
    state = make(BUCKET)
    ByHand(ready.state).put_object("p-weights", "model.safetensors")
    error = error_of(gcp.delete, urn(BUCKET), state["id"], state)
    assert "Error trying to delete bucket p-weights without `force_destroy` set to true" in error.details()
    gcp.delete(urn(BUCKET), state["id"], state | {"forceDestroy": True})
    assert gcp.read(urn(BUCKET), state["id"]).id == ""


@pytest.mark.parametrize(
    ("locked", "words"),
    [(True, "contains objects that have not met the retention period yet"), (False, "retentionPolicyNotMet")],
)
def test_objects_under_retention_stay_even_then(
    gcp: Engine, make: Make, ready: Cloud, locked: bool, words: str
) -> None:
    state = make(BUCKET, forceDestroy=True, retentionPolicy={"isLocked": locked, "retentionPeriod": "86400"})
    ByHand(ready.state).put_object("p-weights", "model.safetensors")
    assert words in error_of(gcp.delete, urn(BUCKET), state["id"], state).details()


def test_a_remote_repository_needs_its_source(gcp: Engine, refused: Refused) -> None:
    assert "remote_repository_config is required" in refused(REPOSITORY, remoteRepositoryConfig=None)
    assert "is not supported for mode STANDARD_REPOSITORY" in refused(REPOSITORY, mode="STANDARD_REPOSITORY")
    assert "Error 400: Request contains an invalid argument., badRequest" in refused(REPOSITORY, location="eu-west3")
    assert "Invalid combination of arguments." in failure(gcp, REPOSITORY, remoteRepositoryConfig={"description": "x"})


def test_a_protected_secret_stays_and_a_taken_one_is_409(gcp: Engine, make: Make, refused: Refused) -> None:
    state = make(SECRET, deletionProtection=True)
    number = projects.number(PROJECT)
    assert refused(SECRET) == (
        f"Error creating Secret: googleapi: Error 409: Secret [projects/{number}/secrets/hub] already exists., "
        "alreadyExists"
    )
    error = error_of(gcp.delete, urn(SECRET), state["id"], state)
    assert "cannot destroy secret manager secret without setting deletion_protection=false" in error.details()
    gcp.delete(urn(SECRET), state["id"], state | {"deletionProtection": False})
    words = failure(gcp, SECRET, replication={"auto": {}, "userManaged": {"replicas": [{"location": "us-east1"}]}})
    assert "only one of `replication.0.auto,replication.0.user_managed` can be specified" in words


def test_a_budget_needs_a_quota_project_of_a_person(
    gcp: Engine, make: Make, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_CREDENTIALS", "user")
    assert "The billingbudgets.googleapis.com API requires a quota project" in refused(BUDGET)
    config = {"gcp:config:project": "p", "gcp:config:billingProject": "p", "gcp:config:userProjectOverride": "true"}
    gcp.stub.Configure(proto.ConfigureRequest(variables=config))
    assert make(BUDGET)["id"].startswith("billingAccounts/01AB23-45CD67-89EF01/budgets/")


def test_what_google_finds_invalid_in_a_budget(gcp: Engine, make: Make, refused: Refused) -> None:
    invalid = "Error creating Budget: googleapi: Error 400: Request contains an invalid argument., badRequest"
    assert refused(BUDGET, billingAccount="my-account") == invalid
    assert refused(BUDGET, thresholdRules=[{"thresholdPercent": -0.5}]) == invalid
    assert refused(BUDGET, allUpdatesRule={"monitoringNotificationChannels": ["mail"]}) == invalid
    missing = {"monitoringNotificationChannels": ["projects/p/notificationChannels/1"]}
    assert "Notification channel not found" in refused(BUDGET, allUpdatesRule=missing)
    channel = make(CHANNEL)
    make(BUDGET, allUpdatesRule={"monitoringNotificationChannels": [channel["name"]]})
    assert "one of `amount.0.last_period_amount,amount.0.specified_amount` must be specified" in failure(
        gcp, BUDGET, amount={}
    )


def test_projects_of_a_budgets_filter_come_back_as_numbers(make: Make) -> None:
    found = make(BUDGET, budgetFilter={"projects": ["projects/p"]})
    assert found["budgetFilter"]["projects"] == [f"projects/{projects.number('p')}"]
