"""Errors as the official provider answers them: plain, or with the state of a resource that is not well.

Source: pulumi-terraform-bridge (errors come through Go's multierror), and the protocol's ErrorResourceInitFailed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NoReturn, TypeVar

import grpc
from google.rpc import code_pb2, status_pb2
from grpc_status import rpc_status  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2

from simulator.google.errors import GoogleError, PartialFailureError
from simulator.google.wire import Properties, to_struct

_LOG = logging.getLogger(__name__)
_Result = TypeVar("_Result")


def refuse(context: grpc.ServicerContext, message: str) -> NoReturn:
    """End a request with an error."""
    context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError("abort does not return")


def one_error(text: str) -> str:
    """A single error as Go's multierror prints it, which is how the bridge passes errors on."""
    return f"1 error occurred:\n\t* {text}\n\n"


def attempt(
    context: grpc.ServicerContext,
    doing: str,
    call: Callable[[], _Result],
    kept: tuple[str, Properties] | None = None,
) -> _Result:
    """Run a call, and turn its errors into the answers of the official provider.

    Args:
        context: The request's.
        doing: What is tried, such as "updating URN".
        call: The attempt.
        kept: Id and state to keep when it fails; without them a failure leaves nothing behind.

    Returns:
        What the call returned.
    """
    try:
        return call()
    except PartialFailureError as error:
        _refuse_partly(context, error.identifier, error.outputs, f"{doing}: {one_error(str(error))}")
    except GoogleError as error:
        if kept is None:
            refuse(context, one_error(str(error)))
        _refuse_partly(context, kept[0], kept[1], f"{doing}: {one_error(str(error))}")
    except Exception as error:
        _LOG.exception("%s failed", doing)
        refuse(context, f"{doing}: the simulated Google Cloud failed: {error}. See its log.")


def _refuse_partly(context: grpc.ServicerContext, identifier: str, outputs: Properties, reason: str) -> NoReturn:
    detail = provider_pb2.ErrorResourceInitFailed(id=identifier, properties=to_struct(outputs), reasons=[reason])
    status = status_pb2.Status(code=code_pb2.UNKNOWN, message=reason)
    status.details.add().Pack(detail)
    context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort does not return")
