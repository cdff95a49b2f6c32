"""The endpoint picker (EPP): the process that a gateway asks which replica takes a request.

It reads prompts and the engines' metrics, and the cluster's API for which pods there are. It is reached by the gateway
alone. Metrics it reads at the proxy's port for collectors (`port` of its `metrics-data-source`), so that the port for
callers has none.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import yaml

from infra.catalog.loader import load_catalog
from infra.catalog.picker import Picker, PickerEngine
from infra.frameworks.network import PICKER_COMPONENT, Peer, block, selector
from infra.frameworks.proxy import METRICS_PORT
from infra.plan.serving_plan import ServingPlan

GRPC_PORT, HEALTH_PORT, PICKER_METRICS_PORT = 9002, 9003, 9090
ENGINE_TYPE = "llm-d.ai/engine-type"
POOL_GROUP = "inference.networking.k8s.io"
TOKEN_REASON = "the endpoint picker reads which pods and InferencePools its own namespace has, and nothing else"
_CONFIG = "/config"
_CONFIG_FILE = "picker.yaml"
_LINK_LOCAL = "169.254.0.0/16"
_SERVICE = "inference-extension"  # what its gRPC health service answers for


@dataclass(frozen=True)
class EndpointPicker:
    """What the templates need to render the endpoint picker.

    Attributes:
        labels: those of its objects that differ from the endpoint's own.
        selector, engines: labels that find its pods, and those of the engine.
        config: its EndpointPickerConfig, as text.
        gateway: addresses from which it is asked.
        control_plane: addresses of the cluster's API.
    """

    name: str
    labels: dict[str, str]
    selector: dict[str, str]
    engines: dict[str, str]
    image: str
    args: tuple[str, ...]
    config: str
    run_as_user: int
    cpu: str
    memory: str
    grace_seconds: int
    failure_mode: str
    gateway: tuple[Peer, ...]
    control_plane: tuple[Peer, ...]
    config_path: str = _CONFIG
    config_file: str = _CONFIG_FILE
    grpc_port: int = GRPC_PORT
    health_port: int = HEALTH_PORT
    metrics_port: int = PICKER_METRICS_PORT
    engine_metrics_port: int = METRICS_PORT
    health_service: str = _SERVICE
    token_reason: str = TOKEN_REASON

    @property
    def config_checksum(self) -> str:
        """On the pod, so that another configuration makes a new one: it is read at the start alone."""
        return hashlib.sha256(self.config.encode()).hexdigest()


def endpoint_picker(plan: ServingPlan) -> EndpointPicker | None:
    """The picker of one endpoint; None where a Service routes."""
    exposed = plan.exposure
    if exposed.routing != "inference-pool" or exposed.gateway is None:
        return None
    facts = load_catalog().picker
    engine = facts.engine(plan.framework.name)
    assert engine is not None
    return EndpointPicker(
        name=f"{plan.stack}-epp",
        labels={
            "app.kubernetes.io/name": facts.name,
            "app.kubernetes.io/version": facts.version,
            "app.kubernetes.io/component": PICKER_COMPONENT,
        },
        selector=selector(plan, PICKER_COMPONENT),
        engines=selector(plan, "inference-server"),
        image=exposed.picker_image or "",
        args=_args(plan.stack),
        config=_config(facts, engine),
        run_as_user=facts.run_as_user,
        cpu=facts.cpu,
        memory=f"{facts.memory_gib}Gi",
        grace_seconds=facts.grace_seconds,
        failure_mode=exposed.failure_mode or "",
        gateway=tuple(block(cidr) for cidr in exposed.gateway.source_ranges),
        control_plane=tuple(_api(cidr) for cidr in exposed.control_plane),
    )


def pod_labels(plan: ServingPlan) -> dict[str, str]:
    """Labels by which the picker knows the engine of a pod; none where there is no picker."""
    engine = load_catalog().picker.engine(plan.framework.name)
    return {ENGINE_TYPE: engine.type} if plan.exposure.picker_image and engine else {}


def _api(cidr: str) -> Peer:
    """The cluster's API; where its address is not known, no link-local one, as the metadata server gives out tokens."""
    return block(cidr, beside=(_LINK_LOCAL,)) if cidr == "0.0.0.0/0" else block(cidr)


def _args(stack: str) -> tuple[str, ...]:
    """As the official chart has them, without profiling and tracing; its metrics stay closed (they ask for a token)."""
    return (
        f"--pool-name={stack}",
        f"--pool-namespace={stack}",
        f"--pool-group={POOL_GROUP}",
        f"--config-file={_CONFIG}/{_CONFIG_FILE}",
        f"--grpc-port={GRPC_PORT}",
        f"--grpc-health-port={HEALTH_PORT}",
        f"--metrics-port={PICKER_METRICS_PORT}",
        "--zap-encoder=json",
        "--enable-pprof=false",
        "--tracing=false",
    )


def _config(facts: Picker, engine: PickerEngine) -> str:
    scorers = [one for one in facts.scorers if engine.kv_gauge or not one.needs_kv_gauge]
    extractor: dict[str, Any] = {"type": "core-metrics-extractor", "parameters": {"defaultEngine": engine.type}}
    if engine.queued and engine.running:
        gauges = {"name": engine.type, "queuedRequestsSpec": engine.queued, "runningRequestsSpec": engine.running}
        extractor["parameters"]["engineConfigs"] = [gauges]
    config = {
        "apiVersion": facts.config_version,
        "kind": "EndpointPickerConfig",
        "plugins": [
            *({"type": one.type} for one in scorers),
            {
                "type": "metrics-data-source",
                "parameters": {"scheme": "http", "path": "/metrics", "port": METRICS_PORT},
            },
            extractor,
        ],
        "dataLayer": {
            "sources": [{"pluginRef": "metrics-data-source", "extractors": [{"pluginRef": "core-metrics-extractor"}]}]
        },
        "schedulingProfiles": [
            {"name": "default", "plugins": [{"pluginRef": one.type, "weight": one.weight} for one in scorers]}
        ],
    }
    return str(yaml.safe_dump(config, sort_keys=False))
