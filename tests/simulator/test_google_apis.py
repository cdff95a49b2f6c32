"""APIs that are off, what they need, permissions and failures."""

from __future__ import annotations

import pytest
from google_harness import Engine, error_of
from google_resource_samples import (
    ACCOUNT,
    API_KEY,
    BUDGET,
    ENDPOINT,
    NETWORK,
    PROJECT,
    REPOSITORY,
    ROUTER,
    SAMPLES,
    SECRET,
    SERVICE,
    Make,
    Refused,
    failure,
    urn,
)

from simulator.google import projects
from simulator.google.by_hand import ByHand
from simulator.google.cloud import Cloud
from simulator.google.failures import Failures

pytest_plugins = ["google_fixtures", "google_resource_fixtures"]


@pytest.mark.parametrize(
    ("token", "title", "service"),
    [
        (NETWORK, "Compute Engine API", "compute.googleapis.com"),
        (ACCOUNT, "Identity and Access Management (IAM) API", "iam.googleapis.com"),
        (REPOSITORY, "Artifact Registry API", "artifactregistry.googleapis.com"),
        (SECRET, "Secret Manager API", "secretmanager.googleapis.com"),
        (BUDGET, "Cloud Billing Budget API", "billingbudgets.googleapis.com"),
        (API_KEY, "API Keys API", "apikeys.googleapis.com"),
        (ENDPOINT, "Vertex AI API", "aiplatform.googleapis.com"),
    ],
)
def test_an_api_that_is_off_is_googles_403(
    gcp: Engine, monkeypatch: pytest.MonkeyPatch, token: str, title: str, service: str
) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROJECTS", "new")
    monkeypatch.setenv("SERVESTACK_SIMULATOR_CREDENTIALS", "service-account")
    number = projects.number(PROJECT)
    details = error_of(gcp.create, urn(token), SAMPLES[token]).details()
    assert (
        f"googleapi: Error 403: {title} has not been used in project {number} before or it is disabled. Enable it by "
        f"visiting https://console.developers.google.com/apis/api/{service}/overview?project={number} then retry. If "
        "you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry."
    ) in details
    assert '"reason": "SERVICE_DISABLED"' in details


def test_a_new_project_has_the_documented_apis_and_a_cluster_brings_its_own(google: Cloud) -> None:
    new = {"SERVESTACK_SIMULATOR_PROJECTS": "new"}
    data = google.state.read()
    on = projects.services(data, "other", new)
    assert {"storage.googleapis.com", "logging.googleapis.com", "monitoring.googleapis.com"} <= on
    assert not on & {"compute.googleapis.com", "container.googleapis.com", "iam.googleapis.com"}
    data["clusters"]["projects/other/locations/us-central1/clusters/dev"] = {}
    assert {"compute.googleapis.com", "container.googleapis.com"} <= projects.services(data, "other", new)


def test_an_api_that_others_need_is_turned_off_with_them_only(gcp: Engine, make: Make, ready: Cloud) -> None:
    make(SERVICE, service="container.googleapis.com")
    state = make(SERVICE, service="compute.googleapis.com", disableOnDestroy=True)
    identifier = "p/compute.googleapis.com"
    error = error_of(gcp.delete, urn(SERVICE), identifier, state)
    assert (
        'Error disabling service "compute.googleapis.com" for project "p": googleapi: Error 400: The service '
        "compute.googleapis.com is depended on by the following active service: container.googleapis.com; Please "
        "specify disable_dependent_services=true if you want to proceed with disabling all services., "
        "failedPrecondition" in error.details()
    )
    gcp.delete(urn(SERVICE), identifier, state | {"disableDependentServices": True})
    left = projects.services(ready.state.read(), PROJECT)
    assert not left & {"compute.googleapis.com", "container.googleapis.com"}
    assert gcp.read(urn(SERVICE), "p/container.googleapis.com").id == ""


def test_an_api_stays_on_unless_it_is_to_be_disabled(gcp: Engine, make: Make, ready: Cloud) -> None:
    state = make(SERVICE, disableOnDestroy=False)
    gcp.delete(urn(SERVICE), state["id"], state)
    assert "secretmanager.googleapis.com" in projects.services(ready.state.read(), PROJECT)
    assert gcp.read(urn(SERVICE), state["id"]).id == state["id"]


def test_names_of_apis_are_checked(gcp: Engine, refused: Refused) -> None:
    words = "expected compute to be a domain like serviceusage.googleapis.com. Examine values at 'one.service'."
    assert failure(gcp, SERVICE, service="compute") == words
    assert "Not found or permission denied for service(s): a.example.com." in refused(SERVICE, service="a.example.com")


def test_the_next_operation_on_a_type_fails_once(make: Make, ready: Cloud, refused: Refused) -> None:
    ByHand(ready.state).fail("compute.Network", after_half=False)
    words = "Error creating Network: googleapi: Error 503: The service is currently unavailable., backendError"
    assert refused(NETWORK) == words
    make(NETWORK)
    ByHand(ready.state).fail("Router", after_half=True)
    assert refused(ROUTER).startswith("Error waiting to create Router: Error waiting for Creating Router: ")
    make(ROUTER)


def test_a_denied_permission_is_a_403_until_it_is_given_back(make: Make, ready: Cloud, refused: Refused) -> None:
    failures = Failures(ready.state)
    failures.deny("compute.googleapis.com")
    assert refused(NETWORK) == (
        "Error creating Network: googleapi: Error 403: Required 'compute.networks.create' permission for "
        "'projects/p/global/networks/vpc', forbidden"
    )
    failures.deny("secretmanager.googleapis.com")
    assert "The caller does not have permission" in refused(SECRET)
    failures.deny(None)
    make(NETWORK)


def test_a_forgotten_thing_comes_back_with_the_next_creation(gcp: Engine, make: Make, ready: Cloud) -> None:
    state = make(NETWORK)
    ByHand(ready.state).forget("vpc")
    assert gcp.read(urn(NETWORK), state["id"]).id == ""
    assert make(NETWORK)["id"] == state["id"]
    service = make(SERVICE)
    ByHand(ready.state).forget("p/secretmanager.googleapis.com")
    assert gcp.read(urn(SERVICE), service["id"]).id == ""
    with pytest.raises(ValueError, match="Known: projects/p/global/networks/vpc"):
        ByHand(ready.state).forget("nothing")
