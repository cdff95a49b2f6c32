"""Delete: asks for the deletion and waits until the object is gone."""

from __future__ import annotations

import threading
import time
from typing import Final, NamedTuple

from simulator.kubernetes_provider import annotation
from simulator.kubernetes_provider.awaiters import skips_delete_wait
from simulator.kubernetes_provider.cluster import Cluster
from simulator.kubernetes_provider.engine_log import INFO, WARNING, OperationLog
from simulator.kubernetes_provider.errors import (
    ApiError,
    AwaitError,
    NoMatchError,
    PartialFailureError,
    ProviderError,
    UnreachableError,
)
from simulator.kubernetes_provider.kinds import Urn
from simulator.kubernetes_provider.kstatus import progress
from simulator.kubernetes_provider.names import metadata_of, metadata_text, parse_identifier, qualified_name
from simulator.kubernetes_provider.properties import Object, Properties
from simulator.kubernetes_provider.session import Session
from simulator.kubernetes_provider.state import Checkpoint, write_checkpoint
from simulator.kubernetes_provider.update import relinquish

_FIRST_PAUSE_SECONDS: Final = 0.02
_LONGEST_PAUSE_SECONDS: Final = 0.25
UNREACHABLE_HINT: Final = (
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with "
    'the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)
DELETING_FROM_STATE: Final = (
    "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is enabled. "
    "Deleting the unreachable resource from Pulumi state"
)


class DeleteRequest(NamedTuple):
    """What the engine asks to delete."""

    urn: Urn
    identifier: str
    old: Checkpoint
    properties: Properties
    timeout_seconds: float


def delete(session: Session, request: DeleteRequest) -> None:
    """Official behaviour: provider.go Delete and await.go Deletion.

    Raises:
        ProviderError: the deletion was refused, or the cluster is unreachable.
        PartialFailureError: the object is still there when the time is up.
    """
    configuration = session.configured
    log = session.log_for(request.urn.text)
    if configuration.unreachable or configuration.cluster is None:
        log.log(WARNING, f"configured Kubernetes cluster is unreachable: {configuration.unreachable}")
        if configuration.delete_unreachable:
            log.log(INFO, DELETING_FROM_STATE)
            return
        raise ProviderError(f"configured Kubernetes cluster is unreachable. {UNREACHABLE_HINT}")
    cluster, old = configuration.cluster, request.old
    namespace, name = parse_identifier(request.identifier)
    target: Object = {
        "apiVersion": old.live.get("apiVersion") or old.inputs.get("apiVersion") or request.urn.api_version,
        "kind": old.live.get("kind") or old.inputs.get("kind") or request.urn.object_kind,
        "metadata": {**({"namespace": namespace} if namespace else {}), "name": name},
    }
    try:
        if request.urn.is_patch:
            relinquish(cluster, target, old.field_manager)
            return
        deletion = _Deletion(cluster, target, log, session.cancelled)
        deletion.run(
            policy=annotation.deletion_propagation(old.inputs),
            timeout_seconds=annotation.timeout_seconds(request.timeout_seconds, old.inputs),
            waits=not skips_delete_wait(old.inputs),
        )
    except NoMatchError:
        return
    except ApiError as error:
        if error.is_not_found:
            return
        raise ProviderError(_refusal(request.urn, error)) from error
    except UnreachableError as error:
        raise ProviderError(str(error)) from error
    except AwaitError as error:
        state = write_checkpoint(old.inputs, error.live, request.properties, old.initial_api_version, old.field_manager)
        raise PartialFailureError(qualified_name(error.live), str(error), error, state) from error
    log.clear_status()


def _refusal(urn: Urn, error: ApiError) -> str:
    causes = (error.status.get("details") or {}).get("causes") or []
    required = [cause for cause in causes if cause.get("reason") == "FieldValueRequired"]
    if urn.is_patch and required:
        return (
            "this Patch resource is currently managing a required field, so it can't be deleted directly. "
            "Either set the `retainOnDelete` resource option, or transfer ownership of the field before "
            f"deleting: {required[0].get('field')}"
        )
    return str(error)


class _Deletion:
    """The deletion of one object."""

    def __init__(self, cluster: Cluster, target: Object, log: OperationLog, cancelled: threading.Event) -> None:
        self._cluster = cluster
        self._target = target
        self._log = log
        self._cancelled = cancelled
        self._live = target

    def run(self, policy: str, timeout_seconds: float, waits: bool) -> None:
        """Deletes, and asks until the object is gone or another one has its name (condition/deleted.go)."""
        namespace = metadata_text(self._target, "namespace")
        name = metadata_text(self._target, "name")
        path = self._cluster.resource_of(self._target).path(namespace, name)
        answer = self._cluster.request("DELETE", path, None, {"propagationPolicy": policy})
        if waits and answer.get("kind") != "Status":
            self._live = {**self._target, **answer}
            self._wait(time.monotonic() + timeout_seconds)

    def _wait(self, deadline: float) -> None:
        uid = metadata_text(self._live, "uid")
        pause = _FIRST_PAUSE_SECONDS
        while not self._gone(uid):
            self._log.status(INFO, progress(self._live).message)
            if self._cancelled.wait(pause) or time.monotonic() >= deadline:
                break
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        else:
            return
        finalizers = ", ".join(metadata_of(self._live).get("finalizers") or [])
        self._log.log(WARNING, f"finalizers might be preventing deletion ({finalizers})")
        text = "context canceled" if self._cancelled.is_set() else "timed out waiting for the condition"
        raise AwaitError(text, self._live)

    def _gone(self, uid: str) -> bool:
        try:
            live = self._cluster.get(self._target)
        except ApiError as error:
            return error.is_not_found
        if metadata_text(live, "uid") != uid:
            return True
        self._live = live
        return False
