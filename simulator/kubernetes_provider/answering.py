"""Turns errors into gRPC answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import grpc
from pulumi.runtime.proto import provider_pb2, status_pb2

from simulator.kubernetes_provider.errors import (
    ApiError,
    KubeconfigError,
    NoMatchError,
    PartialFailureError,
    ProviderError,
    UnimplementedError,
    UnreachableError,
)
from simulator.kubernetes_provider.properties import to_struct

_EXPECTED = (ApiError, KubeconfigError, NoMatchError, ProviderError, UnreachableError)


@contextmanager
def answering(context: grpc.ServicerContext) -> Iterator[None]:
    """Answers errors with code Unknown and their plain text, as the official plugin does."""
    try:
        yield
    except PartialFailureError as error:
        _abort_partial(context, error)
    except UnimplementedError as error:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
    except _EXPECTED as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _abort_partial(context: grpc.ServicerContext, error: PartialFailureError) -> NoReturn:
    """Official behaviour: provider.go partialError."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.identifier, properties=to_struct(error.properties), reasons=error.reasons
    )
    if error.inputs is not None:
        detail.inputs.CopyFrom(to_struct(error.inputs))
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))
    raise AssertionError("abort raises")
