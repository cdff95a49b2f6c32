"""Reads an endpoint's objects, logs and metrics through its cluster's API. Nothing is written."""

from __future__ import annotations

from typing import Any

from infra.cluster.kubeconfig import one_context
from infra.cluster.reading import TIMEOUT_SECONDS, client_of, get, reason
from infra.errors import PlatformError
from infra.spec import PlatformSpec
from infra.verify.cluster import COMPONENT, SERVER, Live, Object, Unread

_MOST_LOG_BYTES = 4_000_000  # an engine says what it is in its first lines
_METRICS_PORT = 8091  # infra/frameworks/proxy.py


def read_live(name: str, platform: PlatformSpec, container: str, *, groups: bool) -> Live:
    """What runs of the endpoint `name`.

    Args:
        name: of the endpoint, and of its namespace.
        platform: where it runs.
        container: of the engine, whose log is read.
        groups: a replica is several machines, and so a LeaderWorkerSet has them.

    Raises:
        PlatformError: no such context, or the cluster does not answer.
    """
    import kubernetes

    client, cluster, step = _connected(platform)
    kinds = "leaderworkerset.x-k8s.io/v1" if groups else "apps/v1"
    plural = "leaderworkersets" if groups else "deployments"
    try:
        workload = get(client, f"/apis/{kinds}/namespaces/{name}/{plural}/{name}")
        pods = _pods(client, name) if workload else []
        nodes = {one: get(client, f"/api/v1/nodes/{one}") for one in _node_names(pods)}
    except (OSError, kubernetes.client.ApiException) as error:
        raise PlatformError(f"cluster '{cluster}' does not answer: {reason(error)}\nNext: {step}") from None
    servers = [
        pod["metadata"]["name"] for pod in pods if (pod["metadata"].get("labels") or {}).get(COMPONENT) == SERVER
    ]
    log = f"log?container={container}&limitBytes={_MOST_LOG_BYTES}"
    base = f"/api/v1/namespaces/{name}/pods"
    return Live(
        workload,
        pods,
        {one: node for one, node in nodes.items() if node},
        {pod: _text(client, f"{base}/{pod}/{log}") for pod in servers},
        {pod: _text(client, f"{base}/{pod}:{_METRICS_PORT}/proxy/metrics") for pod in servers},
    )


def _connected(platform: PlatformSpec) -> tuple[Any, str, str]:
    import kubernetes

    gke, own = platform.gke, platform.kubernetes
    if own is not None:
        step = f"kubectl --context {own.context} get nodes"
        return client_of(one_context(own.context), own.context), own.context, step
    assert gke is not None
    by_name = " --dns-endpoint" if gke.cluster.create else ""
    step = f"gcloud container clusters get-credentials {gke.cluster.name} {gke.gcloud_flags}{by_name}"
    try:
        return kubernetes.config.new_client_from_config(context=gke.context), gke.cluster.name, step
    except kubernetes.config.ConfigException as error:
        raise PlatformError(f"kubeconfig has no usable context '{gke.context}': {error}\nNext: {step}") from None


def _pods(client: Any, namespace: str) -> list[Object]:
    found = get(client, f"/api/v1/namespaces/{namespace}/pods") or {}
    return [
        pod
        for pod in found.get("items") or []
        if not pod["metadata"].get("deletionTimestamp")
        and (pod.get("status") or {}).get("phase") not in {"Failed", "Succeeded"}
    ]


def _node_names(pods: list[Object]) -> list[str]:
    return sorted({pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName")})


def _text(client: Any, path: str) -> str | Unread:
    """A pod's log or page; the kubelet, or a network policy, may not let it be read."""
    import kubernetes
    import urllib3

    try:
        answer = client.call_api(
            path,
            "GET",
            auth_settings=["BearerToken"],
            header_params={"Accept": "text/plain, */*"},
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=TIMEOUT_SECONDS,
        )
    except (kubernetes.client.ApiException, urllib3.exceptions.HTTPError, OSError) as error:
        return Unread(f"the API server does not reach it: {reason(error)}")
    return bytes(answer.data).decode("utf-8", "replace")
