from __future__ import annotations

import importlib.util
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from simulator import setup
from simulator.errors import SimulatorError

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("requirements.txt", "pyproject.toml", "tools/build-requirements.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that the set-up would run; making .venv makes its `python` alone."""
    seen: list[list[str]] = []

    def record(_what: str, _log: Path, repository: Path, command: list[str]) -> None:
        seen.append(list(command))
        if "venv" in command:
            (repository / ".venv" / "bin").mkdir(parents=True)
            (repository / ".venv" / "bin" / "python").touch()

    monkeypatch.setattr(setup, "_run", record)
    return seen


def test_first_run_installs_by_hash_and_the_second_does_nothing(clone, commands):
    assert setup.ensure_environment(clone) is True
    pip = [command for command in commands if "pip" in command]
    assert all("--no-deps" in command for command in pip)
    assert ["--require-hashes" in command for command in pip] == [True, True, False]
    commands.clear()
    assert setup.ensure_environment(clone) is False
    assert commands == []


def test_two_set_ups_at_once_install_once(clone, commands):
    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(setup.ensure_environment, [clone] * 4)) == [False, False, False, True]
    assert len(commands) == 4


def test_what_the_system_refuses_is_one_message_with_the_next_step(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("PATH", "/bin:/usr/bin")
    monkeypatch.setattr(setup, "ensure_environment", lambda: False)
    assert setup.main([]) == 1
    said = capsys.readouterr().err
    assert f"{tmp_path}/file/cache/servestack" in said
    assert "Not a directory" in said
    assert "XDG_CACHE_HOME=" in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("commands")
def test_interrupted_installation_is_done_again_from_the_start(clone, monkeypatch):
    recording = setup._run

    def interrupt(what: str, log: Path, repository: Path, command: list[str]) -> None:
        recording(what, log, repository, command)
        if "pip" in command:
            raise KeyboardInterrupt

    monkeypatch.setattr(setup, "_run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        setup.ensure_environment(clone)
    (clone / ".venv" / "half-made").touch()
    monkeypatch.setattr(setup, "_run", recording)
    assert setup.ensure_environment(clone) is True
    assert not (clone / ".venv" / "half-made").exists()


@pytest.mark.parametrize("name", ["requirements.txt", "tools/build-requirements.txt"])
@pytest.mark.usefixtures("commands")
def test_changed_pins_are_installed(clone, name):
    setup.ensure_environment(clone)
    (clone / name).write_text((clone / name).read_text() + "# changed\n")
    assert setup.ensure_environment(clone) is True


@pytest.mark.usefixtures("commands")
def test_linter_settings_are_no_reason_to_install(clone):
    setup.ensure_environment(clone)
    project = clone / "pyproject.toml"
    project.write_text(project.read_text() + "\n[tool.something]\nx = 1\n")
    assert setup.ensure_environment(clone) is False


def test_failing_pip_shows_the_end_of_its_output(tmp_path):
    log = tmp_path / "setup.log"
    log.touch()
    with pytest.raises(SimulatorError) as failure:
        setup._run("Installing", log, tmp_path, ["sh", "-c", "seq 50; exit 3"])
    assert "  50\n" in str(failure.value)
    assert "  10\n" not in str(failure.value)
    assert str(log) in str(failure.value)


def test_python_without_venv_is_refused_with_the_package_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SimulatorError, match="apt-get install python3-venv"):
        setup.check_python()


def test_too_old_python_is_refused(monkeypatch):
    monkeypatch.setattr(setup.sys, "version_info", (3, 10, 2))
    with pytest.raises(SimulatorError, match=r"Python 3\.10\.2 is too old: 3\.11 or newer"):
        setup.check_python()
