"""The background process that holds the simulator: both provider stand-ins, managed endpoints, every cluster."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simulator import child_process, progress
from simulator.binaries import REPOSITORY, Binaries
from simulator.environment import search_path
from simulator.errors import SimulatorError
from simulator.home import VARIABLE, Home
from simulator.status_message import share_status_message

if TYPE_CHECKING:
    from simulator.google.cloud import Cloud
    from simulator.managed.world import World

_LOCK = "supervisor"
_START_LIMIT_SECONDS = 120.0
_STOP_LIMIT_SECONDS = 20.0


@dataclass(frozen=True)
class Supervisor:
    """A supervisor that runs: its process, and its loopback ports.

    Attributes:
        pid: Its process.
        ports: Of each provider stand-in, by package name.
        managed_port: Of the managed endpoints' APIs; None in a supervisor that was started before it had them.
    """

    pid: int
    ports: dict[str, int]
    managed_port: int | None = None


def find(home: Home) -> Supervisor | None:
    """Return the running supervisor of a home, or None. What a dead one left is not believed."""
    if not home.is_locked(_LOCK):
        return None
    try:
        written = json.loads(home.supervisor_file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return Supervisor(written["pid"], written["ports"], written.get("managedPort"))


def start(home: Home, binaries: Binaries, *, tied: bool = False) -> Supervisor:
    """Return the running supervisor, starting it in the background where there is none.

    Args:
        home: Its folder.
        binaries: What it runs.
        tied: Let the kernel kill it, and all below it, when this process ends, however it ends.

    Raises:
        SimulatorError: It ended or was not ready in time. The message ends with its last lines.
    """
    home.ensure()
    running = find(home)
    if running:
        return running
    with home.locked("start", "another start of the simulator"):
        running = find(home)
        if running:
            return running
        with progress.step("Starting the simulator"):
            return _launch(home, binaries, tied)


def _launch(home: Home, binaries: Binaries, tied: bool) -> Supervisor:
    home.supervisor_file.unlink(missing_ok=True)
    log = home.logs / "supervisor.log"
    environment = dict(os.environ) | {VARIABLE: str(home.root), "PATH": search_path(home, binaries)}
    command = [sys.executable, "-P", "-m", "simulator", "serve"]
    with log.open("wb") as output:
        if tied:
            process = child_process.start(command, output=output, environment=environment, directory=REPOSITORY)
        else:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=REPOSITORY,
                start_new_session=True,
            )
    deadline = time.monotonic() + _START_LIMIT_SECONDS
    try:
        while time.monotonic() < deadline and process.poll() is None:
            running = find(home)
            if running:
                return running
            time.sleep(0.02)
    except BaseException:
        process.kill()  # nobody waits for it any more; the kernel ends its children
        process.wait()
        raise
    how = "ended" if process.poll() is not None else f"was not ready in {_START_LIMIT_SECONDS:.0f} s"
    process.kill()
    process.wait()
    tail = "\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-8:])
    raise SimulatorError(f"The simulator {how}. The end of its log, {log}:\n{tail}")


def stop(home: Home) -> bool:
    """End the supervisor and everything below it; return whether one was running."""
    with home.locked("start", "a start of the simulator"):
        running = find(home)
        if running is None:
            home.supervisor_file.unlink(missing_ok=True)
            return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_LIMIT_SECONDS
    while home.is_locked(_LOCK):
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(running.pid, signal.SIGKILL)  # its children are killed by the kernel
        time.sleep(0.02)
    home.supervisor_file.unlink(missing_ok=True)
    return True


def serve(home: Home, binaries: Binaries) -> None:
    """Run the simulator in this process until SIGTERM or SIGINT; then stop all of it.

    Raises:
        SimulatorError: A cluster that was there before could not be started again.
    """
    ended = threading.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: ended.set())
    faulthandler.register(signal.SIGUSR1)  # where every thread is, into the log
    home.ensure()
    with home.locked(_LOCK, "another supervisor"):
        _serve(home, binaries, ended)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # the lock is freed with the process, so that who waits for the one waits for the other


def _serve(home: Home, binaries: Binaries, ended: threading.Event) -> None:
    share_status_message()

    from simulator import kubernetes_provider
    from simulator.clusters import Clusters
    from simulator.google.cloud import Cloud
    from simulator.google.server import serve as serve_google
    from simulator.google.timing import Timing
    from simulator.managed.orders import Orders
    from simulator.managed.server import Server

    Timing.current({})
    clusters = Clusters(home, binaries)
    os.environ["SSL_CERT_FILE"] = str(home.authorities)  # for our stand-in of the Kubernetes plugin
    cloud = Cloud(home.root, clusters.start)
    try:
        cloud.resume()
        gcp_server, gcp_port = serve_google(cloud)
        kubernetes_server, kubernetes_port = kubernetes_provider.serve()
        managed = Server(_managed_world(home, cloud), Orders(home.managed_orders))
        ports = {"gcp": gcp_port, "kubernetes": kubernetes_port}
        ready = {"pid": os.getpid(), "ports": ports, "managedPort": managed.port}
        gc.freeze()  # what is loaded now stays: collections need not walk it while the engine waits
        temporary = Path(f"{home.supervisor_file}.new")
        temporary.write_text(json.dumps(ready))
        temporary.replace(home.supervisor_file)
        ended.wait()
        home.supervisor_file.unlink(missing_ok=True)
        gcp_server.stop(grace=1)
        kubernetes_server.stop(grace=1)
        managed.stop()
    finally:
        cloud.close()


def _managed_world(home: Home, cloud: Cloud) -> World:
    """Managed endpoints in the simulated cloud: its projects, its APIs, its keys."""
    from simulator.google import projects
    from simulator.managed.google import Google
    from simulator.managed.keys import gemini_key_state
    from simulator.managed.world import World

    google = Google(
        is_on=lambda project, service: service in projects.services(cloud.state.read(), project),
        is_denied=lambda service: service in cloud.state.read()["faults"].get("permissionDenied", []),
        accepts=lambda key: gemini_key_state(cloud.state.read(), key),
    )
    return World(google, home.managed_endpoints, recorded=0)
