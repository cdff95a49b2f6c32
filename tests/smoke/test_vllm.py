"""`servestack smoke` against a real vLLM on a processor, with the arguments that its plan renders.

Only where SERVESTACK_VLLM_PYTHON names a Python that has vLLM with its processor backend. The weights are random: that
answers come, end, are counted and refused is seen; what a model has to be good for (a tool call) is not.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.cli import main
from infra.pipeline import Endpoint, build
from infra.verify.cluster import context_in
from tests.proxy.rig import CURRENT, Proxy, free_port
from tests.unit.files import PLATFORM, Files, endpoint

_PYTHON = os.environ.get("SERVESTACK_VLLM_PYTHON", "")
_READY_SECONDS = 400
STACK = "gemma4-e2b-l4"
TEXT = endpoint("gemma-4-e2b-it", "l4", "vllm", "inputs: [text]", "contextLength: 4096")
ROW = re.compile(r"^(\S(?: ?\S)*) {2,}(ok|miss|skipped) ", re.M)
_PROCESSOR = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
}


def _can_serve() -> bool:
    """Whether it has vLLM's processor backend: one for the parsers alone cannot import torch."""
    program = "from vllm.platforms import current_platform; raise SystemExit(not current_platform.is_cpu())"
    return subprocess.run([_PYTHON, "-c", program], capture_output=True, timeout=300, check=False).returncode == 0


class Served:
    """vLLM behind the rendered Caddy; other than rendered are model, port, and what a processor needs."""

    def __init__(self, folder: Path) -> None:
        built = build(STACK, Files(**{STACK: TEXT}))
        assert isinstance(built, Endpoint)
        work, model, port = built.workload, folder / "tiny", free_port()
        script = Path(__file__).with_name("tiny_gemma.py")
        subprocess.run([_PYTHON, str(script), str(model)], check=True, capture_output=True, timeout=300)
        words = [word for word in work.args if not word.startswith(("--port=", "--chat-template="))]
        words += [f"--port={port}", "--enforce-eager", "--dtype=float32"]
        command = [str(Path(_PYTHON).with_name("vllm")), *work.command[1:-1], str(model), *words]
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **_PROCESSOR}
        self.log = folder / "vllm.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
        self.caddy = Proxy(work.proxy.config, work.port, folder, behind=port)
        self.caddy.write_keys(current=CURRENT)
        deadline = time.monotonic() + _READY_SECONDS
        while self.caddy.ask("/health")[0] != 200:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.5)

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(90)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.caddy.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not _PYTHON:
        pytest.skip("no vLLM: name the Python of an environment with it in SERVESTACK_VLLM_PYTHON (6 GB with torch)")
    if not _can_serve():
        pytest.skip(f"{_PYTHON} has no vLLM that runs on a processor")
    one = Served(tmp_path_factory.mktemp("vllm"))
    yield one
    one.close()


@pytest.mark.timeout(600)
def test_vllm_with_the_rendered_arguments_keeps_what_weights_do_not_decide(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dev.yaml").write_text(PLATFORM)
    (tmp_path / f"{STACK}.yaml").write_text(TEXT)
    monkeypatch.setenv("OPENAI_API_KEY", CURRENT)
    where = ["--url", f"http://127.0.0.1:{served.caddy.port}/v1"]
    where += ["--metrics-url", f"http://127.0.0.1:{served.caddy.metrics_port}/metrics"]
    main(["smoke", STACK, "--stacks", str(tmp_path), *where, "--first-token-seconds", "60"])
    text = capsys.readouterr().out
    results = dict(ROW.findall(text))
    kept = {"models", "chat", "stream", "first token", "speed", "wrong key", "too long", "metrics"}
    assert {name for name, result in results.items() if result == "ok"} >= kept, text
    assert {name for name, result in results.items() if result == "miss"} <= {"JSON schema"}, text
    assert "engine says vllm-" in text
    assert context_in("vllm", served.log.read_text()) == 4096
