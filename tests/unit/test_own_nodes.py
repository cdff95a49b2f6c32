"""Plans on nodes that are there: labels of each family, shares, and how many replicas the declared nodes hold."""

from __future__ import annotations

import itertools
import random

import pytest

from infra.catalog.loader import load_catalog
from infra.cli import main
from infra.cluster.room import requests_of
from infra.errors import PlanError
from infra.judgement import subject
from infra.pipeline import Endpoint, build
from infra.plan.own_nodes import node_share
from infra.policy import Subject, violations
from infra.spec.kubernetes import BY_INSTANCE_TYPE, LABEL_FAMILIES, NodeGroup
from tests.conftest import ROOT
from tests.unit.files import Files

CATALOG = load_catalog()
LABELS = CATALOG.node_labels
GIB = 2**30
STACK = "gemma4-e4b-l4"
HEAD = "apiVersion: servestack/v1\nkind: "
PLATFORM = f"{HEAD}Platform\nkubernetes:\n  context: lab\n  nodes:\n"
# What nodes of each kind of cluster show, from its own documentation; never from our catalogue.
SHOWN = {
    "nvidia": ("l4", "", {"nvidia.com/gpu.product": "NVIDIA-L4"}),
    "gke": ("l4", "", {"cloud.google.com/gke-accelerator": "nvidia-l4"}),
    "eks": ("l4", "g6.4xlarge", {"node.kubernetes.io/instance-type": "g6.4xlarge"}),
    "eks-auto": ("l4", "", {"eks.amazonaws.com/instance-gpu-name": "l4"}),
    "karpenter": ("l4", "", {"karpenter.k8s.aws/instance-gpu-name": "l4"}),
    "aks": (
        "a100-80gb",
        "Standard_NC24ads_A100_v4",
        {
            "kubernetes.azure.com/accelerator": "nvidia",
            "node.kubernetes.io/instance-type": "Standard_NC24ads_A100_v4",
        },
    ),
}


def group(**fields: object) -> NodeGroup:
    plain = {"accelerator": "l4", "count": 4, "vcpus": 48, "memoryGiB": 192, "machines": 3, "labels": "nvidia"}
    return NodeGroup.model_validate({**plain, **fields})


def built(nodes: list[str], accelerator: str = "l4", *more: str, extra: str = "") -> Endpoint:
    platform = PLATFORM + "".join(f"    - {{{one}}}\n" for one in nodes) + extra
    lines = ["platform: lab", "model: gemma-4-e4b-it", f"accelerator: {accelerator}", "framework: vllm", *more]
    stack = f"gemma4-e4b-{accelerator}"
    files = Files(**{stack: f"{HEAD}Endpoint\n" + "\n".join(lines) + "\n", "lab": platform})
    found = build(stack, files)
    assert isinstance(found, Endpoint)
    return found


def line(count: int, machines: int, vcpus: int = 48, memory: int = 192, labels: str = "nvidia") -> str:
    said = f"accelerator: l4, count: {count}, vcpus: {vcpus}, memoryGiB: {memory}, machines: {machines}"
    return f"{said}, labels: {labels}"


def test_the_families_of_the_file_format_are_those_of_the_catalogue() -> None:
    assert set(LABEL_FAMILIES) == set(LABELS.families) == set(SHOWN)
    assert set(BY_INSTANCE_TYPE) == {one.name for one in LABELS.families.values() if one.instance_type}
    known = {one.id for one in CATALOG.accelerators.values() if one.kind == "gpu"}
    for family in LABELS.families.values():
        assert set(family.values) <= known
        values = list(itertools.chain.from_iterable(family.values.values()))
        assert len(values) == len(set(values)), f"{family.name}: one label would name two accelerators"


@pytest.mark.parametrize("family", SHOWN)
def test_pods_select_the_labels_that_such_nodes_show_and_tolerate_their_taints(family: str) -> None:
    accelerator, machine, shown = SHOWN[family]
    more = f", instanceType: {machine}" if machine else ""
    node = f"accelerator: {accelerator}, count: 1, vcpus: 24, memoryGiB: 220, machines: 2, labels: {family}{more}"
    endpoint = built([node], accelerator)
    pod = next(one for one in endpoint.objects() if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == shown
    tolerated = [(one["key"], one["operator"], one.get("value"), one["effect"]) for one in pod["tolerations"]]
    assert ("nvidia.com/gpu", "Exists", None, "NoSchedule") in tolerated
    assert (("sku", "Equal", "gpu", "NoSchedule") in tolerated) == (family == "aks")
    assert not [key for key, *_ in tolerated if "servestack.dev" in key]
    engine = next(one for one in pod["containers"] if one["name"] == "vllm")
    assert engine["securityContext"]["readOnlyRootFilesystem"] == (family == "gke")


def test_a_read_only_root_is_kept_where_the_platform_says_that_its_nodes_start_so() -> None:
    endpoint = built([line(4, 1)], extra="  readOnlyRoot: true\n")
    assert endpoint.workload.read_only_root
    assert not endpoint.workload.exceptions


@pytest.mark.parametrize("machines", [1, 2, 3])
@pytest.mark.parametrize("on_node", [1, 2, 3, 4, 8])
def test_the_declared_nodes_hold_as_many_pods_as_can_be_put_on_them_one_by_one(on_node: int, machines: int) -> None:
    for each in range(1, on_node + 1):
        left, placed = [on_node] * machines, 0
        while any(gpus >= each for gpus in left):
            left[next(index for index, gpus in enumerate(left) if gpus >= each)] -= each
            placed += 1
        share = node_share(CATALOG, group(count=on_node, machines=machines), each)
        assert share.slots == placed


@pytest.mark.parametrize(("replicas", "spare"), list(itertools.product((1, 3, 4, 5, 8, 9), (0, 1, 2))))
def test_replicas_and_spare_ones_are_planned_exactly_where_the_nodes_hold_them(replicas: int, spare: int) -> None:
    if spare > replicas:
        return
    asked = f"replicas: {{min: {replicas}, spare: {spare}}}"
    if replicas + spare <= 8:
        plan = built([line(4, 2)], "l4", asked).plan
        assert plan.rollout.max_surge == spare
        assert (plan.cost.hourly_usd, plan.accelerator.capacity) == (None, "own")
    else:
        with pytest.raises(PlanError, match="hold 8 replicas"):
            built([line(4, 2)], "l4", asked)


def test_a_group_that_holds_the_replicas_is_taken_where_another_does_not() -> None:
    few, many = line(1, 2, 16, 64, "{pool: few}"), line(1, 5, 32, 128, "{pool: many}")
    plan = built([few, many], "l4", "replicas: {min: 4}").plan
    assert plan.accelerator.node_labels == (("pool", "many"),)


def test_what_the_pods_of_a_node_ask_for_is_never_more_than_the_node_has() -> None:
    """All pods of a full node together, sidecars and all, leave the system a tenth of processors and memory."""
    dice, planned = random.Random(7), 0
    for _ in range(40):
        count = dice.choice((1, 2, 4, 8))
        vcpus, memory = dice.randint(3, 24) * count, dice.randint(16, 96) * count
        try:
            endpoint = built([line(count, 1, vcpus, memory)])
        except PlanError:
            continue
        pod = next(one for one in endpoint.objects() if one["kind"] == "Deployment")["spec"]["template"]["spec"]
        asked, per_node = requests_of(pod), count // endpoint.plan.accelerator.count
        assert per_node * asked["nvidia.com/gpu"] <= count
        assert per_node * asked["cpu"] <= vcpus * 1000 * 0.9, (count, vcpus)
        assert per_node * asked["memory"] <= memory * GIB * 0.9, (count, memory)
        planned += 1
    assert planned > 10


def test_rules_hold_pods_to_the_declared_nodes() -> None:
    endpoint = built([line(4, 1)])
    right = subject(endpoint)
    assert not violations(right)
    wrong = endpoint.objects()
    pod = next(one for one in wrong if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    pod["nodeSelector"] = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
    pod["tolerations"].append({"operator": "Exists"})
    found = [(rule.name, one.message) for rule, one in violations(Subject(wrong, (), endpoint.plan))]
    assert [name for name, _ in found] == ["on-its-pool", "on-its-pool"]
    assert "must be NVIDIA-L4" in found[0][1]


def test_a_new_stack_takes_the_smallest_accelerator_that_the_nodes_have(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--platform", "lab", "--model", "gemma-4-e4b-it", "--suffix", "two", "--dry-run"]
    assert main(["new", "--stacks", str(ROOT / "stacks"), *arguments]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "accelerator: l4" in said
    assert "l4 is the smallest that fits with vllm: on nodes that are there; next h100" in said


def test_nothing_of_google_is_rendered() -> None:
    gateway = "expose: {gateway: {hostname: g.example.com, scope: external, shared: {name: front, namespace: gw}}}"
    endpoint = built([line(4, 1)], "l4", gateway)
    groups = {one["apiVersion"].partition("/")[0] for one in endpoint.objects()}
    assert not [one for one in groups if one.endswith(("gke.io", "googleapis.com"))]
    assert [one["kind"] for one in endpoint.objects()][-1] == "HTTPRoute"
    assert endpoint.plan.to_json()["accelerator"]["nodeLabels"] == {"nvidia.com/gpu.product": "NVIDIA-L4"}
