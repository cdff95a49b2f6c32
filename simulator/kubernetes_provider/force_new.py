"""Which fields can only change by replacing the object.

Official behaviour: provider/pkg/provider/diff.go forceNew.
"""

from __future__ import annotations

from typing import Any, Final

from simulator.kubernetes_provider.kinds import Urn, is_built_in
from simulator.kubernetes_provider.property_path import Path

_IDENTITY: Final = (".metadata.name", ".metadata.namespace")
_SELECTOR: Final = (".spec.selector",)
_JOB: Final = (".spec.completions", ".spec.parallelism", ".spec.selector", ".spec.template")
_STATEFUL_SET: Final = (
    ".spec.podManagementPolicy",
    ".spec.revisionHistoryLimit",
    ".spec.selector",
    ".spec.serviceName",
    ".spec.volumeClaimTemplates",
)
_POD_FIELDS: Final = [
    "affinity",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
]
_CONTAINER_FIELDS: Final = [
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
]
_VOLUME_SOURCES: Final = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
]
_POD: Final = (
    *(f".spec.{field}" for field in _POD_FIELDS),
    *(f".spec.{group}[*].{field}" for group in ("containers", "initContainers") for field in _CONTAINER_FIELDS),
)
_ROLE_BINDING: Final = (".roleRef",)

_BY_KIND: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    **{("apps/" + version, "Deployment"): _SELECTOR for version in ("v1", "v1beta2")},
    **{("apps/" + version, "DaemonSet"): _SELECTOR for version in ("v1", "v1beta2")},
    **{("apps/" + version, "StatefulSet"): _STATEFUL_SET for version in ("v1", "v1beta1", "v1beta2")},
    **{("batch/" + version, "Job"): _JOB for version in ("v1", "v1beta1", "v2alpha1")},
    ("v1", "Pod"): _POD,
    ("v1", "PersistentVolumeClaim"): (
        ".spec.accessModes",
        ".spec.selector",
        ".spec.storageClassName",
        ".spec.volumeName",
    ),
    ("v1", "PersistentVolume"): tuple(f".spec.{source}" for source in _VOLUME_SOURCES),
    ("v1", "Service"): (".spec.clusterIP",),
    ("v1", "ResourceQuota"): (".spec.scopes",),
    **{
        ("rbac.authorization.k8s.io/" + version, kind): _ROLE_BINDING
        for version in ("v1", "v1beta1", "v1alpha1")
        for kind in ("RoleBinding", "ClusterRoleBinding")
    },
    ("storage.k8s.io/v1", "StorageClass"): (".parameters", ".provisioner"),
    ("policy/v1beta1", "PodDisruptionBudget"): (".spec",),
}


def force_new_fields(
    urn: Urn, obj: dict[str, Any], *, config_map_mutable: bool, secret_mutable: bool
) -> tuple[str, ...]:
    """The paths whose change replaces the object; `[*]` stands for every item.

    Args:
        urn: patch types are replaced only when their identity changes.
        obj: the new inputs.
        config_map_mutable: the provider's enableConfigMapMutable.
        secret_mutable: the provider's enableSecretMutable.
    """
    api_version = str(obj.get("apiVersion") or "").removeprefix("core/")
    kind = str(obj.get("kind") or "")
    if urn.is_patch or not is_built_in(api_version):
        return _IDENTITY
    if (api_version, kind) == ("v1", "Secret"):
        frozen = not secret_mutable or obj.get("immutable") is True
        return (*_IDENTITY, ".type", *((".data", ".stringData") if frozen else ()))
    if (api_version, kind) == ("v1", "ConfigMap"):
        frozen = not config_map_mutable or obj.get("immutable") is True
        return (*_IDENTITY, *((".data", ".binaryData") if frozen else ()))
    return _IDENTITY + _BY_KIND.get((api_version, kind), ())


def forces_replacement(path: Path, value: Any, fields: tuple[str, ...]) -> bool:
    """Whether a change at `path` to `value` touches one of the fields.

    Official behaviour: openapi.PatchPropertiesChanged, which looks for each field in a patch that holds nothing
    but this change: a field matches when the change lies at it, below it, or holds it.
    """
    return any(_touches(path, value, _segments(field)) for field in fields)


def _segments(field: str) -> list[str]:
    return [segment for segment in field.replace("[*]", ".*").split(".") if segment]


def _touches(path: Path, value: Any, segments: list[str]) -> bool:
    for part, segment in zip(path, segments, strict=False):
        if segment != "*" and part != segment:
            return False
        if segment == "*" and not isinstance(part, int):
            return False
    return _holds(value, segments[len(path) :])


def _holds(value: Any, segments: list[str]) -> bool:
    if not segments:
        return True
    head, *rest = segments
    if head == "*":
        return isinstance(value, list) and any(_holds(item, rest) for item in value)
    return isinstance(value, dict) and head in value and _holds(value[head], rest)
