"""What is wrong with a pod, in the official words.

Official behaviour: await/checker/pod/check.go.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from simulator.kubernetes_provider.names import metadata_text
from simulator.kubernetes_provider.properties import Object


class Stage(NamedTuple):
    """One of the three stages of a pod's start.

    Attributes:
        description: what is waited for.
        ok: whether the stage is passed.
        status: an Info message, or empty.
        warning: a Warning message, or empty.
    """

    description: str
    ok: bool
    status: str = ""
    warning: str = ""


def pod_stages(pod: Object) -> list[Stage]:
    """The stages of a pod up to and including the first that is not passed."""
    stages: list[Stage] = []
    for check in (_scheduled, _initialized, _ready):
        stage = check(pod)
        stages.append(stage)
        if not stage.ok:
            break
    return stages


def pod_is_ready(pod: Object) -> bool:
    """Whether the pod is scheduled, initialized, and ready or succeeded."""
    stages = pod_stages(pod)
    return len(stages) == 3 and stages[-1].ok


def pod_warnings(pod: Object) -> list[str]:
    """The Warning messages of a pod; that it cannot be scheduled is not among them."""
    return [stage.warning for stage in pod_stages(pod) if stage.warning]


def _full_name(pod: Object) -> str:
    namespace, name = metadata_text(pod, "namespace"), metadata_text(pod, "name")
    return f"{namespace}/{name}" if namespace not in ("", "default") else name


def _condition(pod: Object, kind: str) -> dict[str, Any] | None:
    for condition in (pod.get("status") or {}).get("conditions") or []:
        if condition.get("type") == kind:
            return dict(condition)
    return None


def _scheduled(pod: Object) -> Stage:
    description = f'Waiting for Pod "{_full_name(pod)}" to be scheduled'
    condition = _condition(pod, "PodScheduled")
    if condition is None:
        return Stage(description, False)
    if condition.get("status") == "True":
        return Stage(description, True)
    return Stage(description, False, status=_condition_text(condition))


def _initialized(pod: Object) -> Stage:
    description = f'Waiting for Pod "{_full_name(pod)}" to be initialized'
    condition = _condition(pod, "Initialized")
    if condition is None or condition.get("status") == "True":
        return Stage(description, condition is not None)
    return Stage(description, False, warning=_warning(pod, condition))


def _ready(pod: Object) -> Stage:
    description = f'Waiting for Pod "{_full_name(pod)}" to be ready'
    condition = _condition(pod, "Ready")
    if condition is None:
        return Stage(description, False)
    if condition.get("status") == "True" or (pod.get("status") or {}).get("phase") == "Succeeded":
        return Stage(description, True)
    return Stage(description, False, warning=_warning(pod, condition))


def _condition_text(condition: dict[str, Any]) -> str:
    return str(condition["message"]) if condition.get("reason") and condition.get("message") else ""


def _warning(pod: Object, condition: dict[str, Any]) -> str:
    errors = [
        error
        for status in (pod.get("status") or {}).get("containerStatuses") or []
        for error in _container_errors(status)
    ]
    if not errors and not condition.get("message"):
        return ""
    return f"[Pod {_full_name(pod)}]: {_condition_text(condition)}" + "\n".join(errors)


def _container_errors(status: dict[str, Any]) -> list[str]:
    if status.get("ready"):
        return []
    state = status.get("state") or {}
    errors = []
    waiting = state.get("waiting")
    if waiting is not None and waiting.get("reason") != "ContainerCreating":
        errors.append(f"[{waiting.get('reason', '')}] {_image_text(waiting.get('message', ''))}")
    terminated = state.get("terminated")
    if terminated is not None and terminated.get("reason"):
        if terminated.get("message"):
            errors.append(f"[{terminated['reason']}] {_image_text(terminated['message'])}")
        else:
            code = terminated.get("exitCode", 0)
            errors.append(f'container "{status.get("name")}" completed with exit code {code}')
    last = (status.get("lastState") or {}).get("terminated")
    if last is not None:
        errors.append(
            f'container "{status.get("name")}" terminated at {_moment(last.get("finishedAt"))} '
            f"({last.get('reason', '')}: exit code {last.get('exitCode', 0)})"
        )
        if last.get("message"):
            errors.append(str(last["message"]))
    return errors


def _moment(text: str | None) -> str:
    if not text:
        return "0001-01-01T00:00:00Z"
    moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _image_text(message: str) -> str:
    """Trims what container runtimes put around an image error."""
    message = message.removeprefix("rpc error: code = Unknown desc = Error response from daemon: ")
    return message.removesuffix(": manifest unknown")
