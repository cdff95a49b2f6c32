"""What a user is told when Vertex AI refuses, fails or does not end: short lines, no secrets, what to do."""

from __future__ import annotations

import re
import textwrap

import requests
from google.api_core import exceptions
from google.auth import exceptions as authentication
from google.protobuf import json_format

from infra.errors import StackError
from infra.vertex.deployment import Deployment

_WIDTH = 76
"""The engine indents by four columns."""
_LONGEST_ANSWER = 600
_SECRETS = re.compile(
    r"(?i)\bya29\.[\w.-]+|\bAQ\.[\w.-]+|\bAIza[\w-]{30,}|(?<=bearer )\S+|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bhf_\w{20,}"
)
"""Google access tokens and keys, bearer values, JWTs, Hugging Face tokens: an answer may quote what was sent."""


class VertexError(StackError):
    """Something at Vertex AI went wrong; `str()` is the whole text for the user, in lines of at most 76 columns."""

    def __init__(self, message: str) -> None:
        super().__init__(fold(redacted(message)))


class OperationTimeoutError(VertexError, TimeoutError):
    """An operation that did not end in time; its name is in the text."""


class TakenError(VertexError):
    """An endpoint or model with the wanted id that is not this stack's, or not what was asked for: left alone."""


class CutOffError(VertexError):
    """The connection broke before the answer: whether the call arrived is not known."""


ERRORS = (
    exceptions.GoogleAPICallError,
    authentication.GoogleAuthError,
    requests.exceptions.RequestException,
    json_format.ParseError,
    VertexError,
)
"""What a call can end with."""


def redacted(message: str) -> str:
    """The message without anything that looks like a token."""
    return _SECRETS.sub("[secret]", message)


def fold(message: str) -> str:
    """Break long lines; a line break of the message stays one."""
    return "\n".join(
        part
        for line in message.splitlines()
        for part in textwrap.wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    )


def explain(error: Exception, doing: str, wanted: Deployment) -> VertexError:
    """Return what to raise for an error of the Google client: what was tried, Google's words, what to do."""
    if isinstance(error, VertexError):
        return error
    if isinstance(error, authentication.GoogleAuthError):
        return VertexError(f"{doing}: no usable Google credentials. Run: gcloud auth application-default login")
    return VertexError("\n".join(line for line in (answered(error, doing), advice(error, wanted)) if line))


def answered(error: Exception, doing: str) -> str:
    """What was tried, and Google's words."""
    code = getattr(error, "code", None)
    status = f" ({int(code)})" if isinstance(code, int) else ""
    return f"{doing}: Google said{status}: {words(error)}"


def words(error: Exception) -> str:
    """What Google said, without the call that the client puts before it."""
    said = getattr(error, "message", None) or str(error) or type(error).__name__
    return re.sub(r"^(GET|POST|PATCH|DELETE) \S+: ", "", said)[:_LONGEST_ANSWER]


def advice(error: Exception, wanted: Deployment) -> str:
    """What helps; empty where nothing general does."""
    match error:
        case exceptions.Unauthenticated() | exceptions.Unauthorized():
            return "Run: gcloud auth application-default login"
        case exceptions.Forbidden():
            return (
                f"It takes the role roles/aiplatform.user in project {wanted.project}, and the service "
                "aiplatform.googleapis.com switched on."
            )
        case exceptions.TooManyRequests():
            return (
                f"Ask for more quota of {wanted.accelerator_type} in {wanted.location}, or take another location or "
                "accelerator."
            )
        case exceptions.NotFound():
            return f"Is {wanted.publisher_model} in Model Garden, and project {wanted.project} right?"
        case _:
            return ""
