"""An adopted cluster is judged alike through Pulumi and through gcloud, and what is missing comes with its remedy."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from pulumi_gcp.container.get_cluster import GetClusterResult
from pydantic import ValidationError

from infra.cli import main
from infra.cloud.cluster import cluster_inputs
from infra.cloud.cluster_check import missing, missing_for
from infra.cloud.cluster_facts import cluster_facts, dns_endpoint, older
from infra.plan.lacking import lacking_cautions, refuse_lacking
from infra.plan.refusal import RefusedError
from infra.spec.gke import LACKS
from simulator.google.data_sources import as_data_source
from tests.unit.platform_samples import ADOPTED, CREATED, platform
from tests.unit.test_golden import ENDPOINTS, MORE

EVERY = {name: one for name, one in {**ENDPOINTS, **MORE}.items() if one.platform.gke}
# As `gcloud container clusters describe --format json` prints a cluster (GKE API v1, Cluster).
FULL: dict[str, Any] = {
    "name": "prod",
    "currentMasterVersion": "1.34.1-gke.3084002",
    "addonsConfig": {"gcsFuseCsiDriverConfig": {"enabled": True}},
    "autopilot": {},
    "controlPlaneEndpointsConfig": {
        "dnsEndpointConfig": {"allowExternalTraffic": True, "endpoint": "gke-0a1b.us-central1.gke.goog"}
    },
    "monitoringConfig": {"managedPrometheusConfig": {"enabled": True}},
    "networkConfig": {
        "datapathProvider": "ADVANCED_DATAPATH",
        "gatewayApiConfig": {"channel": "CHANNEL_STANDARD"},
    },
    "secretManagerConfig": {"enabled": True},
    "secretSyncConfig": {"enabled": True},
    "shieldedNodes": {"enabled": True},
    "workloadIdentityConfig": {"workloadPool": "servestack-dev.svc.id.goog"},
}
BARE: dict[str, Any] = {"name": "prod", "currentMasterVersion": "1.31.2-gke.1", "networkConfig": {}, "autopilot": {}}


def looked_up(spec: Any, **more: Any) -> dict[str, Any]:
    """A cluster made as its platform says, as Pulumi's look-up gives it: every block a list of a plural name."""
    inputs = cluster_inputs("plat", spec.gke, {}) | more
    return as_data_source(GetClusterResult, {"masterVersion": "1.34.1-gke.3084002", **inputs})


def test_a_cluster_that_a_platform_makes_lacks_nothing_by_either_way() -> None:
    assert cluster_facts(looked_up(CREATED["plain"])) == cluster_facts(FULL)
    assert cluster_facts(FULL).lacks == ()
    assert cluster_facts(looked_up(CREATED["autopilot"])).lacks == ()
    assert cluster_facts(looked_up(CREATED["autopilot"])).autopilot


def test_a_bare_cluster_lacks_everything_by_either_way() -> None:
    assert cluster_facts(BARE).lacks == LACKS == tuple(sorted(LACKS))
    assert cluster_facts({"masterVersion": "1.31.2-gke.1"}) == cluster_facts(BARE)


@pytest.mark.parametrize("feature", LACKS)
def test_each_feature_is_read_from_its_own_block(feature: str) -> None:
    blocks = {
        "gateway-api": ("networkConfig", {"datapathProvider": "ADVANCED_DATAPATH"}),
        "gcs-fuse": ("addonsConfig", {}),
        "managed-prometheus": ("monitoringConfig", {"managedPrometheusConfig": {"enabled": False}}),
        "network-policy": ("networkConfig", {"gatewayApiConfig": {"channel": "CHANNEL_STANDARD"}}),
        "secret-manager": ("secretManagerConfig", {"enabled": False}),
        "secret-sync": ("secretSyncConfig", {}),
        "shielded-nodes": ("shieldedNodes", {}),
        "workload-identity": ("workloadIdentityConfig", {}),
    }
    key, without = blocks[feature]
    assert cluster_facts(FULL | {key: without}).lacks == (feature,)


def test_calico_enforces_network_policies_too() -> None:
    assert "network-policy" in cluster_facts(BARE | {"networkPolicy": {"enabled": True}}).features


def test_every_finding_says_who_needs_it_and_which_command_switches_it_on() -> None:
    assert ADOPTED.gke
    findings = missing(cluster_facts(BARE), ADOPTED.gke)
    assert [one.subject for one in findings] == list(LACKS)
    for one in findings:
        assert one.matters
        assert " container clusters update prod --location us-central1 --project servestack-dev --" in one.command
        assert one.blocks is (one.subject == "workload-identity")


def test_what_the_file_says_is_known_and_no_finding_but_what_blocks_stays_one() -> None:
    known = platform(cluster={"name": "prod", "create": False, "lacks": list(LACKS)})
    assert known.gke
    assert [one.subject for one in missing(cluster_facts(BARE), known.gke)] == ["workload-identity"]
    (found,) = missing(cluster_facts(FULL), known.gke)
    assert (found.subject, found.blocks) == ("lacks", False)
    assert found.command.endswith("lacks: []")


@pytest.mark.parametrize(("mode", "autopilot"), [("standard", True), ("autopilot", False)])
def test_the_other_mode_than_the_file_says_blocks(mode: str, *, autopilot: bool) -> None:
    spec = platform(cluster={"name": "prod", "create": False, "mode": mode})
    assert spec.gke
    findings = missing(cluster_facts(FULL | {"autopilot": {"enabled": autopilot}}), spec.gke)
    assert [(one.subject, one.blocks) for one in findings] == [("mode", True)]


@pytest.mark.parametrize("name", EVERY)
def test_an_endpoint_is_stopped_by_what_it_needs_and_by_nothing_else(name: str) -> None:
    endpoint = EVERY[name]
    kinds = {one["kind"] for one in endpoint.objects()}
    assert endpoint.platform.gke
    assert missing_for(cluster_facts(FULL), endpoint.platform.gke, endpoint.plan) == ()
    found = missing_for(cluster_facts(BARE), endpoint.platform.gke, endpoint.plan)
    assert all(one.blocks for one in found)
    needed = [one.subject for one in found if one.subject != "version"]
    wanted = {"gateway-api"} if kinds & {"Gateway", "HTTPRoute"} else set()
    wanted |= {"workload-identity"} if endpoint.plan.node_pools.kind == "pools" else set()
    wanted |= {"gcs-fuse", "workload-identity"} if "gcsfuse" in json.dumps(endpoint.objects()) else set()
    wanted |= {"managed-prometheus"} if kinds & {"PodMonitoring", "Rules"} else set()
    wanted |= {"secret-manager", "secret-sync", "workload-identity"} if "SecretSync" in kinds else set()
    assert sorted(needed) == sorted(wanted)
    assert any(one.subject == "version" for one in found) is ("InferencePool" in kinds)


@pytest.mark.parametrize("feature", ["network-policy", "workload-identity"])
@pytest.mark.parametrize("name", EVERY)
def test_what_every_endpoint_needs_is_said_offline_by_every_plan(name: str, feature: str) -> None:
    endpoint = EVERY[name]
    assert endpoint.platform.gke
    pools = endpoint.plan.node_pools.kind == "pools"
    mode = "standard" if pools else "autopilot"
    there = {"name": "prod", "create": False, "lacks": [feature], "mode": mode}
    if feature == "workload-identity" and not pools:
        with pytest.raises(ValidationError, match="an Autopilot cluster always has workload-identity"):
            platform(cluster=there)
        return
    spec = platform(cluster=there)
    assert ("network policies" in " ".join(lacking_cautions(spec))) is (feature == "network-policy")
    if feature == "workload-identity":
        with pytest.raises(RefusedError, match="lacks workload-identity"):
            refuse_lacking(endpoint.plan, spec)
    else:
        refuse_lacking(endpoint.plan, spec)


def test_versions_are_compared_by_number() -> None:
    ordered = ["1.9.0-gke.9", "1.33.5-gke.1862000", "1.34.0-gke.999", "1.34.0-gke.1626000", "1.34.1-gke.1", "1.100.0"]
    for index, one in enumerate(ordered):
        assert [older(one, other) for other in ordered] == [place > index for place in range(len(ordered))]
    assert not older("", "1.34.0")
    assert not older("latest", "1.34.0")


def test_the_dns_name_counts_only_where_users_may_come_by_it() -> None:
    assert dns_endpoint(FULL) == "gke-0a1b.us-central1.gke.goog"
    config = {"dnsEndpointConfig": {"allowExternalTraffic": False, "endpoint": "gke-0a1b.us-central1.gke.goog"}}
    assert dns_endpoint(FULL | {"controlPlaneEndpointsConfig": config}) == ""
    assert dns_endpoint(looked_up(CREATED["plain"])) == "", "a name that Google has not given yet"


@pytest.fixture
def gcloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in that writes down its words and prints what is put beside it."""
    program = tmp_path / "gcloud"
    program.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/words\ncat {tmp_path}/answer\ncat {tmp_path}/fault >&2\n'
        f"exit $(cat {tmp_path}/code)\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    for name, text in {"answer": json.dumps(FULL), "fault": "", "code": "0"}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_check_asks_gcloud_for_that_one_cluster_and_is_content(
    gcloud: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "prod"]) == 0
    words = "container clusters describe prod --location us-central1 --project servestack-prod --format json\n"
    assert (gcloud / "words").read_text() == words
    assert "it has what its file says" in capsys.readouterr().out


def test_check_prints_the_line_to_write_and_fails_where_nothing_can_be_deployed(
    gcloud: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (gcloud / "answer").write_text(json.dumps(BARE))
    assert main(["check", "prod"]) == 1
    out = capsys.readouterr().out
    assert f"\n    lacks: [{', '.join(LACKS)}]\n" in out
    assert "refused: Workload Identity is off" in out
    assert main(["check", "prod", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["lacks"] == list(LACKS)
    (gcloud / "answer").write_text(json.dumps(FULL | {"secretSyncConfig": {}}))
    assert main(["check", "prod"]) == 0
    assert "\n    lacks: [secret-sync]\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "answer", "said"),
    [("1", "", "ERROR: (gcloud) 404"), ("0", "no json", "did not answer with a cluster"), ("0", "[]", "a cluster")],
)
def test_check_says_why_a_cluster_cannot_be_read(
    gcloud: Path, code: str, answer: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (gcloud / "code").write_text(code)
    (gcloud / "answer").write_text(answer)
    (gcloud / "fault").write_text("ERROR: (gcloud) 404 not found\n")
    assert main(["check", "prod"]) == 1
    told = capsys.readouterr()
    assert said in told.err
    assert "Traceback" not in told.err


def test_check_without_gcloud_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert main(["check", "prod"]) == 1
    assert "no gcloud on the PATH" in capsys.readouterr().err


def test_check_takes_a_platform_with_a_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "gemma4-31b-h100"]) == 2
    assert "this verb takes its platform, dev" in capsys.readouterr().err
    assert main(["check", "--stacks", "tests/examples/valid", "laptop"]) == 2
    assert "no cluster to check" in capsys.readouterr().err
