"""Functions that look a thing up."""

from __future__ import annotations

from typing import Any

import pytest
from google_harness import Engine, error_of
from google_resource_samples import ACCOUNT, BUCKET, MEMBER, NETWORK, NODES, REPOSITORY, SECRET, SUBNETWORK, Make

from simulator.google import projects

pytest_plugins = ["google_fixtures", "google_resource_fixtures"]


@pytest.mark.parametrize(
    ("function", "token", "arguments", "expected", "missing"),
    [
        (
            "gcp:compute/getNetwork:getNetwork",
            NETWORK,
            {"name": "vpc"},
            {"selfLink": "https://www.googleapis.com/compute/v1/projects/p/global/networks/vpc"},
            "projects/p/global/networks/vpc not found",
        ),
        (
            "gcp:storage/getBucket:getBucket",
            BUCKET,
            {"name": "p-weights"},
            {"location": "US-CENTRAL1", "url": "gs://p-weights"},
            "p-weights not found",
        ),
        (
            "gcp:artifactregistry/getRepository:getRepository",
            REPOSITORY,
            {"repositoryId": "images", "location": "us-central1"},
            {"name": "images", "registryUri": "us-central1-docker.pkg.dev/p/images"},
            "projects/p/locations/us-central1/repositories/images not found",
        ),
        (
            "gcp:serviceaccount/getAccount:getAccount",
            ACCOUNT,
            {"accountId": NODES},
            {"email": NODES, "member": MEMBER},
            f"projects/p/serviceAccounts/{NODES} not found",
        ),
        (
            "gcp:secretmanager/getSecret:getSecret",
            SECRET,
            {"secretId": "hub"},
            {"secretId": "hub", "labels": {"team": "a"}},
            "projects/p/secrets/hub not found",
        ),
    ],
)
def test_a_function_finds_what_is_there_and_says_what_is_not(
    gcp: Engine,
    make: Make,
    function: str,
    token: str,
    arguments: dict[str, Any],
    expected: dict[str, Any],
    missing: str,
) -> None:
    assert missing in error_of(gcp.invoke, function, arguments).details()
    make(token)
    found = gcp.invoke(function, arguments)
    assert {key: found[key] for key in expected} == expected


def test_a_subnetwork_is_found_by_its_link_and_the_default_network_is_there(gcp: Engine, make: Make) -> None:
    make(NETWORK)
    made = make(SUBNETWORK)
    found = gcp.invoke("gcp:compute/getSubnetwork:getSubnetwork", {"selfLink": made["selfLink"]})
    assert [one["rangeName"] for one in found["secondaryIpRanges"]] == ["pods", "services"]
    default = gcp.invoke("gcp:compute/getNetwork:getNetwork", {"name": "default"})
    assert default["id"] == "projects/p/global/networks/default"


@pytest.mark.usefixtures("ready")
def test_a_projects_number_is_that_of_its_principals(gcp: Engine) -> None:
    found = gcp.invoke("gcp:organizations/getProject:getProject", {})
    assert found["projectId"] == "p"
    assert found["number"] == projects.number("p")
    assert found["number"].isdigit()
