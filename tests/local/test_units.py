"""What systemd and launchd are told, and that they are asked in the right order, by stand-ins that note their calls."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from infra.local import managers
from infra.local.units import launchd_agent, systemd_unit

GOLDEN = Path(__file__).parent / "golden"
WORDS = ("gemma4-e2b-local", "/opt/venv/bin/python", PurePosixPath("/opt/servestack"))
FOLDER = PurePosixPath('/home/me/50% "of" $HOME & <more>/services/gemma4-e2b-local')


def test_the_unit_is_its_golden_text() -> None:
    assert systemd_unit(*WORDS, FOLDER) == (GOLDEN / "systemd.service").read_text()


def test_the_agent_is_its_golden_text_and_a_property_list() -> None:
    text = launchd_agent(*WORDS, FOLDER)
    assert text == (GOLDEN / "launchd.plist").read_text()
    read = plistlib.loads(text.encode())
    assert read["ProgramArguments"] == ["/opt/venv/bin/python", "-m", "infra.local.supervisor", str(FOLDER)]
    assert read["KeepAlive"] == {"SuccessfulExit": False}
    assert read["Umask"] == 0o077


def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze")
    file = tmp_path / "servestack-x.service"
    file.write_text(systemd_unit("x", shutil.which("python3") or "", PurePosixPath("/opt/servestack"), FOLDER))
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    command = ["systemd-analyze", "verify", "--user", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    said = [line for line in done.stderr.splitlines() if "servestack-x" in line]
    assert not said
    file.write_text(file.read_text().replace("Type=exec", "Type=nonsense"))
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert "nonsense" in done.stderr


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("systemctl", "launchctl"):
        (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/calls\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path / "calls"


def test_systemd_is_chosen_where_it_answers_and_its_unit_goes_with_the_service(noted: Path, tmp_path: Path) -> None:
    assert managers.choose().name == "systemd"
    systemd, unit = managers.MANAGERS["systemd"], tmp_path / ".config/systemd/user/servestack-x.service"
    systemd.start("x", tmp_path)
    assert unit.read_text() == systemd_unit("x", managers.sys.executable, managers.PACKAGE_ROOT, tmp_path)
    systemd.stop("x", tmp_path)
    systemd.stop("x", tmp_path)  # nothing is there any more
    assert not unit.exists()
    assert noted.read_text().splitlines() == [
        "systemctl --user show-environment",
        "systemctl --user daemon-reload",
        "systemctl --user enable servestack-x.service",
        "systemctl --user restart servestack-x.service",
        "systemctl --user disable --now servestack-x.service",
        "systemctl --user daemon-reload",
    ]


def test_launchd_is_chosen_on_a_mac(noted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managers.sys, "platform", "darwin")
    assert managers.choose().name == "launchd"
    launchd, agent = managers.MANAGERS["launchd"], tmp_path / "Library/LaunchAgents/dev.servestack.x.plist"
    launchd.start("x", tmp_path)
    assert agent.exists()
    launchd.stop("x", tmp_path)
    assert not agent.exists()
    user = managers.os.getuid()
    assert noted.read_text().splitlines() == [
        f"launchctl bootstrap gui/{user} {agent}",
        f"launchctl bootout gui/{user}/dev.servestack.x",
    ]


def test_a_systemctl_that_fails_leaves_us_the_work(noted: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "systemctl").write_text("#!/bin/sh\nexit 1\n")
    assert managers.choose().name == "supervisor"
