"""Drives the stand-in for the gcp provider over gRPC, as the engine does."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2 as proto

from simulator.google.schema import CLUSTER, NODE_POOL
from simulator.google.wire import from_struct, to_struct

CLUSTER_URN = f"urn:pulumi:dev::servestack::{CLUSTER}::dev"
POOL_URN = f"urn:pulumi:dev::servestack::a:b:C${NODE_POOL}::gpu"
CLUSTER_ID = "projects/p/locations/us-central1/clusters/dev"
POOL_ID = f"{CLUSTER_ID}/nodePools/gpu"
CLUSTER_INPUTS = {
    "name": "dev",
    "location": "us-central1",
    "removeDefaultNodePool": True,
    "initialNodeCount": 1,
    "deletionProtection": False,
}
POOL_INPUTS: dict[str, Any] = {
    "name": "gpu",
    "cluster": "dev",
    "location": "us-central1",
    "initialNodeCount": 0,
    "nodeLocations": ["us-central1-a"],
    "autoscaling": {"totalMaxNodeCount": 2, "locationPolicy": "ANY"},
    "nodeConfig": {
        "machineType": "a3-highgpu-1g",
        "spot": True,
        "guestAccelerators": [{"type": "nvidia-h100-80gb", "count": 1}],
    },
}


class Engine:
    """Calls the provider as the engine does."""

    def __init__(self, stub: Any) -> None:
        self.stub = stub

    def check(self, urn: str, inputs: dict[str, Any]) -> Any:
        return self.stub.Check(proto.CheckRequest(urn=urn, news=to_struct(inputs), randomSeed=b"seed"))

    def create(self, urn: str, inputs: dict[str, Any], **options: Any) -> Any:
        return self.stub.Create(proto.CreateRequest(urn=urn, properties=to_struct(inputs), **options))

    def read(
        self, urn: str, identifier: str, inputs: dict[str, Any] | None = None, state: dict[str, Any] | None = None
    ) -> Any:
        request = proto.ReadRequest(urn=urn, id=identifier, properties=to_struct(state or {}))
        if inputs:
            request.inputs.CopyFrom(to_struct(inputs))
        return self.stub.Read(request)

    def update(self, urn: str, identifier: str, state: dict[str, Any], inputs: dict[str, Any]) -> Any:
        return self.stub.Update(
            proto.UpdateRequest(urn=urn, id=identifier, olds=to_struct(state), news=to_struct(inputs))
        )

    def delete(self, urn: str, identifier: str, state: dict[str, Any]) -> Any:
        return self.stub.Delete(proto.DeleteRequest(urn=urn, id=identifier, properties=to_struct(state)))

    def invoke(self, token: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = self.stub.Invoke(proto.InvokeRequest(tok=token, args=to_struct(arguments)))
        return from_struct(getattr(answer, "return"))


def error_of(call: Any, *arguments: Any, **options: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    error: grpc.RpcError = caught.value
    return error


def partial_state(error: grpc.RpcError) -> proto.ErrorResourceInitFailed:
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(details)
    failed = proto.ErrorResourceInitFailed()
    assert status.details[0].Unpack(failed)
    return failed
