"""Check: validates, names and normalises a resource's inputs."""

from __future__ import annotations

import re
from typing import NamedTuple

from simulator.kubernetes_provider import annotation
from simulator.kubernetes_provider.configuration import Configuration
from simulator.kubernetes_provider.engine_log import WARNING, OperationLog
from simulator.kubernetes_provider.errors import ApiError, ProviderError, UnreachableError
from simulator.kubernetes_provider.kinds import Urn, group_of, removal_text
from simulator.kubernetes_provider.names import (
    Autonaming,
    adopt_old_name,
    assign_name,
    metadata_of,
    metadata_text,
)
from simulator.kubernetes_provider.normalise import normalise
from simulator.kubernetes_provider.openapi import last_known
from simulator.kubernetes_provider.properties import (
    Object,
    Properties,
    annotate_secrets,
    has_unknown,
    to_object,
    to_properties,
)
from simulator.kubernetes_provider.session import Session

_LIST_TYPE = (
    "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created "
    "directly. Use the underlying resource type instead"
)
_HELM_HOOK = (
    "This resource contains Helm hooks that are not currently supported by Pulumi. The resource will be created, "
    "but any hooks will not be executed. Hooks support is tracked at "
    "https://github.com/pulumi/pulumi-kubernetes/issues/555 -- This warning can be disabled by setting the "
    "PULUMI_K8S_SUPPRESS_HELM_HOOK_WARNINGS environment variable"
)
_MANAGED_BY = "app.kubernetes.io/managed-by"


class CheckRequest(NamedTuple):
    """What the engine asks to check."""

    urn: Urn
    olds: Properties
    news: Properties
    seed: bytes
    autonaming: Autonaming | None


class Checked(NamedTuple):
    """Checked inputs, and the reasons to refuse them, if any."""

    inputs: Properties
    failures: list[str]


def check(session: Session, request: CheckRequest) -> Checked:
    """Official behaviour: provider.go Check, in its order of steps.

    Raises:
        ProviderError: the inputs cannot be used at all.
    """
    configuration, urn = session.configured, request.urn
    log = session.log_for(urn.text)
    if configuration.unreachable and configuration.skip_update_unreachable:
        log.log(WARNING, "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping...")
        return Checked(request.olds, [])
    if urn.is_list:
        raise ProviderError(_LIST_TYPE)
    failures: list[str] = []
    new: Object = to_object(request.news)
    old: Object = to_object(request.olds)
    try:
        new = _normalised(configuration, new)
    except UnreachableError as error:
        failures.append(_unreachable_text(configuration, error))
    except ApiError as error:
        raise ProviderError(f"Failed to fetch OpenAPI schema from the API server: {error}") from error
    _warn_about_annotations(configuration, log, new)
    _name(configuration, request, new, old)
    _label(configuration, new, old)
    _warn_about_version(configuration, log, new)
    kind, api_version = str(new.get("kind") or urn.object_kind), str(new.get("apiVersion") or urn.api_version)
    if kind == "CustomResourceDefinition" and group_of(api_version) == "apiextensions.k8s.io":
        session.remember_definition(new)
    if not _namespace_given(new) and session.is_namespaced(api_version, kind):
        metadata_of(new)["namespace"] = configuration.namespace
    if configuration.reject_unknown and not has_unknown(new):
        _require_schema(configuration, new)
    inputs: Properties = to_properties(new)
    annotate_secrets(inputs, request.news)
    return Checked(inputs, failures)


def _normalised(configuration: Configuration, new: Object) -> Object:
    if configuration.cluster is None or configuration.unreachable:
        return normalise(new, last_known)
    return normalise(new, configuration.cluster.openapi.document)


def _unreachable_text(configuration: Configuration, error: UnreachableError) -> str:
    server = configuration.cluster.server if configuration.cluster else ""
    return (
        f' Kubernetes API server at "{server}" is unreachable. It\'s possible that the URL or authentication '
        f"information in your kubeconfig is incorrect: {error}"
    )


def _warn_about_annotations(configuration: Configuration, log: OperationLog, new: Object) -> None:
    """Official behaviour: provider.go helmHookWarning."""
    hooked = False
    for key, value in annotation.annotations_of(new).items():
        if key == annotation.AUTONAMED:
            log.log(WARNING, f'ignoring user-specified value for internal annotation "{key}"')
        if key == annotation.HELM_HOOK and not re.search("test|test-success|test-failure", str(value)):
            hooked = True
    if hooked and not configuration.suppress_helm_hook:
        log.log(WARNING, _HELM_HOOK)


def _name(configuration: Configuration, request: CheckRequest, new: Object, old: Object) -> None:
    metadata = new.get("metadata")
    given = metadata if isinstance(metadata, dict) else {}
    if given.get("generateName") and configuration.server_side_apply:
        raise ProviderError("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
    if request.urn.is_patch:
        if not given.get("name"):
            raise ProviderError("patch resources require the `.metadata.name` field to be set")
    elif old:
        adopt_old_name(new, old)
    if not request.urn.is_patch:
        assign_name(new, request.urn.name, request.seed, request.autonaming)


def _label(configuration: Configuration, new: Object, old: Object) -> None:
    """Official behaviour: the managed-by label, only without server-side apply or where it was before."""
    if isinstance(new.get("metadata"), dict) and (
        not configuration.server_side_apply or _labels(old).get(_MANAGED_BY) == "pulumi"
    ):
        metadata = new["metadata"]
        if metadata.get("labels") is None or isinstance(metadata["labels"], dict):
            metadata["labels"] = {**(metadata.get("labels") or {}), _MANAGED_BY: "pulumi"}


def _labels(obj: Object) -> dict[str, str]:
    metadata = obj.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return labels if isinstance(labels, dict) else {}


def _warn_about_version(configuration: Configuration, log: OperationLog, new: Object) -> None:
    if configuration.unreachable or configuration.cluster is None:
        return
    minor = configuration.cluster.version[1]
    text = removal_text(str(new.get("apiVersion") or ""), str(new.get("kind") or ""), minor)
    removed = text is not None and "was removed" in text
    if text is not None and (removed or not configuration.suppress_deprecation):
        log.log(WARNING, text)


def _namespace_given(new: Object) -> bool:
    metadata = new.get("metadata")
    if not isinstance(metadata, dict):
        return metadata is not None
    value = metadata.get("namespace")
    return bool(value) and (not isinstance(value, str) or bool(metadata_text(new, "namespace")))


def _require_schema(configuration: Configuration, new: Object) -> None:
    if configuration.cluster is None or configuration.unreachable:
        return
    api_version, kind = str(new.get("apiVersion")), str(new.get("kind"))
    document = configuration.cluster.openapi.document(api_version)
    if document is None or document.kind(group_of(api_version), api_version.rpartition("/")[2], kind) is None:
        raise ProviderError(
            f"unable to fetch schema for resource type {api_version}/{kind}: "
            f"the server could not find the requested resource"
        )
