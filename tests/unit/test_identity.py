"""An endpoint's account in Google Cloud has the rights that its objects need, on what they name, and no other."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from infra.cloud.endpoint import endpoint_resources, needs_project_number
from infra.cloud.identity import BUCKET_MEMBER, SECRET_MEMBER, identity
from infra.cloud.node_pool import NODE_POOL
from infra.errors import PlanError
from infra.pipeline import Endpoint, build
from infra.report import explain_text, plan_text
from simulator.google.schema import failures, resource_kind
from tests.conftest import ROOT
from tests.unit.files import Files, endpoint
from tests.unit.registered import NUMBER, registered
from tests.unit.test_golden import ENDPOINTS, MORE

ALL = [one for one in (*ENDPOINTS.values(), *MORE.values()) if one.platform.gke]
RIGHTS = {BUCKET_MEMBER: "roles/storage.objectViewer", SECRET_MEMBER: "roles/secretmanager.secretAccessor"}


def members(one: Endpoint) -> list[tuple[str, dict[str, Any]]]:
    assert one.platform.gke
    found = endpoint_resources(one.plan, one.platform.gke, NUMBER if needs_project_number(one.plan) else None)
    return [(resource.token, resource.inputs) for resource in found if resource.token != NODE_POOL]


def needed(objects: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """What rendered objects read in Google Cloud, by reading them alone: token, project, name.

    A bucket that is mounted as another Google account is read with that one's rights.
    """
    accounts = [one["metadata"] for one in objects if one["kind"] == "ServiceAccount"]
    (account,) = (one for one in accounts if one["name"] == one["namespace"])
    acts_as_another = "iam.gke.io/gcp-service-account" in account["annotations"]
    found = set()
    for text in re.findall(r"'bucketName': '([^']+)'", str(objects)):
        found |= {(BUCKET_MEMBER, "", text)} if not acts_as_another else set()
    for one in objects:
        if one["kind"] == "SecretProviderClass":
            for entry in yaml.safe_load(one["spec"]["parameters"]["secrets"]):
                _, project, _, name, _, _ = entry["resourceName"].split("/")
                found.add((SECRET_MEMBER, project, name))
    return found


def check(one: Endpoint) -> None:
    """The members are what the objects need, each once, for the account of the pods and of the SecretSyncs."""
    objects, given_rights = one.objects(), members(one)
    granted = [
        (token, inputs.get("project", ""), inputs.get("bucket") or inputs["secretId"]) for token, inputs in given_rights
    ]
    assert len(granted) == len(set(granted))
    assert set(granted) == needed(objects)
    accounts = {(one.plan.stack, one.plan.stack)}
    for each in objects:
        if each["kind"] == "SecretSync":
            accounts.add((each["metadata"]["namespace"], each["spec"]["serviceAccountName"]))
        if each["kind"] in ("Deployment", "LeaderWorkerSet") and each["metadata"]["name"] == one.plan.stack:
            pods = re.findall(r"'serviceAccountName': '([^']+)'", str(each))
            accounts |= {(each["metadata"]["namespace"], name) for name in pods}
    ((namespace, account),) = accounts
    assert one.platform.gke
    pool = f"{one.platform.gke.project}.svc.id.goog"
    member = (
        f"principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/{pool}"
        f"/subject/ns/{namespace}/sa/{account}"
    )
    for token, inputs in given_rights:
        assert (inputs["member"], inputs["role"]) == (member, RIGHTS[token])


@pytest.mark.parametrize("one", ALL, ids=[one.name for one in ALL])
def test_rights_are_what_the_rendered_objects_read_and_no_more(one: Endpoint) -> None:
    check(one)


SECRET = st.sampled_from(["one", "two_2", "projects/example-shared/secrets/one", "projects/servestack-dev/secrets/one"])
MANAGED = st.builds(
    lambda name, version: {"secretManager": name} | ({"version": version} if version else {}),
    SECRET,
    st.sampled_from([None, "latest", 1, 2]),
)
REFERENCE = st.one_of(st.just("by-name"), MANAGED)
WEIGHTS = st.one_of(
    st.fixed_dictionaries({}, optional={"tokenSecret": REFERENCE}),
    st.fixed_dictionaries(
        {"source": st.just("gcs"), "bucket": st.sampled_from(["models", "other-models"]), "path": st.just("a/b")},
        optional={"serviceAccount": st.just("models@example-prod.iam.gserviceaccount.com")},
    ),
    st.just({"source": "pvc", "claim": "c", "path": "a", "accessMode": "ReadOnlyMany"}),
)
KEYS = st.one_of(
    st.none(),
    st.just("keys-by-name"),
    st.fixed_dictionaries({"current": MANAGED}, optional={"next": MANAGED}).filter(
        lambda keys: full(keys["current"]) != full(keys.get("next"))
    ),
)


def full(reference: dict[str, Any] | None) -> tuple[Any, ...] | None:
    return reference and (reference["secretManager"], reference.get("version", "latest"))


def built(framework: str, **said: Any) -> Endpoint:
    model, accelerator = (
        ("gemma-4-31b-it", "{type: h100, count: 4}") if framework == "nim" else ("gemma-4-e4b-it", "l4")
    )
    lines = [
        f"{key}: {yaml.safe_dump(value, default_flow_style=True, width=10**6).strip()}" for key, value in said.items()
    ]
    name = "gemma4-31b-h100-nim" if framework == "nim" else "gemma4-e4b-l4"
    one = build(name, Files(**{name: endpoint(model, accelerator, framework, *lines)}))
    assert isinstance(one, Endpoint)
    return one


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(framework=st.sampled_from(["vllm", "nim"]), weights=WEIGHTS, keys=KEYS, registry=REFERENCE, engine=REFERENCE)
def test_whatever_a_stack_file_names_the_rights_are_what_its_objects_read(
    framework: str, weights: dict[str, Any], keys: Any, registry: Any, engine: Any
) -> None:
    said: dict[str, Any] = {"expose": {"keySecret": keys}} if keys else {}
    said |= (
        {"engine": {"registrySecret": registry, "apiKeySecret": engine}} if framework == "nim" else {"weights": weights}
    )
    try:
        one = built(framework, **said)
    except PlanError as refused:
        assume("would read the secrets" not in str(refused))
        raise
    check(one)
    assert {secret.name for secret in one.plan.synced_secrets} == {
        each["metadata"]["name"] for each in one.objects() if each["kind"] == "SecretSync"
    }


def test_the_check_of_rights_can_fail() -> None:
    one = MORE["gemma4-e4b-l4-identity"]
    assert needed(one.objects()) == {
        (BUCKET_MEMBER, "", "example-models"),
        (SECRET_MEMBER, "example-shared", "gemma-keys"),
        (SECRET_MEMBER, "servestack-dev", "gemma-keys-next"),
    }


@pytest.mark.parametrize("name", ["gemma4-e4b-l4-identity", "gemma4-31b-h100-nim-managed"])
def test_members_have_only_inputs_that_the_sdk_has_of_the_right_type(name: str) -> None:
    found = members(MORE[name])
    assert found
    for token, inputs in found:
        kind = resource_kind(token)
        assert kind
        assert failures(kind, inputs) == []
        assert len(failures(kind, inputs | {"roles": ["x"], "member": None})) == 2, "the check can fail"


def test_every_member_has_a_name_of_its_own_that_no_order_changes() -> None:
    one = MORE["gemma4-e4b-l4-identity"]
    assert one.platform.gke
    names = [resource.name for resource in identity(one.plan, one.platform.gke, NUMBER)]
    assert names == [
        "gemma4-e4b-l4-identity-reads-example-models",
        "gemma4-e4b-l4-identity-reads-example-shared-gemma-keys",
        "gemma4-e4b-l4-identity-reads-servestack-dev-gemma-keys-next",
    ]


def test_rights_on_what_another_account_reads_are_not_taken_but_told() -> None:
    one = ENDPOINTS["gemma4-e4b-l4-bucket"]
    assert members(one) == []
    said = " ".join(plan_text(one.plan).split())
    assert "models@example-prod.iam.gserviceaccount.com must be allowed to read gs://example-models" in said.replace(
        "# ", ""
    )
    assert (
        "gcloud iam service-accounts add-iam-policy-binding models@example-prod.iam.gserviceaccount.com "
        "--role=roles/iam.workloadIdentityUser "
        "--member='serviceAccount:servestack-dev.svc.id.goog[gemma4-e4b-l4-bucket/gemma4-e4b-l4-bucket]'"
    ) in " ".join(explain_text(one.plan).split())


def test_the_projects_number_is_asked_for_only_where_an_identity_has_it() -> None:
    with_rights = registered(ROOT / "tests" / "examples" / "valid", "gemma4-e4b-l4-identity")
    without = registered(ROOT / "stacks", "gemma4-e4b-l4")
    asked = "gcp:organizations/getProject:getProject"
    assert (with_rights.calls.count(asked), without.calls.count(asked)) == (1, 0)
    assert len(with_rights.of_type(BUCKET_MEMBER)) == 1


@pytest.mark.parametrize("name", ["gemma4-e4b-l4-identity", "gemma4-31b-h100-nim-managed"])
def test_pods_and_what_fills_their_secrets_come_after_the_rights(name: str) -> None:
    program = registered(ROOT / "tests" / "examples" / "valid", name)
    rights = {one["name"] for token in RIGHTS for one in program.of_type(token)}
    syncs = program.of_type("kubernetes:secret-sync.gke.io/v1:SecretSync")
    assert rights
    assert syncs
    for one in [program.one("Deployment", name), *syncs]:
        assert rights <= {waited for waited, _ in one["after"]}
    made_before = {(waited, kind) for waited, kind in program.one("Deployment", name)["after"]}
    assert {(one["name"], "SecretSync") for one in syncs} <= made_before
    for one in syncs:
        assert [one["name"], "SecretProviderClass"] in one["after"]
