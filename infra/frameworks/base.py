"""What a framework gives the rest: how it uses accelerators, and the workload that serves a plan."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from infra.catalog.records import Checkpoint, Model
from infra.frameworks.autoscaling import INTERCEPTOR_PORT, Autoscaler, Wake, autoscaler, wake_service
from infra.frameworks.backend import Backend, backend
from infra.frameworks.compute_class import ComputeClass, compute_class
from infra.frameworks.network import Network, network
from infra.frameworks.own_nodes import own_tolerations
from infra.frameworks.picker import EndpointPicker, endpoint_picker, pod_labels
from infra.frameworks.pod import WORKER_COMPONENT, Pod, accelerator_labels, entry
from infra.frameworks.proxy import METRICS_PATH, ProxySidecar, sidecar
from infra.frameworks.synced import Synced, synced
from infra.frameworks.weights_pod import PodWeights, pod_weights
from infra.plan.capabilities import Capabilities
from infra.plan.node_pools import CLASS_KEY, ENDPOINT_KEY, FLEX_KEY, POOL_KEY
from infra.plan.placed import Placed
from infra.plan.serving_plan import ServingPlan
from infra.watch.monitor import Monitor, monitor


@dataclass(frozen=True)
class Volume:
    """Scratch volume of the pod. `medium` is "" for disk, "Memory" for RAM; size in GiB."""

    name: str
    mount_path: str
    size_gib: int
    medium: str = ""

    @property
    def empty_dir(self) -> dict[str, str]:
        """The volume as an `emptyDir` source."""
        size = {"sizeLimit": f"{self.size_gib}Gi"}
        return {"medium": self.medium, **size} if self.medium else size


@dataclass(frozen=True)
class EngineConfig:
    """Files that the engine reads at its start. `folder` is where they are mounted; `files` are names and texts."""

    folder: str
    files: tuple[tuple[str, str], ...]

    @property
    def checksum(self) -> str:
        """On the pod, so that other files make new pods."""
        return hashlib.sha256(repr(self.files).encode()).hexdigest()


@dataclass(frozen=True)
class KubernetesWorkload:
    """Everything the templates need to render one endpoint. Rendering adds no decision.

    Attributes:
        command, args: words of the engine; both empty where the image's own entry point takes none.
        port: where the engine listens, on loopback alone unless `open_port` says why it cannot.
        proxy: what listens on the pod's address in its place.
        pre_stop: Kubernetes lifecycle handler.
        run_as_user: uid that the image can run as.
        read_only_root: whether the root file system is read-only; where it is not, `writable_root` says why.
        pull_secrets: names of the Secrets with which the image is pulled: one, or none.
        secret_env: environment variables, each with the Secret that holds it under the same name.
        config: files of the engine: one folder, or none.
        node_selector, tolerations: what binds the pod to its node pool.
        client_environment: what a client in the cluster needs to call the endpoint.
        network: who may reach the pods.
        backend: what the gateway's route leads to, or None without a gateway.
        picker: the endpoint picker, or None where a Service routes.
        pod_labels: labels of the pods beside the recommended ones.
        worker_args: words of the engine on the other machines of a replica; empty where one machine is enough.
    """

    plan: ServingPlan
    container: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    port: int
    proxy: ProxySidecar
    network: Network
    pre_stop: dict[str, Any]
    termination_grace_period_seconds: int
    run_as_user: int
    read_only_root: bool
    volumes: tuple[Volume, ...]
    client_environment: tuple[tuple[str, str], ...]
    node_selector: tuple[tuple[str, str], ...] = field(default=())
    tolerations: tuple[dict[str, str | int], ...] = field(default=())
    backend: Backend | None = None
    picker: EndpointPicker | None = None
    pod_labels: dict[str, str] = field(default_factory=dict)
    pull_secrets: tuple[str, ...] = ()
    secret_env: tuple[tuple[str, str], ...] = ()
    config: tuple[EngineConfig, ...] = ()
    open_port: str = ""
    writable_root: str = ""
    worker_args: tuple[str, ...] = ()

    @cached_property
    def weights(self) -> PodWeights:
        """What the pods need to have their weights."""
        return pod_weights(self.plan, self.run_as_user)

    @cached_property
    def synced(self) -> tuple[Synced, ...]:
        """Secrets that GKE fills from Secret Manager."""
        return synced(self.plan.synced_secrets)

    @property
    def account_annotations(self) -> tuple[tuple[str, str], ...]:
        """Annotations of the service account."""
        return self.weights.account_annotations

    @property
    def exceptions(self) -> tuple[tuple[str, str], ...]:
        """Annotations of the pod: what it does not keep of what all others do, and why."""
        reasons = (("open-port", self.open_port), ("writable-root", self.writable_root))
        return tuple((f"servestack.dev/{name}", why) for name, why in reasons if why)

    @property
    def serving_pod(self) -> Pod:
        """The pod that takes calls. A group's pods are not spread: their machines should be near each other."""
        spread = () if self.worker_args else ("pod-template-hash",)
        return Pod(self.pod_labels, entry(self.command, self.args), (self.proxy,), spread)

    @property
    def worker_pod(self) -> Pod:
        """A pod on another machine of the same replica, which serves no HTTP."""
        labels = {"app.kubernetes.io/component": WORKER_COMPONENT}
        return Pod(labels, entry(self.command, self.worker_args), (), ())

    @cached_property
    def autoscaler(self) -> Autoscaler | None:
        """What sets the number of replicas; None where the plan fixes it."""
        return autoscaler(self.plan)

    @property
    def fixed_replicas(self) -> tuple[int, ...]:
        """The number of replicas, or nothing where an autoscaler sets it."""
        return (self.plan.replicas,) if self.plan.scaling is None else ()

    @property
    def waking(self) -> tuple[Wake, ...]:
        """What holds requests where there may be no replica; nothing where there always is one."""
        return self.autoscaler.wake if self.autoscaler else ()

    @cached_property
    def monitor(self) -> Monitor:
        """How it is watched."""
        return monitor(self.plan)

    @cached_property
    def compute_class(self) -> ComputeClass | None:
        """What chooses among its pools; None where it has one."""
        return compute_class(self.plan)

    @property
    def devices(self) -> tuple[tuple[str, str], ...]:
        """Accelerators that the engine's container asks for, by resource name: none where a processor is the one."""
        accelerator = self.plan.accelerator
        return ((accelerator.resource, str(accelerator.per_node)),) if accelerator.resource else ()


WeightsBytes = Callable[[Model, Checkpoint, tuple[str, ...]], int | None]


def kept(compute: WeightsBytes) -> WeightsBytes:
    """The same function, each answer kept: sizes are asked for at every candidate, and records are dear to hash."""
    known: dict[tuple[int, int, tuple[str, ...]], tuple[Model, Checkpoint, int | None]] = {}

    def answer(model: Model, checkpoint: Checkpoint, inputs: tuple[str, ...]) -> int | None:
        key = (id(model), id(checkpoint), inputs)
        if key not in known:
            known[key] = (model, checkpoint, compute(model, checkpoint, inputs))
        return known[key][2]

    return answer


@dataclass(frozen=True)
class Framework:
    """One serving framework: its capabilities, and how it turns a plan into a workload.

    Attributes:
        workload: None where this version plans it but does not deploy it.
    """

    name: str
    capabilities: Capabilities
    workload: Callable[[ServingPlan], KubernetesWorkload] | None


def endpoint_url(plan: ServingPlan, port: int) -> str:
    """OpenAI-compatible base URL inside the cluster: of the proxy, or of what holds requests at no replica."""
    if plan.min_replicas == 0 and plan.scaling is not None:
        return f"http://{wake_service(plan)}.{plan.stack}.svc.cluster.local:{INTERCEPTOR_PORT}/v1"
    return f"http://{plan.stack}.{plan.stack}.svc.cluster.local:{port}/v1"


def from_plan(plan: ServingPlan, port: int, health_path: str, metrics_path: str = METRICS_PATH) -> dict[str, Any]:
    """Fields of a workload that follow from the plan and from where the engine listens on loopback.

    Args:
        plan: of the endpoint.
        port: of the engine.
        health_path: HTTP path at which the engine answers 200 once the model is loaded.
        metrics_path: HTTP path at which it answers in Prometheus' format.
    """
    proxy, known = sidecar(plan, port, health_path, metrics_path), plan.credentials
    return {
        "port": port,
        "proxy": proxy,
        "network": network(plan),
        "backend": backend(plan, proxy.port),
        "picker": endpoint_picker(plan),
        "pod_labels": pod_labels(plan),
        "termination_grace_period_seconds": plan.timing.grace_seconds,
        "client_environment": (("OPENAI_BASE_URL", endpoint_url(plan, proxy.port)), ("OPENAI_MODEL", plan.model.id)),
        "pull_secrets": (known.registry_secret,) if known.registry_secret else (),
        "secret_env": ((known.api_key_name, known.api_key_secret),) if known.api_key_secret else (),
        **placed_on(plan),
    }


_LOST_NODE_SECONDS = 60  # Kubernetes' own default is 300; a machine of an accelerator rarely comes back sooner


def placed_on(plan: Placed) -> dict[str, Any]:
    """Node selector and tolerations that bind pods to the endpoint's own node pool, or to those of its class.

    GKE refuses pods that select a class and also how a machine is bought (GKE documentation, about custom compute
    classes), so a class is all that they select; its nodes have the class as a taint. A flex-start node has a taint
    where the pod tolerates it (GoogleCloudPlatform/cluster-autoscaler 7d25050).

    GKE puts `nvidia.com/gpu=present:NoSchedule` on every GPU pool and `google.com/tpu=present:NoSchedule` on every TPU
    pool (GKE documentation, how-to/gpus and how-to/tpus), and nothing on one of processors.
    """
    lost: tuple[dict[str, str | int], ...] = tuple(
        {"key": f"node.kubernetes.io/{state}", "operator": "Exists", "effect": "NoExecute"}
        | {"tolerationSeconds": _LOST_NODE_SECONDS}
        for state in ("not-ready", "unreachable")
    )
    if plan.accelerator.node_labels:  # nodes that are there, with labels and taints of their own
        return {"node_selector": plan.accelerator.node_labels, "tolerations": (*own_tolerations(plan), *lost)}
    found = plan.node_pools
    taints = {plan.accelerator.resource: "present"} if plan.accelerator.resource else {}
    if found.compute_class:
        selector = {CLASS_KEY: found.compute_class}
        if plan.accelerator.kind == "tpu":
            selector |= accelerator_labels(plan.accelerator)
        taints |= {CLASS_KEY: found.compute_class}
        if any(one.capacity == "flex-start" for one in found.pools):
            taints[FLEX_KEY] = "true"
    else:
        selector = _one_pool(plan)
    if found.kind != "autopilot":
        taints[ENDPOINT_KEY] = plan.stack
    own: tuple[dict[str, str | int], ...] = tuple(
        {"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"} for key, value in taints.items()
    )
    return {"node_selector": tuple(sorted(selector.items())), "tolerations": (*own, *lost)}


def _one_pool(plan: Placed) -> dict[str, str]:
    selector = {ENDPOINT_KEY: plan.stack}
    if plan.node_pools.pools:
        selector[POOL_KEY] = plan.node_pools.pools[0].name
    selector |= accelerator_labels(plan.accelerator)
    if plan.accelerator.capacity == "spot":
        selector["cloud.google.com/gke-spot"] = "true"
    if plan.accelerator.capacity == "flex-start":
        selector[FLEX_KEY] = "true"
    return selector
