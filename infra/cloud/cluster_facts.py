"""What a cluster that is there has, from Pulumi's look-up or from `gcloud ... describe --format json`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.spec.gke import LACKS

# Autopilot has them always (GKE documentation, Autopilot overview).
_ALWAYS_ON_AUTOPILOT = {"gcs-fuse", "managed-prometheus", "network-policy", "shielded-nodes", "workload-identity"}


@dataclass(frozen=True)
class ClusterFacts:
    """What matters of a cluster.

    Attributes:
        version: of the control plane, such as `1.34.1-gke.3084002`.
        features: those words of `cluster.lacks` that it does not lack.
    """

    autopilot: bool
    version: str
    features: frozenset[str]

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it does not have, in alphabetical order."""
        return tuple(word for word in LACKS if word not in self.features)


def cluster_facts(found: Mapping[str, Any]) -> ClusterFacts:
    """Facts of either form: Pulumi makes every block a list of a plural name, and leaves out `networkConfig`."""
    autopilot = bool(found.get("enableAutopilot") or _block(found, "autopilot").get("enabled"))
    network = _block(found, "networkConfig") or found
    monitoring = _block(found, "monitoringConfig")
    prometheus = _block(monitoring, "managedPrometheus") or _block(monitoring, "managedPrometheusConfig")
    fuse = _block(_block(found, "addonsConfig"), "gcsFuseCsiDriverConfig")
    policies = network.get("datapathProvider") == "ADVANCED_DATAPATH" or _on(_block(found, "networkPolicy"))
    has = {
        "gateway-api": _block(network, "gatewayApiConfig").get("channel")
        in {"CHANNEL_STANDARD", "CHANNEL_EXPERIMENTAL"},
        "gcs-fuse": _on(fuse),
        "managed-prometheus": _on(prometheus),
        "network-policy": policies,
        "secret-manager": _on(_block(found, "secretManagerConfig")),
        "secret-sync": _on(_block(found, "secretSyncConfig")),
        "shielded-nodes": bool(found.get("enableShieldedNodes") or _on(_block(found, "shieldedNodes"))),
        "workload-identity": bool(_block(found, "workloadIdentityConfig").get("workloadPool")),
    }
    features = {name for name, there in has.items() if there} | (_ALWAYS_ON_AUTOPILOT if autopilot else set())
    version = str(found.get("currentMasterVersion") or found.get("masterVersion") or "")
    return ClusterFacts(autopilot, version, frozenset(features))


def dns_endpoint(found: Mapping[str, Any]) -> str:
    """The cluster's DNS name where users may come by it, else ""."""
    config = _block(_block(found, "controlPlaneEndpointsConfig"), "dnsEndpointConfig")
    return str(config.get("endpoint") or "") if config.get("allowExternalTraffic") else ""


def older(version: str, than: str) -> bool:
    """Whether a GKE version comes before another; False where it cannot be read.

    >>> older("1.33.5-gke.1862000", "1.34.0-gke.1626000")
    True
    """
    have, want = _numbers(version), _numbers(than)
    return bool(have and want and have < want)


def _numbers(version: str) -> tuple[int, ...]:
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:-gke\.(\d+))?", version)
    return tuple(int(number or 0) for number in found.groups()) if found else ()


def _on(block: Mapping[str, Any]) -> bool:
    return bool(block.get("enabled"))


def _block(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A block by its name in Google's API, or by the plural of Pulumi's look-ups; empty where there is none."""
    plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}es" if name.endswith("s") else f"{name}s"
    value = found.get(name, found.get(plural))
    if isinstance(value, (list, tuple)):
        value = value[0] if value else None
    return value if isinstance(value, Mapping) else {}
