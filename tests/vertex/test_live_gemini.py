"""`servestack plan X --live` with Google's Gemini client against a loopback Gemini API, in order and in every fault."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from infra.catalog.loader import load_catalog
from infra.live import asking
from infra.live.gemini import ADDRESS_VARIABLE
from infra.pipeline import ManagedEndpoint, build
from infra.stack_folder import StackFolder
from tests.vertex.conftest import QUICK
from tests.vertex.live_stacks import SECRETS, Runs

STACK = "gemma4-31b-gemini"
KEY = SECRETS["GEMINI_API_KEY"]
OTHER_KEY = "AIzaSyOther0123456789abcdefghijklmnopqrs"
MODEL = {
    "name": "models/gemma-4-31b-it",
    "version": "001",
    "inputTokenLimit": 262144,
    "outputTokenLimit": 32768,
    "supportedGenerationMethods": ["generateContent", "countTokens"],
}


@dataclass
class Gemini:
    """A Gemini API that has one model.

    Attributes:
        answers: status and body of the next calls; None cuts the connection, "slow" holds the answer back.
        model: what it says when nothing else is asked of it.
        seen: path and key of each call.
    """

    address: str = ""
    answers: list[Any] = field(default_factory=list)
    model: Any = field(default_factory=lambda: dict(MODEL))
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


def error(code: int, status: str, message: str = "out of order") -> tuple[int, Any]:
    return code, {"error": {"code": code, "status": status, "message": message}}


@pytest.fixture
def gemini() -> Iterator[Gemini]:
    api = Gemini()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            api.seen.append((self.path, self.headers.get("x-goog-api-key")))
            answer = api.answers.pop(0) if api.answers else (200, api.model)
            if answer == "slow":
                api.over.wait(60)
            if not isinstance(answer, tuple):
                self.close_connection = True
                return
            status, body = answer
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    api.address = f"http://127.0.0.1:{server.server_port}"
    yield api
    api.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def runs(tmp_path: Path, gemini: Gemini, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Runs:
    for name, value in {**SECRETS, ADDRESS_VARIABLE: gemini.address}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    # What a shell may hold for Vertex AI: the Gemini API is asked all the same.
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "another")
    monkeypatch.setattr(asking, "PACE", QUICK)
    return Runs(tmp_path, capfd)


def test_a_model_that_is_served_as_planned_is_told_with_its_limits(gemini: Gemini, runs: Runs) -> None:
    done = runs.live(STACK)
    assert (done.code, done.err) == (0, "")
    assert "yes, version 001, 262,144 tokens, 32,768 of an answer" in done.out
    assert "no request was made" in done.out
    assert "its longest answer is 32,768 tokens, the catalogue says nothing" in " ".join(done.out.split())
    assert gemini.seen == [("/v1beta/models/gemma-4-31b-it", KEY)]


def test_json_has_the_answer_and_no_key(runs: Runs) -> None:
    live = runs.plan(STACK, "--json", "--live").live
    assert (live["keepsPlan"], live["inputTokens"], live["outputTokens"]) == (True, 262144, 32768)
    assert live["asked"] == "models/gemma-4-31b-it"


def test_google_s_own_variable_is_taken_where_there_is_no_other(
    gemini: Gemini, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", OTHER_KEY)
    assert runs.live(STACK).err == ""
    monkeypatch.delenv("GEMINI_API_KEY")
    assert runs.live(STACK).code == 0
    assert [key for _, key in gemini.seen] == [KEY, OTHER_KEY]


@pytest.mark.parametrize("key", ["", "  ", "two words", "k\N{LATIN SMALL LETTER E WITH ACUTE}y\n\nx"])
def test_without_a_key_the_plan_is_printed_and_the_command_named(
    gemini: Gemini, runs: Runs, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", key)
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert (
        "  export GEMINI_API_KEY=$(gcloud secrets versions access latest \\\n"
        f"    --secret={STACK}-key --project=shop-prod)\n"
    ) in done.err
    assert not key.strip() or key not in done.err
    assert not gemini.seen


def test_a_context_that_google_no_longer_takes_fails_with_the_one_that_it_does(gemini: Gemini, runs: Runs) -> None:
    gemini.model["inputTokenLimit"] = 131072
    done = runs.live(STACK)
    assert done.code == 1
    assert "131,072 tokens, the plan says 262,144: write contextLength: 131072" in " ".join(done.out.split())
    assert "agrees" not in done.out


def test_a_model_that_makes_no_text_fails(gemini: Gemini, runs: Runs) -> None:
    gemini.model["supportedGenerationMethods"] = ["embedContent"]
    done = runs.live(STACK)
    assert done.code == 1
    assert "it has no generateContent: embedContent alone" in done.out


def test_an_answer_without_limits_is_taken_as_it_is(gemini: Gemini, runs: Runs) -> None:
    gemini.model = {"name": "models/gemma-4-31b-it"}
    done = runs.live(STACK)
    assert done.code == 0
    assert "differs" not in done.out


def test_a_model_that_is_not_served_differs(gemini: Gemini, runs: Runs) -> None:
    gemini.answers = [error(404, "NOT_FOUND")]
    done = runs.live(STACK)
    assert done.code == 1
    assert "does not serve gemma-4-31b-it to this key" in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        (400, "INVALID_ARGUMENT", "Is the key of GEMINI_API_KEY the right one?"),
        (401, "UNAUTHENTICATED", "Is the key of GEMINI_API_KEY the right one?"),
        (403, "PERMISSION_DENIED", "Is the key of GEMINI_API_KEY the right one?"),
        (429, "RESOURCE_EXHAUSTED", "Try again later."),
        (503, "UNAVAILABLE", "Try again later."),
    ],
)
def test_an_answer_that_is_an_error_is_one_sentence_and_what_to_do(
    gemini: Gemini, runs: Runs, code: int, status: str, told: str
) -> None:
    refusal = error(code, status, f"API key {KEY} and x-goog-api-key: {OTHER_KEY}\x1b[2J are not valid")
    gemini.answers = [refusal] * 9
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert f"the Gemini API could not be asked: Google said ({code}): API key [secret]" in done.err
    assert told in done.err
    assert OTHER_KEY not in done.err
    assert "\x1b" not in done.err


@pytest.mark.parametrize("fault", [error(503, "UNAVAILABLE"), error(429, "RESOURCE_EXHAUSTED"), None])
def test_a_google_that_is_busy_or_cuts_is_asked_again(gemini: Gemini, runs: Runs, fault: Any) -> None:
    gemini.answers = [fault, fault]
    assert runs.live(STACK).code == 0
    assert len(gemini.seen) == 3


def test_a_connection_that_is_cut_every_time_ends_in_a_sentence(gemini: Gemini, runs: Runs) -> None:
    gemini.answers = [None] * 9
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert "no answer from Google" in done.err


def test_an_answer_that_does_not_come_is_given_up(
    gemini: Gemini, runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gemini.answers = ["slow"] * 9
    built = build(STACK, StackFolder(tmp_path))
    assert isinstance(built, ManagedEndpoint)
    live = asking.ask(built.plan, load_catalog(), replace(QUICK, attempts=2, call_seconds=0.2))
    assert "no answer from Google" in live.error
    assert not gemini.over.is_set()  # the server still holds both answers back
    assert len(gemini.seen) == 2


@pytest.mark.parametrize(
    "body", [b"<html>proxy</html>", b"[]", b"null", {"inputTokenLimit": "many"}, {"inputTokenLimit": {"a": 1}}]
)
def test_an_answer_of_something_else_is_one_sentence(gemini: Gemini, runs: Runs, body: Any) -> None:
    gemini.answers = [(200, body)] * 9
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert "the Gemini API could not be asked" in done.err


@pytest.mark.parametrize("address", ["http://10.1.2.3:80", "http://me:pw@127.0.0.1:1", "ftp://x", "x", "http://["])
def test_a_key_goes_in_the_clear_to_this_machine_alone(
    gemini: Gemini, runs: Runs, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, address)
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert f"{ADDRESS_VARIABLE} must be https://" in done.err
    assert "pw" not in done.err + str(runs.plan(STACK, "--json", "--live").live)
