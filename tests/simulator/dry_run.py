"""Asks a real API server about an object without creating it."""

from __future__ import annotations

import functools
import json
from typing import Any, NamedTuple

from kubernetes import client

_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Answer(NamedTuple):
    status: int
    warning: str
    body: str


@functools.cache
def _resources(api: client.ApiClient) -> dict[tuple[str, str], tuple[str, bool]]:
    """How the server serves each version and kind: path without a namespace's part, and whether it has one."""
    found = {}
    for root in ("/api", "/apis"):
        answer = json.loads(send(api, "GET", root, accept=_DISCOVERY).body)
        for group in answer["items"]:
            name = group["metadata"].get("name", "")
            for version in group["versions"]:
                served = f"{name}/{version['version']}" if name else version["version"]
                for one in version.get("resources", ()):
                    where = f"{root}/{served}/{{}}{one['resource']}"
                    found[(served, one["responseKind"]["kind"])] = (where, one["scope"] == "Namespaced")
    return found


def send(api: client.ApiClient, method: str, path: str, body: Any = None, accept: str = "application/json") -> Answer:
    """Send one request; strict field validation and dry run where it has a body."""
    try:
        answer = api.call_api(
            path,
            method,
            query_params=[("dryRun", "All"), ("fieldValidation", "Strict")] if body else [],
            header_params={"Content-Type": "application/json", "Accept": accept},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
        )
    except client.ApiException as error:
        return Answer(error.status, "", str(error.body))
    return Answer(answer.status, answer.headers.get("Warning", ""), answer.data.decode())


def create(api: client.ApiClient, obj: dict[str, Any], namespace: str) -> Answer:
    """Create an object of any kind, strictly and dry, in this namespace where its kind has one."""
    resource = _resources(api).get((obj["apiVersion"], obj["kind"]))
    if resource is None:
        return Answer(404, "", f'no matches for kind "{obj["kind"]}" in version "{obj["apiVersion"]}"')
    path, namespaced = resource
    if namespaced:
        obj = {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}
    return send(api, "POST", path.format(f"namespaces/{namespace}/" if namespaced else ""), obj)
