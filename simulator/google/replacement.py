"""Which changes replace a resource, and which inputs Google fills in when they are not given.

Sources: ForceNew and Computed in magic-modules' resource_container_node_pool.go.tmpl and node_config.go.tmpl, and
in resource_container_cluster.go.tmpl for clusters (read).
"""

from __future__ import annotations

from typing import Any

from simulator.google.resource_type import same_thing
from simulator.google.resource_types import RESOURCE_TYPES
from simulator.google.schema import CLUSTER, NODE_POOL

_NODE_CONFIG_FORCE_NEW = (
    "advancedMachineFeatures",
    "bootDiskKmsKey",
    "confidentialNodes",
    "enableConfidentialStorage",
    "ephemeralStorageConfig",
    "ephemeralStorageLocalSsdConfig",
    "flexStart",
    "guestAccelerators",
    "hostMaintenancePolicy",
    "localNvmeSsdBlockConfig",
    "localSsdCount",
    "localSsdEncryptionMode",
    "maxRunDuration",
    "metadata",
    "minCpuPlatform",
    "nodeGroup",
    "oauthScopes",
    "preemptible",
    "reservationAffinity",
    "sandboxConfig",
    "secondaryBootDisks",
    "serviceAccount",
    "shieldedInstanceConfig",
    "soleTenantConfig",
    "spot",
    "storagePools",
)
_NODE_CONFIG_COMPUTED = (
    "bootDisk",
    "diskSizeGb",
    "diskType",
    "effectiveTaints",
    "gcfsConfig",
    "guestAccelerators",
    "imageType",
    "kubeletConfig",
    "labels",
    "localSsdCount",
    "loggingVariant",
    "machineType",
    "metadata",
    "minCpuPlatform",
    "oauthScopes",
    "serviceAccount",
    "shieldedInstanceConfig",
    "windowsNodeConfig",
    "workloadMetadataConfig",
)
_NETWORK_FORCE_NEW = (
    "acceleratorNetworkProfile",
    "additionalNodeNetworkConfigs",
    "additionalPodNetworkConfigs",
    "createPodRange",
    "podCidrOverprovisionConfig",
    "podIpv4CidrBlock",
    "podRange",
    "subnetwork",
)
_CLUSTER_NODE_CONFIG_FORCE_NEW = ("labels", "resourceManagerTags", "workloadMetadataConfig")
_ONCE_ON = ("enableFqdnNetworkPolicy", "enableL4IlbSubsetting")
"""What a cluster is replaced for only to turn it off (ForceNewIfChange isBeenEnabled)."""

FORCE_NEW: dict[str, tuple[str, ...]] = {
    NODE_POOL: (
        "cluster",
        "initialNodeCount",
        "location",
        "maxPodsPerNode",
        "name",
        "namePrefix",
        "placementPolicy",
        "project",
        "queuedProvisioning",
        *(f"networkConfig.{key}" for key in _NETWORK_FORCE_NEW),
        *(f"nodeConfig.{key}" for key in _NODE_CONFIG_FORCE_NEW),
    ),
    CLUSTER: (
        "clusterIpv4Cidr",
        "confidentialNodes",
        "datapathProvider",
        "defaultMaxPodsPerNode",
        "description",
        "enableAutopilot",
        "enableKubernetesAlpha",
        "enableMultiNetworking",
        "enableTpu",
        "initialNodeCount",
        "ipAllocationPolicy",
        "location",
        "masterAuth.clientCertificateConfig",
        "name",
        "network",
        "networkingMode",
        "nodePools",
        "privateClusterConfig.masterIpv4CidrBlock",
        "privateClusterConfig.privateEndpointSubnetwork",
        "project",
        "subnetwork",
        *(f"nodeConfig.{key}" for key in (*_NODE_CONFIG_FORCE_NEW, *_CLUSTER_NODE_CONFIG_FORCE_NEW)),
        *_ONCE_ON,
        "tpuConfig.enabled",
        "tpuConfig.useServiceNetworking",
    ),
}
"""Paths whose change, at or below them, replaces the resource."""

COMPUTED: dict[str, tuple[str, ...]] = {
    NODE_POOL: (
        "autoscaling.locationPolicy",
        "initialNodeCount",
        "location",
        "management",
        "maxPodsPerNode",
        "name",
        "namePrefix",
        "networkConfig",
        "nodeConfig",
        "nodeCount",
        "nodeDrainConfigs",
        "nodeLocations",
        "project",
        "upgradeSettings",
        "version",
        *(f"nodeConfig.{key}" for key in _NODE_CONFIG_COMPUTED),
    ),
    CLUSTER: (
        "addonsConfig",
        "clusterAutoscaling",
        "clusterIpv4Cidr",
        "controlPlaneEndpointsConfig",
        "databaseEncryption",
        "datapathProvider",
        "defaultMaxPodsPerNode",
        "defaultSnatStatus",
        "gatewayApiConfig",
        "ipAllocationPolicy",
        "location",
        "loggingConfig",
        "loggingService",
        "masterAuth",
        "masterAuthorizedNetworksConfig",
        "meshCertificates",
        "monitoringConfig",
        "monitoringService",
        "name",
        "networkPolicy",
        "networkingMode",
        "nodeConfig",
        "nodeLocations",
        "nodePoolAutoConfig",
        "nodePoolDefaults",
        "nodePools",
        "nodeVersion",
        "notificationConfig",
        "privateClusterConfig",
        "privateIpv6GoogleAccess",
        "project",
        "releaseChannel",
        "securityPostureConfig",
        "serviceExternalIpsConfig",
        "subnetwork",
        "verticalPodAutoscaling",
        "workloadIdentityConfig",
        *(f"nodeConfig.{key}" for key in _NODE_CONFIG_COMPUTED),
    ),
}
"""Paths that keep Google's value when the user gives none."""

SETS = frozenset({"nodeLocations", "nodeConfig.oauthScopes", "nodeConfig.reservationAffinity.values"})
"""Lists of clusters and node pools whose order means nothing."""
_LINKS = {
    CLUSTER: ("network", "subnetwork", "privateClusterConfig.privateEndpointSubnetwork"),
    NODE_POOL: ("networkConfig.subnetwork",),
}
"""Inputs that name a thing by its name or by any form of its full name (CompareSelfLinkOrResourceName)."""


def forces_replacement(token: str, path: str, old: Any = None, new: Any = None) -> bool:
    """Whether a change at a path replaces the resource; for a few paths the values decide."""
    kind = RESOURCE_TYPES.get(token)
    if kind is None:
        return _covers(FORCE_NEW[token], path) and not (path in _ONCE_ON and not old)
    return _covers(kind.force_new, path) and kind.replaces(path, old, new)


def is_computed(token: str, path: str) -> bool:
    """Whether Google fills a path in when the user gives nothing there."""
    kind = RESOURCE_TYPES.get(token)
    return path in (kind.computed if kind else COMPUTED[token])


def is_write_only(token: str, path: str) -> bool:
    """Whether a change at a top-level path means nothing, because Google never shows the value."""
    kind = RESOURCE_TYPES.get(token)
    return kind is not None and path in kind.write_only


def is_set(token: str, path: str) -> bool:
    """Whether the order of a list means nothing."""
    kind = RESOURCE_TYPES.get(token)
    return path in (kind.sets if kind else SETS)


def are_equal(token: str, path: str, state: Any, given: Any) -> bool:
    """Whether two values that differ as texts mean the same."""
    kind = RESOURCE_TYPES.get(token)
    if path in (kind.links if kind else _LINKS[token]):
        return same_thing(state, given)
    return kind is not None and path in kind.caseless and str(state).lower() == str(given).lower()


def _covers(paths: tuple[str, ...], path: str) -> bool:
    plain = path.replace("[", ".[")
    return any(plain == one or plain.startswith(f"{one}.") for one in paths)
