"""The real `mlx_vlm.server` with tiny weights, served as on a Mac: by a stack file, over SSH, behind the gateway.

Needs SERVESTACK_MLX_PYTHON: a Python with `mlx[cpu]==0.32.4` and `mlx-vlm==0.7.10`.
"""

from __future__ import annotations

import base64
import json
import os
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.host.hub import Hub
from tests.host.mac import Mac
from tests.host.project import HostProject
from tests.host.test_service import ask, call

VARIABLE = "SERVESTACK_MLX_PYTHON"
PYTHON = os.environ.get(VARIABLE, "")

pytestmark = pytest.mark.skipif(not PYTHON, reason=f"{VARIABLE} names no Python with mlx-vlm")


def png(size: int) -> str:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    rows = b"".join(b"\x00" + b"\x80" * (3 * size) for _ in range(size))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def test_the_real_server_answers_streams_refuses_and_keeps_its_model(
    project: HostProject, mac: Mac, hub: Hub, tmp_path: Path
) -> None:
    subprocess.run([PYTHON, str(Path(__file__).parent / "tiny_mlx.py"), str(tmp_path / "tiny")], check=True)
    hub.files = {one.name: one.read_bytes() for one in (tmp_path / "tiny").iterdir()}
    (mac.home / "real-python").write_text(PYTHON)
    project.want(contextLength=1024, inputs=["text", "image"])
    project.up()
    url, key = project.outputs()["url"], mac.key

    def chat(**more: Any) -> tuple[int, str]:
        return call(f"{url}/chat/completions", key, ask(max_tokens=6, temperature=0) | more)

    first = chat()
    assert first[0] == 200, first
    known = json.loads(first[1])
    assert known["model"] == "gemma-4-e4b-it"
    assert known["usage"]["completion_tokens"] == 6
    status, said = chat(stream=True, stream_options={"include_usage": True})
    assert status == 200
    assert said.count("data: ") > 4
    assert said.rstrip().endswith("data: [DONE]")
    assert call(f"{url}/chat/completions", "x" * 64, ask())[0] == 401
    health = url.replace("/v1", "/health")
    assert call(health, "x" * 64)[0] == 401
    assert chat(model="mlx-community/gemma-4-31b-it-4bit")[0] == 404
    assert chat(adapter_path="/tmp")[0] == 400
    assert call(url.replace("/v1", "/unload"), key, {})[0] == 404
    assert call(health, key)[0] == 200
    status, said = chat(messages=[{"role": "user", "content": "word " * 400}])
    assert status == 400, said
    assert "MAX_KV_SIZE is 1024" in said
    picture = {"type": "image_url", "image_url": {"url": png(64)}}
    status, said = chat(messages=[{"role": "user", "content": [{"type": "text", "text": "what?"}, picture]}])
    assert status == 200, said
    assert json.loads(said)["usage"]["prompt_tokens"] > known["usage"]["prompt_tokens"]
    file = {"type": "image_url", "image_url": {"url": "/etc/passwd"}}
    assert chat(messages=[{"role": "user", "content": [file]}])[0] == 400
    again = chat()
    assert json.loads(again[1])["choices"][0]["message"] == known["choices"][0]["message"]
    # Around the gateway: the engine on loopback knows a key that no caller has.
    engine = json.loads((mac.service / "service.json").read_text())["engine_port"]
    assert call(f"http://127.0.0.1:{engine}/v1/models", key)[0] == 401
    assert len(mac.starts) == 1
    project.destroy()
