"""What runs beside what is planned: each way to differ has its row, and what cannot be read is no agreement."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from infra.pipeline import Endpoint
from infra.verify.cluster import SERVER, Live, Unread, compare, context_in, layers_in, workload_of
from infra.verify.rows import DIFFERS, SAME, UNREAD, Row, differing, words_apart
from infra.verify_report import verify_text
from tests.unit.test_golden import ENDPOINTS, MORE

ALL = {name: one for name, one in {**ENDPOINTS, **MORE}.items() if isinstance(one, Endpoint) and one.prepared}
LLAMA = ALL["gemma4-e2b-l4-llamacpp"]
DIGEST = f"sha256:{'ab' * 32}"
METRICS = "llamacpp:requests_processing 0\nllamacpp:requests_deferred 0\n"
LOG = (  # of a real llama-server b11434; the line on layers as its source has it
    "0.00.039.234 I srv    load_model: initializing, n_slots = 2, n_ctx_slot = {context}, kv_unified = 'false'\n"
    "load_tensors: offloaded {layers}/36 layers to GPU\n"
)


def live_of(endpoint: Endpoint) -> Live:
    """The endpoint as a cluster has it on which everything went well."""
    plan = endpoint.plan
    workload = copy.deepcopy(workload_of(endpoint.objects()))
    fewest = plan.min_replicas if plan.scaling else plan.replicas
    workload["status"] = {"readyReplicas": fewest}
    workload["spec"].setdefault("replicas", fewest)
    group = workload["spec"].get("leaderWorkerTemplate") or {}
    templates = [one for one in (workload["spec"].get("template"), *group.values()) if isinstance(one, dict)]
    pods, nodes = [], {}
    for number, template in enumerate(templates):
        spec = copy.deepcopy(template["spec"]) | {"nodeName": f"node-{number}"}
        statuses = [{"name": one["name"], "imageID": f"x@{DIGEST}"} for one in spec["containers"]]
        started = [{"name": one["name"], "imageID": f"x@{DIGEST}"} for one in spec.get("initContainers") or []]
        pods.append(
            {
                "metadata": {"name": f"pod-{number}", "labels": template["metadata"]["labels"]},
                "spec": spec,
                "status": {"containerStatuses": statuses, "initContainerStatuses": started},
            }
        )
        labels = {"node.kubernetes.io/instance-type": plan.accelerator.machine_type, **(spec.get("nodeSelector") or {})}
        there = {plan.accelerator.resource: str(plan.accelerator.per_node)} if plan.accelerator.resource else {}
        nodes[f"node-{number}"] = {"metadata": {"labels": labels}, "status": {"allocatable": there}}
    names = [pod["metadata"]["name"] for pod in pods]
    nothing = Unread("not reached")
    return Live(workload, pods, nodes, dict.fromkeys(names, nothing), dict.fromkeys(names, nothing))


def rows(endpoint: Endpoint, live: Live) -> dict[str, Row]:
    return {one.what: one for one in compare(endpoint.plan, endpoint.objects(), live)}


@pytest.mark.parametrize("name", ALL)
def test_what_was_rendered_agrees_with_itself_and_says_what_was_not_read(name: str) -> None:
    found = compare(ALL[name].plan, ALL[name].objects(), live_of(ALL[name]))
    apart = [one for one in differing(found) if not one.what.endswith("image digest")]
    assert apart == []
    assert {one.what.split()[-1] for one in found if one.result == UNREAD} <= {"context", "metrics", "layers"}
    assert any(one.result == UNREAD for one in found)


def test_an_image_by_digest_must_be_the_one_that_was_pulled() -> None:
    live = live_of(LLAMA)
    objects = copy.deepcopy(LLAMA.objects())
    other = f"sha256:{'cd' * 32}"
    for template in (workload_of(objects), live.workload):
        assert template is not None
        template["spec"]["template"]["spec"]["containers"][0]["image"] = f"r.example/x@{other}"
    live.pods[0]["spec"]["containers"][0]["image"] = f"r.example/x@{other}"
    (row,) = differing(compare(LLAMA.plan, objects, live))
    assert (row.what, row.planned, row.live) == ("llama-server image digest", other, DIGEST)


def test_pods_of_one_tag_with_two_digests_are_named() -> None:
    live = live_of(LLAMA)
    second = copy.deepcopy(live.pods[0])
    second["metadata"]["name"] = "pod-second"
    second["status"]["containerStatuses"][0]["imageID"] = f"x@sha256:{'cd' * 32}"
    found = rows(LLAMA, Live(live.workload, [*live.pods, second], live.nodes))
    row = found["llama-server image digest"]
    assert row.result == DIFFERS
    assert "pod-second" in row.step


def _gpu(live: Live) -> dict[str, Any]:
    found: dict[str, Any] = live.nodes["node-0"]["status"]["allocatable"]
    return found


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda live: _gpu(live).update({"nvidia.com/gpu": "0"}), "pod pod-0 node's nvidia.com/gpu"),
        (lambda live: live.nodes["node-0"]["metadata"]["labels"].clear(), "pod pod-0 node labels"),
        (lambda live: live.workload["status"].clear(), "ready replicas"),
        (lambda live: live.workload["spec"].update(replicas=7), "replicas"),
        (lambda live: live.pods[0]["spec"]["containers"][0].update(command=["sh"]), "pod pod-0 llama-server command"),
        (
            lambda live: live.pods[0]["spec"]["containers"][0]["env"][0].update(value="/x"),
            "pod pod-0 llama-server env",
        ),
        (
            lambda live: live.workload["spec"]["template"]["spec"]["containers"].append({"name": "x", "image": "y"}),
            "Deployment container x",
        ),
        (lambda live: live.pods[0]["spec"]["initContainers"].pop(), "pod pod-0 container weights"),
    ],
)
def test_a_difference_has_a_row_with_what_to_do(spoil: Any, what: str) -> None:
    live = live_of(LLAMA)
    spoil(live)
    found = rows(LLAMA, live)
    assert found[what].result == DIFFERS
    assert found[what].step


@pytest.mark.parametrize(
    ("context", "layers", "metrics", "apart"),
    [
        (131_072, 36, METRICS, set()),
        (512, 36, METRICS, {"pod pod-0 context"}),
        (131_072, 12, METRICS, {"pod pod-0 layers"}),
        (131_072, 36, "other 1\n", {"pod pod-0 metrics"}),
    ],
)
def test_what_the_engine_says_of_itself_is_compared(context: int, layers: int, metrics: str, apart: set[str]) -> None:
    live, log = live_of(LLAMA), LOG.format(context=context, layers=layers)
    found = compare(
        LLAMA.plan, LLAMA.objects(), Live(live.workload, live.pods, live.nodes, {"pod-0": log}, {"pod-0": metrics})
    )
    assert {one.what for one in differing(found)} == apart
    asked = [one for one in found if one.what in {"pod pod-0 context", "pod pod-0 layers", "pod pod-0 metrics"}]
    assert {one.result for one in asked} == ({DIFFERS, SAME} if apart else {SAME})


def test_a_log_that_says_nothing_is_not_read_as_agreement() -> None:
    assert context_in("llamacpp", "hello") is None
    assert context_in("trtllm", "n_ctx_slot = 5") is None
    assert context_in("vllm", "Initializing a V1 LLM engine (v0.33.0) with config: max_seq_len=4096, dtype=x") == 4096
    assert layers_in("offloaded x/y layers to GPU") is None
    live = live_of(LLAMA)
    found = rows(LLAMA, Live(live.workload, live.pods, live.nodes, {"pod-0": "hello"}, {}))
    assert found["pod pod-0 context"].result == found["pod pod-0 layers"].result == UNREAD


def test_the_sidecar_that_gke_adds_for_a_bucket_is_no_difference_and_any_other_is() -> None:
    bucket = ALL["gemma4-e4b-l4-bucket"]
    live = live_of(bucket)
    live.pods[0]["spec"]["initContainers"].append({"name": "gke-gcsfuse-sidecar", "image": "gke.gcr.io/x"})
    assert not differing(compare(bucket.plan, bucket.objects(), live))
    live.pods[0]["spec"]["containers"].append({"name": "miner", "image": "x"})
    assert [one.what for one in differing(compare(bucket.plan, bucket.objects(), live))] == [
        "pod pod-0 container miner"
    ]


def test_what_leader_worker_set_tells_pods_of_their_group_is_no_difference() -> None:
    group = next(one for one in ALL.values() if one.plan.accelerator.nodes > 1)
    live = live_of(group)
    env = live.pods[0]["spec"]["containers"][0].setdefault("env", [])
    env.append({"name": "LWS_GROUP_SIZE", "value": "5"})
    assert not differing(compare(group.plan, group.objects(), live))
    env.append({"name": "HF_TOKEN", "value": "x"})
    assert len(differing(compare(group.plan, group.objects(), live))) == 1


def test_of_long_arguments_only_what_is_apart_is_told() -> None:
    ours, theirs = words_apart(["--a", "1", "--b=2", "--c"], ["--a", "1", "--b=3", "--d"])
    assert (ours, theirs) == ("--b=2 --c", "--b=3 --d")
    assert words_apart(["--a", "--b"], ["--b", "--a"])[0] == "(another order)"


def test_an_absent_workload_is_one_row() -> None:
    (row,) = compare(LLAMA.plan, LLAMA.objects(), Live(None))
    assert (row.result, row.step) == (DIFFERS, f"pulumi up -s {LLAMA.name}")


def test_no_line_is_wider_than_a_terminal_and_none_moves_the_cursor() -> None:
    live = live_of(LLAMA)
    live.pods[0]["spec"]["containers"][0]["image"] = "x\x1b[2J" + "y" * 300
    text = verify_text(LLAMA.name, "0" * 64, compare(LLAMA.plan, LLAMA.objects(), live))
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "\x1b" not in text
    assert SERVER  # the label by which serving pods are found is that of the templates
    assert f"app.kubernetes.io/component: {SERVER}" in str(LLAMA.objects()).replace("'", "")
