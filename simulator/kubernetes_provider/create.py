"""Create: a client-side POST, and a wait until the object is ready."""

from __future__ import annotations

import copy
import os
from typing import Final, NamedTuple

from simulator.kubernetes_provider import annotation
from simulator.kubernetes_provider.awaiters import await_ready
from simulator.kubernetes_provider.awaiting import AwaitRequest
from simulator.kubernetes_provider.cluster import APPLY_PATCH, Cluster
from simulator.kubernetes_provider.engine_log import INFO, OperationLog
from simulator.kubernetes_provider.errors import (
    ApiError,
    AwaitError,
    NoMatchError,
    PartialFailureError,
    ProviderError,
    RemovedApiError,
    UnreachableError,
)
from simulator.kubernetes_provider.field_manager import CLIENT_SIDE_MANAGER, field_manager
from simulator.kubernetes_provider.kinds import Urn, is_removed, removal_text
from simulator.kubernetes_provider.names import metadata_of, metadata_text, qualified_name
from simulator.kubernetes_provider.properties import Object, Properties, has_unknown, to_object
from simulator.kubernetes_provider.server_side_apply import apply_conflict, patch_force
from simulator.kubernetes_provider.session import Session
from simulator.kubernetes_provider.state import write_checkpoint

_RETRY_SECONDS: Final = (1, 2, 4, 8, 16, 32)
_ALREADY_EXISTS: Final = """

The resource already exists in the cluster. This can happen when:
  - The resource was renamed in your Pulumi program. Use an alias to keep the existing resource, or set the \
`deleteBeforeReplace` resource option.
  - You want to change some fields of a resource that is managed elsewhere. Use a Patch resource instead.
  - The resource was created outside of this stack. Use `pulumi import` to adopt it.
  - You want existing resources to be updated in place. Set the `upsertExistingObjects` provider option."""


class CreateRequest(NamedTuple):
    """What the engine asks to create."""

    urn: Urn
    properties: Properties
    timeout_seconds: float
    preview: bool


class Created(NamedTuple):
    """A created resource; in a preview its identifier is empty."""

    identifier: str
    properties: Properties


def create(session: Session, request: CreateRequest) -> Created:
    """Official behaviour: provider.go Create and await.go Creation.

    Raises:
        ProviderError: nothing was created (or, after a malformed waitFor, the state will not know it).
        PartialFailureError: the object exists but did not become ready.
    """
    configuration, urn = session.configured, request.urn
    inputs: Object = to_object(request.properties)
    echo = Created("", request.properties)
    if not request.preview:
        configuration.reachable()
    cluster = configuration.cluster
    if request.preview and (
        has_unknown(inputs)
        or cluster is None
        or bool(configuration.unreachable)
        or not configuration.server_side_apply
        or urn.is_patch
        or not cluster.serves(inputs)
    ):
        return echo
    assert cluster is not None
    log = session.log_for(urn.text)
    manager = field_manager(inputs, "", configuration.server_side_apply)
    apply = configuration.server_side_apply and (configuration.upsert or urn.is_patch)
    creation = _Creation(session, cluster, request, copy.deepcopy(inputs), log, manager, apply)
    try:
        made = creation.send_with_retries()
    except ApiError as error:
        if request.preview and _swallowed(error):
            return echo
        text = str(error)
        if error.is_already_exists and not request.preview:
            text += _ALREADY_EXISTS
        raise ProviderError(_not_created(urn, text)) from error
    except NoMatchError as error:
        raise ProviderError(
            f'creation of resource "{urn.text}" with kind {inputs.get("apiVersion")}/{inputs.get("kind")} failed '
            "because the Kubernetes API server reported that the apiVersion for this resource does not exist. "
            f"Verify that any required CRDs have been created: {error}"
        ) from error
    except (RemovedApiError, UnreachableError, ProviderError) as error:
        raise ProviderError(_not_created(urn, str(error))) from error
    log.clear_status()
    if request.preview:
        made.pop("status", None)
        return Created("", _state(inputs, made, request, manager))
    return _finish(creation, made, inputs)


def _finish(creation: _Creation, made: Object, inputs: Object) -> Created:
    session, request, log = creation.session, creation.request, creation.log
    waiting = AwaitRequest(
        cluster=creation.cluster,
        live=made,
        previous=None,
        log=log,
        timeout_seconds=annotation.timeout_seconds(request.timeout_seconds, inputs),
        cancelled=session.cancelled,
    )
    try:
        live = _latest(creation.cluster, await_ready(waiting, inputs), made)
    except AwaitError as error:
        message = (
            f'resource "{request.urn.text}" was successfully created, but the Kubernetes API server reported '
            f"that it failed to fully initialize or become live: {error}"
        )
        state = _state(inputs, error.live, request, creation.manager)
        raise PartialFailureError(qualified_name(error.live), message, error, state) from error
    log.clear_status()
    if inputs.get("kind") == "CustomResourceDefinition":
        creation.cluster.reset()
    return Created(qualified_name(live), _state(inputs, live, request, creation.manager))


def _latest(cluster: Cluster, live: Object, made: Object) -> Object:
    """Reads the object again after a wait; the last seen one where that fails."""
    if live is made:
        return made
    try:
        return cluster.get(live)
    except (ApiError, NoMatchError, UnreachableError):
        return live


def _state(inputs: Object, live: Object, request: CreateRequest, manager: str) -> Properties:
    return write_checkpoint(inputs, live, request.properties, str(inputs.get("apiVersion") or ""), manager)


def _not_created(urn: Urn, text: str) -> str:
    return f'resource "{urn.text}" was not successfully created by the Kubernetes API server: {text}'


def _swallowed(error: ApiError) -> bool:
    """What a preview keeps to itself and shows as a plain create (provider.go Create)."""
    return error.is_forbidden or error.is_already_exists or error.names_missing_namespace or error.refuses_dry_run


class _Creation:
    """The request for one new object, and its retries."""

    def __init__(
        self,
        session: Session,
        cluster: Cluster,
        request: CreateRequest,
        inputs: Object,
        log: OperationLog,
        manager: str,
        apply: bool,
    ) -> None:
        self.session = session
        self.cluster = cluster
        self.request = request
        self.log = log
        self.manager = manager
        self._inputs = inputs
        self._apply = apply

    def send_with_retries(self) -> Object:
        """Sends until it works.

        Official behaviour: retry/retry.go with await.go Creation: only "not found" and "no match" are tried
        again, six times in all, with sleeps of 1, 2, 4, 8, 16 and 32 s; the last sleep is slept too.
        """
        last: Exception = ProviderError("nothing was sent")
        for attempt, pause in enumerate(_RETRY_SECONDS):
            if self.session.cancelled.is_set():
                raise ProviderError("context canceled")
            try:
                return self._send()
            except (ApiError, NoMatchError) as error:
                last = error
                if isinstance(error, NoMatchError):
                    self._stop_if_removed()
                    self.cluster.reset()
                if self.request.preview and isinstance(error, ApiError) and error.names_missing_namespace:
                    raise
                self.log.status(INFO, f"Retry #{attempt}; creation failed: {error}")
                if isinstance(error, ApiError) and not error.is_not_found:
                    raise
            if self.session.cancelled.wait(pause):
                break
        raise last

    def _stop_if_removed(self) -> None:
        api_version, kind = str(self._inputs.get("apiVersion")), str(self._inputs.get("kind"))
        minor = self.cluster.version[1]
        if is_removed(api_version, kind, minor):
            raise RemovedApiError(removal_text(api_version, kind, minor) or "")

    def _send(self) -> Object:
        metadata = self._inputs.get("metadata") or {}
        resource = self.cluster.resource_of(self._inputs)
        dry = {"dryRun": "All"} if self.request.preview else {}
        if not resource.namespaced and isinstance(self._inputs.get("metadata"), dict):
            self._inputs["metadata"].pop("namespace", None)
        if not self._apply:
            path = resource.path(metadata.get("namespace") or "")
            query = {"fieldManager": CLIENT_SIDE_MANAGER, **dry}
            return dict(self.cluster.request("POST", path, query, self._inputs))
        try:
            return self._send_apply(dry)
        except ApiError as error:
            if not (self.request.preview and error.is_invalid and "field is immutable" in str(error)):
                raise
        name = f"{metadata_text(self._inputs, 'name')}{os.urandom(3).hex()[:5]}"
        self.log.log(INFO, f'Preview creation failed due to immutable fields; retrying with name "{name}"')
        metadata_of(self._inputs)["name"] = name
        return self._send_apply(dry)

    def _send_apply(self, dry: dict[str, str]) -> Object:
        force = patch_force(self.session.configured, self._inputs, None, self.request.preview)
        query = {
            "fieldManager": self.manager,
            "force": "true" if force else "false",
            "fieldValidation": "Warn",
            **dry,
        }
        metadata = self._inputs.get("metadata") or {}
        resource = self.cluster.resource_of(self._inputs)
        path = resource.path(metadata.get("namespace") or "", metadata.get("name") or "")
        try:
            return dict(self.cluster.request("PATCH", path, query, self._inputs, APPLY_PATCH))
        except ApiError as error:
            if error.is_conflict:
                raise ProviderError(apply_conflict(self.manager, error)) from error
            raise
