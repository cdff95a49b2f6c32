"""`servestack status`: read an endpoint's objects from its cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.cluster.kubeconfig import one_context
from infra.cluster.reading import client_of, get, reason
from infra.errors import PlatformError
from infra.operate.diagnosis import Diagnosis, diagnose, followed
from infra.operate.secrets import lacking, unsynced
from infra.plan.needed_secrets import NeededSecret
from infra.spec import PlatformSpec

# A Secret without its values.
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


def status(
    name: str,
    platform: PlatformSpec,
    secrets: Sequence[NeededSecret] = (),
    fewest: int | None = None,
    *,
    groups: bool = False,
) -> Diagnosis:
    """State of the endpoint `name`, through the platform's own kubeconfig context, or the one that gcloud writes.

    Args:
        name: of the endpoint.
        platform: where it runs.
        secrets: what it needs of its namespace.
        groups: a replica is several machines, and so a LeaderWorkerSet has them.
        fewest: replicas below which its autoscaler never goes; None where it has none.

    Raises:
        PlatformError: no such context, or the cluster does not answer.
    """
    import kubernetes  # half a second that other verbs do not need

    context, cluster, step = _reached(platform)
    client = _client(platform, context, step)
    try:
        kinds = (
            "leaderworkerset.x-k8s.io/v1/namespaces/{0}/leaderworkersets"
            if groups
            else "apps/v1/namespaces/{0}/deployments"
        )
        deployment = get(client, f"/apis/{kinds.format(name)}/{name}")
        pods = get(client, f"/api/v1/namespaces/{name}/pods") or {}
        events = get(client, f"/api/v1/namespaces/{name}/events") or {}
        scalers = f"/apis/autoscaling/v2/namespaces/{name}/horizontalpodautoscalers"
        autoscalers = (get(client, scalers) or {}) if fewest is not None else {}
    except (OSError, kubernetes.client.ApiException) as error:
        raise PlatformError(f"cluster '{cluster}' does not answer: {reason(error)}\nNext: {step}") from None
    missing = [one for one in secrets if deployment is not None and _is_missing(client, name, one.name)]
    found = diagnose(deployment, pods.get("items", []), events.get("items", []), fewest)
    found = followed(found, autoscalers.get("items", []))
    syncs = _syncs(client, name) if deployment is not None and any(one.synced for one in secrets) else []
    return lacking(unsynced(found, syncs), missing)


def _reached(platform: PlatformSpec) -> tuple[str, str, str]:
    """Context of the platform's cluster, how the cluster is called, and the next step where it is not reached."""
    gke, own = platform.gke, platform.kubernetes
    if own is not None:
        return own.context, own.context, f"kubectl --context {own.context} get nodes"
    assert gke is not None
    by_name = " --dns-endpoint" if gke.cluster.create else ""
    fetch = f"gcloud container clusters get-credentials {gke.cluster.name} {gke.gcloud_flags}{by_name}"
    return gke.context, gke.cluster.name, fetch


def _client(platform: PlatformSpec, context: str, step: str) -> Any:
    import kubernetes

    if platform.kubernetes is not None:
        return client_of(one_context(context), context)
    try:
        return kubernetes.config.new_client_from_config(context=context)
    except kubernetes.config.ConfigException as error:
        raise PlatformError(f"kubeconfig has no usable context '{context}': {error}\nNext: {step}") from None


def _is_missing(client: Any, namespace: str, secret: str) -> bool:
    """Whether the Secret is not there, by its metadata alone; False where one may not know."""
    import kubernetes

    try:
        return get(client, f"/api/v1/namespaces/{namespace}/secrets/{secret}", _METADATA_ONLY) is None
    except (OSError, kubernetes.client.ApiException):
        return False


def _syncs(client: Any, namespace: str) -> list[dict[str, Any]]:
    """The namespace's SecretSyncs; none where one may not read them, or the cluster does not know the kind."""
    import kubernetes

    try:
        found = get(client, f"/apis/secret-sync.gke.io/v1/namespaces/{namespace}/secretsyncs") or {}
    except (OSError, kubernetes.client.ApiException):
        return []
    items: list[dict[str, Any]] = found.get("items", [])
    return items
