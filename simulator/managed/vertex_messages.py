"""Bodies of the Vertex AI API, read and written by Google's own message types, v1 and v1beta1.

They take a second to import, so that happens when the first body comes.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

from google.protobuf import json_format

from simulator.managed.errors import INVALID, ApiError

_PACKAGES = {"v1": "aiplatform_v1", "v1beta1": "aiplatform_v1beta1", "ui": "aiplatform_v1beta1"}
"""By the path's first part; operations below `/ui/` are gapic's."""


@functools.cache
def _types(version: str) -> Any:
    return importlib.import_module(f"google.cloud.{_PACKAGES[version]}").types


def read(version: str, kind: str, body: Any) -> dict[str, Any]:
    """A body as the API reads it, in camelCase with enums as names, whichever spelling it came in.

    Raises:
        ApiError: it has a field that the API does not have.
    """
    message = getattr(_types(version), kind)
    parsed = message.pb(message())
    try:
        json_format.ParseDict(body or {}, parsed)
    except json_format.ParseError as error:
        raise ApiError(INVALID, str(error)) from error
    return dict(json_format.MessageToDict(parsed))


def show(version: str, kind: str, state: dict[str, Any]) -> dict[str, Any]:
    """State as one version of the API tells it: without the fields that it lacks."""
    message = getattr(_types(version), kind)
    parsed = json_format.ParseDict(state, message.pb(message()), ignore_unknown_fields=True)
    return dict(json_format.MessageToDict(parsed))
