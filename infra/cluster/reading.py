"""Reads nodes and pods of a cluster through its API. Nothing is written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from infra.cluster.kubeconfig import Entry, one_context, text_of
from infra.cluster.room import Node, Object, node_of
from infra.errors import PlatformError

TIMEOUT_SECONDS = 10
_PAGE = 500


@dataclass(frozen=True)
class ClusterState:
    """What was read of a cluster.

    Attributes:
        kubeconfig: text with the one context that leads to it.
        identifier: the same for as long as the cluster is: the uid of its namespace kube-system.
    """

    kubeconfig: str
    identifier: str
    nodes: tuple[Node, ...]
    pods: tuple[Object, ...]


def read_cluster(platform: str, context: str) -> ClusterState:
    """Nodes and pods of the cluster of a context.

    Raises:
        PlatformError: no such context, the cluster does not answer, or it lets its nodes and pods not be listed.
    """
    config = one_context(context)
    client = client_of(config, context)
    import kubernetes

    try:
        system = get(client, "/api/v1/namespaces/kube-system")
        nodes, pods = _items(client, "/api/v1/nodes"), _items(client, "/api/v1/pods")
    except kubernetes.client.ApiException as error:
        if error.status in {401, 403}:
            need = "get namespaces, list nodes and list pods in all namespaces"
            raise PlatformError(
                f"platform '{platform}': the cluster of context '{context}' refuses ({error.status}): the user of "
                f"that context has to be allowed to {need}."
            ) from None
        raise PlatformError(f"platform '{platform}': {_unanswered(context, error)}") from None
    except (OSError, kubernetes.config.ConfigException) as error:
        raise PlatformError(f"platform '{platform}': {_unanswered(context, error)}") from None
    identifier = str(((system or {}).get("metadata") or {}).get("uid") or context)
    return ClusterState(text_of(config), identifier, tuple(map(node_of, nodes)), tuple(pods))


def client_of(config: Entry, context: str) -> Any:
    """A client of the official library; half a second that those who need none do not spend."""
    import kubernetes

    try:
        return kubernetes.config.new_client_from_config_dict(config, context=context)
    except (kubernetes.config.ConfigException, OSError, ValueError) as error:
        raise PlatformError(f"kubeconfig context '{context}' cannot be used: {reason(error)}") from None


def get(client: Any, path: str, accept: str = "application/json") -> dict[str, Any] | None:
    """One object or list; None where there is none.

    Raises:
        OSError: no connection.
        kubernetes.client.ApiException: any other answer.
    """
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
            _request_timeout=TIMEOUT_SECONDS,
        )
    except kubernetes.client.ApiException as error:
        if error.status == 404:
            return None
        raise
    except urllib3.exceptions.HTTPError as error:
        raise OSError(str(error)) from None
    found: dict[str, Any] = json.loads(answer.data)
    return found


def reason(error: Exception) -> str:
    """First line of why a call failed."""
    return str(getattr(error, "reason", None) or error).split("\n")[0]


def _items(client: Any, path: str) -> list[Object]:
    found: list[Object] = []
    rest = ""
    while True:
        page = get(client, f"{path}?limit={_PAGE}{f'&continue={rest}' if rest else ''}") or {}
        found += page.get("items") or []
        rest = (page.get("metadata") or {}).get("continue") or ""
        if not rest:
            return found


def _unanswered(context: str, error: Exception) -> str:
    step = f"Next: kubectl --context {context} get nodes"
    return f"the cluster of context '{context}' does not answer: {reason(error)}\n{step}"
