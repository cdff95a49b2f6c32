"""Read: the live object for refresh, import and `.get`."""

from __future__ import annotations

import copy
from typing import Final, NamedTuple

from simulator.kubernetes_provider.awaiters import read_check
from simulator.kubernetes_provider.awaiting import AwaitRequest
from simulator.kubernetes_provider.delete import DELETING_FROM_STATE, UNREACHABLE_HINT
from simulator.kubernetes_provider.engine_log import INFO, WARNING
from simulator.kubernetes_provider.errors import (
    ApiError,
    AwaitError,
    NoMatchError,
    PartialFailureError,
    ProviderError,
    UnreachableError,
)
from simulator.kubernetes_provider.field_manager import field_manager
from simulator.kubernetes_provider.kinds import Urn, is_built_in
from simulator.kubernetes_provider.names import parse_identifier, qualified_name
from simulator.kubernetes_provider.properties import (
    Object,
    Properties,
    annotate_secrets,
    to_object,
    to_properties,
)
from simulator.kubernetes_provider.prune import prune
from simulator.kubernetes_provider.session import Session
from simulator.kubernetes_provider.state import read_checkpoint, write_checkpoint

_NOT_INPUTS: Final = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
_OTHERS_ANNOTATIONS: Final = (
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
)
_SKIPPED: Final = (
    "configured Kubernetes cluster is unreachable and the `skipUnreachable` option is enabled. "
    "Returned data could not reflect the actual cluster configuration."
)


class ReadRequest(NamedTuple):
    """What the engine asks to read: a known resource (refresh), or one it knows only by its ID (import)."""

    urn: Urn
    identifier: str
    properties: Properties
    inputs: Properties


class ReadResult(NamedTuple):
    """A read resource; an empty identifier says that it is gone."""

    identifier: str
    properties: Properties
    inputs: Properties


_GONE: Final = ReadResult("", {}, {})


def read(session: Session, request: ReadRequest) -> ReadResult:
    """Official behaviour: provider.go Read and await.go Read.

    Raises:
        ProviderError: the object cannot be read.
        PartialFailureError: it exists but is not ready.
    """
    configuration = session.configured
    log = session.log_for(request.urn.text)
    if configuration.unreachable or configuration.cluster is None:
        log.log(WARNING, f"configured Kubernetes cluster is unreachable: {configuration.unreachable}")
        if configuration.delete_unreachable:
            log.log(INFO, DELETING_FROM_STATE)
            return _GONE
        if configuration.skip_update_unreachable:
            log.log(INFO, _SKIPPED)
            return ReadResult(request.identifier, request.properties, request.inputs)
        raise ProviderError(f"failed to read resource state due to unreachable cluster. {UNREACHABLE_HINT}")
    old = read_checkpoint(request.properties)
    old_inputs: Object = to_object(request.inputs)
    namespace, name = parse_identifier(request.identifier)
    if not name:
        raise ProviderError(
            f"failed to read resource because of a failure to parse resource name from request ID: {request.identifier}"
        )
    imported = not old_inputs.get("kind")
    target: Object = {
        "apiVersion": old_inputs.get("apiVersion") or old.live.get("apiVersion") or request.urn.api_version,
        "kind": old_inputs.get("kind") or old.live.get("kind") or request.urn.object_kind,
        "metadata": {**({"namespace": namespace} if namespace else {}), "name": name},
    }
    try:
        live = configuration.cluster.get(target)
    except NoMatchError:
        return _GONE
    except ApiError as error:
        if error.is_not_found:
            return _GONE
        raise ProviderError(str(error)) from error
    except UnreachableError as error:
        raise ProviderError(str(error)) from error
    inputs = _imported_inputs(live) if imported else prune(live, old_inputs)
    manager = field_manager(old_inputs, old.field_manager, configuration.server_side_apply)
    initial = old.initial_api_version or str(target["apiVersion"])
    state = write_checkpoint(inputs, live, request.inputs, initial, manager)
    answer: Properties = to_properties(inputs)
    annotate_secrets(answer, request.inputs)
    identifier = request.identifier or qualified_name(live)
    if not imported:
        waiting = AwaitRequest(configuration.cluster, live, None, log, 0.0, session.cancelled)
        try:
            read_check(waiting, old_inputs)
        except AwaitError as error:
            raise PartialFailureError(identifier, str(error), error, state, answer) from error
        log.clear_status()
    return ReadResult(identifier, state, answer)


def _imported_inputs(live: Object) -> Object:
    """The inputs of an object that the program has not described yet.

    The official provider takes the top-level keys that its schema lists as inputs: for built-in kinds all but
    the status, for custom resources only the identity.
    """
    api_version = str(live.get("apiVersion") or "")
    if is_built_in(api_version):
        inputs = {key: copy.deepcopy(value) for key, value in live.items() if key != "status"}
    else:
        identity = {key: value for key, value in live["metadata"].items() if key in ("name", "namespace")}
        inputs = {"apiVersion": api_version, "kind": live.get("kind"), "metadata": identity}
    metadata = inputs.get("metadata")
    if isinstance(metadata, dict):
        for key in _NOT_INPUTS:
            metadata.pop(key, None)
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict):
            for key in _OTHERS_ANNOTATIONS:
                annotations.pop(key, None)
    return inputs
