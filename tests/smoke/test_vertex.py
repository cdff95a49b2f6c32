"""`servestack smoke` of Vertex AI endpoints against the loopback Vertex AI, with a token in the place of a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.cli import main
from simulator.managed.google import Google
from simulator.managed.server import serving
from simulator.managed.world import World
from tests.managed.conftest import PROJECT, deploy
from tests.unit.files import PLATFORM

TOKEN = "ya29.a-token-that-nobody-may-see"
HEAD = "apiVersion: servestack/v1\nkind: Endpoint\nplatform: dev\nframework: vertex\n"
SERVERLESS = f"{HEAD}model: gemma-4-26b-a4b-it\nvertex: {{serverless: true}}\n"
GARDEN = f"{HEAD}model: gemma-4-31b-it\naccelerator: h100\n"
ROW = re.compile(r"^(\S(?: ?\S)*) {2,}(ok|miss|skipped) ", re.M)


@pytest.fixture
def address() -> Iterator[str]:
    with serving(World(Google())) as found:
        yield found


@pytest.mark.parametrize(
    ("stack", "text", "place", "more"),
    [
        ("gemma4-26b-a4b-vertex-serverless", SERVERLESS, "global/endpoints/openapi", ()),
        ("gemma4-31b-vertex", GARDEN, "us-central1/endpoints/one", ("--model", "google/gemma-4-31b-it")),
    ],
)
def test_chat_and_stream_are_answered_and_what_is_not_there_does_not_pass(
    stack: str,
    text: str,
    place: str,
    more: tuple[str, ...],
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    deploy(address, "one")
    (tmp_path / "dev.yaml").write_text(PLATFORM)
    (tmp_path / f"{stack}.yaml").write_text(text)
    monkeypatch.setenv("OPENAI_API_KEY", TOKEN)
    url = f"{address}/v1/projects/{PROJECT}/locations/{place}"
    assert main(["smoke", stack, "--stacks", str(tmp_path), "--url", url, *more]) == 1
    said = capsys.readouterr().out
    assert TOKEN not in said
    results = dict(ROW.findall(said))
    assert {name for name in ("chat", "stream", "first token") if results[name] == "ok"} == {
        "chat",
        "stream",
        "first token",
    }
    assert results["models"] == results["metrics"] == "skipped"
    # The loopback API takes any token and computes nothing: both are seen.
    assert {"wrong key", "JSON schema"} <= {name for name, result in results.items() if result == "miss"}
