"""`servestack smoke` of a Gemini API endpoint, through both official clients, against the loopback Gemini API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.cli import main
from simulator.managed.faults import Fault
from simulator.managed.google import Google, KeyState, Verdict
from simulator.managed.server import serving
from simulator.managed.world import World
from tests.unit.files import PLATFORM

STACK, KEY = "gemma4-31b-gemini", "AQ.accepted-key-of-the-test"
ENDPOINT = """\
apiVersion: servestack/v1
kind: Endpoint
platform: dev
model: gemma-4-31b-it
framework: gemini
inputs: [image, text]
"""
ROW = re.compile(r"^(\S(?: ?\S)*) {2,}(ok|miss|skipped) ", re.M)


@pytest.fixture
def world() -> World:
    def accepts(key: str) -> KeyState:
        return KeyState(Verdict.ACCEPTED, "servestack-dev") if key == KEY else KeyState(Verdict.UNKNOWN)

    return World(Google(accepts=accepts))


@pytest.fixture
def arguments(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    (tmp_path / "dev.yaml").write_text(PLATFORM)
    (tmp_path / f"{STACK}.yaml").write_text(ENDPOINT)
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-service")  # Google takes its header for a second key
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(world) as address:
        where = ["--url", f"{address}/v1beta/openai/", "--key-file", str(tmp_path / "key")]
        yield ["smoke", STACK, "--stacks", str(tmp_path), *where]


def test_both_clients_are_answered_and_what_is_not_promised_is_skipped(
    arguments: list[str], world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    main(arguments)
    text = capsys.readouterr().out
    assert KEY not in text
    results = dict(ROW.findall(text))
    for name in ("models", "chat", "stream", "first token", "image", "wrong key"):
        assert results[name] == "ok", text
    for name in ("genai models", "genai chat", "genai stream", "genai wrong key"):
        assert results[name] == "ok", text
    for name in ("audio", "tool call", "thinking", "metrics", "genai thinking"):
        assert results[name] == "skipped", text
    native = {"gemini.list", "gemini.generate", "gemini.stream", "gemini.openai-models", "gemini.openai-chat"}
    assert native <= set(world.routes())


def test_canned_answers_are_seen_to_be_no_json_and_no_refusal(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The loopback API computes nothing: what it does not do must not pass."""
    assert main(arguments) == 1
    results = dict(ROW.findall(capsys.readouterr().out))
    assert {name for name, result in results.items() if result == "miss"} == {"JSON schema", "too long"}


@pytest.mark.parametrize(
    ("route", "check"),
    [("gemini.stream", "genai stream"), ("gemini.generate", "genai chat"), ("gemini.list", "genai models")],
)
def test_a_fault_of_a_native_route_is_called_out(
    arguments: list[str], world: World, capsys: pytest.CaptureFixture[str], route: str, check: str
) -> None:
    world.faults.append(Fault(route, code=13, times=9))
    assert main(arguments) == 1
    text = capsys.readouterr().out
    assert dict(ROW.findall(text))[check] == "miss"
    assert "out of order" in " ".join(text.split())
