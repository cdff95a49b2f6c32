"""Names of the accounts that a platform makes."""

from __future__ import annotations

import re

from infra.cloud.accounts import node_service_account
from infra.spec import Cluster, Gke


def gke(cluster: str, location: str, *, create: bool = True, account: str | None = None) -> Gke:
    return Gke(
        project="servestack-dev",
        location=location,
        cluster=Cluster(name=cluster, create=create),
        nodeServiceAccount=account,
    )


def test_a_created_platforms_account_is_named_after_cluster_and_location() -> None:
    assert (
        node_service_account(gke("dev", "us-central1"))
        == "dev-us-central1-nodes@servestack-dev.iam.gserviceaccount.com"
    )


def test_every_account_id_is_one_that_google_takes_and_no_two_platforms_share_it() -> None:
    names = ["a", "dev", "a-" * 19 + "b", "x" * 39, "x" * 40, "gemma-serving-", "z" * 17 + "-" + "z" * 3]
    places = ["us-central1", "us-central1-a", "northamerica-northeast1", "northamerica-northeast2-b"]
    emails = [node_service_account(gke(n.strip("-"), place)) for n in names for place in places]
    assert len(set(emails)) == len(emails)
    for email in emails:
        assert email is not None
        assert re.fullmatch(r"[a-z]([-a-z0-9]{4,28}[a-z0-9])", email.partition("@")[0]), email


def test_an_adopted_platforms_account_is_the_one_in_its_file_or_none() -> None:
    assert node_service_account(gke("prod", "us-central1", create=False)) is None
    mine = "my-nodes@servestack-dev.iam.gserviceaccount.com"
    assert node_service_account(gke("prod", "us-central1", create=False, account=mine)) == mine
