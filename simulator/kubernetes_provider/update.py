"""Update: server-side apply of the inputs, and a wait until the object is ready."""

from __future__ import annotations

import copy
from typing import Any, Final, NamedTuple

from simulator.kubernetes_provider import annotation
from simulator.kubernetes_provider.awaiters import await_ready
from simulator.kubernetes_provider.awaiting import AwaitRequest
from simulator.kubernetes_provider.cluster import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, Cluster
from simulator.kubernetes_provider.errors import (
    ApiError,
    AwaitError,
    NoMatchError,
    PartialFailureError,
    ProviderError,
    UnreachableError,
)
from simulator.kubernetes_provider.field_manager import CLIENT_SIDE_MANAGER, field_manager, taken_over
from simulator.kubernetes_provider.kinds import Urn
from simulator.kubernetes_provider.merge_patch import merge_patch
from simulator.kubernetes_provider.names import metadata_of, metadata_text, qualified_name
from simulator.kubernetes_provider.properties import Object, Properties, has_unknown, to_object
from simulator.kubernetes_provider.server_side_apply import (
    apply_conflict,
    patch_force,
    without_ignored_fields,
)
from simulator.kubernetes_provider.session import Session
from simulator.kubernetes_provider.state import Checkpoint, write_checkpoint

_TAKE_OVER_ATTEMPTS: Final = 5


class UpdateRequest(NamedTuple):
    """What the engine asks to update."""

    urn: Urn
    old: Checkpoint
    news: Properties
    timeout_seconds: float
    preview: bool
    ignored: list[str]


class _UpdateError(Exception):
    """Any failure of an update, with the text that follows the official prefix."""


def update(session: Session, request: UpdateRequest) -> Properties:
    """Official behaviour: provider.go Update and await.go Update.

    Returns:
        The new state.

    Raises:
        ProviderError: the object could not be updated, nor read.
        PartialFailureError: the object exists; the state keeps the live object and the old inputs.
    """
    configuration = session.configured
    new: Object = to_object(request.news)
    if not request.preview:
        configuration.reachable()
    cluster = configuration.cluster
    if request.preview and (
        cluster is None or bool(configuration.unreachable) or has_unknown(new) or not cluster.serves(new)
    ):
        return request.news
    assert cluster is not None
    old_manager = field_manager(request.old.inputs, request.old.field_manager, configuration.server_side_apply)
    manager = field_manager(new, request.old.field_manager or old_manager, configuration.server_side_apply)
    step = _Update(session, cluster, request, new, manager)
    try:
        live = step.run()
    except NoMatchError as error:
        raise ProviderError(
            f'update of resource "{request.urn.text}" failed because the Kubernetes API server reported that '
            "the apiVersion for this resource does not exist. Verify that any required CRDs have been created: "
            f"{error}"
        ) from error
    except (ApiError, UnreachableError, AwaitError, _UpdateError) as error:
        if request.preview and isinstance(error, ApiError) and error.is_forbidden:
            return request.news
        raise _failure(step, error) from error
    if configuration.server_side_apply and not request.preview and old_manager != manager:
        relinquish(cluster, new, old_manager)
    step.log.clear_status()
    return step.state(live)


def _failure(step: _Update, cause: Exception) -> Exception:
    """The error of a failed update: partial where the live object can be read."""
    request = step.request
    try:
        live = step.cluster.get(step.new)
    except (ApiError, NoMatchError, UnreachableError) as error:
        return ProviderError(
            f'update of resource "{request.urn.text}" failed: {cause}\nunable to get cluster state: {error}'
        )
    message = (
        f'the Kubernetes API server reported that "{qualified_name(step.new)}" failed to fully initialize or '
        f"become live: {cause}"
    )
    return PartialFailureError(qualified_name(live), message, cause, step.state(live))


class _Update:
    """The requests that change one object."""

    def __init__(self, session: Session, cluster: Cluster, request: UpdateRequest, new: Object, manager: str) -> None:
        self.session = session
        self.cluster = cluster
        self.request = request
        self.new = new
        self.manager = manager
        self.log = session.log_for(request.urn.text)

    def state(self, live: Object) -> Properties:
        """The state with the new inputs and a live object."""
        initial = self.request.old.initial_api_version or str(self.new.get("apiVersion") or "")
        return write_checkpoint(self.new, live, self.request.news, initial, self.manager)

    def run(self) -> Object:
        """Changes the object and waits until it is ready."""
        name = metadata_text(self.request.old.live, "name") or metadata_text(self.new, "name")
        before = self.cluster.get(self.new, name)
        resource = self.cluster.resource_of(self.new)
        path = resource.path(metadata_text(self.new, "namespace"), name)
        if self.new.get("kind") == "CustomResourceDefinition":
            changed = self._replace(path, before)
        elif self.session.configured.server_side_apply:
            changed = self._apply(path, before)
        else:
            changed = self._merge(path)
        if self.request.preview:
            return changed
        waiting = AwaitRequest(
            cluster=self.cluster,
            live=changed,
            previous=before,
            log=self.log,
            timeout_seconds=annotation.timeout_seconds(self.request.timeout_seconds, self.new),
            cancelled=self.session.cancelled,
        )
        live = await_ready(waiting, self.new)
        if live is changed:
            return changed
        try:
            return self.cluster.get(live)
        except (ApiError, UnreachableError):
            return live

    def _query(self, **more: str) -> dict[str, str]:
        return {**more, **({"dryRun": "All"} if self.request.preview else {})}

    def _replace(self, path: str, before: Object) -> Object:
        """A definition is replaced whole (await.go updateResource)."""
        body = copy.deepcopy(self.new)
        metadata_of(body)["resourceVersion"] = metadata_text(before, "resourceVersion")
        answer = self.cluster.request("PUT", path, self._query(fieldManager=self.manager), body)
        self.cluster.reset()
        return dict(answer)

    def _apply(self, path: str, before: Object) -> Object:
        live = before
        if not self.request.preview and not self.request.urn.is_patch:
            live = self._take_over(path, before)
        body = without_ignored_fields(self.new, live, self.manager, self.request.ignored)
        force = patch_force(self.session.configured, self.new, live, self.request.preview)
        query = self._query(fieldManager=self.manager, force="true" if force else "false")
        try:
            return dict(self.cluster.request("PATCH", path, query, body, APPLY_PATCH))
        except ApiError as error:
            if error.is_conflict:
                raise _UpdateError(apply_conflict(self.manager, error)) from error
            raise

    def _take_over(self, path: str, live: Object) -> Object:
        """Makes client-side field managers ours (await.go fixCSAFieldManagers).

        The official provider fails where a controller writes the object between its two requests; here the object
        is read again.
        """
        for _ in range(_TAKE_OVER_ATTEMPTS):
            entries = taken_over(live, self.manager)
            if entries is None:
                return live
            version = metadata_text(live, "resourceVersion")
            patch = [
                {"op": "replace", "path": "/metadata/managedFields", "value": entries},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            ]
            try:
                return dict(self.cluster.request("PATCH", path, None, patch, JSON_PATCH))
            except ApiError as error:
                if not error.is_conflict:
                    raise
                live = self.cluster.get(live)
        return live

    def _merge(self, path: str) -> Object:
        """Client-side apply, as a JSON merge patch from the old inputs to the new ones."""
        patch: dict[str, Any] = merge_patch(self.request.old.inputs, self.new)
        query = self._query(fieldManager=CLIENT_SIDE_MANAGER)
        return dict(self.cluster.request("PATCH", path, query, patch, MERGE_PATCH))


def relinquish(cluster: Cluster, obj: Object, manager: str) -> None:
    """Gives up all fields of a manager by applying nothing (ssa.Relinquish)."""
    name, namespace = metadata_text(obj, "name"), metadata_text(obj, "namespace")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    body = {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": metadata}
    path = cluster.resource_of(obj).path(namespace, name)
    cluster.request("PATCH", path, {"fieldManager": manager, "force": "false"}, body, APPLY_PATCH)
