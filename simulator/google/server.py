"""Serving the stand-in for the `gcp` provider on a loopback port."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from simulator.google.cloud import Cloud
from simulator.google.provider import GcpProvider

_MESSAGE_LIMIT_BYTES = 400 * 1024 * 1024
"""Pulumi's own limit for gRPC messages."""
_WORKERS = 256
"""Each operation under way holds one, and several engines may wait at once: Cancel must still get one."""


def serve(cloud: Cloud, port: int = 0) -> tuple[grpc.Server, int]:
    """Start serving.

    Args:
        cloud: The simulated cloud behind it.
        port: Where to listen on 127.0.0.1; 0 for any free port.

    Returns:
        The running server and its port, for PULUMI_DEBUG_PROVIDERS="gcp:PORT".
    """
    options = [
        ("grpc.max_receive_message_length", _MESSAGE_LIMIT_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_LIMIT_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="gcp"), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(GcpProvider(cloud), server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, bound
