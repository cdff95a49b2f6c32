"""What Google and its provider refuse, in their words: networks, names, accounts, IAM, buckets, budgets, APIs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google_harness import Engine, error_of
from google_resource_samples import MEMBER, NODES, PROJECT, SAMPLES, SERVICES, urn
from pulumi.runtime.proto import provider_pb2 as proto

from simulator.google import projects
from simulator.google.by_hand import ByHand
from simulator.google.cloud import Cloud
from simulator.google.failures import Failures
from simulator.google.wire import from_struct

pytest_plugins = ["google_fixtures"]
SERVICE, NETWORK, SUBNETWORK, ROUTER, NAT, ACCOUNT = (
    "gcp:projects/service:Service",
    "gcp:compute/network:Network",
    "gcp:compute/subnetwork:Subnetwork",
    "gcp:compute/router:Router",
    "gcp:compute/routerNat:RouterNat",
    "gcp:serviceaccount/account:Account",
)
PROJECT_MEMBER, REPOSITORY = "gcp:projects/iAMMember:IAMMember", "gcp:artifactregistry/repository:Repository"
BUCKET, BUCKET_MEMBER = "gcp:storage/bucket:Bucket", "gcp:storage/bucketIAMMember:BucketIAMMember"
CHANNEL, BUDGET = "gcp:monitoring/notificationChannel:NotificationChannel", "gcp:billing/budget:Budget"
SECRET = "gcp:secretmanager/secret:Secret"
Make = Callable[..., dict[str, Any]]


@pytest.fixture
def ready(google: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_CREDENTIALS", "service-account")
    with google.state.change() as data:
        for service in SERVICES:
            projects.turn_on(data, PROJECT, service)
    return google


@pytest.fixture
def make(gcp: Engine, ready: Cloud) -> Make:
    def one(token: str, **edits: Any) -> dict[str, Any]:
        inputs = from_struct(gcp.check(urn(token), SAMPLES[token] | edits).inputs)
        return from_struct(gcp.create(urn(token), inputs).properties)

    return one


@pytest.fixture
def refused(make: Make) -> Callable[..., str]:
    def words(token: str, **edits: Any) -> str:
        details: str = error_of(make, token, **edits).details()
        return details.removeprefix("1 error occurred:\n\t* ").removesuffix("\n\n")

    return words


def failure(gcp: Engine, token: str, **edits: Any) -> str:
    (found,) = gcp.check(urn(token), SAMPLES[token] | edits).failures
    return str(found.reason)


# --- APIs


@pytest.mark.parametrize(
    ("token", "title", "service"),
    [
        (NETWORK, "Compute Engine API", "compute.googleapis.com"),
        (ACCOUNT, "Identity and Access Management (IAM) API", "iam.googleapis.com"),
        (REPOSITORY, "Artifact Registry API", "artifactregistry.googleapis.com"),
        (SECRET, "Secret Manager API", "secretmanager.googleapis.com"),
        (BUDGET, "Cloud Billing Budget API", "billingbudgets.googleapis.com"),
    ],
)
def test_an_api_that_is_off_is_googles_403(
    gcp: Engine, monkeypatch: pytest.MonkeyPatch, token: str, title: str, service: str
) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROJECTS", "new")
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


def test_names_of_apis_are_checked(gcp: Engine, refused: Callable[..., str]) -> None:
    words = "expected compute to be a domain like serviceusage.googleapis.com. Examine values at 'one.service'."
    assert failure(gcp, SERVICE, service="compute") == words
    assert "Not found or permission denied for service(s): a.example.com." in refused(SERVICE, service="a.example.com")


# --- networks


def test_names_of_networks_are_checked_before_anything_is_made(gcp: Engine) -> None:
    assert failure(gcp, NETWORK, name="My_Net") == (
        '"name" ("My_Net") doesn\'t match regexp "^(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$". '
        "Examine values at 'one.name'."
    )
    assert '"account_id" ("abc") doesn\'t match regexp' in failure(gcp, ACCOUNT, accountId="abc")
    assert '"secret_id" ("a b") doesn\'t match regexp' in failure(gcp, SECRET, secretId="a b")


def test_a_subnetwork_needs_its_network(refused: Callable[..., str]) -> None:
    assert refused(SUBNETWORK) == (
        "Error creating Subnetwork: googleapi: Error 404: The resource 'projects/p/global/networks/vpc' was not "
        "found, notFound"
    )


@pytest.mark.parametrize(
    ("edits", "field", "taken"),
    [
        ({"ipCidrRange": "10.0.8.0/24", "secondaryIpRanges": []}, "ipCidrRange", "10.0.8.0/24"),
        (
            {
                "ipCidrRange": "10.100.0.0/24",
                "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.5.0.0/16"}],
            },
            "secondaryIpRanges[0].ipCidrRange",
            "10.5.0.0/16",
        ),
    ],
)
def test_ranges_of_a_network_do_not_overlap(
    make: Make, refused: Callable[..., str], edits: dict[str, Any], field: str, taken: str
) -> None:
    make(NETWORK)
    make(SUBNETWORK)
    assert refused(SUBNETWORK, name="other", region="us-east1", **edits) == (
        f"Error creating Subnetwork: googleapi: Error 400: Invalid value for field 'resource.{field}': '{taken}'. "
        f"Invalid IPCidrRange: {taken} conflicts with existing subnetwork 'nodes' in region 'us-central1'., invalid"
    )
    make(NETWORK, name="other-vpc")
    make(SUBNETWORK, name="other", network="other-vpc", region="us-east1", **edits)


def test_a_network_that_makes_its_own_subnetworks_keeps_their_range(make: Make, refused: Callable[..., str]) -> None:
    make(NETWORK, autoCreateSubnetworks=True)
    words = refused(SUBNETWORK, ipCidrRange="10.200.0.0/16", secondaryIpRanges=[])
    assert "Extended subnetworks in auto subnet mode networks cannot overlap with 10.128.0.0/9" in words


def test_one_proxy_only_subnetwork_is_active_in_a_region(make: Make, refused: Callable[..., str]) -> None:
    make(NETWORK)
    proxy = {"name": "proxy", "purpose": "REGIONAL_MANAGED_PROXY", "secondaryIpRanges": []}
    assert (
        "Invalid value for field 'resource.role': 'UNSPECIFIED_ROLE'. Subnetwork role must be specified when purpose "
        "set to REGIONAL_MANAGED_PROXY., invalid" in refused(SUBNETWORK, **proxy)
    )
    assert "REGIONAL_MANAGED_PROXY must have a range of at least /26" in refused(
        SUBNETWORK, **proxy, role="ACTIVE", ipCidrRange="10.9.0.0/27"
    )
    make(SUBNETWORK, **proxy, role="ACTIVE", ipCidrRange="10.9.0.0/23")
    second = {**proxy, "name": "second", "ipCidrRange": "10.9.8.0/23"}
    assert "There is already an ACTIVE subnetwork" in refused(SUBNETWORK, **second, role="ACTIVE")
    make(SUBNETWORK, **second, role="BACKUP")
    make(SUBNETWORK, **{**second, "name": "third", "region": "us-east1", "ipCidrRange": "10.9.10.0/23"}, role="ACTIVE")


def test_a_larger_range_is_an_update_and_a_smaller_one_a_replacement(gcp: Engine, make: Make) -> None:
    from simulator.google.wire import to_struct

    make(NETWORK)
    state = make(SUBNETWORK)
    for cidr, replaces in (("10.0.0.0/18", []), ("10.0.0.0/24", ["ipCidrRange"]), ("10.1.0.0/20", ["ipCidrRange"])):
        news = SAMPLES[SUBNETWORK] | {"ipCidrRange": cidr}
        request = proto.DiffRequest(urn=urn(SUBNETWORK), id=state["id"], olds=to_struct(state), news=to_struct(news))
        assert list(gcp.stub.Diff(request).replaces) == replaces


def test_what_is_in_use_stays(gcp: Engine, make: Make) -> None:
    network, subnetwork = make(NETWORK), make(SUBNETWORK)
    router = make(ROUTER)
    listed = {"sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS"}
    nat = make(NAT, **listed, subnetworks=[{"name": subnetwork["selfLink"], "sourceIpRangesToNats": ["ALL_IP_RANGES"]}])
    error = error_of(gcp.delete, urn(NETWORK), network["id"], network)
    assert (
        "Error waiting for Deleting Network: The network resource 'projects/p/global/networks/vpc' is already being "
        "used by 'projects/p/regions/us-central1/routers/router'" in error.details()
    )
    error = error_of(gcp.delete, urn(SUBNETWORK), subnetwork["id"], subnetwork)
    assert (
        f"Error when reading or editing Subnetwork: googleapi: Error 400: The subnetwork resource '{subnetwork['id']}' "
        "is already being used by 'projects/p/regions/us-central1/routers/router', resourceInUseByAnotherResource"
        in error.details()
    )
    gcp.delete(urn(ROUTER), router["id"], router)
    assert gcp.read(urn(NAT), nat["id"]).id == ""
    gcp.delete(urn(SUBNETWORK), subnetwork["id"], subnetwork)
    gcp.delete(urn(NETWORK), network["id"], network)


def test_a_nat_needs_its_router(make: Make, refused: Callable[..., str]) -> None:
    assert "The resource 'projects/p/regions/us-central1/routers/router' was not found" in refused(NAT)


# --- IAM


def test_a_member_that_is_an_account_must_exist(make: Make, refused: Callable[..., str]) -> None:
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
    gcp: Engine, google: Cloud, make: Make, refused: Callable[..., str]
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
def test_a_role_that_cannot_be_one_is_refused(refused: Callable[..., str], role: str) -> None:
    words = refused(PROJECT_MEMBER, role=role, member="user:a@example.com")
    assert f"googleapi: Error 400: Role {role} is not supported for this resource., badRequest" in words


def test_forms_of_members_are_checked(gcp: Engine, refused: Callable[..., str]) -> None:
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


def test_a_binding_needs_what_it_is_on_and_goes_with_it(gcp: Engine, make: Make, refused: Callable[..., str]) -> None:
    make(ACCOUNT)
    assert refused(BUCKET_MEMBER) == (
        'Error retrieving IAM policy for storage bucket "b/p-weights": googleapi: Error 404: The specified bucket does '
        "not exist., notFound"
    )
    bucket, binding = make(BUCKET), make(BUCKET_MEMBER)
    gcp.delete(urn(BUCKET), bucket["id"], bucket)
    assert gcp.read(urn(BUCKET_MEMBER), binding["id"]).id == ""


# --- buckets, repositories, secrets


def test_names_of_buckets_are_everybodys(gcp: Engine, make: Make, refused: Callable[..., str]) -> None:
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


def test_a_remote_repository_needs_its_source(gcp: Engine, refused: Callable[..., str]) -> None:
    assert "remote_repository_config is required" in refused(REPOSITORY, remoteRepositoryConfig=None)
    assert "is not supported for mode STANDARD_REPOSITORY" in refused(REPOSITORY, mode="STANDARD_REPOSITORY")
    assert "Error 400: Request contains an invalid argument., badRequest" in refused(REPOSITORY, location="eu-west3")
    assert "Invalid combination of arguments." in failure(gcp, REPOSITORY, remoteRepositoryConfig={"description": "x"})


def test_a_protected_secret_stays_and_a_taken_one_is_409(gcp: Engine, make: Make, refused: Callable[..., str]) -> None:
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


# --- budgets


def test_a_budget_needs_a_quota_project_of_a_person(
    gcp: Engine, make: Make, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_CREDENTIALS", "user")
    assert "The billingbudgets.googleapis.com API requires a quota project" in refused(BUDGET)
    config = {"gcp:config:project": "p", "gcp:config:billingProject": "p", "gcp:config:userProjectOverride": "true"}
    gcp.stub.Configure(proto.ConfigureRequest(variables=config))
    assert make(BUDGET)["id"].startswith("billingAccounts/01AB23-45CD67-89EF01/budgets/")


def test_what_google_finds_invalid_in_a_budget(gcp: Engine, make: Make, refused: Callable[..., str]) -> None:
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


# --- faults


def test_the_next_operation_on_a_type_fails_once(make: Make, ready: Cloud, refused: Callable[..., str]) -> None:
    ByHand(ready.state).fail("compute.Network", after_half=False)
    words = "Error creating Network: googleapi: Error 503: The service is currently unavailable., backendError"
    assert refused(NETWORK) == words
    make(NETWORK)
    ByHand(ready.state).fail("Router", after_half=True)
    assert refused(ROUTER).startswith("Error waiting to create Router: Error waiting for Creating Router: ")
    make(ROUTER)


def test_a_denied_permission_is_a_403_until_it_is_given_back(
    make: Make, ready: Cloud, refused: Callable[..., str]
) -> None:
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


# --- functions


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
