"""Look-ups of what is there in Google Cloud."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime import invoke

if TYPE_CHECKING:
    import pulumi_gcp as gcp

_PLUGIN_VERSION = version("pulumi-gcp")


class LookUpError(Exception):
    """The provider's own words, of which the first line is `str()`; `missing` where there is no such thing."""

    def __init__(self, words: str) -> None:
        super().__init__(words.strip().split("\n")[0])
        self.missing = "not found" in words.lower() or "404" in words


def look_up(token: str, arguments: Mapping[str, Any], provider: gcp.Provider) -> Mapping[str, Any]:
    """What a function of the Google provider answers.

    Raises:
        LookUpError: it answers nothing.
    """
    options = pulumi.InvokeOptions(provider=provider, version=_PLUGIN_VERSION)
    try:
        found: Mapping[str, Any] = invoke(token, dict(arguments), options).value
    except Exception as error:
        raise LookUpError(str(error)) from None
    return found
