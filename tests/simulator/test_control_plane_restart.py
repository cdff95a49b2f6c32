from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3
from kubernetes import client, config

from simulator.binaries import Binaries
from simulator.control_plane import ControlPlane
from simulator.errors import SimulatorError

PARTS = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "lws-manager"}


def processes_below(directory: Path) -> list[str]:
    """Command lines of living processes that name this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in command and entry.name != str(os.getpid()):
            found.append(command)
    return found


def parts_below(directory: Path) -> dict[str, int]:
    """Process of each part that runs below a folder."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            program, _, arguments = (entry / "cmdline").read_bytes().decode(errors="replace").partition("\0")
        except OSError:
            continue
        if str(directory) in arguments and Path(program).name in PARTS:
            found[Path(program).name] = int(entry.name)
    return found


def kill_every_part(directory: Path, until: Callable[..., object]) -> None:
    until(lambda: parts_below(directory).keys() == PARTS, what="every part runs")
    before = parts_below(directory)
    for number in before.values():
        os.kill(number, signal.SIGKILL)

    def are_new() -> bool:
        after = parts_below(directory)
        return after.keys() == PARTS and not set(after.values()) & set(before.values())

    until(are_new, what="every part is started again")


def answers(cluster: ControlPlane) -> bool:
    try:
        return bool(config_map(cluster))
    except (client.ApiException, OSError, urllib3.exceptions.HTTPError):
        return False


def config_map(cluster: ControlPlane, create: bool = False) -> str:
    with config.new_client_from_config(str(cluster.kubeconfig)) as api:
        core = client.CoreV1Api(api)
        if create:
            core.create_namespaced_config_map("default", {"metadata": {"name": "kept"}, "data": {"x": "1"}})
        return core.read_namespaced_config_map("kept", "default").metadata.uid


def run_pod(cluster: ControlPlane, until: Callable[..., object]) -> None:
    sizes = {"cpu": "4", "memory": "8Gi", "pods": "10"}
    with config.new_client_from_config(str(cluster.kubeconfig)) as api:
        core = client.CoreV1Api(api)
        core.create_node({"metadata": {"name": "node"}, "status": {"capacity": sizes, "allocatable": sizes}})
        until(lambda: core.list_namespaced_service_account("default").items, what="default service account")
        core.create_namespaced_pod(
            "default",
            {"metadata": {"name": "pod"}, "spec": {"containers": [{"name": "c", "image": "example.com/c:1"}]}},
        )
        until(lambda: core.read_namespaced_pod("pod", "default").status.phase == "Running", what="pod runs")


def delete_pod(cluster: ControlPlane, until: Callable[..., object]) -> None:
    """The node's stand-in takes up its work at once, and does not wait for its predecessor's lease to end."""
    with config.new_client_from_config(str(cluster.kubeconfig)) as api:
        core = client.CoreV1Api(api)
        core.delete_namespaced_pod("pod", "default")
        until(lambda: not core.list_namespaced_pod("default").items, within_seconds=15, what="pod gone")


def test_killed_owner_leaves_no_process_a_restart_resumes_and_killed_parts_come_again(
    binaries: Binaries, tmp_path: Path, until: Callable[..., object]
) -> None:
    program = textwrap.dedent(f"""
        import threading
        from pathlib import Path
        from simulator.binaries import locate
        from simulator.control_plane import ControlPlane
        cluster = ControlPlane(Path({str(tmp_path)!r}), locate(), "token-1")
        # From a thread that ends: the kernel's parent of a child is a thread.
        thread = threading.Thread(target=cluster.start)
        thread.start()
        thread.join()
        print(cluster.server, flush=True)
        threading.Event().wait()
    """)
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    server = owner.stdout.readline().strip()
    assert server.startswith("https://127.0.0.1:")
    cluster = ControlPlane(tmp_path, binaries, "token-1")
    uid = config_map(cluster, create=True)
    run_pod(cluster, until)
    with pytest.raises(SimulatorError, match="already run by another process"):
        cluster.start()

    owner.send_signal(signal.SIGKILL)
    owner.wait()
    until(lambda: not processes_below(tmp_path), what="all parts end with their owner")

    cluster.start()
    try:
        assert cluster.server == server
        assert cluster.running
        assert config_map(cluster) == uid
        kill_every_part(tmp_path, until)
        until(lambda: answers(cluster), what="the API server is ready")
        assert config_map(cluster) == uid
        delete_pod(cluster, until)
    finally:
        cluster.stop()
    assert processes_below(tmp_path) == []
    assert not cluster.running


def test_part_that_ends_is_named_with_the_end_of_its_log(binaries: Binaries, tmp_path: Path) -> None:
    broken = tmp_path / "kube-apiserver"
    broken.write_text("#!/bin/sh\necho some reason >&2\nexit 3\n")
    broken.chmod(0o755)
    parts = {**vars(binaries), "kube_apiserver": broken}
    cluster = ControlPlane(tmp_path / "cluster", Binaries(**parts), "token-1")
    with pytest.raises(SimulatorError, match=r"kube-apiserver ended while the cluster started(.|\n)*some reason"):
        cluster.start()
    assert processes_below(tmp_path) == []


def test_token_and_keys_are_private(control_plane: ControlPlane) -> None:
    private = [control_plane.kubeconfig, *(control_plane.directory / "keys").glob("*.key")]
    private.append(control_plane.directory / "keys" / "tokens.csv")
    assert {oct(path.stat().st_mode & 0o777) for path in private} == {"0o600"}


def test_anonymous_and_wrong_tokens_get_nothing(control_plane: ControlPlane) -> None:
    settings = client.Configuration(host=control_plane.server)
    settings.ssl_ca_cert = str(control_plane.directory / "keys" / "authority.crt")
    settings.api_key = {"authorization": "Bearer wrong"}
    with client.ApiClient(settings) as api, pytest.raises(client.ApiException) as refusal:
        client.CoreV1Api(api).list_namespace()
    assert refusal.value.status == 401


def test_listens_on_loopback_only(control_plane: ControlPlane) -> None:
    ports = {int(port) for port in (control_plane.directory / "ports.json").read_text().strip("[]").split(",")}
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = {
        address
        for _, local, _, state, *_ in listening
        for address, port in [local.split(":")]
        if state == "0A" and int(port, 16) in ports
    }
    assert addresses == {"0100007F"}
    tcp6 = Path("/proc/net/tcp6")
    if tcp6.exists():
        assert not [
            line
            for line in tcp6.read_text().splitlines()[1:]
            if line.split()[3] == "0A" and int(line.split()[1].split(":")[1], 16) in ports
        ]
