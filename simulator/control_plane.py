"""One simulated cluster: real etcd, API server, controller manager and scheduler; kwok for its nodes."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import random
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from simulator import custom_resource_install, custom_resources
from simulator.binaries import Binaries
from simulator.certificates import ensure_certificates
from simulator.errors import SimulatorError
from simulator.parts import Parts

_STAGES = Path(__file__).parent / "kwok"
_SERVICE_RANGE = "34.118.224.0/20"
"""What GKE gives to Services of new clusters when none is asked for."""
_SERVICE_IP = "34.118.224.1"
_POD_RANGE = "10.4.0.1/14"
_PORTS = range(20000, 32000)
"""Below the range that Linux takes for outgoing connections, so that a port is still free at a restart."""
START_LIMIT_SECONDS = 90.0
_PORT_LIMIT_SECONDS = 3.0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class ControlPlane:
    """A Kubernetes control plane that listens on loopback and keeps its objects in one folder.

    Starting it again in the same folder resumes with the same objects, address, token and keys. The children
    are killed when this process ends, however it ends.

    Attributes:
        endpoint: Host and port, such as "127.0.0.1:23456".
        server: The same as a URL.
        ca_pem: The certificate of the authority that signed the server's.
        token: The administrator's bearer token.
        kubeconfig: A file that grants the administrator's access with that token.
    """

    def __init__(
        self,
        directory: Path,
        binaries: Binaries,
        token: str,
        on_stop: Callable[[], None] = lambda: None,
        add_ons: bool = True,
    ) -> None:
        """Prepare a control plane; nothing is started or written yet.

        Args:
            directory: Where everything of this cluster is kept.
            binaries: The programs to run.
            token: The administrator's bearer token.
            on_stop: Called after it was stopped.
            add_ons: Whether it gets the custom resource definitions that GKE itself does not install.
        """
        self._on_stop = on_stop
        self._add_ons = add_ons
        self.directory = directory
        self.token = token
        self.kubeconfig = directory / "kubeconfig"
        self.endpoint = ""
        self.server = ""
        self.ca_pem = ""
        self._binaries = binaries
        self._logs = directory / "logs"
        self._parts = Parts(directory, self._logs)
        self._lock_file: IO[bytes] | None = None
        self._state = threading.Lock()

    def start(self) -> None:
        """Start every part and wait until the API server is ready to serve.

        Raises:
            SimulatorError: The folder is in use by another process, or a part ended or was not ready in time.
        """
        with self._state:
            if self._parts:
                return
            self._take_folder()
            try:
                self._start()
            except BaseException:
                self._stop()
                raise

    def stop(self) -> None:
        """Stop every part, the last started first. The objects stay in the folder."""
        with self._state:
            self._stop()
        self._on_stop()

    @property
    def running(self) -> bool:
        """Whether every part is alive."""
        return bool(self._parts) and not self._parts.ended()

    def _take_folder(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(exist_ok=True)
        lock_file = (self.directory / "lock").open("wb")
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock_file.close()
            raise SimulatorError(
                f"{self.directory}: this cluster is already run by another process. Stop that one first."
            ) from None
        self._lock_file = lock_file

    def _start(self) -> None:
        definitions = custom_resources.locate(add_ons=self._add_ons)
        certificates = ensure_certificates(self.directory / "keys", _SERVICE_IP)
        self.ca_pem = certificates.authority.read_text()
        api_port, etcd_port, peer_port = self._ports()
        self.endpoint = f"127.0.0.1:{api_port}"
        self.server = f"https://{self.endpoint}"
        tokens = self.directory / "keys" / "tokens.csv"
        self._write_private(tokens, f'{self.token},servestack-admin,servestack-admin,"system:masters"\n')
        self._write_private(self.kubeconfig, json.dumps(self._kubeconfig(), indent=1))

        etcd = f"http://127.0.0.1:{etcd_port}"
        peer = f"http://127.0.0.1:{peer_port}"
        self._parts.run(
            "etcd",
            self._binaries.etcd,
            f"--data-dir={self.directory / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--quota-backend-bytes=2147483648",
            "--log-level=warn",
        )
        self._wait("etcd", lambda: self._request("GET", f"{etcd}/health", None))
        self._parts.run(
            "kube-apiserver",
            self._binaries.kube_apiserver,
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--secure-port={api_port}",
            f"--tls-cert-file={certificates.server_certificate}",
            f"--tls-private-key-file={certificates.server_key}",
            f"--token-auth-file={tokens}",
            "--authorization-mode=Node,RBAC",
            f"--service-cluster-ip-range={_SERVICE_RANGE}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={certificates.service_account_key}",
            f"--service-account-signing-key-file={certificates.service_account_key}",
            "--allow-privileged=true",
            "--profiling=false",
        )
        client = [f"--kubeconfig={self.kubeconfig}"]
        authentication = [
            f"--authentication-kubeconfig={self.kubeconfig}",
            f"--authorization-kubeconfig={self.kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
            "--profiling=false",
        ]
        context = ssl.create_default_context(cadata=self.ca_pem)
        self._wait("kube-apiserver", lambda: self._request("GET", f"{self.server}/readyz", context))
        # Before the controllers: their garbage collector, which ends deletions, looks for new kinds every 30 s only.
        installer = custom_resource_install.Installer(self.server, self.token, context)
        installer.install(definitions, self.directory / "custom-resources")
        self._parts.run(
            "kube-controller-manager",
            self._binaries.kube_controller_manager,
            *client,
            *authentication,
            f"--service-account-private-key-file={certificates.service_account_key}",
            f"--root-ca-file={certificates.authority}",
            # Kubernetes' own default is 15 s.
            "--horizontal-pod-autoscaler-sync-period=1s",
            "--kube-api-qps=400",
            "--kube-api-burst=800",
        )
        self._parts.run("kube-scheduler", self._binaries.kube_scheduler, *client, *authentication)
        # kwok leaves a node alone while another kwok, here the one of the last time, holds its lease.
        leases = f"{self.server}/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

        def forget_leases() -> bool:
            return self._request("DELETE", leases, context)

        self._wait("kube-apiserver", forget_leases)
        self._parts.run(
            "kwok",
            self._binaries.kwok,
            *client,
            "--v=WARN",
            "--manage-all-nodes=true",
            "--node-ip=127.0.0.1",
            "--node-lease-duration-seconds=40",
            f"--cidr={_POD_RANGE}",
            *(f"--config={stage}" for stage in sorted(_STAGES.glob("*.yaml"))),
            before=forget_leases,
        )
        self._parts.keep_alive()

    def _ports(self) -> Sequence[int]:
        """Return the ports of this cluster: those of the last time, unless somebody else has taken one."""
        kept = self.directory / "ports.json"
        ports: list[int] = json.loads(kept.read_text()) if kept.exists() else []
        deadline = time.monotonic() + _PORT_LIMIT_SECONDS  # a part that was just killed may still hold its own
        while ports and not all(map(_is_free, ports)) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not ports or not all(map(_is_free, ports)):
            candidates = (port for port in random.sample(_PORTS, len(_PORTS)) if _is_free(port))
            ports = [next(candidates) for _ in range(3)]
            temporary = kept.with_suffix(".new")
            temporary.write_text(json.dumps(ports))
            temporary.replace(kept)
        return ports

    def _kubeconfig(self) -> dict[str, object]:
        authority = base64.b64encode(self.ca_pem.encode()).decode()
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "simulator",
                    "cluster": {"server": self.server, "certificate-authority-data": authority},
                }
            ],
            "users": [{"name": "admin", "user": {"token": self.token}}],
            "contexts": [{"name": "admin", "context": {"cluster": "simulator", "user": "admin"}}],
            "current-context": "admin",
        }

    @staticmethod
    def _write_private(path: Path, text: str) -> None:
        path.touch(mode=0o600)
        path.write_text(text)

    def _request(self, method: str, url: str, context: ssl.SSLContext | None) -> bool:
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(url, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5, context=context) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while not ready():
            ended = self._parts.ended()
            if ended:
                raise SimulatorError(self._why(ended[0], "ended while the cluster started"))
            if time.monotonic() > deadline:
                raise SimulatorError(self._why(name, f"was not ready in {START_LIMIT_SECONDS:.0f} s"))
            time.sleep(0.03)

    def _why(self, name: str, what: str) -> str:
        log = self._logs / f"{name}.log"
        with contextlib.suppress(OSError):
            tail = "\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-5:])
            return f"{name} {what}. The end of its log, {log}:\n{tail}"
        return f"{name} {what}. Its log: {log}"

    def _stop(self) -> None:
        self._parts.stop()
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None
