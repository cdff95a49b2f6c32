"""Calls of models on Vertex AI: an endpoint's chat, and Gemma 4 without an endpoint (serverless, "MaaS")."""

from __future__ import annotations

import re
from typing import Any

from simulator.managed import model_garden, prompts, replies
from simulator.managed.credentials import check_token
from simulator.managed.errors import INVALID, MISSING, PRECONDITION, ApiError
from simulator.managed.google import VERTEX
from simulator.managed.routing import Request, Route, Stream
from simulator.managed.vertex_api import REGION
from simulator.managed.world import World


def _chat(world: World, request: Request) -> Any:
    """What the verified container answers; it serves one model, under the name that it was deployed by, or none."""
    check_token(request)
    region = world.region(request.place["project"], request.place["location"])
    endpoint, body = region.endpoint(request.place["id"]), request.body or {}
    _refuse_shared_host(request, endpoint)
    deployed = endpoint["deployedModels"]
    if not deployed:
        raise ApiError(PRECONDITION, f"Endpoint {endpoint['name']} doesn't have traffic_split.")
    entry = region.models.get(deployed[0]["model"].rpartition("/")[2], {})
    source = entry.get("baseModelSource", {}).get("modelGardenSource", {}).get("publicModelName", "")
    name, wanted = source.rpartition("@")[2], str(body.get("model") or "")
    publisher = model_garden.PUBLISHER
    if wanted not in ("", name, f"{publisher}/{name}", f"{publisher}/{model_garden.FAMILY}@{name}"):
        raise ApiError(MISSING, f"The model `{wanted}` does not exist.")
    return _completed(world, body, f"{publisher}/{name}")


def _refuse_shared_host(request: Request, endpoint: dict[str, Any]) -> None:
    """A dedicated endpoint answers at its own host only; on loopback the Host header tells, where a client sets it."""
    host, own = request.headers.get("host", ""), endpoint.get("dedicatedEndpointDns", "")
    if own and host.endswith("aiplatform.googleapis.com"):
        raise ApiError(
            PRECONDITION,
            "This endpoint is a dedicated endpoint via CloudESF and cannot be accessed through the Vertex AI API. "
            f"Please access the endpoint using its dedicated dns name '{own}'",
        )


def _serverless_chat(world: World, request: Request) -> Any:
    check_token(request)
    project, body = request.place["project"], request.body or {}
    publisher, _, model = str(body.get("model") or "").partition("/")
    if not model:
        raise ApiError(
            INVALID,
            f"Malformed publisher model (`model`: '{publisher}') for the 'openapi' request endpoint ID; expected "
            "'<publisher>/<model>'.",
        )
    _check_served(world, project, request.place["location"], publisher, model)
    world.limits.check_vertex(world.google.number(project), model)
    return _completed(world, body, f"{publisher}/{model}")


def _generate(world: World, request: Request) -> Any:
    return replies.generated(_generated(world, request))


def _stream(world: World, request: Request) -> Any:
    pieces = replies.generated_pieces(_generated(world, request))
    return Stream(tuple(pieces)) if request.query.get("alt") == "sse" else pieces


def _count(world: World, request: Request) -> Any:
    place = _served_place(world, request)
    return {"totalTokens": replies.tokens(prompts.content_prompt(place["model"], request.body or {}))}


def _generated(world: World, request: Request) -> replies.Reply:
    place, body = _served_place(world, request), request.body or {}
    prompt, cap = prompts.content_prompt(place["model"], body), prompts.content_cap(body)
    world.limits.check_vertex(world.google.number(place["project"]), place["model"])
    return replies.reply(place["model"], prompt, cap, world.count())


def _served_place(world: World, request: Request) -> dict[str, str]:
    check_token(request)
    place = dict(request.place)
    _check_served(world, place["project"], place["location"], place["publisher"], place["model"])
    return place


def _check_served(world: World, project: str, location: str, publisher: str, model: str) -> None:
    """Whether a model is served without an endpoint, in a location.

    Raises:
        ApiError: it is not; the words are those of public runs.
    """
    world.google.check(project, VERTEX)
    if (publisher, model) != (model_garden.PUBLISHER, model_garden.SERVERLESS):
        name = f"projects/{project}/locations/{location}/publishers/{publisher}/models/{model}"
        raise ApiError(
            MISSING,
            f"Publisher Model `{name}` was not found or your project does not have access to it. Please ensure you are "
            "using a valid model version. For more information, see: "
            "https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions",
        )
    if location != "global":
        said = f"Publisher model '{publisher}/{model}' in region '{location}' is only available via global endpoint."
        raise ApiError(PRECONDITION, said)


def _completed(world: World, body: dict[str, Any], model: str) -> Any:
    prompt, cap = prompts.chat_prompt(model, body), prompts.chat_cap(body)
    one = replies.reply(model, prompt, cap, world.count())
    if body.get("stream"):
        return Stream(tuple(replies.completion_pieces(one, prompts.has_usage(body))))
    return replies.completion(one)


_PUBLISHED = REGION + r"/publishers/(?P<publisher>[^/]+)/models/(?P<model>[^/:]+)"
ROUTES = (
    Route(
        "chat.serverless",
        "POST",
        re.compile(REGION + "/endpoints/openapi/chat/completions"),
        _serverless_chat,
        lists_errors=True,
    ),
    Route("chat.endpoint", "POST", re.compile(REGION + r"/endpoints/(?P<id>[^/:]+)/chat/completions"), _chat),
    Route("publisher.generate", "POST", re.compile(_PUBLISHED + ":generateContent"), _generate),
    Route("publisher.stream", "POST", re.compile(_PUBLISHED + ":streamGenerateContent"), _stream),
    Route("publisher.count", "POST", re.compile(_PUBLISHED + ":countTokens"), _count),
)
