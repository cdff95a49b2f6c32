"""A stand-in for `mlx_vlm.server` 0.7.10, with what was seen of the real one: see the pitfalls in docs/host.md.

`$HOME/faults.json` says what goes wrong; `$HOME/starts.log` has a line for each start; `$HOME/real-python` names the
Python that has the real one, which runs in place of this.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

HOME = Path(os.environ["HOME"])
KEY = os.environ.get("MLX_VLM_SERVER_API_KEY", "")
STATE: dict[str, Any] = {"loaded": None, "limit": 0, "path": ""}


def faults() -> dict[str, Any]:
    file = HOME / "faults.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        print("request:", self.path, flush=True)

    def answer(self, status: int, data: object) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refused(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {KEY}":
            return False
        self.answer(401, {"detail": "Invalid API key"})
        return True

    def do_GET(self) -> None:
        if self.refused():
            return
        if self.path == "/health":
            loaded = faults().get("loaded", STATE["loaded"])
            self.answer(200, {"status": "healthy", "loaded_model": loaded})
        elif self.path == "/metrics":
            self.answer(200, {"requests": 1})
        else:
            self.answer(404, {})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.refused():
            return
        if self.path == "/unload" or asked.get("model") != STATE["path"] or asked.get("adapter_path"):
            STATE["loaded"] = None
            self.answer(400, {"detail": "Failed to load model"})
            return
        STATE["loaded"] = STATE["path"]
        words = " ".join(str(one.get("content")) for one in asked["messages"]).split()
        if len(words) + int(asked.get("max_tokens") or 0) > STATE["limit"]:
            self.answer(400, {"detail": f"Request needs more, but MAX_KV_SIZE is {STATE['limit']}."})
            return
        if not asked.get("stream"):
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris."}}
            self.answer(200, {"object": "chat.completion", "model": asked["model"], "choices": [choice], "seen": asked})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "keep-alive")
        self.end_headers()
        self.close_connection = True
        try:
            for word in ["Par", "is", "."]:
                event = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": word}}]}
                self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                self.wfile.flush()
            while faults().get("endless") and not time.sleep(0.02):  # type: ignore[func-returns-value]
                self.wfile.write(b": more\n\n")
                self.wfile.flush()
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            (HOME / "left.log").write_text("the caller has left\n")


def main() -> None:
    with (HOME / "starts.log").open("a") as file:
        file.write(json.dumps(sys.argv[1:]) + "\n")
    real = HOME / "real-python"
    if real.exists():
        python = real.read_text().strip()
        os.execv(python, [python, "-m", "mlx_vlm.server", *sys.argv[1:]])
    parser = argparse.ArgumentParser()
    for name in ("model", "host", "port", "max-kv-size", "max-num-seqs", "prefill-step-size", "log-level"):
        parser.add_argument(f"--{name}", required=True)
    wanted = parser.parse_args()
    print("Loading model:", wanted.model, flush=True)
    if faults().get("says"):
        print(faults()["says"].replace("KEY", KEY), flush=True)
    if "dies" in faults():
        sys.exit(faults()["dies"])
    if not (Path(wanted.model) / "model.safetensors").is_file():
        print(f"no model in {wanted.model}", flush=True)
        sys.exit(3)
    while faults().get("hangs"):
        time.sleep(0.05)
    STATE.update(loaded=wanted.model, path=wanted.model, limit=int(wanted.max_kv_size))
    http.server.ThreadingHTTPServer((wanted.host, int(wanted.port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
