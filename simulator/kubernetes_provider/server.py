"""Starts the provider's gRPC server."""

from __future__ import annotations

from concurrent import futures
from typing import Final

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from simulator.kubernetes_provider.provider import KubernetesProvider

_MESSAGE_LIMIT_BYTES: Final = 400 * 1024 * 1024
_THREADS: Final = 1024
"""Each waiting resource holds one thread, and several engines may wait at once: Cancel must still get one. Threads
are made only when they are needed."""


def serve() -> tuple[grpc.Server, int]:
    """Starts the server on a free loopback port.

    Returns:
        The running server, and its port for `PULUMI_DEBUG_PROVIDERS=kubernetes:PORT`.
    """
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="kubernetes-provider"),
        options=[
            ("grpc.max_receive_message_length", _MESSAGE_LIMIT_BYTES),
            ("grpc.max_send_message_length", _MESSAGE_LIMIT_BYTES),
        ],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(KubernetesProvider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port
