"""The few Kubernetes requests that nodes, the autoscaler and preemptions need, over kept-alive connections."""

from __future__ import annotations

import json
import ssl
from typing import Any, Protocol

import urllib3

Object = dict[str, Any]
_TIMEOUT_SECONDS = 10.0


class ControlPlane(Protocol):
    """What is needed of a running cluster; `simulator.control_plane.ControlPlane` has it."""

    server: str
    endpoint: str
    ca_pem: str
    token: str

    def stop(self) -> None:
        """Stop all parts; the objects stay in its folder."""


class KubernetesError(Exception):
    """An answer of the API server that is not a success.

    Attributes:
        code: The HTTP status; 0 when the server could not be reached.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class KubernetesApi:
    """A client with the administrator's token; safe for several threads."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._server = control_plane.server
        self._headers = {"Authorization": f"Bearer {control_plane.token}", "Accept": "application/json"}
        context = ssl.create_default_context(cadata=control_plane.ca_pem)
        self._pool = urllib3.PoolManager(ssl_context=context, maxsize=4, retries=False)

    def request(
        self, method: str, path: str, body: Object | None = None, content_type: str = "application/json"
    ) -> Object:
        """One request.

        Args:
            method: The HTTP method.
            path: Path and query, such as "/api/v1/nodes?limit=1".
            body: The JSON body.
            content_type: The body's media type.

        Returns:
            The answer's JSON.

        Raises:
            KubernetesError: The status is 400 or above, or nobody answered.
        """
        data = None if body is None else json.dumps(body)
        try:
            answer = self._pool.request(
                method,
                self._server + path,
                body=data,
                headers={**self._headers, "Content-Type": content_type},
                timeout=_TIMEOUT_SECONDS,
            )
        except urllib3.exceptions.HTTPError as error:
            raise KubernetesError(0, str(error)) from error
        if answer.status >= 400:
            raise KubernetesError(answer.status, answer.data.decode(errors="replace"))
        result: Object = json.loads(answer.data)
        return result

    def items(self, path: str) -> list[Object]:
        """All objects of a list."""
        found: list[Object] = self.request("GET", path).get("items") or []
        return found

    def delete(self, path: str, body: Object | None = None) -> None:
        """Delete an object; one that is gone already is fine."""
        try:
            self.request("DELETE", path, body)
        except KubernetesError as error:
            if error.code != 404:
                raise
