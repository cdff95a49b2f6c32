"""Google's own client of the Gemini API, and requests as OpenAI's clients make them, against the loopback one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from google import genai
from google.genai import errors, types

from simulator.google import projects
from simulator.managed.faults import Fault
from simulator.managed.google import GEMINI
from simulator.managed.limits import Limits
from simulator.managed.world import World
from tests.managed.conftest import KEY, PROJECT

MODELS = ["gemma-4-26b-a4b-it", "gemma-4-31b-it"]
MODEL = "gemma-4-31b-it"
SOUND = types.Part.from_bytes(data=b"RIFF", mime_type="audio/wav")
PICTURE = types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")

MakeClient = Callable[..., genai.Client]


@pytest.fixture
def client(address: str) -> MakeClient:
    kept = []  # one that is collected closes its connections

    def make(key: str = KEY, attempts: int = 1, timeout_ms: int = 10_000) -> genai.Client:
        retry = types.HttpRetryOptions(attempts=attempts, initial_delay=0.001, max_delay=0.001, jitter=0)
        options = types.HttpOptions(base_url=address, timeout=timeout_ms, retry_options=retry)
        kept.append(genai.Client(api_key=key, vertexai=False, http_options=options))
        return kept[-1]

    return make


def refused(call: Callable[[], Any]) -> tuple[int, str, str]:
    """Status, reason and message of a refusal."""
    with pytest.raises(errors.APIError) as caught:
        call()
    error = caught.value.details["error"]
    (reason,) = [one["reason"] for one in error.get("details", []) if "reason" in one] or [error["status"]]
    return caught.value.code, reason, error["message"]


def openai(address: str, path: str = "chat/completions", key: str = KEY, **body: Any) -> httpx.Response:
    """A request as OpenAI's clients make it."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    url = f"{address}/v1beta/openai/{path}"
    if not body:
        return httpx.get(url, headers=headers)
    return httpx.post(url, headers=headers, json={"messages": [{"role": "user", "content": "Hello"}]} | body)


def test_models_are_listed_and_told(client: MakeClient) -> None:
    listed = list(client().models.list())
    assert [one.name for one in listed] == [f"models/{name}" for name in MODELS]
    for name in (MODEL, f"models/{MODEL}"):
        told = client().models.get(model=name)
        assert (told.name, told.input_token_limit) == (f"models/{MODEL}", 262_144)
        assert "generateContent" in (told.supported_actions or [])


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_names_its_model_and_counts_its_tokens(client: MakeClient, model: str) -> None:
    answer = client().models.generate_content(model=model, contents=["Hello, who are you?", PICTURE])
    assert model in (answer.text or "")
    assert answer.model_version == model
    usage = answer.usage_metadata
    assert usage
    assert usage.total_token_count == (usage.prompt_token_count or 0) + (usage.candidates_token_count or 0) > 0
    assert answer.candidates
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    counted = client().models.count_tokens(model=model, contents="Hello, who are you?")
    assert counted.total_tokens == 5


def test_a_stream_adds_up_to_the_answer_and_keeps_its_cap(client: MakeClient) -> None:
    whole = client().models.generate_content(model=MODEL, contents="Hello")
    pieces = list(client().models.generate_content_stream(model=MODEL, contents="Hello"))
    assert len(pieces) > 1
    assert "".join(one.text or "" for one in pieces) == whole.text
    config = types.GenerateContentConfig(max_output_tokens=2)
    short = client().models.generate_content(model=MODEL, contents="Hello", config=config)
    assert short.text == " ".join((whole.text or "").split()[:2])
    assert short.candidates
    assert short.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


@pytest.mark.parametrize("model", ["gemma-4-e4b-it", "gemma-4-12b-it", "gemma-3-27b-it", "gemini-3-pro"])
def test_models_that_are_not_served_there_are_missing(client: MakeClient, address: str, model: str) -> None:
    for call in (client().models.get, lambda model: client().models.generate_content(model=model, contents="Hello")):
        code, reason, message = refused(lambda call=call: call(model=model))
        assert (code, reason) == (404, "NOT_FOUND")
        assert f"models/{model} is not found for API version v1beta" in message
    assert openai(address, model=model).status_code == 404


def test_audio_is_refused_and_so_is_an_empty_request(client: MakeClient, address: str) -> None:
    code, _, message = refused(lambda: client().models.generate_content(model=MODEL, contents=["Listen", SOUND]))
    assert (code, message) == (400, f"Audio input modality is not enabled for models/{MODEL}")
    sound = [{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}]
    answer = openai(address, model=MODEL, messages=[{"role": "user", "content": sound}])
    assert (answer.status_code, answer.json()[0]["error"]["message"]) == (400, message)
    headers = {"x-goog-api-key": KEY}
    url = f"{address}/v1beta/models/{MODEL}:generateContent"
    for body in (b"{}", b'{"contents": []}', b'{"contents": [{"role": "user"}]}', b"[]", b"{", b'{"contents": [1]}'):
        assert httpx.post(url, headers=headers, content=body).status_code == 400, body


@pytest.mark.parametrize(
    ("key", "code", "reason", "said"),
    [
        ("AIza-wrong", 400, "API_KEY_INVALID", "API key not valid"),
        ("AIza-maps", 403, "API_KEY_SERVICE_BLOCKED", "GenerateContent are blocked"),
        ("AIza-any", 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED", "Expected OAuth 2 access token"),
        ("AIza-unbound", 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED", "Expected OAuth 2 access token"),
    ],
)
def test_a_key_that_may_not_is_told_why_on_both_routes(
    client: MakeClient, address: str, key: str, code: int, reason: str, said: str
) -> None:
    found = refused(lambda: client(key).models.generate_content(model=MODEL, contents="Hello"))
    assert found[:2] == (code, reason)
    assert said in found[2]
    answer = openai(address, key=key, model=MODEL)
    assert answer.status_code == code
    assert answer.json()[0]["error"]["message"] == found[2]


def test_no_key_and_a_key_in_the_address(address: str) -> None:
    url = f"{address}/v1beta/models/{MODEL}"
    assert httpx.get(url).status_code == 403
    assert "unregistered callers" in httpx.get(url).json()["error"]["message"]
    assert httpx.get(url, params={"key": KEY}).status_code == 200
    assert httpx.get(url, headers={"Authorization": f"Bearer {KEY}"}).status_code == 401
    assert openai(address, key="", model=MODEL).status_code == 400
    beside = openai(address, path=f"chat/completions?key={KEY}", model=MODEL)
    assert "Multiple authentication credentials" in beside.json()[0]["error"]["message"]


def test_an_api_that_is_off_is_told_with_the_project_s_number(world: World, client: MakeClient) -> None:
    world.google = replace(world.google, is_on=lambda _project, service: service != GEMINI)
    code, reason, message = refused(lambda: client().models.get(model=MODEL))
    assert (code, reason) == (403, "SERVICE_DISABLED")
    assert f"Generative Language API has not been used in project {projects.number(PROJECT)}" in message


@pytest.mark.parametrize(
    ("code", "raised", "status"),
    [
        (7, errors.ClientError, 403),
        (5, errors.ClientError, 404),
        (6, errors.ClientError, 409),
        (8, errors.ClientError, 429),
        (14, errors.ServerError, 503),
    ],
)
def test_faults_reach_the_client_as_google_s_errors(
    world: World, client: MakeClient, code: int, raised: type[errors.APIError], status: int
) -> None:
    world.faults.append(Fault("gemini.generate", code=code, message="out of order"))
    with pytest.raises(raised, match="out of order") as caught:
        client().models.generate_content(model=MODEL, contents="Hello")
    assert caught.value.code == status


@pytest.mark.parametrize("fault", [{"code": 8}, {"code": 14}])
def test_the_client_s_own_retries_get_over_what_is_busy(
    world: World, client: MakeClient, fault: dict[str, Any]
) -> None:
    world.faults.append(Fault("gemini.generate", times=2, **fault))
    assert client(attempts=3).models.generate_content(model=MODEL, contents="Hello").text
    assert world.routes().count("gemini.generate") == 3


def test_a_cut_connection_and_an_answer_that_does_not_come_are_the_client_s_errors(
    world: World, client: MakeClient
) -> None:
    world.faults.append(Fault("gemini.generate", cut=True))
    with pytest.raises(httpx.RemoteProtocolError):
        client().models.generate_content(model=MODEL, contents="Hello")
    world.faults.append(Fault("gemini.generate", slow=True))
    with pytest.raises(httpx.ReadTimeout):
        client(timeout_ms=50).models.generate_content(model=MODEL, contents="Hello")
    world.faults.append(Fault("gemini.stream", cut=True, arrives=True))
    pieces = []
    with pytest.raises(httpx.RemoteProtocolError):
        pieces.extend(client().models.generate_content_stream(model=MODEL, contents="Hello"))
    assert client().models.generate_content(model=MODEL, contents="Hello").text


def test_requests_per_minute_are_a_project_s_and_say_when_to_come_back(
    world: World, client: MakeClient, address: str
) -> None:
    now = [0.0]
    world.limits = Limits(lambda: now[0])
    world.limits.per_minute[MODEL] = 2
    assert client().models.generate_content(model=MODEL, contents="Hello").text
    now[0] = 20.0
    assert openai(address, model=MODEL).status_code == 200
    with pytest.raises(errors.ClientError) as caught:
        client().models.generate_content(model=MODEL, contents="Hello")
    assert caught.value.code == 429
    (retry,) = [one for one in caught.value.details["error"]["details"] if "retryDelay" in one]
    assert retry["retryDelay"] == "40s"
    assert client().models.generate_content(model=MODELS[0], contents="Hello").text
    now[0] = 60.0
    assert client().models.generate_content(model=MODEL, contents="Hello").text


def test_chats_of_openai_s_clients(address: str) -> None:
    listed = openai(address, path="models").json()
    assert [one["id"] for one in listed["data"]] == [f"models/{name}" for name in MODELS]
    assert openai(address, path=f"models/{MODEL}").json()["id"] == f"models/{MODEL}"
    for name in (MODEL, f"models/{MODEL}"):
        whole = openai(address, model=name).json()
        text = whole["choices"][0]["message"]["content"]
        assert MODEL in text
        assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"]
    short = openai(address, model=MODEL, max_tokens=1).json()
    assert short["choices"][0]["finish_reason"] == "length"
    streamed = openai(address, model=MODEL, stream=True, stream_options={"include_usage": True})
    assert streamed.headers["content-type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in streamed.text.splitlines() if line]
    assert lines.pop() == "[DONE]"
    chunks = [httpx.Response(200, text=line).json() for line in lines]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == len(text.split())
    assert "".join(one["choices"][0]["delta"]["content"] for one in chunks[:-1]) == text
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
