"""What the program declares for an endpoint that Google runs, and what it tells afterwards."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pulumi
import pytest

from infra.cloud.managed import API_KEY, SECRET_VERSION, managed_resources
from infra.cloud.native_garden import GARDEN_ENDPOINT
from infra.components.deploy import deploy
from infra.errors import PlatformError
from infra.pipeline import ManagedEndpoint, build
from simulator.google.schema import failures, resource_kind
from tests.unit.files import PLATFORM, Files
from tests.unit.platform_samples import CREATED
from tests.unit.test_cluster_check import looked_up

CLOUD = "apiVersion: servestack/v1\nkind: Platform\ngoogle: {project: servestack-dev, location: us-central1}\n"
NUMBER = "314159265358"
KEY = "AQ.planted-key-that-nobody-may-see"
HEAD = "apiVersion: servestack/v1\nkind: Endpoint\n"
GARDEN = HEAD + "model: gemma-4-31b-it\nframework: vertex\naccelerator: h100\n"
ENDPOINTS = {
    "gemma4-31b-vertex": GARDEN + "platform: cloud\n",
    "gemma4-31b-vertex-eu": GARDEN + "platform: dev\nlabels: {team: search}\ncallers: [{namespace: shop, "
    "serviceAccount: web}]\n",
    "gemma4-31b-vertex-native": GARDEN + "platform: dev\nvertex: {provider: native, acceptLicence: true}\n"
    "capacity: [spot]\nreplicas: {min: 1, max: 3}\n",
    "gemma4-12b-vertex": HEAD + "model: gemma-4-12b-it\nframework: vertex\naccelerator: rtxpro6000\nplatform: cloud\n"
    "vertex: {provider: native, container: verified, reservationZone: us-central1-b}\n"
    "capacity: [{reservation: held}]\n",
    "gemma4-26b-a4b-vertex-serverless": HEAD + "model: gemma-4-26b-a4b-it\nframework: vertex\nplatform: dev\n"
    "vertex: {serverless: true}\n",
    "gemma4-31b-gemini": HEAD + "model: gemma-4-31b-it\nframework: gemini\nplatform: dev\n"
    "callers: [{namespace: shop, serviceAccount: web}]\n",
    "gemma4-26b-a4b-gemini": HEAD + "model: gemma-4-26b-a4b-it\nframework: gemini\nplatform: cloud\n",
}
ALL = pytest.mark.parametrize("name", ENDPOINTS)


def endpoint(name: str) -> ManagedEndpoint:
    built = build(name, Files(dev=PLATFORM, cloud=CLOUD, **{name: ENDPOINTS[name]}))
    assert isinstance(built, ManagedEndpoint)
    return built


class Google(pulumi.runtime.Mocks):
    """Makes everything; every input of a Google resource is one that the SDK's own class has, of its type."""

    def __init__(self, **cluster: Any) -> None:
        self.made: dict[tuple[str, str], dict[str, Any]] = {}
        there = {"endpoint": "203.0.113.9", "masterAuth": {"clusterCaCertificate": "Q0E="}}
        self.cluster = looked_up(CREATED["plain"], **there, **cluster)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.made[(args.typ, args.name)] = dict(args.inputs)
        outputs: dict[str, Any] = dict(args.inputs)
        if args.typ.startswith("gcp:"):
            kind = resource_kind(args.typ)
            assert kind is not None, args.typ
            given = {key: value for key, value in args.inputs.items() if value is not None}
            assert failures(kind, given) == [], args.name
        if args.typ == API_KEY:
            outputs["keyString"] = KEY
        if args.typ == "pulumi-python:vertex/dynamic:ModelGardenDeployment" or "ModelGardenDeployment" in args.typ:
            outputs |= {"base_url": "https://one.two/v1/x", "endpoint": "e", "dedicated_dns": "one.two"}
            outputs |= {"request_model": "told by Google", "console_url": "https://console.cloud.google.com/x"}
        identity = f"projects/servestack-dev/made/{args.name}"
        return ("projects/p/locations/us-central1/endpoints/4711" if args.typ == GARDEN_ENDPOINT else identity), outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
        return ({"number": NUMBER} if "getProject" in args.token else self.cluster), []


def run(google: Google, name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Deploy; the outputs, with the secret ones in a list of their own."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    pulumi.runtime.set_mocks(google, project="servestack", stack=name, preview=False)
    told: dict[str, Any] = {}
    monkeypatch.setattr(pulumi, "export", lambda key, value: told.update({key: value}))
    found: dict[str, Any] = {}

    @pulumi.runtime.test
    def program() -> pulumi.Output[Any]:
        deploy(endpoint(name))
        return pulumi.Output.all(**told).apply(found.update)

    program()
    return found


@ALL
def test_every_resource_is_declared_as_its_data_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    google, one = Google(), endpoint(name)
    run(google, name, monkeypatch)
    data = managed_resources(one.plan, one.container, NUMBER)
    for resource in data:
        declared = google.made[resource.token, resource.name]
        for key, value in resource.inputs.items():
            if isinstance(value, str | bool | dict) and resource.token != SECRET_VERSION:
                assert declared[key] == value, (resource.name, key)
    assert len({resource.name for resource in data}) == len(data)


@ALL
def test_everything_comes_after_what_it_needs(name: str) -> None:
    seen: set[str] = set()
    built = endpoint(name)
    for one in managed_resources(built.plan, built.container, NUMBER):
        assert set(one.after) <= seen, one.name
        seen.add(one.name)


@ALL
def test_outputs_name_address_model_account_and_no_secret(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    google, one = Google(), endpoint(name)
    told = run(google, name, monkeypatch)
    assert {"url", "requestModel", "model", "service", "callersAccount", "authentication"} <= set(told)
    assert told["url"].startswith("https://")
    assert KEY not in json.dumps(told)
    if one.plan.garden is not None:
        assert {"endpoint", "dedicatedDns", "consoleUrl"} <= set(told)
    if one.plan.calling.key_id:
        assert told["keyCommand"].startswith("gcloud secrets versions access latest --secret=")
        assert told["keySecret"] == f"projects/servestack-dev/secrets/{name}-key"


@ALL
def test_the_key_goes_into_secret_manager_and_nowhere_else(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    google = Google()
    run(google, name, monkeypatch)
    holders = {kind for (kind, _), inputs in google.made.items() if KEY in json.dumps(inputs, default=str)}
    gemini = endpoint(name).plan.service == "gemini"
    assert holders == ({SECRET_VERSION} if gemini else set())
    for (kind, _), inputs in google.made.items():
        if kind == SECRET_VERSION:
            assert inputs["secretData"] == KEY


@ALL
def test_an_account_has_one_role_and_pods_act_as_it_only_where_they_need_tokens(name: str) -> None:
    one = endpoint(name)
    roles = [made for made in managed_resources(one.plan, one.container, NUMBER) if made.token.endswith(":IAMMember")]
    in_project = [made for made in roles if "serviceAccountId" not in made.inputs]
    acting = [made for made in roles if "serviceAccountId" in made.inputs]
    gemini = one.plan.service == "gemini"
    assert [made.inputs["role"] for made in in_project] == ([] if gemini else ["roles/aiplatform.user"])
    assert {made.inputs["role"] for made in acting} <= {"roles/iam.workloadIdentityUser"}
    pods = {f"{pods.namespace}/{pods.service_account}" for pods in one.plan.calling.callers}
    assert {made.inputs["member"].partition("[")[2].rstrip("]") for made in acting} == (set() if gemini else pods)


def test_a_key_is_for_one_service_and_bound_to_the_callers_account() -> None:
    made = {one.token: one for one in managed_resources(endpoint("gemma4-31b-gemini").plan, None, NUMBER)}
    key = made[API_KEY]
    assert key.inputs["restrictions"] == {"apiTargets": [{"service": "generativelanguage.googleapis.com"}]}
    assert key.inputs["serviceAccountEmail"] == "gemma4-31b-gemini-caller@servestack-dev.iam.gserviceaccount.com"
    assert "name" not in key.inputs, "the id of a deleted key stays taken for 30 days"
    assert key.secrets == ("keyString",)
    assert made[SECRET_VERSION].secrets == ("secretData",)


def test_pulumis_own_resource_says_what_the_plan_says(monkeypatch: pytest.MonkeyPatch) -> None:
    google = Google()
    told = run(google, "gemma4-31b-vertex-native", monkeypatch)
    (inputs,) = [made for (kind, _), made in google.made.items() if kind == GARDEN_ENDPOINT]
    resources = inputs["deployConfig"]["dedicatedResources"]
    assert inputs["publisherModelName"] == "publishers/google/models/gemma4@gemma-4-31b-it"
    assert inputs["modelConfig"]["acceptEula"] is True
    assert resources["machineSpec"] == {
        "machineType": "a3-highgpu-1g",
        "acceleratorType": "NVIDIA_H100_80GB",
        "acceleratorCount": 1,
    }
    assert (resources["minReplicaCount"], resources["maxReplicaCount"], resources["spot"]) == (1, 3, True)
    container = inputs["modelConfig"]["containerSpec"]
    assert "--max-model-len=8192" in container["args"]
    assert container["ports"] == [{"containerPort": 8080}]
    assert told["url"].startswith(f"https://4711.us-central1-{NUMBER}.prediction.vertexai.goog/v1/projects/")
    assert told["requestModel"] == "gemma-4-31b-it"


def test_a_reservation_is_named_in_full_and_a_verified_container_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    google = Google()
    run(google, "gemma4-12b-vertex", monkeypatch)
    (inputs,) = [made for (kind, _), made in google.made.items() if kind == GARDEN_ENDPOINT]
    affinity = inputs["deployConfig"]["dedicatedResources"]["machineSpec"]["reservationAffinity"]
    assert affinity["values"] == ["projects/servestack-dev/zones/us-central1-b/reservations/held"]
    assert "containerSpec" not in inputs["modelConfig"]


def test_the_callers_config_map_has_the_address_that_only_google_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    google = Google()
    run(google, "gemma4-31b-vertex-eu", monkeypatch)
    data = google.made["kubernetes:core/v1:ConfigMap", "gemma4-31b-vertex-eu"]["data"]
    assert data == {"OPENAI_BASE_URL": "https://one.two/v1/x", "OPENAI_MODEL": "gemma-4-31b-it"}


def test_a_cluster_without_what_callers_need_is_refused_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    google = Google(secretSyncConfig=None)
    with pytest.raises(PlatformError, match="synchronisation is off"):
        run(google, "gemma4-31b-gemini", monkeypatch)
    assert not [name for kind, name in google.made if not kind.startswith("pulumi:")]
