"""Asking the Gemini API whether it serves a model, by Google's own client (google-genai 2.34.0). It costs no tokens."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import requests
from google import genai
from google.api_core import exceptions
from google.genai import errors, types

from infra.catalog.records import Catalog
from infra.live.findings import Live
from infra.live.sentences import sentence
from infra.live.served_model import compare
from infra.plan.managed import ManagedPlan
from infra.vertex.addresses import host_of, is_loopback
from infra.vertex.calls import Calls, Pace
from infra.vertex.failures import ERRORS, VertexError, answered

KEY_VARIABLES = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
ADDRESS_VARIABLE = "GOOGLE_GEMINI_BASE_URL"
_HOST = "generativelanguage.googleapis.com"
_DOING = "the Gemini API could not be asked"
_KEY = re.compile(r"[!-~]+")


def ask_gemini(plan: ManagedPlan, catalog: Catalog, pace: Pace) -> Live:
    """Whether the Gemini API serves the planned model to the key of the environment, and for how many tokens."""
    base = os.environ.get(ADDRESS_VARIABLE, "")
    live = Live(plan.service, f"models/{plan.model.request_model}", host_of(base) or _HOST)
    variable = next((one for one in KEY_VARIABLES if os.environ.get(one, "").strip()), "")
    key = os.environ[variable].strip() if variable else ""
    command = (
        f"\n  export {variable or KEY_VARIABLES[0]}=$(gcloud secrets versions access latest \\"
        f"\n    --secret={plan.calling.key_secret} --project={plan.project})"
    )
    if not key:
        return replace(live, error=f"no key for the Gemini API; run:{command}")
    if not _KEY.fullmatch(key):
        return replace(live, error=f"what {variable} holds is no key; run:{command}")
    if base and not _may_see_a_key(base):
        return replace(
            live, error=f"{ADDRESS_VARIABLE} must be https://..., or http:// on this machine: a key goes there"
        )
    try:
        client = genai.Client(vertexai=False, api_key=key, http_options=types.HttpOptions(base_url=base or None))
        found = Calls(pace, "gemini").ask("reading the model", _Reader(client).get, model=plan.model.request_model)
    except exceptions.NotFound:
        gone = f"the Gemini API does not serve {plan.model.request_model} to this key: callers would get 404"
        return replace(live, keeps_plan=False, differences=(gone,))
    except exceptions.GoogleAPICallError as error:
        return replace(live, error=sentence(answered(error, _DOING), key) + _advice(error, variable, command))
    except (*ERRORS, ValueError) as error:
        return replace(live, error=sentence(f"{_DOING}: {error}", key))
    return compare(plan, catalog, live, found)


class _Reader:
    """The client's look at a model, with the arguments and errors of Vertex AI's clients."""

    def __init__(self, client: genai.Client) -> None:
        self._client = client

    def get(self, *, model: str, timeout: float, retry: None) -> Any:  # noqa: ARG002
        """Look once."""
        options = types.HttpOptions(timeout=int(timeout * 1000))
        try:
            found = self._client.models.get(model=model, config=types.GetModelConfig(http_options=options))
        except errors.APIError as error:
            said = str(error.message or "")
            raise exceptions.from_http_status(error.code, said) from None  # type: ignore[no-untyped-call]
        except ValueError as error:
            raise VertexError(f"the answer cannot be read ({type(error).__name__})") from None
        except Exception as error:  # of its HTTP library, of which it chooses one of two
            kind = type(error).__name__
            told = requests.exceptions.Timeout if "Timeout" in kind else requests.exceptions.ConnectionError
            raise told(kind) from None
        if not found.name:
            raise VertexError("the answer names no model")
        return found


def _may_see_a_key(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    return bool(safe and parts.hostname and parts.username is None)


def _advice(error: Exception, variable: str, command: str) -> str:
    match error:
        case exceptions.BadRequest() | exceptions.Unauthorized() | exceptions.Forbidden():
            return f"\nIs the key of {variable} the right one? The stack's own:{command}"
        case exceptions.TooManyRequests() | exceptions.ServiceUnavailable():
            return "\nTry again later."
        case _:
            return ""
