"""Replicas of several machines: one group of pods, each with its stages, and only the first takes calls."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra.pipeline import Endpoint, build
from infra.stack_folder import StackFolder
from tests.conftest import ROOT
from tests.unit.test_golden import find, pod, server, template


@pytest.fixture(scope="module")
def group() -> Endpoint:
    endpoint = build("gemma4-31b-l4-group", StackFolder(ROOT / "stacks"))
    assert isinstance(endpoint, Endpoint)
    return endpoint


def worker(endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = server(endpoint)["leaderWorkerTemplate"]["workerTemplate"]
    return found


def words(container: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, _, value in (one.partition("=") for one in container["args"])}


def test_the_group_computes_with_all_its_accelerators_and_every_stage_stays_on_one_machine(group: Endpoint) -> None:
    plan, template = group.plan, server(group)["leaderWorkerTemplate"]
    assert plan.accelerator.nodes > 1
    assert template["size"] == plan.accelerator.nodes
    leader, helper = pod(group)["containers"][0], worker(group)["spec"]["containers"][0]
    per_pod = [int(one["resources"]["limits"]["nvidia.com/gpu"]) for one in (leader, helper)]
    assert per_pod == [plan.accelerator.per_node] * 2
    total = per_pod[0] + per_pod[1] * (template["size"] - 1)
    said = words(leader)
    assert total == int(said["--tensor-parallel-size"]) * int(said["--pipeline-parallel-size"])
    assert per_pod[0] % int(said["--tensor-parallel-size"]) == 0


def test_all_pods_run_the_same_engine_and_differ_in_their_rank_and_in_the_api(group: Endpoint) -> None:
    leader = words(pod(group)["containers"][0])
    helper = words(worker(group)["spec"]["containers"][0])
    assert (leader.pop("--node-rank"), helper.pop("--node-rank")) == ("0", "$(LWS_WORKER_INDEX)")
    assert helper.pop("--headless") == ""
    assert (leader.pop("--host"), leader.pop("--port")) == ("127.0.0.1", "8000")
    assert leader == helper
    assert leader["--nnodes"] == str(group.plan.accelerator.nodes)
    assert leader["--master-addr"] == "$(LWS_LEADER_ADDRESS)"


def test_only_the_first_pod_takes_calls(group: Endpoint) -> None:
    labels = [one["metadata"]["labels"] for one in (template(group), worker(group))]
    selector = find(group, "Service")["spec"]["selector"]
    assert [selector.items() <= one.items() for one in labels] == [True, False]
    assert not [one for one in worker(group)["spec"]["initContainers"] if one["name"] == "proxy"]
    (helper,) = worker(group)["spec"]["containers"]
    assert not [key for key in helper if key.endswith("Probe") or key == "lifecycle"]


def test_the_pods_of_a_group_reach_each_other_and_nobody_else_gets_in_there(group: Endpoint) -> None:
    spec = find(group, "NetworkPolicy")["spec"]
    ports = [{"protocol": "TCP", "port": 1024, "endPort": 65535}]
    (ingress,) = [rule["from"] for rule in spec["ingress"] if rule["ports"] == ports]
    (egress,) = [rule["to"] for rule in spec["egress"] if rule["ports"] == ports]
    assert ingress == egress
    (peer,) = ingress
    assert list(peer) == ["podSelector"]
    labels = [one["metadata"]["labels"] for one in (template(group), worker(group))]
    expression = peer["podSelector"]["matchExpressions"][0]
    assert all(one[expression["key"]] in expression["values"] for one in labels)
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/instance": group.name}


def test_a_lost_pod_starts_the_whole_group_anew_and_no_pod_waits_for_the_first_to_be_ready(group: Endpoint) -> None:
    assert server(group)["leaderWorkerTemplate"]["restartPolicy"] == "RecreateGroupOnPodRestart"
    assert server(group)["startupPolicy"] == "LeaderCreated"


def test_the_plan_says_with_what_one_machine_would_do_each_change_with_its_price(group: Endpoint) -> None:
    (said,) = [one for one in group.plan.cautions if one.startswith("no single machine is enough")]
    words = said.split("One would do with ")[1].split(" or ")
    shape = r" \((<= )?[0-9,]+\.[0-9]{2} USD/h, 8 x l4, bf16, on-demand\)"
    assert re.fullmatch(r"concurrency: \d+" + shape, words[0])
    assert re.fullmatch(r"contextLength: \d+" + shape, words[1])
