"""The one folder that the simulator writes to."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator import progress
from simulator.binaries import REPOSITORY

VARIABLE = "SERVESTACK_SIMULATOR_HOME"


class Home:
    """Where everything of one simulator lies: removing this folder, when it is stopped, leaves nothing behind."""

    def __init__(self, root: Path) -> None:
        """Name the places below `root`; nothing is written yet."""
        self.root = root.resolve()
        self.backend = self.root / "backend"
        self.pulumi_home = self.root / "pulumi-home"
        self.engine = self.root / "engine"
        self.logs = self.root / "logs"
        self.token_file = self.root / "token"
        self.kubeconfig = self.root / "kubeconfig"
        self._locks = self.root / "locks"
        self.supervisor_file = self.root / "supervisor.json"
        self.authorities = self.root / "authorities.pem"
        self.managed_endpoints = self.root / "managed.json"
        self.managed_orders = self.root / "managed-orders.json"
        self._contexts = self.root / "contexts.json"

    @classmethod
    def current(cls) -> Home:
        """Return the home that $SERVESTACK_SIMULATOR_HOME names, or else the one in the repository."""
        return cls(Path(os.environ.get(VARIABLE) or REPOSITORY / ".servestack"))

    def ensure(self) -> None:
        """Make the folders that must exist, and the token; what is there stays."""
        for folder in (self.backend, self.pulumi_home, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        if not self.token_file.exists():
            temporary = self.token_file.with_name(f".token-{os.getpid()}")
            temporary.touch(mode=0o600)
            temporary.write_text(secrets.token_hex(32) + "\n")
            temporary.replace(self.token_file)

    @property
    def token(self) -> str:
        """The bearer token of every simulated cluster's administrator."""
        return self.token_file.read_text().strip()

    @property
    def contexts(self) -> dict[str, str]:
        """Further names of clusters in the kubeconfig: context to cluster."""
        names: dict[str, str] = json.loads(self._contexts.read_text()) if self._contexts.exists() else {}
        return names

    def add_context(self, name: str, cluster: str) -> None:
        """Give a cluster another name, from when the kubeconfig is written next."""
        temporary = self._contexts.with_name(f".contexts-{os.getpid()}")
        temporary.write_text(json.dumps(self.contexts | {name: cluster}))
        temporary.replace(self._contexts)

    @contextmanager
    def locked(self, name: str, waiting_for: str, shared: bool = False) -> Iterator[None]:
        """Hold a lock of this home; freed when the process ends, however it ends.

        Args:
            name: Which lock.
            waiting_for: What to say when another process holds it, for example "another start".
            shared: Whether others may hold it at the same time, if they too ask for it so.
        """
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        with self._lock_file(name) as lock:
            try:
                fcntl.flock(lock, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                with progress.step(f"Waiting for {waiting_for}"):
                    fcntl.flock(lock, kind)
            yield

    def is_locked(self, name: str) -> bool:
        """Whether some process holds this lock now."""
        try:
            lock = (self._locks / name).open()
        except FileNotFoundError:
            return False
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @contextmanager
    def _lock_file(self, name: str) -> Iterator[int]:
        self._locks.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._locks / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
