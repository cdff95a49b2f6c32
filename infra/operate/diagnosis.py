"""What keeps an endpoint from serving, from its objects' own words. Pure: data in, findings out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

Object = dict[str, Any]

# What the control plane says, and what a person does next. The first that matches any finding is the one to do:
# the order is from cause to symptom.
_NEXT_STEPS = (
    (
        "weights access refused",
        "accept the checkpoint's licence on the hub, and name a Secret with that account's token in "
        "`weights.tokenSecret`; then `pulumi up`",
    ),
    ("weights not found", "the hub has no such commit or file: correct `weights.revision` or `weights.checkpoint`"),
    ("weights no disk space", "the weights do not fit on the node's disk: use a volume (`weights.source: pvc`)"),
    ("weights checksum", "files are not what the hub states; they are fetched again"),
    (
        "weights network",
        "pods need HTTPS to the hub: check Cloud NAT and firewalls, or use `weights.source: pvc`",
    ),
    ("GCE out of resources", "no capacity in these zones now: wait, or name another `capacity` or platform zones"),
    ("GCE quota exceeded", "raise the project's GPU quota for this family, then `pulumi up` again"),
    (
        "ScalingOff",
        "someone stopped it, and an HPA starts nothing from 0 (KEDA does): "
        "kubectl -n {name} scale deployment/{name} --replicas=1",
    ),
    ("ScaledToZero", "someone stopped it; `pulumi up --refresh -s {name}` starts it again"),
    ("violates PodSecurity", "the namespace enforces Pod Security; render the stack and compare"),
    ("exceeded quota", "a ResourceQuota of the namespace is too small for this endpoint"),
    ("max node group size reached", "the node pool is full: raise `replicas`, or free a node"),
    ("pod triggered scale-up", "a node is on its way; watch with `servestack status`"),
    ("didn't match Pod's node affinity/selector", "no node carries this accelerator yet; `pulumi up` makes its pool"),
    ("untolerated taint", "the nodes are reserved for other workloads"),
    ("Insufficient nvidia.com/gpu", "all accelerators of the pool are in use"),
    ("Insufficient", "the node is too small beside its system pods"),
    ("ErrImagePull", "check the image name and that nodes can reach its registry"),
    ("ImagePullBackOff", "check the image name and that nodes can reach its registry"),
    ("OOMKilled", "the engine ran out of host memory; plan with a smaller context or a larger machine"),
    ("CrashLoopBackOff", "read the engine's last words: kubectl logs -n {name} deployment/{name} --previous"),
)
# Name of the init container that fetches weights, and the first word of the line with which it fails.
_WEIGHTS = "weights"
# What the scheduler says of a pod that no node can take.
UNPLACED = {"FailedScheduling", "Unschedulable"}


@dataclass(frozen=True)
class Finding:
    """One thing that the control plane says, in its own words."""

    about: str
    reason: str
    message: str


@dataclass(frozen=True)
class Diagnosis:
    """State of an endpoint, why, and what to do where that is known.

    It is `serving`, `locked` (ready, and there is no key with which to call it), `starting`, `stuck` or `absent`.
    """

    state: str
    ready: int
    wanted: int
    findings: tuple[Finding, ...]
    next_step: str | None = None


def diagnose(
    deployment: Object | None, pods: list[Object], events: list[Object], fewest: int | None = None
) -> Diagnosis:
    """Read a Deployment, its pods and the namespace's events, all as the API gives them.

    Args:
        deployment: None where there is none.
        pods: of its namespace.
        events: of its namespace.
        fewest: replicas below which an autoscaler never goes; None where the number is fixed. A scaled endpoint serves
            with so many, while more are on their way or are not to be had.
    """
    if deployment is None:
        return Diagnosis("absent", 0, 0, ())
    name = deployment["metadata"]["name"]
    wanted = deployment.get("spec", {}).get("replicas", 1)
    ready = deployment.get("status", {}).get("readyReplicas", 0) or 0
    findings = [finding for pod in pods for finding in _pod_findings(pod)]
    names = {pod["metadata"]["name"] for pod in pods} | {name}
    findings += [_event_finding(event) for event in _latest(events) if _matters(event, names)]
    unique = tuple(dict.fromkeys(findings))
    if wanted == 0 and fewest == 0:
        asleep = Finding(f"deployment {name}", "Asleep", "no replica; the first request starts one, and waits for it")
        return Diagnosis("serving", ready, wanted, (asleep,))
    if wanted == 0:
        reason = "ScaledToZero" if fewest is None else "ScalingOff"
        stopped = Finding(f"deployment {name}", reason, "no replica is wanted")
        return Diagnosis("stuck", ready, wanted, (stopped,), _next_step((stopped,), name))
    if ready >= (wanted if fewest is None else min(wanted, max(fewest, 1))):
        # In a roll-out a pod above those that serve may wait for a machine that cannot come.
        rolling = ready >= wanted and bool(deployment.get("status", {}).get("unavailableReplicas"))
        said = unique if rolling or ready < wanted else ()
        return Diagnosis("serving", ready, wanted, said, _next_step(said, name) if rolling else None)
    soft = {"TriggeredScaleUp", "ContainersNotReady"}
    if any(finding.reason == "TriggeredScaleUp" for finding in unique):
        soft |= UNPLACED  # the node is on its way; where it fails to come, FailedScaleUp says so
    hard = [finding for finding in unique if finding.reason not in soft]
    return Diagnosis("stuck" if hard else "starting", ready, wanted, unique, _next_step(unique, name))


def followed(found: Diagnosis, autoscalers: list[Object]) -> Diagnosis:
    """The same diagnosis with what the namespace's autoscalers say that they cannot do."""
    said = [
        Finding(f"autoscaler {one['metadata']['name']}", condition.get("reason", ""), condition.get("message", ""))
        for one in autoscalers
        for condition in (one.get("status") or {}).get("conditions") or []
        if condition.get("type") in {"AbleToScale", "ScalingActive"} and condition.get("status") == "False"
        if condition.get("reason") != "ScalingDisabled"
    ]
    return replace(found, findings=(*found.findings, *said))


def _next_step(findings: tuple[Finding, ...], name: str) -> str | None:
    said = "\n".join(f"{finding.reason} {finding.message}" for finding in findings)
    return next((step.format(name=name) for words, step in _NEXT_STEPS if words in said), None)


def _pod_findings(pod: Object) -> list[Finding]:
    name, status = f"pod {pod['metadata']['name']}", pod.get("status", {})
    findings = []
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            findings.append(Finding(name, condition.get("reason", "Unscheduled"), condition.get("message", "")))
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        reason = _weights_reason(container)
        if reason:
            findings.append(Finding(name, "weights", reason))
            continue
        waiting = container.get("state", {}).get("waiting")
        last = container.get("lastState", {}).get("terminated")
        if waiting and waiting.get("reason") not in {"ContainerCreating", "PodInitializing"}:
            findings.append(Finding(name, waiting.get("reason", "Waiting"), waiting.get("message", "")))
        if last:
            message = f"exit code {last.get('exitCode')} {last.get('message', '')}".strip()
            findings.append(Finding(name, last.get("reason", "Terminated"), message))
    return findings


def _weights_reason(container: Object) -> str | None:
    """Why the init container that fetches weights failed, in its own words; its restarts say no more than that."""
    if container.get("name") != _WEIGHTS:
        return None
    ended = (container.get("state", {}).get("terminated"), container.get("lastState", {}).get("terminated"))
    last: Object = next((one for one in ended if one), {})
    words = [line for line in str(last.get("message") or "").splitlines() if line.startswith(f"{_WEIGHTS}: ")]
    return words[-1].removeprefix(f"{_WEIGHTS}: ") if words and last.get("exitCode") else None


def _matters(event: Object, names: set[str]) -> bool:
    about = event["involvedObject"].get("name", "")
    ours = about in names or any(about.startswith(f"{name}-") or name.startswith(f"{about}-") for name in names)
    return ours and (event.get("type") == "Warning" or event.get("reason") in {"NotTriggerScaleUp", "TriggeredScaleUp"})


def _event_finding(event: Object) -> Finding:
    about = event["involvedObject"]
    return Finding(f"{about['kind'].lower()} {about['name']}", event.get("reason", ""), event.get("message", ""))


def _latest(events: list[Object]) -> list[Object]:
    """Newest event of each object and reason; a pod's story is told once."""
    newest: dict[tuple[str, str], Object] = {}
    for event in sorted(events, key=_time):
        newest[(event["involvedObject"].get("name", ""), event.get("reason", ""))] = event
    return list(newest.values())


def _time(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
