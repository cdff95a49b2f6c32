"""Verdicts of smoke tests, what they send, and what is said where address or key are missing."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest

from infra.cli import main
from infra.errors import SpecError
from infra.pipeline import Endpoint, ManagedEndpoint, build
from infra.smoke import verdicts
from infra.smoke.answers import Answer, Failure, Listed, Page, ToolCall
from infra.smoke.media import long_prompt, png, wav
from infra.smoke.promise import promise
from infra.smoke.target import target_of
from infra.smoke.verdicts import MISS, OK, SKIPPED
from infra.stack_folder import StackFolder
from tests.unit.files import Files, endpoint

KEY = "a-key-that-nobody-may-see"
LOOPBACK = "http://127.0.0.1:8090/v1"


def built(name: str) -> Endpoint | ManagedEndpoint:
    one = build(name, StackFolder(Path("stacks")))
    assert isinstance(one, Endpoint | ManagedEndpoint)
    return one


def target(one: Endpoint | ManagedEndpoint, **more: Any) -> Any:
    said = {"url": None, "metrics_url": None, "key_file": None, "timeout_seconds": 1, "environment": {}} | more
    return target_of(one.plan, one.platform, **said)


@pytest.fixture(autouse=True)
def _in_the_project(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)


def test_the_picture_is_one_for_another_programs_reader() -> None:
    found = matplotlib.image.imread(io.BytesIO(png()), format="png")
    assert found.shape == (64, 64, 3)
    assert np.allclose(found, np.array([0xE0, 0x20, 0x20]) / 255, atol=1e-6)


def test_the_sound_is_one_for_the_standard_library() -> None:
    with wave.open(io.BytesIO(wav())) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 16_000)
        assert len(sound.readframes(20_000)) == 32_000


@pytest.mark.parametrize("tokens", [1, 1000])
def test_a_long_prompt_has_a_word_for_every_token(tokens: int) -> None:
    assert len(long_prompt(tokens).split()) == tokens


@pytest.mark.parametrize(
    ("text", "result", "said"),
    [
        ('{"city": "Rome", "population": 3, "climate": "hot", "coastal": false}', OK, ""),
        ('{"city": "Rome", "population": true, "climate": "hot", "coastal": false}', MISS, "population is no integer"),
        ('{"city": "Rome", "population": 3.5, "climate": "hot", "coastal": false}', MISS, "population is no integer"),
        ('{"city": "Rome", "population": 3, "climate": "wet", "coastal": false}', MISS, "climate is 'wet'"),
        ('{"city": "Rome", "population": 3, "climate": "hot"}', MISS, "lacks coastal"),
        ('{"city": "R", "population": 3, "climate": "hot", "coastal": true, "x": 1}', MISS, "has x"),
        ("[]", MISS, "no object"),
        ("Rome is", MISS, "not JSON"),
    ],
)
def test_json_is_judged_by_the_schema_that_was_sent(text: str, result: str, said: str) -> None:
    found = verdicts.judge_json(Answer(text))
    assert (found.result, said in found.note) == (result, True)
    import jsonschema

    try:
        jsonschema.validate(json.loads(text), verdicts.REPLY_SCHEMA)
        valid = True
    except (jsonschema.ValidationError, ValueError):
        valid = False
    assert valid is (result == OK)


def test_json_that_was_cut_by_its_limit_is_told_apart() -> None:
    assert "not ended" in verdicts.judge_json(Answer('{"city": "Ro', finish="length")).note


@pytest.mark.parametrize(
    ("status", "message", "result"),
    [
        (400, "This model's maximum context length is 4096 tokens.", OK),
        (400, "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it", OK),
        (400, "The input token count (300000) exceeds the maximum number of tokens allowed (262144).", OK),
        (413, "too large", OK),
        (400, "Bad Request", MISS),
        (401, "context", MISS),
        (500, "context", MISS),
        (None, "context", MISS),
    ],
)
def test_a_refusal_of_a_long_prompt_is_one_that_says_why(status: int | None, message: str, result: str) -> None:
    assert verdicts.judge_too_long(Failure(status, message), 4096).result == result


def test_a_wrong_key_must_be_refused_everywhere_and_for_what_it_is() -> None:
    refused, other = Failure(401, "no"), Failure(503, "busy")
    assert verdicts.judge_key([("models", refused), ("chat", refused)], (401,)).result == OK
    assert verdicts.judge_key([("models", refused), ("chat", Answer("x"))], (401,)).result == MISS
    assert verdicts.judge_key([("models", Listed(())), ("chat", refused)], (401,)).result == MISS
    assert verdicts.judge_key([("models", other)], (401,)).result == MISS


def test_a_tool_call_needs_name_and_json_and_a_missing_argument_is_said() -> None:
    def judged(*calls: ToolCall) -> verdicts.Verdict:
        return verdicts.judge_tool(Answer("", tools=calls))

    assert judged(ToolCall("get_weather", '{"city": "Paris"}')).note == "called, with its argument"
    assert "callers must check" in judged(ToolCall("get_weather", "{}")).note
    for calls in ((), (ToolCall("other", "{}"),), (ToolCall("get_weather", "{"),), (ToolCall("get_weather", "[]"),)):
        assert judged(*calls).result == MISS


def test_speed_is_told_only_where_tokens_were_counted_over_time() -> None:
    told = Answer("x", finish="stop", tokens=11, pieces=5, first_seconds=1, last_seconds=2)
    assert told.tokens_per_second == 10
    for one in (Answer("x"), Answer("x", tokens=5, pieces=1, first_seconds=1, last_seconds=1)):
        assert verdicts.judge_speed(one).result == SKIPPED


def test_metrics_are_found_by_their_whole_names() -> None:
    page = Page(200, '# HELP a b\na{x="1"} 2\nab 3\n')
    assert verdicts.judge_metrics(page, ["a", "ab"]).result == OK
    assert verdicts.judge_metrics(page, ["b"]).result == MISS
    assert verdicts.judge_metrics(Page(401, ""), ["a"]).note == "no metrics: HTTP 401"


def test_without_an_address_the_command_that_opens_one_is_printed() -> None:
    with pytest.raises(SpecError) as caught:
        target(built("gemma4-e4b-l4"))
    forward = "-n gemma4-e4b-l4 port-forward deployment/gemma4-e4b-l4 8090 8091"
    assert f"kubectl --context gke_servestack-dev_us-central1_dev {forward}" in str(caught.value)
    assert "--url http://127.0.0.1:8090/v1" in str(caught.value)
    with pytest.raises(SpecError, match="pulumi stack output url -s gemma4-31b-vertex"):
        target(built("gemma4-31b-vertex"))
    with pytest.raises(SpecError) as told:
        target(built("gemma4-e4b-apple-64gb-mlx"))
    assert "pulumi stack output tunnelCommand -s gemma4-e4b-apple-64gb-mlx" in str(told.value)
    assert "kubectl" not in str(told.value)


@pytest.mark.parametrize(
    ("stack", "command"),
    [
        ("gemma4-e4b-l4", "get secret gemma4-e4b-l4-keys -o jsonpath='{.data.current}' | base64 -d"),
        ("gemma4-e4b-apple-64gb-mlx", 'eval "$(pulumi stack output keyCommand -s gemma4-e4b-apple-64gb-mlx)"'),
        ("gemma4-31b-gemini", "gcloud secrets versions access latest --secret=gemma4-31b-gemini-key"),
        ("gemma4-26b-a4b-vertex-serverless", "gcloud auth print-access-token"),
    ],
)
def test_without_a_key_the_command_that_has_it_is_printed(stack: str, command: str) -> None:
    with pytest.raises(SpecError) as caught:
        target(built(stack), url=LOOPBACK)
    assert command in str(caught.value)


def test_addresses_of_the_plan_are_taken_where_it_has_one() -> None:
    known = {"environment": {"OPENAI_API_KEY": KEY}}
    assert target(built("gemma4-31b-gemini"), **known).url.startswith("https://generativelanguage.googleapis.com/")
    gateway = built("gemma4-e4b-l4-gateway")
    found = target(gateway, **known)
    assert found.url.startswith("https://")
    assert found.metrics_url == ""
    assert "--metrics-url" in found.no_metrics


def test_metrics_are_beside_the_endpoint_on_this_machine_and_the_key_stays_with_its_address() -> None:
    one, known = built("gemma4-e4b-l4"), {"environment": {"OPENAI_API_KEY": KEY}}
    found = target(one, url=LOOPBACK, **known)
    assert (found.metrics_url, found.metrics_key) == ("http://127.0.0.1:8091/metrics", False)
    bare = target(one, url="http://[::1]:8000/v1/", **known)
    assert (bare.metrics_url, bare.metrics_key) == ("http://[::1]:8000/metrics", True)
    named = target(one, url=LOOPBACK, metrics_url="https://other.example/metrics", **known)
    assert named.metrics_key is False


@pytest.mark.parametrize(
    "url",
    ["ftp://x/v1", "http://u:p@x/v1", "127.0.0.1:8090", "http:///v1", "http://x:0/v1", "http://x/\x1b", "http://x:y/"],
)
def test_an_address_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises(SpecError, match="--url must be"):
        target(built("gemma4-e4b-l4"), url=url, environment={"OPENAI_API_KEY": KEY})


def test_a_key_comes_from_its_file_without_its_newline_and_is_never_repeated(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    assert target(built("gemma4-e4b-l4"), url=LOOPBACK, key_file=str(file)).key == KEY
    file.write_text(f"{KEY} and more\n")
    with pytest.raises(SpecError) as caught:
        target(built("gemma4-e4b-l4"), url=LOOPBACK, key_file=str(file))
    assert KEY not in str(caught.value)
    with pytest.raises(SpecError, match="cannot be read"):
        target(built("gemma4-e4b-l4"), url=LOOPBACK, key_file=str(tmp_path / "none"))


def test_an_endpoint_that_asks_for_no_key_needs_none_and_says_why_none_is_checked() -> None:
    fields = ("expose: {authentication: none, reason: 'a lab on a closed network'}",)
    one = build("gemma4-e4b-l4-open", Files(gemma4_e4b_l4_open=endpoint("gemma-4-e4b-it", "l4", "vllm", *fields)))
    assert isinstance(one, Endpoint)
    assert target(one, url=LOOPBACK).metrics_key is False
    assert "a lab on a closed network" in promise(one.plan).no_key


def test_a_context_that_google_does_not_hold_callers_to_is_not_judged() -> None:
    text = "apiVersion: servestack/v1\nkind: Endpoint\nplatform: dev\nmodel: gemma-4-31b-it\nframework: gemini\n"
    for more, tokens in (("", 262_144), ("contextLength: 8192\n", None)):
        one = build("gemma4-31b-gemini", Files(gemma4_31b_gemini=text + more))
        assert isinstance(one, ManagedEndpoint)
        assert promise(one.plan).context_tokens == tokens
        assert bool(promise(one.plan).no_context) is (tokens is None)


def test_a_lone_request_of_llama_cpp_with_one_cache_for_all_may_have_all_of_it() -> None:
    fields = ("concurrency: 2", "contextLength: 4096")
    one = build(
        "gemma4-e2b-l4-llamacpp", Files(gemma4_e2b_l4_llamacpp=endpoint("gemma-4-e2b-it", "l4", "llamacpp", *fields))
    )
    assert isinstance(one, Endpoint)
    assert promise(one.plan).context_tokens == (8192 if one.plan.unified_slots else 4096)


def test_progress_is_told_on_terminals_alone_and_a_dead_address_ends_soon(root: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "infra.cli", "smoke", "gemma4-e4b-l4", "--url", "http://127.0.0.1:9/v1"]
    environment = os.environ | {"OPENAI_API_KEY": KEY}
    done = subprocess.run(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=60, check=False
    )
    os.close(theirs)
    told = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 1
    assert "1/13 models ..." in told
    assert "13/13 metrics ..." in told
    assert KEY not in done.stdout + told
    assert "no answer" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("stack", "instead"),
    [
        ("gemma4-31b-gemini", "servestack smoke gemma4-31b-gemini"),
        ("gemma4-e4b-apple-64gb-mlx", "pulumi preview --refresh -s gemma4-e4b-apple-64gb-mlx"),
        ("gemma4-e2b-l4-keras", "takes an Endpoint"),
        ("dev", "takes an Endpoint"),
    ],
)
def test_what_verify_cannot_read_back_is_refused_with_what_to_do(
    stack: str, instead: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", stack]) == 2
    assert instead in capsys.readouterr().err
