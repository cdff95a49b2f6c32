"""What stands before `mlx_vlm.server`: who gets in, and with what. Real sockets, an engine with the known pitfalls."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.host.remote.limits import RefusedRequestError, checked
from infra.host.remote.serve import Log
from simulator.binaries import REPOSITORY
from tests.host.mac import free_port

MODEL = "gemma-4-e4b-it"
KEY = "k" * 64
IMAGE = "data:image/png;base64,iVBORw0KGgo="
INPUTS = frozenset({"image", "audio"})


def set_faults(home: Path, text: str) -> None:
    """At once: an engine that is at work reads the file all the time."""
    (home / "faults.new").write_text(text)
    (home / "faults.new").replace(home / "faults.json")


class Served:
    """The service's process with its folder and port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.port = folder / "service", folder, free_port()
        (self.folder / MODEL).mkdir(parents=True)
        (self.folder / MODEL / "model.safetensors").write_bytes(b"")
        engine_port = free_port()
        known = {
            "model": MODEL,
            "inputs": sorted(INPUTS),
            "port": self.port,
            "engine_port": engine_port,
            "interface": "",
            "drain_seconds": 5,
            "log_bytes": 10_000,
            "log_files": 3,
            "environment": {},
        }
        (self.folder / "service.json").write_text(json.dumps(known))
        (self.folder / "key").write_text(f"{KEY}\n")
        engine = [sys.executable, str(Path(__file__).parent / "standin_engine.py"), f"--model={MODEL}"]
        engine += ["--host=127.0.0.1", f"--port={engine_port}", "--max-kv-size=100", "--max-num-seqs=1"]
        engine += ["--prefill-step-size=1", "--log-level=INFO"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.host.remote.serve", str(self.folder), "--", *engine],
            cwd=self.folder,
            env={"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
        )

    def send(self, raw: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to raw bytes; 0 where the connection ends without one."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as link:
            link.sendall(raw)
            said = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := link.recv(65536):
                    said += chunk
        head, _, body = said.partition(b"\r\n\r\n")
        return (int(head.split()[1]) if head else 0), body

    def ask(self, method: str, path: str, body: Any = None, key: str = KEY) -> tuple[int, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        status, said = self.send(head.encode() + data)
        try:
            return status, json.loads(said)
        except ValueError:
            return status, said

    def until(self, check: Any) -> None:
        deadline = time.monotonic() + 30
        while not check():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def healthy(self) -> bool:
        with contextlib.suppress(OSError):
            return self.ask("GET", "/health")[0] == 200
        return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("gateway"))
    try:
        made.until(made.healthy)
        yield made
    finally:
        made.process.terminate()
        made.process.wait()


def chat(content: Any = "hello", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}], **more}


def test_without_the_key_nothing_is_told_not_even_health(served: Served) -> None:
    for method, path in (("GET", "/health"), ("GET", "/v1/models"), ("POST", "/v1/chat/completions"), ("GET", "/x")):
        for key in ("", "wrong", KEY[:-1], f"{KEY}k", "é"):
            assert served.ask(method, path, chat(), key)[0] == 401
    assert served.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 401


def test_management_of_the_engine_is_not_served_even_with_the_key(served: Served) -> None:
    paths = ("/unload", "/v1/settings", "/v1/cache/reset", "/v1/responses", "/v1/messages", "/chat/completions")
    for path in (*paths, "/v1/chat/completions/../../unload", "//unload", "/v1/chat/completions?x=1", "/%75nload"):
        for method in ("POST", "PATCH", "GET", "DELETE"):
            assert served.ask(method, path, chat())[0] == 404, (method, path)
    assert served.healthy()


def test_another_model_or_an_adapter_is_refused_and_the_served_one_stays(served: Served) -> None:
    for more in ({"model": "mlx-community/other"}, {"model": f"./{MODEL}"}, {"model": None}, {"model": [MODEL]}):
        assert served.ask("POST", "/v1/chat/completions", chat(**more))[0] == 404
    assert served.ask("POST", "/v1/chat/completions", chat(adapter_path="/tmp/x"))[0] == 400
    twice = b'{"model": "%s", "messages": [{"role": "user", "content": "a"}], "model": "other"}' % MODEL.encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(twice)}\r\n\r\n"
    assert served.send(head.encode() + twice)[0] == 404
    assert served.healthy()
    assert served.ask("GET", "/v1/models")[1]["data"][0]["id"] == MODEL
    status, said = served.ask("POST", "/v1/chat/completions", chat())
    assert (status, said["model"]) == (200, MODEL)


def test_a_long_prompt_gets_the_engines_words(served: Served) -> None:
    status, said = served.ask("POST", "/v1/chat/completions", chat("word " * 200))
    assert status == 400
    assert "MAX_KV_SIZE is 100" in said["detail"]


def test_a_stream_comes_word_by_word_and_ends_with_its_caller(served: Served) -> None:
    set_faults(served.home, '{"endless": true}')
    body = json.dumps(chat(stream=True)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as link:
        link.sendall(head.encode() + body)
        said = b""
        while said.count(b"data: ") < 3:  # they come although the answer has no end
            said += link.recv(4096)
        assert b"text/event-stream" in said
        assert said.lower().count(b"connection:") == 1
    served.until((served.home / "left.log").exists)
    set_faults(served.home, "{}")
    status, said_whole = served.ask("POST", "/v1/chat/completions", chat(stream=True))
    assert status == 200
    assert said_whole.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /health HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /health HTTP/2\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400),
        (b"POST /v1/chat/completions HTTP/1.1\r\nAUTH\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST /v1/chat/completions HTTP/1.1\r\nAUTH\r\nContent-Length: -1\r\n\r\n", 411),
        (b"POST /v1/chat/completions HTTP/1.1\r\nAUTH\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST /v1/chat/completions HTTP/1.1\r\nAUTH\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /v1/chat/completions HTTP/1.1\r\nAUTH\r\nContent-Length: 4\r\n\r\nnope", 400),
        (b"POST /v1/chat/completions HTTP/1.1\r\nAUTH\r\nContent-Length: 2\r\n\r\n[]", 400),
    ],
)
def test_what_is_no_good_request_is_refused(served: Served, raw: bytes, status: int) -> None:
    assert served.send(raw.replace(b"AUTH", f"Authorization: Bearer {KEY}".encode()))[0] == status
    assert served.healthy()


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "/etc/passwd"}},
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
        {"type": "image_url", "image_url": {"url": "http://169.254.169.254/"}},
        {"type": "image_url", "image_url": {"url": "data:image/svg+xml;utf8,<svg/>"}},
        {"type": "image_url", "image_url": IMAGE},
        {"type": "input_image", "image_url": "/etc/passwd"},
        {"type": "input_audio", "input_audio": {"data": "etc/passwd", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "/etc/passwd"}},
        {"type": "input_audio", "input_audio": {"data": "song.wav"}},
        {"type": "video_url", "video_url": {"url": IMAGE}},
        {"type": "text", "text": ["a"]},
        {"type": "text", "text": "a", "image_url": "/etc/passwd"},
        "text",
        None,
    ],
)
def test_no_file_and_no_address_of_the_machine_is_read(part: Any) -> None:
    with pytest.raises(RefusedRequestError) as told:
        checked(json.dumps(chat([part])).encode(), MODEL, INPUTS)
    assert told.value.status == 400


def test_media_come_as_data_and_only_where_the_plan_has_them() -> None:
    sound = base64.b64encode(b"RIFF").decode()
    parts = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": sound, "format": "wav"}},
    ]
    sent = json.loads(checked(json.dumps(chat(parts)).encode(), MODEL, INPUTS))
    assert sent["model"] == MODEL
    audio = sent["messages"][0]["content"][2]["input_audio"]["data"]
    assert audio == f"data:audio/wav;base64,{sound}"  # else the engine may take it for the name of a file
    for part in parts[1:]:
        with pytest.raises(RefusedRequestError):
            checked(json.dumps(chat([part])).encode(), MODEL, frozenset())


@pytest.mark.parametrize("more", [{"n": 2}, {"stop": ["x"]}, {"temperature": float("nan")}, {"draft_model": "x"}])
def test_what_the_engine_would_ignore_or_misuse_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(RefusedRequestError):
        checked(json.dumps(chat(**more)).encode(), MODEL, INPUTS)


def test_deep_nesting_is_refused_without_a_traceback() -> None:
    for body in (b"[" * 200_000, b'{"messages": ' + b'{"a":' * 50_000, b"\xff", b""):
        with pytest.raises(RefusedRequestError):
            checked(body, MODEL, INPUTS)


def test_a_log_is_turned_over_and_holds_no_secret(tmp_path: Path) -> None:
    log = Log(tmp_path / "server.log", 1000, 3, ("s3cret",))
    for number in range(200):
        log.write(f"line {number} s3cret {'x' * 40}\n".encode())
    files = sorted(one.name for one in tmp_path.iterdir())
    assert files == ["server.log", "server.log.1", "server.log.2"]
    texts = [one.read_text() for one in tmp_path.iterdir()]
    assert all(len(text) <= 1000 and "s3cret" not in text for text in texts)
    assert "line 199 [key]" in (tmp_path / "server.log").read_text()


def test_an_engine_that_ends_ends_the_service_so_that_launchd_starts_it_again(tmp_path: Path) -> None:
    one = Served(tmp_path)
    one.until(one.healthy)
    status = json.loads((one.folder / "status.json").read_text())
    os.kill(status["engine"], signal.SIGKILL)
    assert one.process.wait(30) == 1
    assert "signal 9" in json.loads((one.folder / "status.json").read_text())["reason"]


def test_a_stop_lets_running_answers_end_and_leaves_no_engine(tmp_path: Path) -> None:
    one = Served(tmp_path)
    one.until(one.healthy)
    engine = json.loads((one.folder / "status.json").read_text())["engine"]
    set_faults(tmp_path, '{"endless": true}')
    body = json.dumps(chat(stream=True)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", one.port), timeout=20) as link:
        link.sendall(head.encode() + body)
        said = link.recv(4096)
        one.process.terminate()
        set_faults(tmp_path, "{}")
        while chunk := link.recv(4096):
            said += chunk
    assert said.endswith(b"data: [DONE]\n\n")
    assert one.process.wait(30) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(engine, 0)


def test_a_key_file_without_a_key_does_not_open_the_gateway(tmp_path: Path) -> None:
    from infra.host.remote.serve import run

    (tmp_path / "service.json").write_text("{}")
    (tmp_path / "key").write_text("\n")
    with pytest.raises(OSError, match="holds no key"):
        asyncio.run(run(tmp_path, ["true"]))
