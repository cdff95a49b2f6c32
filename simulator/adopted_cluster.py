"""The cluster that a platform adopts: on a real project someone has made it, here nobody has."""

from __future__ import annotations

import re
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from simulator.errors import SimulatorError
from simulator.google.schema import CLUSTER
from simulator.google.wire import to_struct

# What a cluster of today has, by the words of `cluster.lacks`: those that a file says are lacking are left out.
_FEATURES: dict[str, dict[str, Any]] = {
    "gateway-api": {"gatewayApiConfig": {"channel": "CHANNEL_STANDARD"}},
    "gcs-fuse": {"addonsConfig": {"gcsFuseCsiDriverConfig": {"enabled": True}}},
    "managed-prometheus": {"monitoringConfig": {"managedPrometheus": {"enabled": True}}},
    "network-policy": {"datapathProvider": "ADVANCED_DATAPATH"},
    "secret-manager": {"secretManagerConfig": {"enabled": True}},
    "secret-sync": {"secretSyncConfig": {"enabled": True}},
    "shielded-nodes": {"enableShieldedNodes": True},
}


def make_adopted(gcp_port: int, gke: dict[str, Any]) -> bool:
    """Make the cluster of a platform file as its owner would have; return whether it was missing.

    Args:
        gcp_port: loopback port of the stand-in for Google.
        gke: the file's `gke`, already checked.

    Raises:
        SimulatorError: Google would refuse such a cluster.
    """
    urn = f"urn:pulumi:by-hand::by-hand::{CLUSTER}::{gke['cluster']['name']}"
    with grpc.insecure_channel(f"127.0.0.1:{gcp_port}") as channel:
        google = provider_pb2_grpc.ResourceProviderStub(channel)
        try:
            checked = google.Check(provider_pb2.CheckRequest(urn=urn, news=to_struct(_inputs(gke))))
            if checked.failures:
                raise SimulatorError("; ".join(failure.reason for failure in checked.failures))
            google.Create(provider_pb2.CreateRequest(urn=urn, properties=checked.inputs))
        except grpc.RpcError as error:
            if re.search("already exists|409", str(error.details()), re.IGNORECASE):
                return False
            raise SimulatorError(f"cluster '{gke['cluster']['name']}' of the platform: {error.details()}") from None
    return True


def _inputs(gke: dict[str, Any]) -> dict[str, Any]:
    cluster = gke["cluster"]
    inputs = {
        "name": cluster["name"],
        "project": gke["project"],
        "location": gke["location"],
        "deletionProtection": False,
        "releaseChannel": {"channel": gke.get("releaseChannel", "REGULAR")},
    }
    if cluster.get("mode") == "autopilot":
        return inputs | {"enableAutopilot": True}
    lacks = cluster.get("lacks") or []
    for feature, block in _FEATURES.items():
        if feature not in lacks:
            inputs |= block
    if "workload-identity" not in lacks:
        inputs["workloadIdentityConfig"] = {"workloadPool": f"{gke['project']}.svc.id.goog"}
    return inputs | {"initialNodeCount": 1, "nodeConfig": {"machineType": "e2-standard-4"}}
