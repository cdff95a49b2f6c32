"""Service accounts and IAM members: who may be named, and what goes with what."""

from __future__ import annotations

import pytest
from google_harness import Engine
from google_resource_samples import (
    ACCOUNT,
    BUCKET,
    BUCKET_MEMBER,
    MEMBER,
    NODES,
    PROJECT,
    PROJECT_MEMBER,
    Make,
    Refused,
    failure,
    urn,
)

from simulator.google import projects
from simulator.google.cloud import Cloud

pytest_plugins = ["google_fixtures", "google_resource_fixtures"]


def test_a_member_that_is_an_account_must_exist(make: Make, refused: Refused) -> None:
    assert refused(PROJECT_MEMBER) == (
        f'Request `Create IAM Members roles/logging.logWriter {MEMBER} for project "p"` returned error: Error applying '
        'IAM policy for project "p": Error setting IAM policy for project "p": googleapi: Error 400: Service account '
        f"{NODES} does not exist., badRequest"
    )
    make(ACCOUNT)
    make(PROJECT_MEMBER)
    assert "already exists within project projects/p., alreadyExists" in refused(ACCOUNT)
    make(ACCOUNT, createIgnoreAlreadyExists=True)


@pytest.mark.usefixtures("cluster", "ready")
def test_a_kubernetes_account_needs_the_pool_of_a_cluster(
    gcp: Engine, google: Cloud, make: Make, refused: Refused
) -> None:
    number = projects.number(PROJECT)
    pool = f"principal://iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/p.svc.id.goog"
    members = (f"{pool}/subject/ns/llm/sa/engine", "serviceAccount:p.svc.id.goog[llm/engine]")
    for member in members:
        assert "Identity Pool does not exist (p.svc.id.goog)." in refused(PROJECT_MEMBER, member=member)
    with google.state.change() as data:
        (record,) = data["clusters"].values()
        record["inputs"]["workloadIdentityConfig"] = {"workloadPool": "p.svc.id.goog"}
    for member in members:
        assert make(PROJECT_MEMBER, member=member)["member"] == member
    wrong = members[0].replace(number, "1")
    assert "Invalid principal" in refused(PROJECT_MEMBER, member=wrong)


@pytest.mark.parametrize("role", ["roles/myRole", "logging.logWriter", "roles/"])
def test_a_role_that_cannot_be_one_is_refused(refused: Refused, role: str) -> None:
    words = refused(PROJECT_MEMBER, role=role, member="user:a@example.com")
    assert f"googleapi: Error 400: Role {role} is not supported for this resource., badRequest" in words


def test_forms_of_members_are_checked(gcp: Engine, refused: Refused) -> None:
    assert 'invalid value "ann" for member (IAM members must have one of' in failure(gcp, PROJECT_MEMBER, member="ann")
    assert "is of an unknown type" in refused(PROJECT_MEMBER, member="person:ann@example.com")
    assert "Invalid member" in refused(PROJECT_MEMBER, member="group:ann")


def test_the_same_member_twice_is_one_and_goes_with_its_account(gcp: Engine, make: Make) -> None:
    account = make(ACCOUNT)
    first, second = make(PROJECT_MEMBER), make(PROJECT_MEMBER)
    assert first["id"] == second["id"]
    conditional = make(PROJECT_MEMBER, condition={"title": "office", "expression": "true"})
    assert conditional["id"] != first["id"]
    gcp.delete(urn(ACCOUNT), account["id"], account)
    assert gcp.read(urn(PROJECT_MEMBER), first["id"]).id == ""
    gcp.delete(urn(PROJECT_MEMBER), first["id"], first)


def test_a_binding_needs_what_it_is_on_and_goes_with_it(gcp: Engine, make: Make, refused: Refused) -> None:
    make(ACCOUNT)
    assert refused(BUCKET_MEMBER) == (
        'Error retrieving IAM policy for storage bucket "b/p-weights": googleapi: Error 404: The specified bucket does '
        "not exist., notFound"
    )
    bucket, binding = make(BUCKET), make(BUCKET_MEMBER)
    gcp.delete(urn(BUCKET), bucket["id"], bucket)
    assert gcp.read(urn(BUCKET_MEMBER), binding["id"]).id == ""


def test_a_bucket_that_prevents_public_access_has_no_public_members(make: Make, refused: Refused) -> None:
    make(BUCKET, publicAccessPrevention="enforced")
    assert "not allowed since public access prevention is enforced" in refused(BUCKET_MEMBER, member="allUsers")
    assert make(BUCKET_MEMBER, member="user:ann@example.com")["id"]
