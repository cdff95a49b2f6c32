"""The running control planes of one simulator, and the kubeconfig that names them as `gcloud` would."""

from __future__ import annotations

import base64
import json
import os
import ssl
import threading
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from simulator import custom_resources
from simulator.binaries import REPOSITORY, Binaries
from simulator.control_plane import ControlPlane
from simulator.home import VARIABLE, Home

_PLUGIN = REPOSITORY / "simulator" / "bin" / "gke-gcloud-auth-plugin"


class Clusters:
    """The running control planes of one home; keeps its kubeconfig in step with them, and the authorities to trust."""

    def __init__(self, home: Home, binaries: Binaries) -> None:
        """Use a home and its programs; nothing is started yet."""
        self._home = home
        self._binaries = binaries
        self._running: dict[str, ControlPlane] = {}
        self._lock = threading.Lock()
        self._system = _system_authorities(home.authorities)
        self._write()

    def start(self, name: str, folder: Path) -> ControlPlane:
        """Start the control plane of a cluster.

        Args:
            name: `<project>_<location>_<cluster>`.
            folder: Where the cluster's objects are kept.

        Returns:
            The control plane, ready to serve.

        Raises:
            SimulatorError: It did not start.
        """
        cluster = ControlPlane(
            folder,
            self._binaries,
            self._home.token,
            on_stop=lambda: self._forget(name),
            add_ons=custom_resources.has_add_ons(),
        )
        cluster.start()
        with self._lock:
            self._running[name] = cluster
            self._write()
        return cluster

    def _forget(self, name: str) -> None:
        with self._lock:
            if self._running.pop(name, None):
                self._write()

    def _write(self) -> None:
        names = {name: f"gke_{name}" for name in self._running}
        user = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1beta1",
                "command": str(_PLUGIN),
                "env": [{"name": VARIABLE, "value": str(self._home.root)}],
                "interactiveMode": "Never",
                "provideClusterInfo": True,
            }
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": names[name],
                    "cluster": {
                        "server": cluster.server,
                        "certificate-authority-data": base64.b64encode(cluster.ca_pem.encode()).decode(),
                    },
                }
                for name, cluster in self._running.items()
            ],
            "users": [{"name": name, "user": user} for name in names.values()],
            "contexts": [
                {"name": context, "context": {"cluster": name, "user": name}}
                for context, name in {**{name: name for name in names.values()}, **self._home.contexts}.items()
                if name in names.values()
            ],
            "current-context": next(iter(names.values()), ""),
        }
        _replace(self._home.kubeconfig, json.dumps(config, indent=1))
        _replace(self._home.authorities, "\n".join([self._system, *(one.ca_pem for one in self._running.values())]))


def _system_authorities(own: Path) -> str:
    """What this machine trusts; the list of a package where the system has no file of it."""
    named = os.environ.get("SSL_CERT_FILE")
    if not named or Path(named) == own:
        named = ssl.get_default_verify_paths().openssl_cafile
    return (Path(named) if Path(named).exists() else Path(DEFAULT_CA_BUNDLE_PATH)).read_text()


def _replace(file: Path, text: str) -> None:
    temporary = Path(f"{file}.new")
    temporary.write_text(text)
    temporary.replace(file)
