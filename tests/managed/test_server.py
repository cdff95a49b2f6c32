"""Whatever arrives, the loopback server answers as Google does: an error with a status, never a broken connection."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from simulator.managed.errors import STATUS
from simulator.managed.google import Google
from simulator.managed.server import serving
from simulator.managed.world import World
from tests.managed.conftest import KEY, PROJECT, accepts, deploy

HEADERS = {"x-goog-api-key": KEY}
BEARER = {"Authorization": f"Bearer {KEY}"}
REGION = f"/v1beta1/projects/{PROJECT}/locations/us-central1"
GENERATE = {
    "contents": [{"role": "user", "parts": [{"text": "Hello"}, {"inlineData": {"mimeType": "image/png", "data": ""}}]}],
    "systemInstruction": {"parts": [{"text": "Be brief"}]},
    "generationConfig": {"maxOutputTokens": 9},
}
CHAT = {
    "model": "gemma-4-31b-it",
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "user", "content": "Hello"},
    ],
    "max_tokens": 9,
    "stream": True,
    "stream_options": {"include_usage": True},
}
DEPLOY = {
    "publisherModelName": "publishers/google/models/gemma4@gemma-4-31b-it",
    "modelConfig": {"modelUserId": "two", "acceptEula": True},
    "endpointConfig": {"endpointUserId": "two", "dedicatedEndpointDisabled": False},
    "deployConfig": {"dedicatedResources": {"machineSpec": {"machineType": "g4-standard-48", "acceleratorCount": 1}}},
}
MUTATE = {
    "deployedModel": {"id": "5000000000000000001", "dedicatedResources": {"minReplicaCount": 2}},
    "updateMask": "dedicatedResources.minReplicaCount",
}
CALLS: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "/v1beta/models/gemma-4-31b-it:generateContent": ("POST", HEADERS, GENERATE),
    "/v1beta/models/gemma-4-31b-it:streamGenerateContent": ("POST", HEADERS, GENERATE),
    "/v1beta/models/gemma-4-31b-it:countTokens": ("POST", HEADERS, {"generateContentRequest": GENERATE}),
    "/v1beta/openai/chat/completions": ("POST", BEARER, CHAT),
    f"{REGION}:deploy": ("POST", {}, DEPLOY),
    f"{REGION}/endpoints/one?updateMask=labels": ("PATCH", {}, {"labels": {"a": "b"}, "displayName": "One"}),
    f"{REGION}/endpoints/one:undeployModel": ("POST", {}, {"deployedModelId": "1", "trafficSplit": {"0": 100}}),
    f"{REGION}/endpoints/one:mutateDeployedModel": ("POST", {}, MUTATE),
    f"{REGION}/endpoints/one/chat/completions": ("POST", BEARER, CHAT),
    f"/v1/projects/{PROJECT}/locations/global/endpoints/openapi/chat/completions": ("POST", BEARER, CHAT),
    f"/v1/projects/{PROJECT}:modelGardenEula:check": ("POST", {}, {"publisherModel": "x"}),
}
ANYTHING: list[Any] = [None, True, 0, -1, "x", [], {}, [1], ["x"], {"x": 1}, [[]], [{}]]


def spoilt(body: Any) -> Iterator[Any]:
    """A body with one part of it replaced by anything, or left out: every part in turn."""
    yield from ANYTHING
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, inner in parts:
        for other in spoilt(inner):
            changed = copy.copy(body)
            changed[key] = other
            yield changed
        if isinstance(body, dict):
            yield {name: value for name, value in body.items() if name != key}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(World(Google(accepts=accepts))) as address, httpx.Client(base_url=address) as client:
        deploy(address, "one")
        yield client


@pytest.mark.parametrize("path", CALLS)
def test_any_body_is_answered(client: httpx.Client, path: str) -> None:
    method, headers, body = CALLS[path]
    answered = {200} | {status for status, _ in STATUS.values()} - {500}
    for sent in spoilt(body):
        answer = client.request(method, path, headers=headers, json=sent)
        assert answer.status_code in answered, (sent, answer.text)


def test_what_is_no_method_and_what_is_no_json_are_told(client: httpx.Client) -> None:
    for method, path in (("GET", "/"), ("DELETE", "/v1beta/models"), ("POST", "/v1/projects/p/locations/l:nothing")):
        assert client.request(method, path).status_code == 404
    assert client.post(f"{REGION}:deploy", content=b"{").status_code == 400
