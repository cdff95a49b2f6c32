"""Puts custom resource definitions into an API server, all at once, and waits until their kinds are served."""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

from simulator.binaries import cache_directory
from simulator.errors import SimulatorError

_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_QUERY = "fieldManager=simulator&fieldValidation=Ignore"
_AT_ONCE = 4
_LIMIT_SECONDS = 60.0
_POLL_SECONDS = 0.03
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _compact(file: Path) -> bytes:
    """Return a definition as JSON without descriptions, which are most of it; kept beside a file of the cache."""
    kept = file.with_suffix(".json")
    if kept.exists():
        return kept.read_bytes()
    content = json.dumps(_without_descriptions(yaml.load(file.read_bytes(), _LOADER))).encode()
    if cache_directory() in file.parents:
        temporary = kept.with_name(f".{kept.name}.{os.getpid()}.{threading.get_ident()}")
        temporary.write_bytes(content)
        temporary.replace(kept)
    return content


def _without_descriptions(value: Any) -> Any:
    """Leave the text out, and keep a property that is named so."""
    if isinstance(value, dict):
        return {
            key: _without_descriptions(inner)
            for key, inner in value.items()
            if not (key == "description" and isinstance(inner, str))
        }
    return [_without_descriptions(inner) for inner in value] if isinstance(value, list) else value


class Installer:
    """Installs definitions in one API server as its administrator."""

    def __init__(self, server: str, token: str, context: ssl.SSLContext) -> None:
        """Name the server; nothing is sent yet."""
        self._server = server
        self._token = token
        self._context = context

    def install(self, files: Sequence[Path], stamp: Path) -> None:
        """Create definitions, or bring those of an earlier start up to date; return when all are served.

        Args:
            files: YAML, one definition each.
            stamp: Written at the end, so that the next start of the same cluster has nothing to do.

        Raises:
            SimulatorError: The server refuses one, does not answer, or does not serve one in time.
        """
        wanted = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        try:
            with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
                # The largest take longest: first.
                names = set(pool.map(self._apply, sorted(files, key=lambda file: -file.stat().st_size)))
            self._wait_until_served(names)
        except OSError as error:
            raise SimulatorError(
                f"Custom resource definitions could not be installed in the cluster: {error}"
            ) from error
        stamp.write_text(wanted)

    def _apply(self, file: Path) -> str:
        content = _compact(file)
        name = str(json.loads(content)["metadata"]["name"])
        try:
            try:
                self._request("POST", f"{_PATH}?{_QUERY}", content, "application/json")
            except urllib.error.HTTPError as error:
                if error.code != HTTPStatus.CONFLICT:
                    raise
                patch = "application/apply-patch+yaml"
                self._request("PATCH", f"{_PATH}/{name}?{_QUERY}&force=true", content, patch)
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise SimulatorError(f"{file} could not be installed in the cluster:\n  {said}") from error
        return name

    def _wait_until_served(self, names: set[str]) -> None:
        """Wait until clients find every kind: the server lists a kind only once it is established."""
        deadline = time.monotonic() + _LIMIT_SECONDS
        while missing := names - self._listed():
            if time.monotonic() > deadline:
                raise SimulatorError(f"The cluster does not serve {', '.join(sorted(missing))}. See its log.")
            time.sleep(_POLL_SECONDS)

    def _listed(self) -> set[str]:
        return {
            f"{resource['resource']}.{group['metadata']['name']}"
            for group in self._request("GET", "/apis", accept=_DISCOVERY)["items"]
            for version in group["versions"]
            for resource in version.get("resources", ())
        }

    def _request(
        self, method: str, path: str, body: bytes | None = None, kind: str = "", accept: str = "application/json"
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": accept}
        if kind:
            headers["Content-Type"] = kind
        request = urllib.request.Request(self._server + path, data=body, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=_LIMIT_SECONDS, context=self._context) as answer:
            return json.load(answer)
