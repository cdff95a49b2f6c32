"""Diff: what would change, and whether the object must be replaced. It never asks the cluster for the object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulator.kubernetes_provider import annotation, property_path
from simulator.kubernetes_provider.engine_log import WARNING
from simulator.kubernetes_provider.errors import ApiError, NoMatchError, ProviderError, UnreachableError
from simulator.kubernetes_provider.force_new import force_new_fields
from simulator.kubernetes_provider.kinds import Urn
from simulator.kubernetes_provider.merge_patch import Change, DetailedDiff, merge_patch
from simulator.kubernetes_provider.names import is_autonamed, metadata_text
from simulator.kubernetes_provider.properties import Object
from simulator.kubernetes_provider.prune import prune
from simulator.kubernetes_provider.session import Session
from simulator.kubernetes_provider.state import Checkpoint


@dataclass(frozen=True)
class Difference:
    """The outcome of a diff.

    Attributes:
        changes: property path -> change.
        replaces: paths that force a replacement.
        delete_before_replace: whether the old object must go first, because the new one has its name.
        changed: whether there is anything to do.
    """

    changes: dict[str, Change] = field(default_factory=dict)
    replaces: list[str] = field(default_factory=list)
    delete_before_replace: bool = False
    changed: bool = False


def diff(session: Session, urn: Urn, old: Checkpoint, new: Object, ignored: list[str]) -> Difference:
    """Compares new inputs with the state's live object, pruned to the shape of the old inputs.

    Official behaviour: provider.go Diff. Drift shows only after a refresh.

    Raises:
        ProviderError: an ignoreChanges path cannot be parsed.
    """
    configuration = session.configured
    base = prune(old.live, old.inputs)
    api_version, kind = str(new.get("apiVersion") or urn.api_version), str(new.get("kind") or urn.object_kind)
    _align_namespace(base, new, session.is_namespaced(api_version, kind))
    base.setdefault("apiVersion", api_version)
    base.setdefault("kind", kind)
    if isinstance(base.get("metadata"), dict):
        base["metadata"].pop("resourceVersion", None)
        if metadata_text(new, "name") and metadata_text(old.live, "name"):
            base["metadata"]["name"] = metadata_text(old.live, "name")
    patch = merge_patch(base, new)
    detailed = DetailedDiff(
        force_new_fields(
            urn,
            new,
            config_map_mutable=configuration.config_map_mutable,
            secret_mutable=configuration.secret_mutable,
        )
    )
    detailed.add_map((), patch, base, new, base)
    changes = _without_ignored(detailed.changes, ignored)
    replaces = [
        path for path, change in changes.items() if change.replaces or (path == "metadata" and change.kind == "delete")
    ]
    changed = bool(changes)
    if annotation.is_true(new, annotation.REPLACE_UNREADY):
        if kind == "Job":
            if not _job_is_ready(session, new):
                changed = True
                replaces.append('.metadata.annotations["pulumi.com/replaceUnready"]')
        else:
            session.log_for(urn.text).log(WARNING, "replaceUnready annotation is not supported for this resource")
    return Difference(
        changes=changes,
        replaces=replaces,
        delete_before_replace=bool(replaces)
        and bool(metadata_text(new, "name"))
        and not is_autonamed(new)
        and metadata_text(new, "name") == metadata_text(base, "name")
        and metadata_text(new, "namespace") == metadata_text(base, "namespace"),
        changed=changed,
    )


def _align_namespace(base: Object, new: Object, namespaced: bool) -> None:
    """An empty namespace means `default`; cluster-scoped objects have none, on both sides."""
    for obj in (base, new):
        metadata = obj.get("metadata")
        if metadata is None:
            metadata = obj["metadata"] = {}
        if not isinstance(metadata, dict):
            continue
        if not namespaced:
            metadata.pop("namespace", None)
        elif metadata.get("namespace") in (None, ""):
            metadata["namespace"] = "default"


def _without_ignored(changes: dict[property_path.Path, Change], ignored: list[str]) -> dict[str, Change]:
    try:
        paths = [property_path.parse(text) for text in ignored]
    except ValueError as error:
        raise ProviderError(f"failed to parse ignore path: {error}") from error
    return {
        property_path.render(path): change
        for path, change in changes.items()
        if not any(property_path.contains(outer, path) for outer in paths)
    }


def _job_is_ready(session: Session, new: Object) -> bool:
    """Point-in-time readiness of a Job in the cluster; errors count as ready (provider.go Diff)."""
    configuration = session.configured
    if configuration.cluster is None or configuration.unreachable:
        return True
    try:
        status: dict[str, Any] = configuration.cluster.get(new).get("status") or {}
    except (ApiError, NoMatchError, UnreachableError):
        return True
    complete = any(
        condition.get("type") == "Complete" and condition.get("status") == "True"
        for condition in status.get("conditions") or []
    )
    return bool(status.get("startTime")) and complete
