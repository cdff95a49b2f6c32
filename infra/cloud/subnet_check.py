"""What is wrong with a subnet that is there, for a cluster that is to be made in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.cloud.cluster_check import Finding
from infra.cloud.network import secondary_ranges
from infra.plan.platform_names import subnetwork_name
from infra.spec import Gke


def missing_of_subnet(found: Mapping[str, Any], gke: Gke) -> tuple[Finding, ...]:
    """Ranges that the file names and the subnet has not, and Private Google Access."""
    subnet, where = subnetwork_name(gke), f"--region {gke.region} --project {gke.project}"
    update = f"gcloud compute networks subnets update {subnet} {where}"
    ranges = {str(one.get("rangeName")) for one in found.get("secondaryIpRanges") or ()}
    has = ", ".join(sorted(ranges)) or "none"
    findings = [
        Finding(
            "network",
            f"subnet {subnet} has no secondary range {name}",
            f"pods and Services of the cluster take their addresses there; it has {has}",
            f"{update} --add-secondary-ranges {name}=RANGE",
            blocks=True,
        )
        for name in secondary_ranges(gke)
        if name not in ranges
    ]
    if not found.get("privateIpGoogleAccess"):
        findings.append(
            Finding(
                "network",
                f"subnet {subnet} has no Private Google Access",
                "nodes have no address of their own, and reach buckets, registries and logs of Google by it",
                f"{update} --enable-private-ip-google-access",
            )
        )
    return tuple(findings)
