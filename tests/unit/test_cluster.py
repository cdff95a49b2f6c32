"""What a cluster's API tells, judged: quantities, requests, room, verdicts and the printed nodes."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.catalog.loader import load_catalog
from infra.cluster.check import Demand, verdict
from infra.cluster.kubeconfig import one_context
from infra.cluster.listing import nodes_text
from infra.cluster.quantity import amount
from infra.cluster.room import Node, free, node_of, requests_of, slots, tolerated
from infra.errors import PlatformError

LABELS = load_catalog().node_labels
GPU, GIB = "nvidia.com/gpu", 2**30
L4 = {"nvidia.com/gpu.product": "NVIDIA-L4"}
TAINT = {"key": GPU, "operator": "Exists", "effect": "NoSchedule"}


def node(name: str, gpus: int | str = 4, labels: dict[str, str] | None = None, **more: Any) -> Node:
    sizes = {"cpu": "48", "memory": "192Gi", "pods": "110", **({GPU: str(gpus)} if gpus else {})}
    ready = {"type": "Ready", "status": more.pop("ready", "True")}
    status = {"capacity": sizes, "allocatable": {**sizes, **more.pop("allocatable", {})}, "conditions": [ready]}
    return node_of(
        {"metadata": {"name": name, "labels": L4 if labels is None else labels}, "spec": more, "status": status}
    )


def pod(on: str, requests: dict[str, str], phase: str = "Running", namespace: str = "batch") -> dict[str, Any]:
    spec = {"nodeName": on, "containers": [{"name": "a", "resources": {"requests": requests}}]}
    return {"metadata": {"name": "p", "namespace": namespace}, "spec": spec, "status": {"phase": phase}}


def wanted(replicas: int = 1, gpus: int = 1, **more: Any) -> Demand:
    request = {"cpu": 8000, "memory": 36 * GIB, GPU: gpus, "pods": 1}
    fields = {"accelerator": "l4", "resource": GPU, "selector": L4, "tolerations": [TAINT], "request": request}
    return Demand(**{**fields, "replicas": replicas, "namespace": "own", **more})


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("cpu", "0.1", 100),
        ("cpu", "100m", 100),
        ("cpu", "1", 1000),
        ("cpu", "1500u", 2),
        ("memory", "1Gi", 2**30),
        ("memory", "1G", 10**9),
        ("memory", "128974848", 128974848),
        ("memory", "129e6", 129_000_000),
        ("memory", "131072Ki", 131072 * 1024),
        ("memory", "0.5Mi", 2**19),
        (GPU, "8", 8),
        ("pods", "110", 110),
        ("memory", "much", 0),
        ("memory", "", 0),
    ],
)
def test_a_quantity_is_read_as_kubernetes_documents_its_forms(name: str, text: str, number: int) -> None:
    assert amount(name, text) == number


def test_a_pod_takes_what_the_scheduler_reserves_for_it_at_its_worst_moment() -> None:
    """Oracle: every moment of the pod's start, one after the other, all that runs then added up."""
    dice = random.Random(3)
    for _ in range(300):
        inits = [(dice.randint(0, 9), dice.random() < 0.5) for _ in range(dice.randint(0, 4))]
        mains = [dice.randint(0, 9) for _ in range(dice.randint(1, 3))]
        moments, running = [], 0
        for size, sidecar in inits:
            moments.append(running + size)
            running += size if sidecar else 0
        moments.append(running + sum(mains))

        def box(size: int, **more: str) -> dict[str, Any]:
            return {"resources": {"requests": {"cpu": str(size)}}, **more}

        spec = {
            "initContainers": [box(size, **({"restartPolicy": "Always"} if side else {})) for size, side in inits],
            "containers": [box(size) for size in mains],
            "overhead": {"cpu": "250m"},
        }
        assert requests_of(spec)["cpu"] == max(moments) * 1000 + 250


def test_limits_stand_for_requests_that_are_not_given() -> None:
    spec = {"containers": [{"resources": {"limits": {GPU: "2", "cpu": "4"}, "requests": {"cpu": "1"}}}]}
    assert requests_of(spec) == {GPU: 2, "cpu": 1000, "pods": 1}


def test_a_replica_fits_exactly_where_some_way_to_put_every_pod_on_one_node_exists() -> None:
    """Oracle: all ways to put the replicas on the nodes, one node each."""
    dice = random.Random(11)
    agreed = {True: 0, False: 0}
    for _ in range(250):
        nodes = [node(f"n{i}", dice.randint(1, 4)) for i in range(dice.randint(1, 3))]
        busy = [
            pod(dice.choice(nodes).name, {GPU: str(dice.randint(0, 2)), "cpu": str(dice.randint(0, 40))}, phase)
            for phase in dice.choices(("Running", "Pending", "Succeeded", "Failed"), k=dice.randint(0, 3))
        ]
        replicas, gpus = dice.randint(1, 5), dice.randint(1, 3)
        asked = {GPU: gpus, "cpu": 8000}

        def left(one: Node, taken: list[dict[str, Any]]) -> dict[str, Decimal]:
            sums = {GPU: Decimal(one.allocatable[GPU]), "cpu": Decimal(48000)}
            for other in taken:
                if other["spec"]["nodeName"] == one.name and other["status"]["phase"] in ("Running", "Pending"):
                    requests = other["spec"]["containers"][0]["resources"]["requests"]
                    sums[GPU] -= Decimal(requests[GPU])
                    sums["cpu"] -= Decimal(requests["cpu"]) * 1000
            return sums

        rooms = [left(one, busy) for one in nodes]
        exists = any(
            all(rooms[index][name] >= where.count(index) * asked[name] for name in asked for index in set(where))
            for where in itertools.product(range(len(nodes)), repeat=replicas)
        )
        found = verdict(wanted(replicas, gpus), nodes, busy, LABELS)
        whole = sum(one.allocatable[GPU] // gpus for one in nodes) >= replicas
        assert bool(found.problems) == (not whole)
        assert (not found.problems and not found.warnings) == (exists and whole)
        agreed[exists] += 1
    assert min(agreed.values()) > 20


def test_its_own_pods_make_room_for_its_new_ones() -> None:
    busy = [pod("n", {GPU: "4"}, namespace="own")]
    assert verdict(wanted(4), [node("n")], busy, LABELS) == verdict(wanted(4), [node("n")], [], LABELS)
    assert verdict(wanted(4), [node("n")], [pod("n", {GPU: "4"})], LABELS).warnings


@pytest.mark.parametrize(
    ("unusable", "words"),
    [
        (node("bad", ready="False"), "bad: not ready"),
        (node("bad", unschedulable=True), "bad: cordoned"),
        (node("bad", taints=[{"key": "team", "value": "a", "effect": "NoExecute"}]), "bad: taint team=a:NoExecute"),
        (node("bad", 0), "bad: no allocatable nvidia.com/gpu: the device plugin does not run there"),
        (node("bad", 4, L4 | {"nvidia.com/gpu.sharing-strategy": "time-slicing"}), "bad: its GPUs are shared by"),
        (node("bad", 4, L4 | {"cloud.google.com/gke-gpu-partition-size": "1g.5gb"}), "split into partitions"),
        (node("bad", 4, allocatable={"nvidia.com/mig-1g.5gb": "7"}), "split by MIG (nvidia.com/mig-1g.5gb)"),
        (
            node("bad", 4, L4 | {"cloud.google.com/gke-accelerator": "nvidia-h100-80gb"}),
            "its labels disagree: h100 and l4",
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_node_without_whole_gpus_for_pods_is_not_counted_and_the_reason_is_told(unusable: Node, words: str) -> None:
    assert unusable.name == "bad"
    (problem,) = verdict(wanted(5), [node("good"), unusable], [], LABELS).problems
    assert problem.startswith("2 nodes with nvidia.com/gpu.product=NVIDIA-L4 hold 4 replicas of 1 x nvidia.com/gpu")
    assert words in problem


def test_a_pod_that_fits_no_node_is_told_what_the_node_lacks() -> None:
    (problem,) = verdict(wanted(1), [node("n", 4, allocatable={"memory": "30Gi"})], [], LABELS).problems
    assert "n: 30.0 GiB memory of 36.0 GiB memory" in problem


def test_nodes_that_are_labelled_otherwise_are_found_and_their_family_named() -> None:
    nodes = [node("n", 4, {"cloud.google.com/gke-accelerator": "nvidia-l4"})]
    (problem,) = verdict(wanted(), nodes, [], LABELS).problems
    assert problem.endswith("Nodes with l4 have labels of gke; write labels: gke.")
    (problem,) = verdict(wanted(), [node("n", 4, {"nvidia.com/gpu.product": "NVIDIA-H200"})], [], LABELS).problems
    assert problem.endswith("Its nodes carry h200.")


@pytest.mark.parametrize(
    ("toleration", "yes"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "sku", "operator": "Exists"}, True),
        ({"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}, True),
        ({"key": "sku", "value": "gpu"}, True),
        ({"key": "sku", "operator": "Equal", "value": "cpu"}, False),
        ({"key": "sku", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_a_taint_is_tolerated_as_kubernetes_says(toleration: dict[str, str], yes: bool) -> None:
    assert tolerated(("sku", "gpu", "NoSchedule"), [toleration]) is yes


def test_room_never_is_negative() -> None:
    assert slots(free(node("n", 1), [pod("n", {GPU: "3"})]), {GPU: 1}) == 0


def test_what_is_printed_reads_as_yaml_and_tells_what_is_left_out() -> None:
    nodes = [
        node("a"),
        node("b"),
        node("c", 8, {"nvidia.com/gpu.product": "NVIDIA-H100-PCIe"}),
        node("d", 0),
        node("e", 1, {"nvidia.com/gpu.product": "NVIDIA-L40S"}),
        node("f", 56, {"nvidia.com/gpu.product": "A100-SXM4-40GB-MIG-1g.5gb", "nvidia.com/mig.strategy": "single"}),
        node("g", 0, {}),
    ]
    text = nodes_text(nodes, [pod("a", {GPU: "3"})], LABELS)
    assert yaml.safe_load(text) == {
        "nodes": [
            {"accelerator": "h100", "count": 8, "vcpus": 48, "memoryGiB": 192, "machines": 1}
            | {"labels": {"nvidia.com/gpu.product": "NVIDIA-H100-PCIe"}},
            {"accelerator": "l4", "count": 4, "vcpus": 48, "memoryGiB": 192, "machines": 2, "labels": "nvidia"},
        ]
    }
    assert "# 5 of 8 GPUs are free now" in text
    for left_out in (
        "d: no allocatable",
        "e: no accelerator of the catalogue",
        "f: its GPUs are split by MIG (A100-SXM4-40GB-MIG-1g.5gb)",
    ):
        assert f"# left out: {left_out}" in text


def test_a_cluster_without_gpus_prints_an_empty_list() -> None:
    assert yaml.safe_load(nodes_text([], [], LABELS)) == {"nodes": []}


def kubeconfig(name: str, **user: object) -> str:
    return yaml.safe_dump(
        {
            "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "x"}}],
            "clusters": [{"name": name, "cluster": {"server": f"https://{name}", "certificate-authority": "ca.pem"}}],
            "users": [{"name": name, "user": user}],
        }
    )


def test_of_several_kubeconfigs_one_context_alone_is_taken_with_its_files_by_whole_paths(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "config").write_text(kubeconfig("lab", **{"client-key": "keys/k.pem", "token": "secret-a"}))
    (tmp_path / "two").write_text(kubeconfig("prod", token="secret-b") + "\n")
    (tmp_path / "three").write_text(kubeconfig("lab", token="secret-c"))
    paths = [str(tmp_path / one) for one in ("missing", "one/config", "two", "three")]
    found = one_context("lab", {"KUBECONFIG": ":".join(paths)})
    assert found["users"] == [
        {"name": "lab", "user": {"client-key": str(tmp_path / "one/keys/k.pem"), "token": "secret-a"}}
    ]
    assert found["clusters"][0]["cluster"]["certificate-authority"] == str(tmp_path / "one/ca.pem")
    assert not [secret for secret in ("secret-b", "secret-c") if secret in str(found)]


def test_a_credential_plugin_named_by_a_path_is_found_beside_its_file_and_one_named_by_a_word_on_the_path(
    tmp_path: Path,
) -> None:
    for command, wanted_command in (("./bin/login", str(tmp_path / "bin/login")), ("aws", "aws")):
        (tmp_path / "config").write_text(kubeconfig("lab", exec={"command": command, "args": ["x"]}))
        found = one_context("lab", {"KUBECONFIG": str(tmp_path / "config")})
        assert found["users"][0]["user"]["exec"] == {"command": wanted_command, "args": ["x"]}


def test_without_a_variable_the_home_folders_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(kubeconfig("lab"))
    assert one_context("lab", {"HOME": str(tmp_path)})["current-context"] == "lab"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (kubeconfig("lab2"), "has no context 'lab'. Did you mean 'lab2'? Known: lab2."),
        ("", "has no context 'lab'. None is known."),
        ("[1, 2]", "has no context 'lab'"),
        ("contexts: [{name: lab, context: {cluster: gone}}]", "names cluster 'gone', which it has not"),
        ("{a: secret-token", "cannot be read: ParserError"),
        (
            "{contexts: [{name: lab, context: {cluster: c, user: u}}], clusters: [{name: c, cluster: {server: x}}]}",
            "names user 'u', which it has not",
        ),
    ],
)
def test_a_kubeconfig_that_leads_nowhere_is_told_without_repeating_it(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(PlatformError) as refused:
        one_context("lab", {"KUBECONFIG": str(tmp_path / "config")})
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)
