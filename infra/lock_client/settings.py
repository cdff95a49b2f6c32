"""Whom to ask, and as whom: from the environment and Docker's own file, and never written or printed."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.errors import StackError

HUB = "https://huggingface.co"
MIRRORS = "SERVESTACK_REGISTRIES"
_DOCKER_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_BIGGEST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    Attributes:
        hub: address of the hub or its mirror, without a last slash.
        token: of the hub; empty for none.
        mirrors: address by registry, asked in place of it.
        passwords: `user:password` in base64 by registry, as `docker login` wrote it.
        helped: registries, or `*` for all, whose credentials are with a program that is not asked.
    """

    hub: str = HUB
    token: str = field(default="", repr=False)
    mirrors: Mapping[str, str] = field(default_factory=dict)
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    helped: frozenset[str] = frozenset()

    def password(self, registry: str) -> str:
        """Credentials for a registry in base64; empty where there are none."""
        keys = (
            _DOCKER_HUB_KEYS if registry == "docker.io" else (registry, f"https://{registry}", f"https://{registry}/")
        )
        return next((self.passwords[key] for key in keys if key in self.passwords), "")


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings of this process.

    Raises:
        StackError: a variable or Docker's file is not as its documentation has it.
    """
    known = os.environ if environment is None else environment
    hub, token = known.get("HF_ENDPOINT", "").rstrip("/") or HUB, known.get("HF_TOKEN", "").strip()
    _address("HF_ENDPOINT", hub)
    if token and not re.fullmatch(r"[!-~]+", token):
        raise StackError("HF_TOKEN is no token: it has characters that none has. Copy it again.")
    if token and not is_private(hub):
        raise StackError("HF_ENDPOINT begins with http, which shows HF_TOKEN to everyone on the way. Use https.")
    passwords, helped = _docker(Path(known.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json")
    return Settings(hub, token, _mirrors(known.get(MIRRORS, "")), passwords, helped)


def is_private(address: str) -> bool:
    """Whether nobody on the way can read what is sent to an address."""
    parts = urllib.parse.urlsplit(address)
    return parts.scheme == "https" or parts.hostname in _LOCAL


def _mirrors(text: str) -> dict[str, str]:
    found = {}
    for entry in filter(None, (one.strip() for one in text.split(","))):
        registry, _, address = entry.partition("=")
        if not registry or not address:
            raise StackError(f"{MIRRORS} is REGISTRY=ADDRESS,..., such as docker.io=https://mirror.example.")
        _address(MIRRORS, address)
        found[registry] = address.rstrip("/")
    return found


def _address(variable: str, text: str) -> None:
    """Refuse what is no address, without a word of it: people write passwords into addresses."""
    try:
        parts = urllib.parse.urlsplit(text)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        right = right and not (parts.query or parts.fragment or "@" in parts.netloc) and text.isprintable()
    except ValueError:
        right = False
    if not right:
        raise StackError(f"{variable}: write an address such as https://mirror.example, without user and query.")


def _docker(file: Path) -> tuple[dict[str, str], frozenset[str]]:
    """Credentials of Docker's file (docker CLI documentation, config.json), and whose are with a helper."""
    try:
        with file.open("rb") as stream:
            said = json.loads(stream.read(_BIGGEST_BYTES))
        if not isinstance(said, dict):
            raise ValueError
        auths, helpers = said.get("auths") or {}, said.get("credHelpers") or {}
        found = {key: one["auth"] for key, one in auths.items() if isinstance(one, dict) and one.get("auth")}
        for one in found.values():
            _check_basic(one)
        return found, frozenset({*helpers, *(["*"] if said.get("credsStore") else [])})
    except (FileNotFoundError, NotADirectoryError):
        return {}, frozenset()
    except OSError as error:
        raise StackError(f"{file}: cannot be read: {error.strerror}.") from None
    except (ValueError, AttributeError, TypeError):
        raise StackError(f"{file}: not Docker's configuration. Correct it, or set DOCKER_CONFIG.") from None


def _check_basic(text: Any) -> None:
    try:
        if b":" not in base64.b64decode(text, validate=True):
            raise ValueError
    except binascii.Error:
        raise ValueError from None
