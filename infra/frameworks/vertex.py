"""Vertex AI Model Garden: the container of a deployment, with the plan's arguments."""

from __future__ import annotations

import json
from dataclasses import dataclass

from infra.catalog.managed import GardenContainer
from infra.plan.managed import ManagedPlan


@dataclass(frozen=True)
class VertexContainer:
    """What serves in place of Model Garden's own container, as Vertex AI takes it. Memory in MB."""

    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    port: int
    predict_route: str
    health_route: str
    shared_memory_mb: int


def container(plan: ManagedPlan, facts: GardenContainer) -> VertexContainer | None:
    """The planned container; None where Model Garden's own serves."""
    garden = plan.garden
    if garden is None or garden.container != "planned":
        return None
    return VertexContainer(
        image=plan.framework.image,
        command=facts.command,
        args=_args(plan, facts),
        env=(("DEPLOY_SOURCE", "servestack"), ("MODEL_ID", plan.model.checkpoint), ("VLLM_NO_USAGE_STATS", "1")),
        port=facts.port,
        predict_route=facts.predict_route,
        health_route=facts.health_route,
        shared_memory_mb=facts.shared_memory_mb,
    )


def _args(plan: ManagedPlan, facts: GardenContainer) -> tuple[str, ...]:
    """Arguments of vLLM; without --trust-remote-code, which the public examples have and Gemma 4 does not need."""
    assert plan.garden is not None
    assert plan.memory is not None
    assert plan.parallelism is not None
    args = [
        f"--model={plan.garden.weights}",
        f"--served-model-name={plan.model.request_model}",
        "--host=0.0.0.0",
        f"--port={facts.port}",
        "--dtype=bfloat16",
        f"--tensor-parallel-size={plan.parallelism.tensor}",
        f"--max-model-len={plan.context.max_model_len}",
        f"--max-num-batched-tokens={plan.context.max_num_batched_tokens}",
        f"--gpu-memory-utilization={plan.memory.utilization:g}",
        f"--max-num-seqs={dict(plan.settings)['maxNumSeqs']}",
        f"--kv-cache-dtype={plan.memory.kv_cache_dtype}",
    ]
    limits = {"audio": 0, "image": 4 if "image" in plan.inputs else 0, "video": 0}  # a tower without a limit is loaded
    args.append(f"--limit-mm-per-prompt={json.dumps(limits, separators=(',', ':'))}")
    if plan.tools:
        args += ["--enable-auto-tool-choice", "--tool-call-parser=gemma4"]
    if plan.reasoning:
        args.append("--reasoning-parser=gemma4")
    return tuple(args)
