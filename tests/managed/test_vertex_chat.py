"""Gemma 4 on Vertex AI answers: at an endpoint, and without one (serverless)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from simulator.managed.faults import Fault, Outcome
from simulator.managed.world import World
from tests.managed.conftest import PROJECT, deploy

SERVERLESS = "gemma-4-26b-a4b-it-maas"
PLACE = f"v1/projects/{PROJECT}/locations"
ASKED = {"messages": [{"role": "user", "content": "Hello"}]}


def chat(address: str, path: str, token: str = "ya29.x", host: str = "", **body: Any) -> httpx.Response:
    headers = ({"Authorization": f"Bearer {token}"} if token else {}) | ({"Host": host} if host else {})
    return httpx.post(f"{address}/{PLACE}/{path}/chat/completions", headers=headers, json=ASKED | body)


@pytest.fixture
def endpoint(address: str) -> str:
    deploy(address, "one")
    return "us-central1/endpoints/one"


def test_an_endpoint_answers_for_its_model_alone(address: str, endpoint: str) -> None:
    for model in ("", "google/gemma-4-31b-it", "google/gemma4@gemma-4-31b-it"):
        answer = chat(address, endpoint, model=model)
        assert answer.status_code == 200
        assert "gemma-4-31b-it" in answer.json()["choices"][0]["message"]["content"]
    streamed = chat(address, endpoint, model="", stream=True)
    assert streamed.text.splitlines()[-2] == "data: [DONE]"
    other = chat(address, endpoint, model="google/gemma-4-12b-it")
    assert (other.status_code, "does not exist" in other.text) == (404, True)


def test_who_has_no_token_gets_no_answer(address: str, endpoint: str) -> None:
    assert chat(address, endpoint, token="", model="").status_code == 401
    serverless = chat(address, "global/endpoints/openapi", token="", model=f"google/{SERVERLESS}")
    assert serverless.status_code == 401


def test_an_endpoint_that_is_not_there_or_does_not_serve_yet_says_so(world: World, address: str, endpoint: str) -> None:
    assert chat(address, "us-central1/endpoints/two", model="").status_code == 404
    assert chat(address, "europe-west4/endpoints/one", model="").status_code == 404
    world.region(PROJECT, "us-central1").endpoints["one"]["deployedModels"] = []
    assert "traffic_split" in chat(address, endpoint, model="").text
    world.region(PROJECT, "us-central1").endpoints.clear()
    assert chat(address, endpoint, model="").status_code == 404


def test_a_deployment_that_fails_serves_nothing(world: World, address: str) -> None:
    world.outcomes.append(Outcome(code=8))
    assert deploy(address, "late").error.code == 8
    assert chat(address, "us-central1/endpoints/late", model="").status_code == 400


def test_a_dedicated_endpoint_refuses_the_shared_host(address: str, endpoint: str, world: World) -> None:
    own = world.region(PROJECT, "us-central1").endpoint("one")["dedicatedEndpointDns"]
    assert chat(address, endpoint, host=own, model="").status_code == 200
    refused = chat(address, endpoint, host="us-central1-aiplatform.googleapis.com", model="")
    assert refused.json()["error"]["status"] == "FAILED_PRECONDITION"
    assert own in refused.json()["error"]["message"]


def test_only_one_gemma_4_is_served_without_an_endpoint_and_only_globally(address: str) -> None:
    answer = chat(address, "global/endpoints/openapi", model=f"google/{SERVERLESS}")
    assert SERVERLESS in answer.json()["choices"][0]["message"]["content"]
    for model, location, status, said in (
        ("google/gemma-4-31b-it-maas", "global", 404, "was not found or your project does not have access"),
        ("meta/llama", "global", 404, "was not found"),
        (SERVERLESS, "global", 400, "Malformed publisher model"),
        (f"google/{SERVERLESS}", "us-central1", 400, "only available via global endpoint"),
    ):
        refused = chat(address, f"{location}/endpoints/openapi", model=model)
        assert refused.status_code == status
        assert said in refused.json()[0]["error"]["message"]


@pytest.mark.parametrize("code", [7, 5, 6, 8, 14])
@pytest.mark.parametrize("route", ["chat.endpoint", "chat.serverless"])
def test_faults_of_chats(world: World, address: str, endpoint: str, route: str, code: int) -> None:
    path = endpoint if route == "chat.endpoint" else "global/endpoints/openapi"
    model = "" if route == "chat.endpoint" else f"google/{SERVERLESS}"
    world.faults.append(Fault(route, code=code))
    assert chat(address, path, model=model).status_code == {7: 403, 5: 404, 6: 409, 8: 429, 14: 503}[code]
    world.faults.append(Fault(route, cut=True))
    with pytest.raises(httpx.RemoteProtocolError):
        chat(address, path, model=model)
    assert chat(address, path, model=model).status_code == 200


@pytest.fixture
def client(address: str) -> genai.Client:
    options = types.HttpOptions(base_url=address, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(
        vertexai=True, project=PROJECT, location="global", credentials=Credentials(token="x"), http_options=options
    )


def test_google_s_client_on_vertex_ai(world: World, client: genai.Client) -> None:
    answer = client.models.generate_content(model=SERVERLESS, contents="Hello")
    assert SERVERLESS in (answer.text or "")
    assert answer.model_version == SERVERLESS
    pieces = client.models.generate_content_stream(model=f"google/{SERVERLESS}", contents="Hello")
    assert "".join(one.text or "" for one in pieces) == answer.text
    assert client.models.count_tokens(model=SERVERLESS, contents="Hello").total_tokens == 2
    with pytest.raises(errors.ClientError, match="was not found"):
        client.models.generate_content(model="gemma-4-31b-it", contents="Hello")
    world.faults.append(Fault("publisher.generate", code=8))
    with pytest.raises(errors.ClientError, match="429"):
        client.models.generate_content(model=SERVERLESS, contents="Hello")


def test_requests_per_minute_without_an_endpoint_are_one_limit_for_both_routes(
    world: World, address: str, client: genai.Client
) -> None:
    world.limits.per_minute[SERVERLESS] = 1
    assert client.models.generate_content(model=SERVERLESS, contents="Hello").text
    refused = chat(address, "global/endpoints/openapi", model=f"google/{SERVERLESS}")
    assert refused.status_code == 429
    assert "error-code-429" in refused.json()[0]["error"]["message"]
