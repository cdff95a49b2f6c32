"""TPUs: machine, chips, selector and topology agree with a published table; what the engine gets; what is refused."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from pathlib import Path
from typing import Any

import pytest

from infra.catalog.loader import load_catalog
from infra.cloud.node_pool import accelerator_pool_inputs
from infra.frameworks import FRAMEWORKS
from infra.judgement import subject
from infra.pipeline import Endpoint, build
from infra.plan.kv_vllm import block_bytes, block_tokens, request_bytes
from infra.plan.slices import slice_reasons, slice_topology
from infra.policy import Subject, violations
from infra.spec import Cluster, Gke
from simulator.google.fitting import reasons_against, room_on
from simulator.google.machine_types import load
from simulator.google.node import node_object
from simulator.google.pool_rules import check_pool
from tests.unit.files import Files, endpoint
from tests.unit.policy_case import Case
from tests.unit.test_golden import ENDPOINTS

CATALOG = load_catalog()
GKE = Gke(project="servestack-dev", location="us-central1", cluster=Cluster(name="dev"))
TPU = ENDPOINTS["gemma4-31b-tpu-v6e"]
TPUS = sorted(one.id for one in CATALOG.accelerators.values() if one.kind == "tpu")
MODELS = {model.size: model for model in CATALOG.models.values() if model.instruct}


def published(name: str) -> list[list[str]]:
    lines = (Path(__file__).parents[1] / "facts" / name).read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


SLICES = {row[1]: (row[0], int(row[2]), row[3]) for row in published("tpu-slices.txt")}


def attempts() -> list[Endpoint]:
    """Every endpoint on TPUs that can be composed of model, chips, split and capacity, and is not refused."""
    found = []
    sizes = ("26b-a4b", "31b", "26b-a4b-base", "31b-base")
    for tpu, size, count, tensor, capacity in itertools.product(
        TPUS, sizes, (None, 1, 4, 8), (None, 4, 8), (None, "on-demand", "spot")
    ):
        kind = f"{{type: {tpu}, count: {count}}}" if count else tpu
        model = f"gemma-4-{size.removesuffix('-base')}{'' if size.endswith('-base') else '-it'}"
        lines = [f"capacity: [{capacity}]"] if capacity else []
        lines += [f"engine: {{tensorParallelSize: {tensor}}}"] if tensor else []
        name = f"gemma4-{size}-{tpu}"
        try:
            built = build(name, Files(**{name: endpoint(model, kind, "vllm", *lines)}))
        except Exception as refused:
            assert type(refused).__name__ in {"PlanError"}, refused
            continue
        assert isinstance(built, Endpoint)
        found.append(built)
    return found


ATTEMPTS = attempts()


def test_every_pod_on_tpus_asks_for_all_chips_of_its_machine_and_selects_the_slice_that_it_is() -> None:
    deployed = [one for one in ATTEMPTS if not one.plan.only_planned]
    assert {one.plan.accelerator.machine_type for one in deployed} == {"ct6e-standard-4t", "ct6e-standard-8t"}
    assert {one.plan.accelerator.capacity for one in deployed} == {"on-demand", "spot"}
    for one in deployed:
        label, chips, topology = SLICES[one.plan.accelerator.machine_type]
        pods = [owner["spec"]["template"]["spec"] for owner in one.objects() if owner["kind"] == "Deployment"]
        assert len(pods) == 1
        asked = [container["resources"]["limits"].get("google.com/tpu") for container in pods[0]["containers"]]
        assert asked == [str(chips)]
        assert pods[0]["nodeSelector"]["cloud.google.com/gke-tpu-accelerator"] == label
        assert pods[0]["nodeSelector"]["cloud.google.com/gke-tpu-topology"] == topology == one.plan.accelerator.topology
        assert "cloud.google.com/gke-accelerator" not in pods[0]["nodeSelector"]
        taint = {"key": "google.com/tpu", "operator": "Equal", "value": "present", "effect": "NoSchedule"}
        assert taint in pods[0]["tolerations"]
        assert f"--tensor-parallel-size={chips}" in one.workload.args
        assert [str(found) for found in violations(subject(one))] == []
        pool = accelerator_pool_inputs(one.plan, GKE)
        assert pool["nodeConfig"]["machineType"] == one.plan.accelerator.machine_type
        assert pool["nodeConfig"]["diskType"] == "hyperdisk-balanced"
        assert not {"guestAccelerators", "gvnic"} & pool["nodeConfig"].keys()
        assert "placementPolicy" not in pool


def test_the_pool_keeps_google_s_rules_and_the_pod_fits_the_node_that_it_makes() -> None:
    compute = load()
    for one in (one for one in ATTEMPTS if not one.plan.only_planned):
        pool = accelerator_pool_inputs(one.plan, GKE)
        check_pool(compute, GKE.location, {}, pool["name"], pool)
        node = node_object(compute, GKE.project, pool["name"], pool, pool["nodeLocations"][0], "node")
        (pod,) = [owner["spec"]["template"] for owner in one.objects() if owner["kind"] == "Deployment"]
        assert reasons_against(pod, room_on(node)) == []
        smaller = copy.deepcopy(node)
        smaller["metadata"]["labels"]["cloud.google.com/gke-tpu-topology"] = "4x4"
        assert reasons_against(pod, room_on(smaller))


def test_what_is_only_planned_on_tpus_says_that_its_split_is_the_reason() -> None:
    planned = {(one.plan.parallelism.tensor, one.plan.accelerator.count) for one in ATTEMPTS if one.plan.only_planned}
    assert planned == {(4, 8)}
    for one in ATTEMPTS:
        tensor_alone = one.plan.parallelism.tensor == one.plan.accelerator.count
        assert one.plan.only_planned == (
            () if tensor_alone else ("TPUs split in another way than tensor parallel over all chips",)
        )


def test_every_machine_of_the_catalogue_is_the_slice_that_google_s_autoscaler_says() -> None:
    ours = {
        machine.machine_type: (one.gke_label, machine.accelerators, slice_topology(one, machine))
        for one in CATALOG.accelerators.values()
        if one.kind == "tpu"
        for machine in one.machines
    }
    assert ours == SLICES
    for label, machine_type, chips in published("xpk-machines.txt"):
        if machine_type in SLICES:
            assert SLICES[machine_type][:2] == (label, int(chips))


@dataclasses.dataclass(frozen=True)
class Chosen:
    machine: Any
    nodes: int = 1
    tensor: int = 4
    count: int = 4


def test_slices_of_several_machines_and_unknown_machines_are_never_deployed() -> None:
    v6e, v7x = CATALOG.accelerators["tpu-v6e"], CATALOG.accelerators["tpu-v7x"]
    four = next(one for one in v6e.machines if one.accelerators == 4)
    assert slice_reasons(v6e, Chosen(four)) == []  # type: ignore[arg-type]
    assert slice_reasons(v6e, Chosen(four, nodes=2)) == ["TPU slices over several machines"]  # type: ignore[arg-type]
    odd = dataclasses.replace(four, accelerators=3)
    assert slice_reasons(v6e, Chosen(odd)) == ["TPU slices over several machines"]  # type: ignore[arg-type]
    unknown = slice_reasons(v7x, Chosen(next(one for one in v7x.machines if one.accelerators == 4)))  # type: ignore[arg-type]
    assert unknown == ["node pools of tpu-v7x, whose processors or boot disks are not known"]


def test_the_engine_gets_the_arguments_of_the_recipe_and_none_that_its_image_may_lack() -> None:
    args, env = TPU.workload.args, dict(TPU.workload.env)
    assert "--disable-chunked-mm-input" in args
    assert "--max-model-len=16384" in args
    assert '--limit-mm-per-prompt={"audio":0,"image":4,"video":0}' in args
    # vLLM 0.17.2, which one report read in the image, has no --shutdown-timeout (llm-d/llm-d issue 927: since 0.18.0).
    assert not [one for one in args if one.startswith(("--shutdown-timeout", "--chat-template", "--revision"))]
    assert "/proc/net/tcp" in TPU.workload.pre_stop["exec"]["command"][-1]
    assert env["VLLM_XLA_CACHE_PATH"].startswith("/cache/")
    assert not [name for name in env if name.startswith(("CUDA_", "TRITON_", "FLASHINFER_", "LD_"))]
    assert {"/dev/shm", "/tmp", "/cache"} == {one.mount_path for one in TPU.workload.volumes}


def test_tools_need_no_chat_template_of_which_the_path_is_not_known() -> None:
    name = "gemma4-31b-tpu-v6e"
    built = build(name, Files(**{name: endpoint("gemma-4-31b-it", "tpu-v6e", "vllm", "tools: true")}))
    assert isinstance(built, Endpoint)
    assert {"--enable-auto-tool-choice", "--tool-call-parser=gemma4"} <= set(built.workload.args)
    assert not [one for one in built.workload.args if one.startswith("--chat-template")]


def test_a_start_on_tpus_has_time_to_compile() -> None:
    """The recipes: about 10 minutes to prepare the server, 13 to 15 at the first start."""
    engine = next(term.seconds for term in TPU.plan.timing.startup_terms if term.name == "engine")
    on_gpu = next(t.seconds for t in ENDPOINTS["gemma4-31b-h100"].plan.timing.startup_terms if t.name == "engine")
    assert on_gpu < 600 <= engine
    assert TPU.plan.timing.timeout_seconds - TPU.plan.timing.startup_seconds > 15 * 60


def test_cautions_name_what_is_not_known_on_tpus_and_say_nothing_on_gpus() -> None:
    said = " ".join(TPU.plan.cautions)
    for word in ("0.17.2", "any user but root", "structured output", "XLA", "vllm:num_requests_waiting"):
        assert word in said
        assert word not in " ".join(ENDPOINTS["gemma4-31b-h100"].plan.cautions)


def test_pages_of_the_cache_on_tpus_are_those_of_tpu_inference() -> None:
    """Of 31B over four chips: 16 tokens of a sliding layer and 32 of a global one are 32,768 numbers each

    (vllm-project/tpu-inference pull request 3220), and all 60 layers hold the whole request: 50 sliding, 10 global.
    """
    per_token = 50 * 32768 // 16 + 10 * 32768 // 32
    whole = request_bytes(
        MODELS["31b"],
        tokens=16384,
        tensor=4,
        pipeline=1,
        batched_tokens=4096,
        concurrent_batches=2,
        element_bytes=2,
        block_tokens=block_tokens("tpu-v6e", 2),
        hybrid=False,
    )
    assert whole == 16384 * per_token * 2


def test_the_cache_that_a_start_on_eight_chips_had_agrees_with_ours() -> None:
    """A public run of 26B in bf16 on v6e-8, at the engine's own share of 0.9: 8,888 blocks in each of its 30 layers.

    Its block size is not said: 64 tokens is the one power of two whose cache fits beside the weights and leaves no more
    than a few GiB unused. So this bounds bytes per token by a factor of two, and says that no layer has fewer blocks.
    """
    size, whole = MODELS["26b-a4b"], 31.25 * 0.9
    assert size.layers == 30
    weights = 2 * size.text_parameters / 8 / 2**30
    for tokens, fits in ((32, True), (64, True), (128, False)):
        block = block_bytes(size, tensor=8, pipeline=1, element_bytes=2, block_tokens=tokens, hybrid=False)
        assert (8888 * block / 2**30 + weights < whole) == fits
    used = 8888 * block_bytes(size, tensor=8, pipeline=1, element_bytes=2, block_tokens=64, hybrid=False) / 2**30
    assert whole - weights - used < 4


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda case: case.pod["nodeSelector"].update({"cloud.google.com/gke-tpu-topology": "2x4"}), "on-its-pool"),
        (lambda case: case.pod["nodeSelector"].update({"cloud.google.com/gke-tpu-accelerator": "x"}), "on-its-pool"),
        (lambda case: case.pod["tolerations"].pop(0), "on-its-pool"),
        (lambda case: case.pool["nodeConfig"].update(machineType="ct6e-standard-1t"), "accelerators-used"),
        (lambda case: case.pool.update(placementPolicy={"type": "COMPACT", "tpuTopology": "4x4"}), "on-its-pool"),
        (lambda case: [one.update({"google.com/tpu": "2"}) for one in case.resources.values()], "accelerators-used"),
    ],
)
def test_a_mistake_on_tpus_breaks_the_rule_that_it_breaks_on_gpus(change: Any, rule: str) -> None:
    case = Case("gemma4-31b-tpu-v6e")
    assert not list(violations(Subject(case.objects, (case.pool,), case.plan)))
    change(case)
    assert rule in case.found()


def test_no_switch_is_refused_on_gpus_by_what_is_known_of_tpus() -> None:
    capabilities = FRAMEWORKS["vllm"].capabilities
    for accelerator in CATALOG.accelerators.values():
        for name in ("tools", "reasoning", "adapters", "speculativeDecoding", "image", "text", "audio", "video"):
            refused = capabilities.switch_objection(name, accelerator)
            known = accelerator.kind == "tpu" and name not in {"tools", "image", "text"}
            assert bool(refused) == known
