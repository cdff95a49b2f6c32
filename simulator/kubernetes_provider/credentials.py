"""What a request to the API server carries to say who asks: tokens, certificates, exec plugins."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulator.kubernetes_provider.errors import KubeconfigError, UnreachableError
from simulator.kubernetes_provider.kubeconfig import Connection, read_pem

_NOT_INSTALLED = """exec: executable {command} not found

It looks like you are trying to use a client-go credential plugin that is not installed.

To learn more about this feature, consult the documentation available at:
      https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins

{hint}"""


class Credentials:
    """The user of a connection. Thread-safe."""

    def __init__(self, connection: Connection) -> None:
        self._user = connection.user
        self._folder = connection.folder
        self._lock = threading.Lock()
        self._exec_status: dict[str, Any] | None = None

    def headers(self) -> dict[str, str]:
        """The Authorization header, if any.

        Raises:
            UnreachableError: an exec plugin is missing or failed.
        """
        user = self._user
        if "exec" in user:
            token = self._executed().get("token")
            return {"Authorization": f"Bearer {token}"} if token else {}
        if user.get("token"):
            return {"Authorization": f"Bearer {user['token']}"}
        if user.get("tokenFile"):
            token = (self._folder / user["tokenFile"]).read_text().strip()
            return {"Authorization": f"Bearer {token}"}
        if user.get("username"):
            pair = f"{user['username']}:{user.get('password', '')}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return {}

    def forget(self) -> None:
        """Runs the exec plugin again for the next request, as client-go does after a 401."""
        with self._lock:
            self._exec_status = None

    def add_certificate(self, context: ssl.SSLContext) -> None:
        """Loads the client certificate, if any, into a TLS context."""
        if "exec" in self._user:
            status = self._executed()
            certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
        else:
            certificate = read_pem(self._user, "client-certificate", self._folder)
            key = read_pem(self._user, "client-key", self._folder)
        if certificate and key:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "client.pem"
                path.touch(mode=0o600)
                path.write_text(f"{certificate}\n{key}")
                context.load_cert_chain(path)

    def _executed(self) -> dict[str, Any]:
        with self._lock:
            if self._exec_status is None or _expired(self._exec_status):
                self._exec_status = _run_plugin(self._user["exec"], self._folder)
            return self._exec_status


def _expired(status: dict[str, Any]) -> bool:
    expiry = status.get("expirationTimestamp")
    if not expiry:
        return False
    return datetime.fromisoformat(str(expiry).replace("Z", "+00:00")) <= datetime.now(UTC)


def _run_plugin(section: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Runs a client-go credential plugin and returns the status of its ExecCredential."""
    command = str(section.get("command") or "")
    version = str(section.get("apiVersion") or "client.authentication.k8s.io/v1")
    environment = dict(os.environ)
    for entry in section.get("env") or []:
        environment[str(entry["name"])] = str(entry["value"])
    environment["KUBERNETES_EXEC_INFO"] = json.dumps(
        {"kind": "ExecCredential", "apiVersion": version, "spec": {"interactive": False}}
    )
    if "/" in command and not Path(command).is_absolute():
        command = str(folder / command)
    try:
        done = subprocess.run(
            [command, *(str(argument) for argument in section.get("args") or [])],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (FileNotFoundError, PermissionError) as error:
        text = _NOT_INSTALLED.format(command=command, hint=section.get("installHint") or "")
        raise UnreachableError(f"getting credentials: {text.rstrip()}") from error
    except subprocess.TimeoutExpired as error:
        raise UnreachableError(f"getting credentials: exec: executable {command} timed out") from error
    if done.returncode != 0:
        raise UnreachableError(
            f"getting credentials: exec: executable {command} failed with exit code {done.returncode}"
        )
    try:
        document = json.loads(done.stdout)
        status = document["status"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreachableError("getting credentials: decoding stdout: couldn't get version/kind") from error
    if document.get("apiVersion") != version:
        raise KubeconfigError(
            f"exec plugin is configured to use API version {version}, plugin returned version "
            f"{document.get('apiVersion')}"
        )
    return dict(status)
