"""A cluster's output properties, named and filled as the official provider does after reading the GKE API.

Source: the SDK's Cluster and GetClusterResult classes, and the provider's documentation of
google_container_cluster.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from simulator.google import pool_inputs
from simulator.google.labels import ATTRIBUTION
from simulator.google.machine_types import Compute, region_of
from simulator.google.pool_outputs import NODE_VERSION, default_zones, pool_outputs
from simulator.google.resource_type import relative
from simulator.google.wire import Properties

COMPUTED_OUTPUTS = (
    "clusterIpv4Cidr",
    "effectiveLabels",
    "endpoint",
    "labelFingerprint",
    "masterAuth",
    "masterVersion",
    "nodeLocations",
    "nodePools",
    "nodeVersion",
    "operation",
    "project",
    "pulumiLabels",
    "selfLink",
    "servicesIpv4Cidr",
    "subnetwork",
    "tpuIpv4CidrBlock",
)
"""Outputs that a preview cannot know unless the user gives them."""
_PUBLIC_ENDPOINT, _PRIVATE_ENDPOINT = "203.0.113.2", "172.16.0.2"
"""Addresses of a control plane that nothing here answers at: `endpoint` is the one to use."""
_CONTAINER = "https://container.googleapis.com/v1beta1"


def cluster_outputs(compute: Compute, full_name: str, record: dict[str, Any]) -> Properties:
    """All outputs of a cluster.

    The endpoint is "127.0.0.1:PORT" where Google gives an address whose port is 443.

    Args:
        compute: The machine types.
        full_name: projects/P/locations/L/clusters/C.
        record: Its inputs, node pools, endpoint and certificate.
    """
    _, project, _, location, _, name = full_name.split("/")
    inputs = {key: value for key, value in record["inputs"].items() if value is not None and key != "__defaults"}
    labels = {**record.get("providerLabels", ATTRIBUTION), **(inputs.get("resourceLabels") or {})}
    pools = [
        pool_outputs(
            compute,
            project,
            location,
            name,
            pool_inputs.zones(compute, location, inputs, pool["inputs"]),
            pool_name,
            pool,
        )
        for pool_name, pool in sorted(record["nodePools"].items())
    ]
    network = f"projects/{project}/global/networks"
    subnetwork = f"projects/{project}/regions/{region_of(location)}/subnetworks"
    certificate = base64.b64encode(record.get("caPem", "").encode()).decode()
    pods, services = record.get("clusterSecondaryRangeName"), record.get("servicesSecondaryRangeName")
    return {
        "clusterIpv4Cidr": pods or "10.4.0.0/14",
        "datapathProvider": "LEGACY_DATAPATH",
        "defaultMaxPodsPerNode": 110,
        "deletionProtection": True,
        "enableShieldedNodes": True,
        "initialNodeCount": 0,
        "loggingService": "logging.googleapis.com/kubernetes",
        "monitoringService": "monitoring.googleapis.com/kubernetes",
        "networkingMode": "VPC_NATIVE",
        "nodeLocations": default_zones(compute, location),
        "nodeVersion": NODE_VERSION,
        "operation": "",
        "privateIpv6GoogleAccess": "",
        "resourceLabels": {},
        "servicesIpv4Cidr": services or "34.118.224.0/20",
        "tpuIpv4CidrBlock": "",
        **inputs,
        **_filled_in(project, inputs, str(record.get("endpoint", ""))),
        "network": _full(network, inputs.get("network")),
        "subnetwork": _full(subnetwork, inputs.get("subnetwork")),
        "effectiveLabels": labels,
        "pulumiLabels": labels,
        "endpoint": record.get("endpoint", ""),
        "id": full_name,
        "labelFingerprint": hashlib.sha256(repr(sorted(labels.items())).encode()).hexdigest()[:8],
        "location": location,
        "masterAuth": {
            "clientCertificate": "",
            "clientCertificateConfig": {"issueClientCertificate": False},
            "clientKey": "",
            "clusterCaCertificate": certificate,
        },
        "masterVersion": NODE_VERSION,
        "name": name,
        "nodePools": pools,
        "project": project,
        "selfLink": f"{_CONTAINER}/{full_name}",
    }


def _filled_in(project: str, inputs: Properties, address: str) -> Properties:
    """Blocks that Google completes; each only if it was given, or comes with Autopilot."""
    filled: Properties = {}
    if inputs.get("enableAutopilot"):
        filled["workloadIdentityConfig"] = {"workloadPool": f"{project}.svc.id.goog"}
    if inputs.get("privateClusterConfig"):
        addresses = {"peeringName": "", "privateEndpoint": _PRIVATE_ENDPOINT, "publicEndpoint": _PUBLIC_ENDPOINT}
        filled["privateClusterConfig"] = {**addresses, **inputs["privateClusterConfig"]}
    endpoints = inputs.get("controlPlaneEndpointsConfig")
    if endpoints:
        completed = dict(endpoints)
        if endpoints.get("dnsEndpointConfig"):
            completed["dnsEndpointConfig"] = {"endpoint": _dns_name(address), **endpoints["dnsEndpointConfig"]}
        by_address = {"publicEndpoint": _PUBLIC_ENDPOINT, "privateEndpoint": _PRIVATE_ENDPOINT}
        completed["ipEndpointsConfig"] = {**by_address, **(endpoints.get("ipEndpointsConfig") or {})}
        filled["controlPlaneEndpointsConfig"] = completed
    return filled


def _dns_name(address: str) -> str:
    """The control plane's name: not `gke-ID.LOCATION.gke.goog`, which no one could look up, but one that leads to it.

    As on GKE its certificate is of an authority that the machine trusts: `simulator.environment` sets SSL_CERT_FILE.
    """
    host, colon, port = address.rpartition(":")
    return f"localhost{colon}{port}" if host else "localhost"


def _full(parent: str, name: str | None) -> str:
    name = relative(name or "default")
    return name if "/" in name else f"{parent}/{name}"
