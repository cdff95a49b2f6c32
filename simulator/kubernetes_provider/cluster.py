"""A client of one API server: keep-alive HTTP, discovery, requests by kind, watches."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from simulator.kubernetes_provider.credentials import Credentials
from simulator.kubernetes_provider.errors import ApiError, NoMatchError, UnreachableError
from simulator.kubernetes_provider.kubeconfig import Connection
from simulator.kubernetes_provider.openapi import OpenApi
from simulator.kubernetes_provider.properties import Object

_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_TIMEOUT_SECONDS = 60.0
APPLY_PATCH = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True)
class ApiResource:
    """One kind as the server serves it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        """The request path of the collection, or of one object."""
        root = "/apis" if "/" in self.api_version else "/api"
        where = f"/namespaces/{namespace or 'default'}" if self.namespaced else ""
        return f"{root}/{self.api_version}{where}/{self.plural}" + (f"/{name}" if name else "")


class Cluster:
    """A client of one API server. Thread-safe; errors carry the texts of Go's client-go."""

    def __init__(self, connection: Connection) -> None:
        self.server = connection.server
        self._credentials = Credentials(connection)
        self._connection = connection
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._lock = threading.Lock()
        self._resources: dict[tuple[str, str], ApiResource] | None = None
        self.version: tuple[int, int] = (0, 0)
        self.openapi = OpenApi(self.server, lambda path: self.request("GET", path))

    def connect(self) -> None:
        """Reads the server's version and what it serves.

        Raises:
            UnreachableError: nothing answers.
            ApiError: the server refuses, for example the credentials.
        """
        version = self.request("GET", "/version")
        self.version = (_leading_number(version.get("major")), _leading_number(version.get("minor")))
        self._discover()

    def _http(self) -> urllib3.HTTPConnectionPool:
        with self._lock:
            if self._pool is None:
                url = urlsplit(self.server)
                options: dict[str, Any] = {"maxsize": 64, "block": False, "retries": False}
                if url.scheme == "https":
                    context = ssl.create_default_context(cadata=self._connection.ca_pem)
                    if self._connection.insecure:
                        context.check_hostname = False
                        context.verify_mode = ssl.CERT_NONE
                        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
                    self._credentials.add_certificate(context)
                    self._pool = urllib3.HTTPSConnectionPool(
                        url.hostname or "",
                        url.port or 443,
                        ssl_context=context,
                        server_hostname=self._connection.tls_server_name,
                        assert_hostname=self._connection.tls_server_name,
                        **options,
                    )
                else:
                    self._pool = urllib3.HTTPConnectionPool(url.hostname or "", url.port or 80, **options)
            return self._pool

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        streamed: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        target = urlsplit(self.server).path + path + (f"?{urlencode(query)}" if query else "")
        verb, url = method.capitalize(), self.server + path + (f"?{urlencode(query)}" if query else "")

        def once() -> urllib3.BaseHTTPResponse:
            return self._http().request(
                method,
                target,
                body=body,
                headers={"User-Agent": "pulumi-kubernetes", **self._credentials.headers(), **(headers or {})},
                timeout=urllib3.Timeout(connect=10.0, read=None if streamed else _TIMEOUT_SECONDS),
                preload_content=not streamed,
            )

        try:
            try:
                return once()
            except urllib3.exceptions.ProtocolError:
                if method != "GET":
                    raise
                return once()
        except (urllib3.exceptions.HTTPError, UnreachableError, OSError) as error:
            raise UnreachableError(f'{verb} "{url}": {self._go_text(error)}') from error

    def _go_text(self, error: Exception) -> str:
        url = urlsplit(self.server)
        endpoint = f"{url.hostname}:{url.port or (443 if url.scheme == 'https' else 80)}"
        if isinstance(error, UnreachableError):
            return str(error)
        if isinstance(error, urllib3.exceptions.NameResolutionError):
            return f"dial tcp: lookup {url.hostname}: no such host"
        if isinstance(error, urllib3.exceptions.SSLError):
            return "tls: failed to verify certificate: x509: certificate signed by unknown authority"
        if isinstance(error, urllib3.exceptions.ConnectTimeoutError) and not isinstance(
            error, urllib3.exceptions.NewConnectionError
        ):
            return f"dial tcp {endpoint}: i/o timeout"
        if isinstance(error, urllib3.exceptions.NewConnectionError):
            return f"dial tcp {endpoint}: connect: connection refused"
        return "EOF" if isinstance(error, urllib3.exceptions.ProtocolError) else str(error)

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Any:
        """Sends one request and returns the decoded JSON answer.

        Raises:
            ApiError: any answer that is not 2xx.
            UnreachableError: no answer.
        """
        headers = {"Accept": accept}
        payload: bytes | None = None
        if body is not None:
            payload = json.dumps(body).encode()
            headers["Content-Type"] = content_type
        response = self._send(method, path, query, payload, headers)
        if response.status == 401:
            self._credentials.forget()
        if response.status >= 300:
            raise _api_error(response.status, response.data)
        return json.loads(response.data)

    def _discover(self) -> dict[tuple[str, str], ApiResource]:
        found: dict[tuple[str, str], ApiResource] = {}
        for root in ("/api", "/apis"):
            for group in self.request("GET", root, accept=_DISCOVERY).get("items") or []:
                name = (group.get("metadata") or {}).get("name") or ""
                for version in group.get("versions") or []:
                    api_version = f"{name}/{version['version']}" if name else version["version"]
                    for entry in version.get("resources") or []:
                        kind = entry.get("responseKind", {}).get("kind") or ""
                        found.setdefault(
                            (api_version, kind),
                            ApiResource(api_version, kind, entry["resource"], entry["scope"] == "Namespaced"),
                        )
        self._resources = found
        return found

    def reset(self) -> None:
        """Forgets what the server serves; the next question asks it again."""
        self._resources = None
        self.openapi.reset()

    def resource(self, api_version: str, kind: str) -> ApiResource:
        """How the server serves a kind; asks the server again before it gives up.

        Raises:
            NoMatchError: the server does not serve it.
        """
        key = (api_version.removeprefix("core/"), kind)
        known = self._resources
        if known is None or key not in known:
            known = self._discover()
        if key not in known:
            raise NoMatchError(api_version, kind)
        return known[key]

    def resource_of(self, obj: Object) -> ApiResource:
        """How the server serves the kind of an object."""
        return self.resource(str(obj.get("apiVersion") or ""), str(obj.get("kind") or ""))

    def serves(self, obj: Object) -> bool:
        """Whether the server serves the kind of an object (provider.go gvkExists)."""
        try:
            self.resource_of(obj)
        except (NoMatchError, ApiError, UnreachableError):
            return False
        return True

    def get(self, obj: Object, name: str | None = None) -> Object:
        """Reads the live object of the same kind, namespace and name."""
        metadata = obj.get("metadata") or {}
        path = self.resource_of(obj).path(metadata.get("namespace") or "", name or metadata.get("name") or "")
        return _object(self.request("GET", path))

    def items(self, api_version: str, kind: str, namespace: str) -> list[Object]:
        """Lists the objects of a kind in a namespace."""
        resource = self.resource(api_version, kind)
        answer = self.request("GET", resource.path(namespace))
        return [{"apiVersion": api_version, "kind": kind, **item} for item in answer.get("items") or []]

    def watch(self, path: str, query: Mapping[str, str]) -> WatchStream:
        """Opens a watch.

        Raises:
            ApiError: the server refuses.
            UnreachableError: no answer.
        """
        response = self._send("GET", path, {**query, "watch": "true"}, streamed=True)
        if response.status >= 300:
            raise _api_error(response.status, response.read())
        return WatchStream(response)


class WatchStream:
    """An open watch: iterate over its events; `stop` ends it from another thread."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self._stopped = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        rest = b""
        try:
            for chunk in self._response.stream(65536, decode_content=False):
                rest += chunk
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    if line.strip():
                        yield json.loads(line)
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            return
        finally:
            self._response.close()

    def stop(self) -> None:
        """Ends the watch; the iteration returns."""
        self._stopped = True
        try:
            self._response.shutdown()
        except (OSError, ValueError, RuntimeError):
            self._response.close()


def _object(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _leading_number(text: Any) -> int:
    digits = "".join(character for character in str(text or "") if character.isdigit())
    return int(digits or 0)


def _api_error(code: int, data: bytes) -> ApiError:
    """Builds the error as client-go does where the answer is not a Status object."""
    try:
        status = json.loads(data)
        if isinstance(status, dict) and status.get("kind") == "Status":
            return ApiError(code, status)
    except ValueError:
        pass
    texts = {
        401: ("Unauthorized", "the server has asked for the client to provide credentials"),
        403: ("Forbidden", "the server does not allow access to the requested resource"),
        404: ("NotFound", "the server could not find the requested resource"),
        503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    }
    reason, message = texts.get(code, ("", data.decode(errors="replace").strip()))
    return ApiError(code, {"message": message, "reason": reason})
