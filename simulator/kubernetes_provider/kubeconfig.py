"""Reads kubeconfigs: the parts that client-go reads, without the start-up cost of a full client library."""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from simulator.kubernetes_provider.errors import KubeconfigError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOTHING_GIVEN = (
    "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
)


@dataclass(frozen=True)
class Connection:
    """How to reach one API server, as one user.

    Attributes:
        server: base URL, without a trailing slash.
        ca_pem: certificate authority, PEM; None for the system's.
        insecure: whether the server's certificate is not verified.
        tls_server_name: name to expect in the certificate, where it differs from the host.
        user: the `user` section: token, tokenFile, client certificate, username and password, or exec.
        namespace: the context's namespace, or empty.
        folder: where relative file names in the kubeconfig start.
    """

    server: str
    ca_pem: str | None = None
    insecure: bool = False
    tls_server_name: str | None = None
    user: dict[str, Any] = field(default_factory=dict)
    namespace: str = ""
    folder: Path = field(default_factory=Path)


@dataclass(frozen=True)
class Kubeconfig:
    """A parsed kubeconfig and the folder of its file."""

    document: dict[str, Any]
    folder: Path = field(default_factory=Path)

    def _named(self, section: str, name: str | None) -> dict[str, Any] | None:
        for entry in self.document.get(section) or []:
            if isinstance(entry, dict) and entry.get("name") == name:
                inner = entry.get(section.removesuffix("s"))
                return inner if isinstance(inner, dict) else {}
        return None

    def active_cluster(self, context: str | None = None, cluster: str | None = None) -> dict[str, Any]:
        """The cluster section in use, or an empty one.

        Official behaviour: util.go getActiveClusterFromConfig, with the provider's overrides.
        """
        chosen = self._named("contexts", context or self.document.get("current-context"))
        if chosen is None:
            return {}
        return self._named("clusters", cluster or chosen.get("cluster")) or {}

    def connection(self, context: str | None = None, cluster: str | None = None) -> Connection:
        """Resolves the connection of the active context.

        Raises:
            KubeconfigError: the context, cluster or user is missing, or a file cannot be read.
        """
        name = context or self.document.get("current-context")
        if not name and not self.document.get("clusters"):
            raise KubeconfigError(_NOTHING_GIVEN)
        chosen = self._named("contexts", name)
        if chosen is None:
            if context or name:
                raise KubeconfigError(f'context "{name}" does not exist')
            raise KubeconfigError(_NOTHING_GIVEN)
        cluster_name = cluster or chosen.get("cluster")
        found = self._named("clusters", cluster_name)
        if found is None:
            raise KubeconfigError(f'cluster "{cluster_name}" does not exist')
        user = self._named("users", chosen.get("user"))
        if user is None and chosen.get("user"):
            raise KubeconfigError(f'auth info "{chosen.get("user")}" does not exist')
        server = str(found.get("server") or "")
        if not server:
            raise KubeconfigError(f'invalid configuration: no server found for cluster "{cluster_name}"')
        return Connection(
            server=server.rstrip("/"),
            ca_pem=self.text(found, "certificate-authority"),
            insecure=bool(found.get("insecure-skip-tls-verify")),
            tls_server_name=found.get("tls-server-name"),
            user=user or {},
            namespace=str(chosen.get("namespace") or ""),
            folder=self.folder,
        )

    def text(self, section: dict[str, Any], key: str) -> str | None:
        """A PEM text given inline as `KEY-data` (base64) or as a file in `KEY`."""
        return read_pem(section, key, self.folder)


def read_pem(section: dict[str, Any], key: str, folder: Path) -> str | None:
    """A PEM text given inline as `KEY-data` (base64) or as a file in `KEY`, or None.

    Raises:
        KubeconfigError: the base64 is broken or the file cannot be read.
    """
    inline = section.get(f"{key}-data")
    if inline:
        try:
            return base64.b64decode(inline, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise KubeconfigError(f"{key}-data is not base64 of PEM text") from error
    if not section.get(key):
        return None
    try:
        return (folder / str(section[key])).expanduser().read_text()
    except OSError as error:
        raise KubeconfigError(f"unable to read {key} {section[key]}: {error.strerror}") from error


def parse(text: str, folder: Path | None = None) -> Kubeconfig:
    """Parses YAML or JSON.

    Raises:
        KubeconfigError: the text is neither, or is not a mapping.
    """
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=_LOADER)
    except (ValueError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise KubeconfigError(f"couldn't get version/kind; json parse error: {reason}") from error
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise KubeconfigError(
            "couldn't get version/kind; json parse error: json: cannot unmarshal "
            f"{'string' if isinstance(document, str) else 'value'} into Go value of type struct "
            '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
    return Kubeconfig(document, folder or Path())


def ambient() -> Kubeconfig:
    """The kubeconfig of the environment: the files in $KUBECONFIG, merged, or ~/.kube/config."""
    listed = [name for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    paths = [Path(name) for name in listed] or [Path.home() / ".kube" / "config"]
    configs = [parse(path.read_text(), path.parent) for path in paths if path.is_file()]
    if not configs:
        return Kubeconfig({})
    merged: dict[str, Any] = {}
    for config in reversed(configs):
        for key, value in config.document.items():
            if isinstance(value, list):
                merged[key] = value + merged.get(key, [])
            elif value:
                merged[key] = value
    return Kubeconfig(merged, configs[0].folder)


def load(path_or_content: str) -> Kubeconfig:
    """The kubeconfig given to the provider: a file's path, or the content itself."""
    if "\n" not in path_or_content and not path_or_content.lstrip().startswith("{"):
        path = Path(path_or_content).expanduser()
        if path.is_file():
            return parse(path.read_text(), path.parent)
    return parse(path_or_content)
