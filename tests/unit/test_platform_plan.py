"""What `servestack plan` and `render` say of a platform is what its stack would do."""

from __future__ import annotations

import json

import pytest
import yaml

from infra.catalog.loader import read_facts
from infra.catalog.platforms import platform_facts
from infra.cli import main
from infra.cloud.platform import platform_resources
from infra.cloud.platform_plan import platform_plan
from infra.platform_report import platform_manifest, platform_text
from infra.spec import PlatformSpec
from tests.unit.platform_samples import ADOPTED, CREATED

ALL = pytest.mark.parametrize("spec", [*CREATED.values(), ADOPTED], ids=[*CREATED, "adopted"])


@ALL
def test_the_text_fits_eighty_columns_and_names_every_resource_in_order(spec: PlatformSpec) -> None:
    text = platform_text(platform_plan("plat", spec))
    assert max(map(len, text.splitlines())) <= 80
    words = text.replace(",", " ").split()
    places = [words.index(one.name, words.index("makes")) for one in platform_resources("plat", spec)]
    assert places == sorted(places)


@ALL
def test_the_manifest_is_what_pulumi_is_told(spec: PlatformSpec) -> None:
    shown = [one for one in yaml.safe_load_all(platform_manifest(platform_plan("plat", spec))) if one]
    resources = platform_resources("plat", spec)
    assert [(one["type"], one["name"], tuple(one.get("after", ()))) for one in shown] == [
        (one.token, one.name, one.after) for one in resources
    ]
    assert [one.get("protect", False) for one in shown] == [one.protect for one in resources]
    for one, told in zip(resources, shown, strict=True):
        if not one.token.endswith(":Budget"):
            assert told["inputs"] == one.inputs
    assert json.loads(json.dumps(platform_plan("plat", spec).to_json()))["resources"] == shown


def test_the_standing_cost_is_the_clusters_and_one_machine_half_the_size_of_the_published_one() -> None:
    published = {row["machine_type"]: row["on_demand_usd_per_hour"] for row in read_facts("prices.yaml")["machines"]}
    assert platform_facts().prices["e2-standard-4"].usd_per_hour == published["e2-standard-8"] / 2
    assert published["e2-standard-16"] / published["e2-standard-8"] == pytest.approx(2, abs=0.001)
    plain = platform_plan("plat", CREATED["plain"])
    assert plain.hourly_usd == pytest.approx(0.10 + 0.2682 / 2)
    assert plain.monthly_usd == pytest.approx(730 * (0.10 + 0.2682 / 2))
    assert platform_plan("plat", CREATED["autopilot"]).hourly_usd == pytest.approx(0.10)
    assert platform_plan("plat", ADOPTED).hourly_usd == 0


def roles(spec: PlatformSpec, who: str) -> set[str]:
    return {one.role for one in platform_plan("plat", spec).roles if who in one.who}


def test_roles_follow_what_is_made() -> None:
    plain = roles(CREATED["plain"], "makes")
    assert {"roles/compute.networkAdmin", "roles/storage.admin", "roles/artifactregistry.admin"} <= plain
    assert roles(CREATED["budget"], "makes") - plain == {
        "roles/billing.costsManager",
        "roles/monitoring.notificationChannelEditor",
    }
    assert plain - roles(CREATED["nothing but the cluster"], "makes") == {
        "roles/artifactregistry.admin",
        "roles/iam.serviceAccountAdmin",
        "roles/resourcemanager.projectIamAdmin",
    }
    assert plain - roles(CREATED["network there"], "makes") == {"roles/compute.networkAdmin"}


@ALL
def test_those_who_preview_can_change_nothing_and_those_who_deploy_no_grants(spec: PlatformSpec) -> None:
    assert all(role.endswith("iewer") or role == "roles/browser" for role in roles(spec, "previews"))
    deploys = [one for one in platform_plan("plat", spec).roles if "deploys" in one.who]
    assert {one.role for one in deploys if one.scope == "project"} == {
        "roles/browser",
        "roles/container.admin",
        "roles/storage.admin",
    }
    # Who sets the IAM of a bucket or a secret (infra.cloud.identity) has that right on it alone.
    assert {(one.role, one.scope) for one in deploys if one.scope != "project"} == {
        ("roles/iam.serviceAccountUser", "nodes' account"),
        ("roles/secretmanager.admin", "secrets that endpoints read"),
    }


def test_the_verbs_take_a_platform_where_it_has_something_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "dev"]) == 0
    assert capsys.readouterr().out.startswith("platform dev\n")
    assert main(["plan", "dev", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["platform"] == "dev"
    assert main(["render", "dev"]) == 0
    assert "type: gcp:container/cluster:Cluster" in capsys.readouterr().out
    for words in (["plan", "dev", "--html", "x.html"], ["plan", "dev", "--explain"], ["status", "dev"]):
        assert main(words) == 2
        assert "dev.yaml is a Platform" in capsys.readouterr().err


def test_a_cluster_by_context_is_no_machine_of_ones_own() -> None:
    spec = PlatformSpec.model_validate(
        {"apiVersion": "servestack/v1", "kind": "Platform", "kubernetes": {"context": "lab-context"}}
    )
    plan = platform_plan("lab", spec)
    assert plan.to_json()["kind"] == "kubernetes"
    assert "lab-context" in plan.to_json()["entrance"]
    assert "context lab-context" in platform_text(plan)


def test_a_machine_of_ones_own_makes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "laptop", "--stacks", "tests/examples/planned"]) == 0
    assert "makes       nothing" in capsys.readouterr().out
