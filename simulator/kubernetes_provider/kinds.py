"""Kinds: which are built in, which are cluster-scoped, which APIs were removed, what a URN's type means."""

from __future__ import annotations

from typing import Final, NamedTuple

BUILT_IN_GROUPS: Final = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)
"""Groups of kinds.go KnownGroupVersions: their objects are normalised through the Go types."""

CLUSTER_SCOPED: Final = frozenset(
    [
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "ComponentStatus",
        "CustomResourceDefinition",
        "DeviceClass",
        "DeviceTaintRule",
        "FlowSchema",
        "IPAddress",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PodSecurityPolicy",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "SelfSubjectAccessReview",
        "SelfSubjectReview",
        "SelfSubjectRulesReview",
        "ServiceCIDR",
        "StorageClass",
        "StorageVersion",
        "StorageVersionMigration",
        "SubjectAccessReview",
        "TokenReview",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    ]
)
"""Built-in kinds without a namespace."""


class Removal(NamedTuple):
    """An API version that a Kubernetes release stopped serving, and its successor."""

    minor: int
    replacement: str


_REMOVED: Final[dict[tuple[str, str], Removal]] = {
    ("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration"): Removal(
        22, "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration"
    ),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration"): Removal(
        22, "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration"
    ),
    ("apiextensions.k8s.io/v1beta1", ""): Removal(22, "apiextensions.k8s.io/v1"),
    ("apiregistration.k8s.io/v1beta1", ""): Removal(22, "apiregistration.k8s.io/v1"),
    ("apps/v1beta1", ""): Removal(16, "apps/v1"),
    ("apps/v1beta2", ""): Removal(16, "apps/v1"),
    ("autoscaling/v2beta1", ""): Removal(25, "autoscaling/v2"),
    ("autoscaling/v2beta2", ""): Removal(26, "autoscaling/v2"),
    ("batch/v1beta1", "CronJob"): Removal(25, "batch/v1"),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest"): Removal(22, "certificates.k8s.io/v1"),
    ("coordination.k8s.io/v1beta1", ""): Removal(22, "coordination.k8s.io/v1"),
    ("discovery.k8s.io/v1beta1", ""): Removal(25, "discovery.k8s.io/v1"),
    ("events.k8s.io/v1beta1", ""): Removal(25, "events.k8s.io/v1"),
    ("extensions/v1beta1", "DaemonSet"): Removal(16, "apps/v1"),
    ("extensions/v1beta1", "Deployment"): Removal(16, "apps/v1"),
    ("extensions/v1beta1", "Ingress"): Removal(22, "networking.k8s.io/v1"),
    ("extensions/v1beta1", "NetworkPolicy"): Removal(16, "networking.k8s.io/v1"),
    ("extensions/v1beta1", "PodSecurityPolicy"): Removal(16, "policy/v1beta1"),
    ("extensions/v1beta1", "ReplicaSet"): Removal(16, "apps/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", ""): Removal(26, "flowcontrol.apiserver.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta2", ""): Removal(29, "flowcontrol.apiserver.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta3", ""): Removal(32, "flowcontrol.apiserver.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "Ingress"): Removal(22, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "IngressClass"): Removal(22, "networking.k8s.io/v1"),
    ("node.k8s.io/v1beta1", ""): Removal(25, "node.k8s.io/v1"),
    ("policy/v1beta1", ""): Removal(25, "policy/v1"),
    ("rbac.authorization.k8s.io/v1alpha1", ""): Removal(22, "rbac.authorization.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", ""): Removal(22, "rbac.authorization.k8s.io/v1"),
    ("scheduling.k8s.io/v1beta1", ""): Removal(22, "scheduling.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity"): Removal(27, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "StorageClass"): Removal(22, "storage.k8s.io/v1"),
}


def group_of(api_version: str) -> str:
    """The group of an apiVersion; empty for the core group."""
    return api_version.rpartition("/")[0]


def is_built_in(api_version: str) -> bool:
    """Whether objects of this apiVersion have Go types in the official provider."""
    return bool(api_version) and group_of(api_version) in BUILT_IN_GROUPS


def removal_text(api_version: str, kind: str, server_minor: int) -> str | None:
    """The warning for an API that this or a later Kubernetes no longer serves, or None.

    Official behaviour: kinds.RemovedAPIError for removed ones, gen.APIVersionComment for deprecated ones.
    """
    removal = _REMOVED.get((api_version, kind)) or _REMOVED.get((api_version, ""))
    if removal is None:
        return None
    replacement = removal.replacement
    if replacement.count("/") < 2:
        replacement = f"{replacement}/{kind}"
    if server_minor >= removal.minor:
        return (
            f'apiVersion "{api_version}/{kind}" was removed in Kubernetes 1.{removal.minor}. '
            f'Use "{replacement}" instead.'
        )
    return (
        f"{api_version}/{kind} is deprecated by {replacement} and not supported by "
        f"Kubernetes v1.{removal.minor}+ clusters."
    )


def is_removed(api_version: str, kind: str, server_minor: int) -> bool:
    """Whether the server's Kubernetes version no longer has this API."""
    removal = _REMOVED.get((api_version, kind)) or _REMOVED.get((api_version, ""))
    return removal is not None and server_minor >= removal.minor


class Urn:
    """The parts of a resource's URN that matter here.

    Attributes:
        text: the whole URN.
        name: the resource's logical name.
        api_version: from the type token `kubernetes:GROUP/VERSION:KIND`; without `core/`.
        kind: the last part of the token; ends in `Patch` for patch types.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        parts = text.split("::", 3)
        self.name = parts[3] if len(parts) == 4 else text
        token = parts[2].rpartition("$")[2] if len(parts) > 2 else ""
        _, _, rest = token.partition(":")
        module, _, self.kind = rest.rpartition(":")
        self.api_version = module.removeprefix("core/")

    @property
    def is_patch(self) -> bool:
        """A patch type: it changes some fields of an object that something else owns."""
        return self.kind.endswith("Patch") and is_built_in(self.api_version) and self.kind != "Patch"

    @property
    def is_list(self) -> bool:
        """A list type, which the official provider refuses."""
        return self.kind.endswith("List") and is_built_in(self.api_version)

    @property
    def object_kind(self) -> str:
        """The Kubernetes kind behind the type."""
        return self.kind.removesuffix("Patch") if self.is_patch else self.kind
