"""`servestack status`: read an endpoint's objects from its cluster."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from infra.errors import PlatformError
from infra.operate.diagnosis import Diagnosis, diagnose, followed
from infra.operate.secrets import lacking, unsynced
from infra.plan.needed_secrets import NeededSecret
from infra.spec import Gke

_TIMEOUT_SECONDS = 10
# A Secret without its values.
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


def status(
    name: str, gke: Gke, secrets: Sequence[NeededSecret] = (), fewest: int | None = None, *, groups: bool = False
) -> Diagnosis:
    """State of the endpoint `name`, through the kubeconfig context that gcloud writes for the platform's cluster.

    Args:
        name: of the endpoint.
        gke: its platform.
        secrets: what it needs of its namespace.
        groups: a replica is several machines, and so a LeaderWorkerSet has them.
        fewest: replicas below which its autoscaler never goes; None where it has none.

    Raises:
        PlatformError: no such context, or the cluster does not answer.
    """
    import kubernetes  # half a second that other verbs do not need

    context = f"gke_{gke.project}_{gke.location}_{gke.cluster.name}"
    where = f"--location {gke.location} --project {gke.project}"
    by_name = " --dns-endpoint" if gke.cluster.create else ""
    fetch = f"gcloud container clusters get-credentials {gke.cluster.name} {where}{by_name}"
    try:
        client = kubernetes.config.new_client_from_config(context=context)
    except kubernetes.config.ConfigException as error:
        raise PlatformError(f"kubeconfig has no usable context '{context}': {error}\nNext: {fetch}") from None
    try:
        kinds = (
            "leaderworkerset.x-k8s.io/v1/namespaces/{0}/leaderworkersets"
            if groups
            else "apps/v1/namespaces/{0}/deployments"
        )
        deployment = _get(client, f"/apis/{kinds.format(name)}/{name}")
        pods = _get(client, f"/api/v1/namespaces/{name}/pods") or {}
        events = _get(client, f"/api/v1/namespaces/{name}/events") or {}
        scalers = f"/apis/autoscaling/v2/namespaces/{name}/horizontalpodautoscalers"
        autoscalers = (_get(client, scalers) or {}) if fewest is not None else {}
    except (OSError, kubernetes.client.ApiException) as error:
        raise PlatformError(f"cluster '{gke.cluster.name}' does not answer: {_reason(error)}\nNext: {fetch}") from None
    missing = [one for one in secrets if deployment is not None and _is_missing(client, name, one.name)]
    found = diagnose(deployment, pods.get("items", []), events.get("items", []), fewest)
    found = followed(found, autoscalers.get("items", []))
    syncs = _syncs(client, name) if deployment is not None and any(one.synced for one in secrets) else []
    return lacking(unsynced(found, syncs), missing)


def _is_missing(client: Any, namespace: str, secret: str) -> bool:
    """Whether the Secret is not there, by its metadata alone; False where one may not know."""
    import kubernetes

    try:
        return _get(client, f"/api/v1/namespaces/{namespace}/secrets/{secret}", _METADATA_ONLY) is None
    except (OSError, kubernetes.client.ApiException):
        return False


def _syncs(client: Any, namespace: str) -> list[dict[str, Any]]:
    """The namespace's SecretSyncs; none where one may not read them, or the cluster does not know the kind."""
    import kubernetes

    try:
        found = _get(client, f"/apis/secret-sync.gke.io/v1/namespaces/{namespace}/secretsyncs") or {}
    except (OSError, kubernetes.client.ApiException):
        return []
    items: list[dict[str, Any]] = found.get("items", [])
    return items


def _get(client: Any, path: str, accept: str = "application/json") -> dict[str, Any] | None:
    import kubernetes
    import urllib3

    try:
        answer = client.call_api(
            path,
            "GET",
            auth_settings=["BearerToken"],
            header_params={"Accept": accept},
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=_TIMEOUT_SECONDS,
        )
    except kubernetes.client.ApiException as error:
        if error.status == 404:
            return None
        raise
    except urllib3.exceptions.HTTPError as error:
        raise OSError(str(error)) from None
    found: dict[str, Any] = json.loads(answer.data)
    return found


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error).split("\n")[0]
