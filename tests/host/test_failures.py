"""Every way in which a service does not come up is told with its reason, and leaves nothing that runs."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.host.remote.failures import HostError
from infra.host.ssh import CONFIG_VARIABLE, do
from simulator.binaries import Binaries
from tests.host import hub as hubs
from tests.host import mac as macs
from tests.host.hub import Hub
from tests.host.mac import NAME, Mac
from tests.host.project import HostProject


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, binaries: Binaries) -> Iterator[tuple[HostProject, Mac, Hub]]:
    """One Mac for all failures, each of which leaves nothing that runs."""
    folder = tmp_path_factory.mktemp("host")
    with hubs.serving() as (hub, address), macs.mac(folder / "mac", address) as mac:
        hub.files = {"config.json": b"{}", "model.safetensors": b"weights" * 1000}
        yield HostProject(folder, binaries, mac), mac, hub


def readable(said: str) -> str:
    assert "Traceback" not in said, said
    return re.sub(r"\s+", " ", said)


def fails(project: HostProject, mac: Mac, reason: str) -> str:
    said = readable(project.up(succeeds=False))
    assert reason in said, said
    assert not project.services()
    agents = mac.home / "Library" / "LaunchAgents"
    assert not agents.exists() or not list(agents.iterdir())
    return said


def test_a_server_that_dies_or_never_gets_healthy_and_a_port_in_use(standing: tuple[HostProject, Mac, Hub]) -> None:
    project, mac, _ = standing
    project.want(startupTimeoutSeconds=10)
    mac.faults(dies=7, says="no Metal device for KEY")
    said = fails(project, mac, "the service died at its start: the engine ended (exit code 7)")
    assert "no Metal device for [key]" in said
    mac.faults(hangs=True)
    assert "Loading model: gemma-4-e4b-it" in fails(project, mac, "was not healthy within 10 s")
    mac.faults(loaded=None)  # it says healthy, and has nothing loaded
    fails(project, mac, "was not healthy within 10 s")
    mac.faults()
    config = (mac.service / "service.json").read_text()
    port = int(re.findall(r'"port": (\d+)', config)[0])
    with contextlib.closing(socket.socket()) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        fails(project, mac, f"port {port} of 127.0.0.1 is not free")
    project.up()
    project.destroy()


def test_weights_that_cannot_be_had(standing: tuple[HostProject, Mac, Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    project, mac, hub = standing
    mac.faults()
    for status, reason in ((404, "not found (HTTP 404)"), (403, "access refused (HTTP 403)")):
        project.want(weights={"revision": f"{status}" + "b" * 37})
        hub.status = status
        fails(project, mac, reason)
    hub.status, hub.lies = 0, True
    fails(project, mac, "wrong checksum")
    hub.lies = False
    full = dict(hub.files)
    monkeypatch.setattr(hub, "listing", lambda: [{"type": "file", "path": "a.safetensors", "size": 2**60}])
    fails(project, mac, "disk full: mlx-community/gemma-4-e4b-it-8bit needs 1073741824.0 GiB more")
    monkeypatch.undo()
    # A connection that is cut: it goes on where it was.
    hub.files = full
    hub.requests.clear()
    hub.cut_after = 3000
    project.up()
    assert ("bytes=3000-") in [asked for _, asked in hub.requests]
    assert not [path for path, _ in hub.requests if "evil" in path]
    project.destroy()
    lost = (mac.locks / "mlx-vlm-0.7.10.txt").read_text()
    (mac.locks / "mlx-vlm-0.7.10.txt").write_text(re.sub(r"sha256:\w+", f"sha256:{'0' * 64}", lost))
    fails(project, mac, "the Python environment cannot be made")
    (mac.locks / "mlx-vlm-0.7.10.txt").write_text(lost)


def test_a_machine_that_is_not_reached(mac: Mac, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONFIG_VARIABLE, str(mac.ssh_config))

    def refusal(address: str = NAME) -> str:
        with pytest.raises(HostError) as told:
            do(address, "look", {"stack": "s"})
        return str(told.value)

    assert "it is not reached" in refusal("nobody")
    assert "its key is not known here" in refusal("stranger")
    trusted = (mac.folder / "user.pub").read_text()
    (mac.folder / "user.pub").write_text("")
    assert "it refuses our key" in refusal()
    (mac.folder / "user.pub").write_text(trusted)
    mac.lacks_python()
    assert f"{NAME} has no Python 3.11, 3.12 or 3.13" in refusal()
    mac.stop()
    mac.new_host_key()
    mac.start()
    assert "its key is not the one that is known" in refusal()


@pytest.mark.parametrize(
    "address", ["-oProxyCommand=touch pwned", "a b", "me@$(touch pwned)", "x;touch pwned", "`touch pwned`", "a\nb", ""]
)
def test_a_hostile_address_is_refused_before_ssh_is_started(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HostError, match="no SSH address"):
        do(address, "look", {})
    assert not list(tmp_path.iterdir())


def test_hostile_values_are_data_on_the_machine(mac: Mac, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands in a field: it gets into a literal of Python, through quotes of two kinds."""
    monkeypatch.setenv(CONFIG_VARIABLE, str(mac.ssh_config))
    hostile = "a'\"\\'); import os; os.system('touch pwned') #\n$(touch pwned)`touch pwned`{wanted}\u2028é"
    assert do(NAME, "look", {"stack": "s", "note": hostile, hostile: hostile}) == {"there": False}
    assert not list(mac.home.rglob("pwned"))


def test_an_unreachable_machine_at_refresh_is_an_error_and_not_a_service_that_is_gone(
    project: HostProject, mac: Mac
) -> None:
    project.up()
    mac.stop()
    assert "it is not reached" in project.refresh(succeeds=False)
    assert len(project.services()) == 1
    mac.start()
    project.destroy()
