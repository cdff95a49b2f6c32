"""Whatever arrives, the loopback server answers as Google does: an error with a status, never a broken connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.managed.errors import STATUS
from simulator.managed.google import Google
from simulator.managed.server import serving
from simulator.managed.world import World
from tests.managed.conftest import KEY, PROJECT, accepts, deploy

HEADERS = {"x-goog-api-key": KEY}
BEARER = {"Authorization": f"Bearer {KEY}"}
REGION = f"/v1beta1/projects/{PROJECT}/locations/us-central1"
PATHS: dict[str, tuple[str, dict[str, str]]] = {
    "/v1beta/models/gemma-4-31b-it:generateContent": ("POST", HEADERS),
    "/v1beta/models/gemma-4-31b-it:countTokens": ("POST", HEADERS),
    "/v1beta/openai/chat/completions": ("POST", BEARER),
    f"{REGION}:deploy": ("POST", {}),
    f"{REGION}/endpoints/one": ("PATCH", {}),
    f"{REGION}/endpoints/one:undeployModel": ("POST", {}),
    f"{REGION}/endpoints/one:mutateDeployedModel": ("POST", {}),
    f"{REGION}/endpoints/one/chat/completions": ("POST", BEARER),
    f"/v1/projects/{PROJECT}/locations/global/endpoints/openapi/chat/completions": ("POST", BEARER),
}
NAMES = st.sampled_from(
    [
        "contents", "parts", "text", "inlineData", "mimeType", "systemInstruction", "generationConfig",
        "maxOutputTokens", "generateContentRequest", "model", "messages", "content", "role", "stream", "max_tokens",
        "stream_options", "publisherModelName", "endpointConfig", "deployConfig", "dedicatedResources", "machineSpec",
        "updateMask", "deployedModel", "id", "deployedModelId", "labels", "displayName",
    ]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.sampled_from(["", "gemma-4-31b-it", "labels", "google/x"])
BODIES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(World(Google(accepts=accepts))) as address, httpx.Client(base_url=address) as client:
        deploy(address, "one")
        yield client


@given(path=st.sampled_from(sorted(PATHS)), body=BODIES)
@settings(max_examples=200, deadline=None)
def test_any_body_is_answered(client: httpx.Client, path: str, body: Any) -> None:
    method, headers = PATHS[path]
    answer = client.request(method, path, headers=headers, json=body)
    assert answer.status_code in {200} | {status for status, _ in STATUS.values()} - {500}, (path, body, answer.text)


def test_what_is_no_method_and_what_is_no_json_are_told(client: httpx.Client) -> None:
    for method, path in (("GET", "/"), ("DELETE", "/v1beta/models"), ("POST", "/v1/projects/p/locations/l:nothing")):
        assert client.request(method, path).status_code == 404
    assert client.post(f"{REGION}:deploy", content=b"{").status_code == 400
