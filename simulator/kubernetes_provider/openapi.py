"""The server's OpenAPI v3 documents: one per API version, fetched when first needed, shared by content hash."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]

_documents: dict[tuple[str, str], Document] = {}
"""Documents by server and hashed URL: the server changes the hash with the content."""

_last_known: dict[str, Document] = {}
"""The newest document of each API version, from whatever server."""


def last_known(api_version: str) -> Document | None:
    """A document for use while no server answers; normalising is offline work in the official provider."""
    return _last_known.get(api_version)


class Document:
    """The schemas of one API version."""

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self._schemas = schemas
        self._kinds: dict[tuple[str, str, str], str] = {}
        for name, schema in schemas.items():
            for kind in schema.get("x-kubernetes-group-version-kind") or []:
                self._kinds[(kind["group"], kind["version"], kind["kind"])] = name

    def kind(self, group: str, version: str, kind: str) -> tuple[str, Schema] | None:
        """The name and schema of a kind."""
        name = self._kinds.get((group, version, kind))
        return None if name is None else (name, self._schemas[name])

    def resolve(self, schema: Schema) -> tuple[str, Schema]:
        """Follows `$ref` and single `allOf`; the name is empty for a schema written in place."""
        name = ""
        while True:
            parts = schema.get("allOf")
            reference = schema.get("$ref") or (parts[0].get("$ref") if parts and len(parts) == 1 else None)
            if not reference:
                return name, schema
            name = str(reference).rpartition("/")[2]
            schema = self._schemas.get(name, {})


class OpenApi:
    """The documents of one server.

    Attributes of the constructor:
        server: base URL, part of the cache key.
        fetch: reads a path of the server as JSON.
    """

    def __init__(self, server: str, fetch: Callable[[str], Any]) -> None:
        self._server = server
        self._fetch = fetch
        self._lock = threading.Lock()
        self._paths: dict[str, str] | None = None

    def reset(self) -> None:
        """Reads the list of documents again when next needed."""
        self._paths = None

    def document(self, api_version: str) -> Document | None:
        """The document of an API version, or None where the server has none."""
        key = f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
        with self._lock:
            if self._paths is None:
                listed = self._fetch("/openapi/v3").get("paths") or {}
                self._paths = {path: entry["serverRelativeURL"] for path, entry in listed.items()}
            url = self._paths.get(key)
            if url is None:
                return None
            cached = _documents.get((self._server, url))
            if cached is None:
                answer = self._fetch(url)
                cached = Document((answer.get("components") or {}).get("schemas") or {})
                _documents[(self._server, url)] = cached
            _last_known[api_version] = cached
            return cached
