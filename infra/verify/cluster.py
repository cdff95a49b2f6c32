"""An endpoint's live objects beside those that its plan renders. Pure: data in, comparisons out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.plan.serving_plan import ServingPlan
from infra.verify.rows import Row, compared, unread, words_apart

Object = dict[str, Any]
COMPONENT = "app.kubernetes.io/component"
SERVER = "inference-server"
MACHINE_TYPE = "node.kubernetes.io/instance-type"
_KINDS = {"Deployment", "LeaderWorkerSet"}
# What GKE adds to pods with a bucket as volume (GKE documentation, Cloud Storage FUSE CSI driver).
_INJECTED = {"gke-gcsfuse-sidecar", "gke-gcsfuse-metadata-prefetch"}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Live:
    """What was read of a cluster.

    Attributes:
        workload: Deployment or LeaderWorkerSet; None where there is none.
        pods: of the namespace that are not ending.
        nodes: by name, those of the pods.
        logs, metrics: by pod, as text; an Unread where they were not to be had.
    """

    workload: Object | None
    pods: Sequence[Object] = ()
    nodes: Mapping[str, Object] = field(default_factory=dict)
    logs: Mapping[str, str | Unread] = field(default_factory=dict)
    metrics: Mapping[str, str | Unread] = field(default_factory=dict)


@dataclass(frozen=True)
class Unread:
    """Why something was not read."""

    reason: str


def workload_of(objects: Sequence[Object]) -> Object:
    """Of the rendered objects the one that has the pods."""
    return next(one for one in objects if one["kind"] in _KINDS)


def compare(plan: ServingPlan, objects: Sequence[Object], live: Live) -> list[Row]:
    """Every comparison of one endpoint.

    Args:
        plan: of the endpoint.
        objects: as its plan renders them.
        live: what was read.
    """
    wanted, again = workload_of(objects), f"pulumi up --refresh -s {plan.stack}"
    kind = str(wanted["kind"])
    if live.workload is None:
        return [compared(kind, "deployed", "absent", f"pulumi up -s {plan.stack}")]
    rows = _replicas(plan, live.workload, again)
    ours, theirs = _templates(wanted), _templates(live.workload)
    for component, template in ours.items():
        other = theirs.get(component)
        if other is None:
            rows.append(compared(f"{kind} {component}", "a pod template", "none", again))
            continue
        rows += _pod_spec(kind, template, other, again)
    for pod in live.pods:
        rows += _pod(plan, ours, pod, live)
    return [*rows, *_digests(live.pods, wanted)]


def _templates(workload: Object) -> dict[str, Object]:
    """Pod specs by the component that their labels name."""
    spec = workload["spec"]
    group = spec.get("leaderWorkerTemplate") or {}
    found = [spec.get("template"), group.get("leaderTemplate"), group.get("workerTemplate")]
    return {
        str(((one.get("metadata") or {}).get("labels") or {}).get(COMPONENT, "")): one["spec"] for one in found if one
    }


def _replicas(plan: ServingPlan, workload: Object, again: str) -> list[Row]:
    wanted = (workload["spec"].get("replicas"), (workload.get("status") or {}).get("readyReplicas") or 0)
    fewest = plan.min_replicas if plan.scaling else plan.replicas
    look = f"servestack status {plan.stack}"
    ready = compared("ready replicas", f"at least {fewest}", wanted[1], look, same=wanted[1] >= fewest)
    if plan.scaling is None:
        return [compared("replicas", plan.replicas, wanted[0], again), ready]
    held = wanted[0] is not None and plan.min_replicas <= wanted[0] <= plan.replicas
    return [compared("replicas", f"{plan.min_replicas} to {plan.replicas}", wanted[0], again, same=held), ready]


def _pod_spec(about: str, wanted: Object, found: Object, step: str) -> list[Row]:
    """Containers by name: image, command, arguments, variables and resources."""
    ours, theirs = _containers(wanted), _containers(found)
    rows = []
    for name, one in ours.items():
        other = theirs.get(name)
        if other is None:
            rows.append(compared(f"{about} container {name}", "there", "absent", step))
            continue
        rows.append(compared(f"{about} {name} image", one["image"], other.get("image"), step))
        for key in ("command", "args"):
            rows.append(_words(f"{about} {name} {key}", one.get(key) or [], other.get(key) or [], step))
        known = _plain_env(one)
        rows.append(compared(f"{about} {name} env", known, _plain_env(other, known), step))
        rows.append(compared(f"{about} {name} resources", _resources(one), _resources(other), step))
    for name in sorted(theirs.keys() - ours.keys() - _INJECTED):
        rows.append(compared(f"{about} container {name}", "none of that name", theirs[name].get("image"), step))
    return rows


def _containers(spec: Object) -> dict[str, Object]:
    return {one["name"]: one for one in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]}


def _words(what: str, planned: list[str], live: list[str], step: str) -> Row:
    if planned == live:
        return compared(what, f"{len(planned)} words", f"{len(live)} words", step)
    ours, theirs = words_apart(planned, live)
    return compared(what, ours, theirs, step, same=False)


def _plain_env(container: Object, planned: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables with values of their own: not those of Secrets, nor what LeaderWorkerSet adds to every container.

    LWS_LEADER_ADDRESS, LWS_GROUP_SIZE and LWS_WORKER_INDEX (kubernetes-sigs/lws 0.8.0).
    """
    values = {one["name"]: str(one["value"]) for one in container.get("env") or [] if "value" in one}
    return {name: one for name, one in values.items() if not name.startswith("LWS_") or name in (planned or {})}


def _resources(container: Object) -> dict[str, str]:
    found = container.get("resources") or {}
    limits = {f"limit {name}": str(value) for name, value in (found.get("limits") or {}).items()}
    asked = {name: str(value) for name, value in (found.get("requests") or {}).items()}
    # The API fills in requests of extended resources from their limits.
    return limits | {name: value for name, value in asked.items() if "/" not in name}


def _pod(plan: ServingPlan, templates: Mapping[str, Object], pod: Object, live: Live) -> list[Row]:
    name = pod["metadata"]["name"]
    component = str((pod["metadata"].get("labels") or {}).get(COMPONENT, ""))
    if component not in templates:
        return []
    template, about = templates[component], f"pod {name}"
    replace = f"kubectl -n {plan.stack} delete pod {name}"
    rows = _pod_spec(about, template, pod["spec"], replace)
    node = live.nodes.get(pod["spec"].get("nodeName") or "")
    if node is None:
        rows.append(unread(f"{about} node", plan.accelerator.machine_type, "the pod is on no node that could be read"))
    else:
        rows += _node(plan, template, about, node)
    if component == SERVER:
        rows += [*_metrics(plan, name, live.metrics.get(name)), *_engine(plan, name, live.logs.get(name))]
    return rows


def _node(plan: ServingPlan, template: Object, about: str, node: Object) -> list[Row]:
    one, labels = plan.accelerator, node["metadata"].get("labels") or {}
    step = f"servestack status {plan.stack}, then pulumi up -s {plan.stack}"
    wanted = {str(key): str(value) for key, value in (template.get("nodeSelector") or {}).items()}
    rows = [compared(f"{about} node labels", wanted, {key: labels.get(key, "-") for key in wanted}, step)]
    machines = tuple(dict.fromkeys([one.machine_type, *(rung.machine_type for rung in plan.ladder)]))
    if not one.node_labels:  # nodes that are there have the machine types that they have
        live = labels.get(MACHINE_TYPE, "-")
        rows.append(compared(f"{about} machine type", " or ".join(machines), live, step, same=live in machines))
    if one.resource:
        there = (node.get("status") or {}).get("allocatable", {}).get(one.resource, "0")
        enough = str(there).isdigit() and int(there) >= one.per_node
        rows.append(compared(f"{about} node's {one.resource}", f"at least {one.per_node}", there, step, same=enough))
    return rows


def _digests(pods: Sequence[Object], wanted: Object) -> list[Row]:
    """Digests that the nodes pulled: those that are planned, and one for all pods where the plan names a tag."""
    rows = []
    names = {name: one["image"] for spec in _templates(wanted).values() for name, one in _containers(spec).items()}
    for container, image in names.items():
        found: dict[str, str] = {}
        for pod in pods:
            status = pod.get("status") or {}
            for one in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
                digest = _DIGEST.search(one.get("imageID") or "")
                if one["name"] == container and digest:
                    found[pod["metadata"]["name"]] = digest[0]
        planned = _DIGEST.search(image)
        what, live = f"{container} image digest", " ".join(sorted(set(found.values())))
        if not found:
            rows.append(unread(what, planned[0] if planned else "one for all pods", "no node tells one"))
        elif planned:
            step = "the registry gave another image: compare its digest, and do not trust the pods until you know why"
            rows.append(compared(what, planned[0], live, step, same=set(found.values()) == {planned[0]}))
        else:
            step = f"the tag moved: name the digest in engine.image, so that all pods run one; {', '.join(found)}"
            rows.append(compared(what, "one for all pods", live, step, same=len(set(found.values())) == 1))
    return rows


def _metrics(plan: ServingPlan, pod: str, text: str | Unread | None) -> list[Row]:
    known = plan.watch.metrics
    if known is None:
        return []
    wanted = sorted({known.queue, known.running, *known.kv_cache})
    what = f"pod {pod} metrics"
    if not isinstance(text, str):
        return [unread(what, wanted, text.reason if text else "not asked for")]
    there = set(re.findall(r"^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{| )", text, re.M))
    step = "the engine's version tells other names: see docs/alerts.md"
    return [compared(what, wanted, [one for one in wanted if one in there], step)]


def _engine(plan: ServingPlan, pod: str, log: str | Unread | None) -> list[Row]:
    """What the engine says of itself in its log: context, and layers on the accelerator."""
    context = plan.context.max_model_len * (plan.context.concurrency if plan.unified_slots else 1)
    what, step = f"pod {pod} context", f"pulumi up --refresh -s {plan.stack}"
    if not isinstance(log, str):
        reason = log.reason if log else "not asked for"
        rows = [unread(what, f"at least {context}", reason)]
        return [*rows, *([unread(f"pod {pod} layers", "all", reason)] if _offloads(plan) else [])]
    tokens = context_in(plan.framework.name, log)
    if tokens is None:
        rows = [unread(what, f"at least {context}", "the engine's log does not say it; give --url to ask the engine")]
    else:
        rows = [compared(what, f"at least {context}", tokens, step, same=tokens >= context)]
    if _offloads(plan):
        layers = layers_in(log)
        what = f"pod {pod} layers"
        if layers is None:
            rows.append(unread(what, "all on the GPU", "the engine's log does not say it"))
        else:
            slow = "some layers run on the processor: check driver and memory, then replace the pod"
            live = f"{layers[0]} of {layers[1]} on the GPU"
            rows.append(compared(what, "all on the GPU", live, slow, same=layers[0] == layers[1]))
    return rows


def _offloads(plan: ServingPlan) -> bool:
    return plan.framework.name == "llamacpp" and plan.accelerator.kind == "gpu"


_CONTEXT = {
    "llamacpp": re.compile(r"\bn_ctx_slot = (\d+)"),  # llama.cpp b11434, read in a real log
    "vllm": re.compile(r"\bmax_seq_len=(\d+)"),  # vLLM 0.33.0, vllm/config/vllm.py: what the engine logs at its start
}
_LAYERS = re.compile(r"offloaded (\d+)/(\d+) layers to GPU")  # llama.cpp b11434, src/llama-model.cpp


def context_in(framework: str, log: str) -> int | None:
    """Tokens of the longest request by an engine's log; None where it does not say."""
    pattern = _CONTEXT.get(framework)
    found = pattern.findall(log) if pattern else []
    return int(found[-1]) if found else None


def layers_in(log: str) -> tuple[int, int] | None:
    """Layers on the GPU and all layers by llama.cpp's log; None where it does not say."""
    found = _LAYERS.findall(log)
    return (int(found[-1][0]), int(found[-1][1])) if found else None
