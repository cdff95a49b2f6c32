"""vLLM over several machines: one process group of all pods, the first with the API, without Ray.

Source: vllm 0.33.0 `engine/arg_utils.py` (`--nnodes`, `--node-rank`, `--master-addr`, `--headless`; the sizes' product
must be divisible by the number of machines), and its LeaderWorkerSet guide. The variables are set by the
LeaderWorkerSet controller, and the kubelet puts them into the arguments.
"""

from __future__ import annotations

from infra.plan.serving_plan import ServingPlan

MASTER_PORT = 29501
# Who serves, who authenticates and which tools it knows is the first pod's business alone.
_OF_THE_API = ("--host", "--port", "--enable-auto-tool-choice", "--tool-call-parser", "--chat-template")


def group_args(plan: ServingPlan) -> list[str]:
    """Words that make the first pod part of its group; none where one machine is enough."""
    if plan.accelerator.nodes == 1:
        return []
    return [
        "--distributed-executor-backend=mp",
        f"--nnodes={plan.accelerator.nodes}",
        "--node-rank=0",
        "--master-addr=$(LWS_LEADER_ADDRESS)",
        f"--master-port={MASTER_PORT}",
    ]


def worker_args(plan: ServingPlan, leader: tuple[str, ...]) -> tuple[str, ...]:
    """The leader's words for the other pods: the same engine, another rank, no API; empty where there are none."""
    if plan.accelerator.nodes == 1:
        return ()
    kept = [one for one in leader if one.split("=")[0] not in {*_OF_THE_API, "--node-rank"}]
    return (*kept, "--node-rank=$(LWS_WORKER_INDEX)", "--headless")
