"""Jobs: what is rendered runs with the script's own arguments, ends, and may do nothing else."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from infra.batch_job import BatchJob
from infra.catalog.loader import load_catalog
from infra.catalog.records import Model
from infra.cli import main
from infra.frameworks.job import HOPELESS, STOPPED
from infra.judgement import subject
from infra.pipeline import build
from infra.plan.demand import GIB
from infra.plan.job.memory import MEMORY_SHARE, job_terms, lora_parameters, need_bytes
from infra.plan.job.reasons import job_cautions
from infra.policy import violations
from infra.render import job_files
from infra.spec.job import Job
from infra.stack_folder import StackFolder
from tests.conftest import ROOT
from tests.unit.registered import registered

FOLDERS = [StackFolder(ROOT / "stacks"), StackFolder(ROOT / "tests" / "examples" / "valid")]
JOBS = {
    name: one
    for folder in FOLDERS
    for name in folder.names()
    if "-keras" in name and isinstance(one := build(name, folder), BatchJob)
}
ALL = pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
SHOWN, SHARDS, CLAIM = "gemma4-e2b-l4-keras", "gemma4-e2b-l4-keras-shards", "gemma4-e2b-l4-keras-claim"
E2B = load_catalog().models["gemma-4-e2b-it"]


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    """The script as Python has it; nothing of it imports keras-hub before it loads a model."""
    folder = str(ROOT / "manifests" / "jobs")
    sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location("keras_job", Path(folder) / "keras_job.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(folder)
    for name in [name for name in sys.modules if name.startswith("keras_job")]:
        del sys.modules[name]


def find(job: BatchJob, kind: str) -> dict[str, Any]:
    (found,) = (one for one in job.objects() if one["kind"] == kind)
    return found


def pod(job: BatchJob) -> dict[str, Any]:
    found: dict[str, Any] = find(job, "Job")["spec"]["template"]["spec"]
    return found


def test_there_is_a_job_of_every_mode_and_of_every_kind_of_place() -> None:
    assert {one.plan.work.mode for one in JOBS.values()} == {"evaluate", "generate", "lora"}
    assert any(place.claim for one in JOBS.values() for place in one.plan.places)
    assert any(place.bucket for one in JOBS.values() for place in one.plan.places)


@ALL
def test_the_script_takes_every_rendered_argument_and_they_say_what_is_planned(
    job: BatchJob, script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "0")
    (container,) = pod(job)["containers"]
    first, *words = container["args"]
    assert first == "/job/script/keras_job.py"
    taken, work = script.arguments(words), job.plan.work
    assert (taken.mode, taken.shards, taken.batch_size) == (work.mode, work.pods, work.batch_size)
    assert (taken.sequence_length, taken.save_seconds, taken.seed) == (work.sequence_length, work.save_seconds, 0)
    assert (taken.epochs, taken.rank) == ((work.epochs, work.rank) if work.mode == "lora" else (1, 8))
    mounted = {one["mountPath"]: one["readOnly"] for one in container["volumeMounts"]}
    for use in ("input", "output", "preset", "adapter"):
        place, path = job.plan.place(use), str(getattr(taken, use))
        if place is not None:
            assert path == f"/job/{use}/{place.path}"
            assert mounted[f"/job/{use}"] is (use != "output")


@ALL
def test_statuses_that_the_job_tells_apart_are_those_with_which_the_script_ends(
    job: BatchJob, script: ModuleType
) -> None:
    assert (script.HOPELESS, script.STOPPED) == (HOPELESS, STOPPED)
    spec = find(job, "Job")["spec"]
    by_status = {
        status: rule["action"]
        for rule in spec["podFailurePolicy"]["rules"]
        for status in rule.get("onExitCodes", {}).get("values", ())
    }
    assert by_status == {HOPELESS: "FailJob", STOPPED: "Ignore"}
    conditions = [one for one in spec["podFailurePolicy"]["rules"] if "onPodConditions" in one]
    assert conditions == [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}], (
        "the end of a machine is no try"
    )


@ALL
def test_a_job_ends_and_is_tried_so_often_as_planned(job: BatchJob) -> None:
    spec, ending = find(job, "Job")["spec"], job.plan.ending
    assert spec["activeDeadlineSeconds"] == ending.deadline_seconds
    assert spec["backoffLimitPerIndex"] == ending.retries
    assert "backoffLimit" not in spec, "of all pods together; Kubernetes counts by index"
    assert (spec["completions"], spec["parallelism"]) == (job.plan.work.pods, job.plan.work.parallel)
    assert pod(job)["restartPolicy"] == "Never"
    notice = 15 if job.plan.accelerator.capacity == "spot" else 600
    assert pod(job)["terminationGracePeriodSeconds"] <= notice
    assert spec["podReplacementPolicy"] == "Failed", "two pods of one index would write the same files"


@ALL
def test_objects_keep_every_rule(job: BatchJob) -> None:
    assert violations(subject(job)) == []


@ALL
def test_nobody_calls_a_job_and_it_reaches_no_more_than_it_needs(job: BatchJob) -> None:
    spec = find(job, "NetworkPolicy")["spec"]
    assert spec["podSelector"] == {}
    assert "ingress" not in spec
    ports = {port["port"] for rule in spec["egress"] for port in rule["ports"]}
    in_buckets = any(one.bucket for one in job.plan.places)
    fetched = job.plan.place("preset") is None
    assert ports == {53} | ({80, 988} if in_buckets else set()) | ({443} if in_buckets or fetched else set())


def test_rights_are_on_its_buckets_alone_and_writing_only_where_the_output_is() -> None:
    grants = {one.thing: one.role for one in JOBS[SHARDS].plan.grants}
    assert grants == {
        "gs://servestack-dev-data": "roles/storage.objectUser",
        "gs://servestack-dev-weights": "roles/storage.objectViewer",
    }
    assert [one.role for one in JOBS[SHOWN].plan.grants] == ["roles/storage.objectUser"], "writing includes reading"
    assert JOBS[CLAIM].plan.grants == ()


def test_the_config_map_has_the_script_that_the_tests_run() -> None:
    files = {path.name: path.read_text() for path in (ROOT / "manifests" / "jobs").iterdir() if path.is_file()}
    assert find(JOBS[SHOWN], "ConfigMap")["data"] == files == job_files()
    assert len(json.dumps(files)) < 2**20, "the most that a ConfigMap holds"
    assert "trust_remote_code" not in "".join(files.values())


def test_the_program_starts_the_job_after_its_machines_and_its_rights() -> None:
    made = registered(ROOT / "stacks", SHOWN)
    (job,) = made.of_type("kubernetes:batch/v1:Job")
    assert made.outputs["job"] == job["name"] == find(JOBS[SHOWN], "Job")["metadata"]["name"]
    members = [one["name"] for one in made.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")]
    assert members == [f"{SHOWN}-writes-servestack-dev-dev-weights"]
    (pool,) = made.of_type("gcp:container/nodePool:NodePool")
    objects = {one["name"] for one in made.resources if one["type"].startswith("kubernetes:")} - {job["name"]}
    assert {*members, pool["name"], *objects} <= {name for name, _ in job["after"]}
    assert made.outputs["result"] == "gs://servestack-dev-dev-weights/e2b/run-1/result.json"


def test_the_deadline_bounds_the_cost() -> None:
    plan = JOBS[SHARDS].plan
    assert plan.cost.hourly_usd is not None
    assert plan.cost.most_usd == pytest.approx(plan.cost.hourly_usd * plan.ending.deadline_seconds / 3600)
    each = load_catalog().prices[plan.accelerator.machine_type].on_demand_usd_per_hour
    assert plan.cost.hourly_usd <= plan.work.parallel * (each or 0)
    assert plan.result.endswith("/out/shard-I-of-8/result.json")


def brute_lora(model: Model, rank: int) -> int:
    """Matrix by matrix: A has a row for every number of the kernel but the last axis, B the last axis."""
    total = 0
    for layer in range(1, model.layers + 1):
        full = layer % model.layers_per_global == 0
        width = model.head_dim_global if full else model.head_dim_sliding
        kernels = [(model.query_heads, model.hidden, width)]
        if layer <= model.layers - model.kv_shared_layers and not (full and model.global_layers_without_value):
            kernels.append((model.kv_heads_global if full else model.kv_heads_sliding, model.hidden, width))
        total += sum(heads * hidden * rank + rank * wide for heads, hidden, wide in kernels)
    return total


@pytest.mark.parametrize("size", ["e2b", "e4b", "31b"])
@pytest.mark.parametrize("rank", [1, 8, 64])
def test_lora_parameters_are_those_of_its_kernels(size: str, rank: int) -> None:
    model = load_catalog().models[f"gemma-4-{size}-it"]
    assert lora_parameters(model, rank) == brute_lora(model, rank)


@pytest.mark.parametrize("mode", ["evaluate", "generate", "lora"])
def test_memory_grows_with_everything_that_makes_a_step_larger(mode: str) -> None:
    places = {"input": {"bucket": "a-b-c", "path": "in"}, "output": {"bucket": "a-b-c", "path": "out"}}
    checkpoint = next(one for one in E2B.checkpoints if "keras" in one.frameworks)

    def need(**more: Any) -> int:
        return need_bytes(job_terms(E2B, checkpoint, Job.model_validate({"mode": mode, **places, **more})))

    least = need(sequenceLength=128)
    assert need(sequenceLength=256) > least
    larger = need(sequenceLength=128, batchSize=4)
    assert larger == least if mode == "evaluate" else larger > least
    if mode == "lora":
        assert need(sequenceLength=128, rank=64) > least


def test_what_is_refused_for_memory_names_what_fits_to_the_step() -> None:
    """The advice of the refusal fits, and the next larger length does not."""
    checkpoint = next(one for one in E2B.checkpoints if "keras" in one.frameworks)
    have = load_catalog().accelerators["l4"].memory_gib
    assert have is not None
    text = (ROOT / "tests" / "examples" / "refused" / "gemma4-e2b-l4-keras-long.txt").read_text()
    assert "Write job: {batchSize: 1, sequenceLength: 512}" in text
    places = {"input": {"bucket": "a-b-c", "path": "in"}, "output": {"bucket": "a-b-c", "path": "out"}}
    fits = [
        need_bytes(job_terms(E2B, checkpoint, Job.model_validate({"mode": "lora", **places, "sequenceLength": n})))
        <= have * MEMORY_SHARE * GIB
        for n in (512, 576)
    ]
    assert fits == [True, False]


def test_jobs_are_told_below_the_table_of_endpoints_and_cost_nothing_by_the_month(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan", "--all", "--stacks", str(ROOT / "stacks")]) == 0
    table, _, below = capsys.readouterr().out.partition(f"job {SHOWN}: lora, at most ")
    assert below.startswith("10.25 USD until its deadline")
    assert SHOWN not in table
    assert main(["plan", "--all", "--json", "--stacks", str(ROOT / "stacks")]) == 0
    found = {one["stack"]: one for one in json.loads(capsys.readouterr().out)}
    assert found[SHOWN]["work"]["mode"] == "lora"
    assert found[SHOWN]["result"] == JOBS[SHOWN].plan.result


def test_pods_that_share_a_claim_are_told_that_it_has_to_be_shared() -> None:
    plan = JOBS[CLAIM].plan
    assert not [one for one in plan.cautions if "at once" in one]
    several = dataclasses.replace(plan, work=dataclasses.replace(plan.work, pods=4, parallel=3))
    assert "3 pods mount data at once, which takes a volume that is shared" in job_cautions(several)


@pytest.mark.parametrize("verb", ["status", "dashboard"])
def test_verbs_of_endpoints_say_that_it_is_a_job(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, SHOWN, "--stacks", str(ROOT / "stacks")]) == 2
    assert f"{SHOWN}.yaml is a job: nobody calls it" in capsys.readouterr().err


def test_a_plan_is_data_of_plain_values() -> None:
    plan = JOBS[SHOWN].plan
    assert json.loads(json.dumps(plan.to_json())) == plan.to_json()
    assert dataclasses.replace(plan) == plan
