from __future__ import annotations

from typing import Any

import pytest

from simulator.kubernetes_provider.pod_check import pod_is_ready, pod_stages, pod_warnings

SCHEDULED = {"type": "PodScheduled", "status": "True"}
INITIALIZED = {"type": "Initialized", "status": "True"}
UNREADY = {
    "type": "Ready",
    "status": "False",
    "reason": "ContainersNotReady",
    "message": "containers with unready status: [vllm]",
}


def pod(*containers: dict[str, Any], conditions: list[dict[str, Any]] | None = None, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "v-1", "namespace": "llm"},
        "status": {
            "conditions": conditions if conditions is not None else [SCHEDULED, INITIALIZED, UNREADY],
            "containerStatuses": [{"name": "vllm", "ready": False, **container} for container in containers],
            **status,
        },
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


PREFIX = "[Pod llm/v-1]: containers with unready status: [vllm]"


@pytest.mark.parametrize(
    ("obj", "warnings"),
    [
        (
            pod(waiting("ImagePullBackOff", 'Back-off pulling image "x"')),
            [PREFIX + '[ImagePullBackOff] Back-off pulling image "x"'],
        ),
        (
            pod(
                waiting(
                    "ErrImagePull",
                    "rpc error: code = Unknown desc = Error response from daemon: x: manifest unknown",
                )
            ),
            [PREFIX + "[ErrImagePull] x"],
        ),
        (pod(waiting("ContainerCreating")), [PREFIX]),
        (pod({"state": {"running": {}}}), [PREFIX]),
        (
            pod(
                {
                    **waiting("CrashLoopBackOff", "back-off 10s restarting"),
                    "lastState": {
                        "terminated": {
                            "finishedAt": "2026-01-01T00:00:00Z",
                            "reason": "OOMKilled",
                            "exitCode": 137,
                            "message": "out of memory",
                        }
                    },
                }
            ),
            [
                PREFIX + "[CrashLoopBackOff] back-off 10s restarting\n"
                'container "vllm" terminated at 2026-01-01T00:00:00Z (OOMKilled: exit code 137)\n'
                "out of memory"
            ],
        ),
        (
            pod({"state": {"terminated": {"reason": "Error", "exitCode": 3}}}),
            [PREFIX + 'container "vllm" completed with exit code 3'],
        ),
        (
            pod(
                conditions=[
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
                    }
                ]
            ),
            [],
        ),
        (
            pod(
                waiting("PodInitializing"),
                conditions=[
                    SCHEDULED,
                    {
                        "type": "Initialized",
                        "status": "False",
                        "reason": "ContainersNotInitialized",
                        "message": "containers with incomplete status: [download]",
                    },
                ],
            ),
            ["[Pod llm/v-1]: containers with incomplete status: [download][PodInitializing] "],
        ),
    ],
)
def test_pod_warnings_have_the_official_words(obj: dict[str, Any], warnings: list[str]) -> None:
    assert pod_warnings(obj) == warnings


def test_pod_in_the_default_namespace_is_named_without_it() -> None:
    obj = pod({"state": {"running": {}}})
    obj["metadata"]["namespace"] = "default"

    assert pod_warnings(obj)[0].startswith("[Pod v-1]: ")


def test_scheduling_problem_is_only_an_info_text() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"}

    (stage,) = pod_stages(pod(conditions=[condition]))

    assert (stage.ok, stage.status, stage.warning) == (False, "no room", "")


@pytest.mark.parametrize(
    ("conditions", "phase", "ready"),
    [
        ([SCHEDULED, INITIALIZED, {"type": "Ready", "status": "True"}], "Running", True),
        ([SCHEDULED, INITIALIZED, UNREADY], "Succeeded", True),
        ([SCHEDULED, INITIALIZED, UNREADY], "Running", False),
        ([SCHEDULED, INITIALIZED], "Running", False),
        ([], "Pending", False),
    ],
)
def test_readiness_of_a_pod(conditions: list[dict[str, Any]], phase: str, ready: bool) -> None:
    assert pod_is_ready(pod(conditions=conditions, phase=phase)) is ready
