"""`servestack plan X --live` with Google's Gemini client against a loopback Gemini API, in order and in every fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.catalog.loader import load_catalog
from infra.live import asking
from infra.live.gemini import ADDRESS_VARIABLE
from infra.pipeline import ManagedEndpoint, build
from infra.stack_folder import StackFolder
from simulator.managed.errors import DENIED, INVALID, MISSING
from simulator.managed.faults import Fault
from simulator.managed.google import Google, KeyState, Verdict
from simulator.managed.server import serving
from simulator.managed.world import World
from tests.vertex.conftest import QUICK
from tests.vertex.live_stacks import SECRETS, Runs, answer_with

STACK = "gemma4-31b-gemini"
KEY = SECRETS["GEMINI_API_KEY"]
OTHER_KEY = "AQ.another-planted-key"
STRANGE_KEY = "AIzaSyStrange0123456789abcdefghijklmnopq"
EXHAUSTED, UNAVAILABLE, UNAUTHENTICATED = 8, 14, 16
MODEL = {
    "name": "models/gemma-4-31b-it",
    "version": "001",
    "inputTokenLimit": 262144,
    "outputTokenLimit": 32768,
    "supportedGenerationMethods": ["generateContent", "countTokens"],
}


def accepts(key: str) -> KeyState:
    return KeyState(Verdict.ACCEPTED if key in (KEY, OTHER_KEY) else Verdict.UNKNOWN, "shop-prod")


@pytest.fixture
def gemini() -> World:
    return World(Google(accepts=accepts))


@pytest.fixture
def runs(
    tmp_path: Path, gemini: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Runs]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    # What a shell may hold for Vertex AI: the Gemini API is asked all the same.
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "another")
    monkeypatch.setattr(asking, "PACE", QUICK)
    with serving(gemini) as address:
        monkeypatch.setenv(ADDRESS_VARIABLE, address)
        yield Runs(tmp_path, capfd)


def describe(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    """Make the API answer with this body for whatever model is asked."""
    answer_with(monkeypatch, "gemini.get", r"/v1beta/models/[^/:]+", body)


def keys(gemini: World) -> list[str | None]:
    """Keys of the calls that arrived."""
    return [{name.lower(): one for name, one in call.headers.items()}.get("x-goog-api-key") for call in gemini.calls]


def test_a_model_that_is_served_as_planned_is_told_with_its_limits(gemini: World, runs: Runs) -> None:
    done = runs.live(STACK)
    assert (done.code, done.err) == (0, "")
    assert "yes, version 001, 262,144 tokens, 32,768 of an answer" in done.out
    assert "no request was made" in done.out
    assert "its longest answer is 32,768 tokens, the catalogue says nothing" in " ".join(done.out.split())
    assert [call.path for call in gemini.calls] == ["/v1beta/models/gemma-4-31b-it"]
    assert keys(gemini) == [KEY]


def test_json_has_the_answer_and_no_key(runs: Runs) -> None:
    live = runs.plan(STACK, "--json", "--live").live
    assert (live["keepsPlan"], live["inputTokens"], live["outputTokens"]) == (True, 262144, 32768)
    assert live["asked"] == "models/gemma-4-31b-it"


def test_google_s_own_variable_is_taken_where_there_is_no_other(
    gemini: World, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", OTHER_KEY)
    assert runs.live(STACK).err == ""
    monkeypatch.delenv("GEMINI_API_KEY")
    assert runs.live(STACK).code == 0
    assert keys(gemini) == [KEY, OTHER_KEY]


@pytest.mark.parametrize("key", ["", "  ", "two words", "k\N{LATIN SMALL LETTER E WITH ACUTE}y\n\nx"])
def test_without_a_key_the_plan_is_printed_and_the_command_named(
    gemini: World, runs: Runs, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", key)
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert (
        "  export GEMINI_API_KEY=$(gcloud secrets versions access latest \\\n"
        f"    --secret={STACK}-key --project=shop-prod)\n"
    ) in done.err
    assert not key.strip() or key not in done.err
    assert not gemini.calls


def test_a_context_that_google_no_longer_takes_fails_with_the_one_that_it_does(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(monkeypatch, MODEL | {"inputTokenLimit": 131072})
    done = runs.live(STACK)
    assert done.code == 1
    assert "131,072 tokens, the plan says 262,144: write contextLength: 131072" in " ".join(done.out.split())
    assert "agrees" not in done.out


def test_a_model_that_makes_no_text_fails(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(monkeypatch, MODEL | {"supportedGenerationMethods": ["embedContent"]})
    done = runs.live(STACK)
    assert done.code == 1
    assert "it has no generateContent: embedContent alone" in done.out


def test_an_answer_without_limits_is_taken_as_it_is(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(monkeypatch, {"name": "models/gemma-4-31b-it"})
    done = runs.live(STACK)
    assert done.code == 0
    assert "differs" not in done.out


def test_a_model_that_is_not_served_differs(gemini: World, runs: Runs) -> None:
    gemini.faults.append(Fault("gemini.get", code=MISSING))
    done = runs.live(STACK)
    assert done.code == 1
    assert "does not serve gemma-4-31b-it to this key" in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        (INVALID, 400, "Is the key of GEMINI_API_KEY the right one?"),
        (UNAUTHENTICATED, 401, "Is the key of GEMINI_API_KEY the right one?"),
        (DENIED, 403, "Is the key of GEMINI_API_KEY the right one?"),
        (EXHAUSTED, 429, "Try again later."),
        (UNAVAILABLE, 503, "Try again later."),
    ],
)
def test_an_answer_that_is_an_error_is_one_sentence_and_what_to_do(
    gemini: World, runs: Runs, code: int, status: int, told: str
) -> None:
    message = f"API key {KEY} and x-goog-api-key: {OTHER_KEY}\x1b[2J are not valid"
    gemini.faults.append(Fault("gemini.get", code=code, message=message, times=99))
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert f"the Gemini API could not be asked: Google said ({status}): API key [secret]" in " ".join(done.err.split())
    assert told in done.err
    assert OTHER_KEY not in done.err
    assert "\x1b" not in done.err


def test_a_key_that_google_does_not_know_is_told_with_the_stack_s_own(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", STRANGE_KEY)
    done = runs.live(STACK)
    assert done.code == 1
    assert "Is the key of GEMINI_API_KEY the right one? The stack's own:" in done.err
    assert f"--secret={STACK}-key --project=shop-prod" in done.err
    assert STRANGE_KEY not in done.err


@pytest.mark.parametrize("fault", [{"code": UNAVAILABLE}, {"code": EXHAUSTED}, {"cut": True}])
def test_a_google_that_is_busy_or_cuts_is_asked_again(gemini: World, runs: Runs, fault: dict[str, Any]) -> None:
    gemini.faults.append(Fault("gemini.get", times=2, **fault))
    assert runs.live(STACK).code == 0
    assert len(gemini.calls) == 3


def test_a_connection_that_is_cut_every_time_ends_in_a_sentence(gemini: World, runs: Runs) -> None:
    gemini.faults.append(Fault("gemini.get", cut=True, times=99))
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert "no answer from Google" in done.err


def test_an_answer_that_does_not_come_is_given_up(gemini: World, runs: Runs, tmp_path: Path) -> None:
    gemini.faults.append(Fault("gemini.get", slow=True, times=99))
    built = build(STACK, StackFolder(tmp_path))
    assert isinstance(built, ManagedEndpoint)
    live = asking.ask(built.plan, load_catalog(), replace(QUICK, attempts=2, call_seconds=0.2))
    assert "no answer from Google" in live.error
    assert not gemini.over.is_set()  # the server still holds both answers back
    assert len(gemini.calls) == 2


@pytest.mark.parametrize("body", ["a proxy's page", [], None, {}, {"name": 7}, MODEL | {"inputTokenLimit": "many"}])
def test_an_answer_of_something_else_is_one_sentence(runs: Runs, monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    describe(monkeypatch, body)
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert "the Gemini API could not be asked" in done.err


@pytest.mark.parametrize("address", ["http://10.1.2.3:80", "http://me:pw@127.0.0.1:1", "ftp://x", "x", "http://["])
def test_a_key_goes_in_the_clear_to_this_machine_alone(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, address)
    done = runs.live(STACK)
    assert (done.code, done.out) == (1, "")
    assert f"{ADDRESS_VARIABLE} must be https://" in done.err
    assert "pw" not in done.err + str(runs.plan(STACK, "--json", "--live").live)
