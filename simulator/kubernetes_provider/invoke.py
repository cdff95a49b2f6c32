"""Invoke: functions of the provider. Official behaviour: provider.go Invoke."""

from __future__ import annotations

from typing import Any

import yaml

from simulator.kubernetes_provider.errors import ProviderError, UnimplementedError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def invoke(token: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Runs a function; works with an unreachable cluster too.

    Raises:
        ProviderError: an unknown function, or text that is no YAML.
        UnimplementedError: a function that the stand-in does not imitate.
    """
    if token == "kubernetes:yaml:decode":
        return {"result": _decode(str(arguments.get("text") or ""), arguments.get("defaultNamespace"))}
    if token in ("kubernetes:helm:template", "kubernetes:kustomize:directory"):
        raise UnimplementedError(
            f"{token} is not imitated by the simulator's Kubernetes provider; render the chart or directory to "
            "YAML first, or install the official plugin with `pulumi plugin install resource kubernetes`"
        )
    raise ProviderError(f'unknown Invoke type "{token}"')


def _decode(text: str, namespace: Any) -> list[dict[str, Any]]:
    """The objects of a YAML text; documents without kind or apiVersion are skipped, lists are opened."""
    try:
        documents = list(yaml.load_all(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        raise ProviderError(f"failed to parse YAML: {error}") from error
    objects: list[dict[str, Any]] = []
    for document in documents:
        if not isinstance(document, dict) or not document.get("kind") or not document.get("apiVersion"):
            continue
        if str(document["kind"]).endswith("List") and isinstance(document.get("items"), list):
            objects += [item for item in document["items"] if isinstance(item, dict)]
        else:
            objects.append(document)
    if namespace:
        for obj in objects:
            metadata = obj.setdefault("metadata", {})
            if isinstance(metadata, dict) and not metadata.get("namespace"):
                metadata["namespace"] = namespace
    return objects
