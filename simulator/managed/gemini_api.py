"""The Gemini API with its Gemma 4 models: native routes, and those that OpenAI's clients call.

Shapes: google-genai 2.34.0; errors as public reports have them, those of the OpenAI-compatible routes in a list of one.
"""

from __future__ import annotations

import re
from typing import Any

from simulator.managed import prompts, replies
from simulator.managed.credentials import gemini_project, openai_project
from simulator.managed.errors import INVALID, MISSING, ApiError
from simulator.managed.routing import Request, Route, Stream
from simulator.managed.world import World

MODELS = {"gemma-4-26b-a4b-it": "Gemma 4 26B A4B IT", "gemma-4-31b-it": "Gemma 4 31B IT"}
"""Served there, with their titles; no other Gemma 4 is (calls in many public files, 2026-11-24). Their descriptions are
those of a public copy of the list."""
_CONTEXT_TOKENS = 262_144
_OUTPUT_TOKENS = 32_768
_METHODS = ["generateContent", "countTokens"]


def _described(model: str) -> dict[str, Any]:
    return {
        "name": f"models/{model}",
        "version": "001",
        "displayName": MODELS[model],
        "description": MODELS[model],
        "inputTokenLimit": _CONTEXT_TOKENS,
        "outputTokenLimit": _OUTPUT_TOKENS,
        "supportedGenerationMethods": _METHODS,
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }


def _known(name: str, method: str) -> str:
    model = name.removeprefix("models/")
    if model not in MODELS:
        raise ApiError(
            MISSING,
            f"models/{model} is not found for API version v1beta, or is not supported for {method}. Call ListModels to "
            "see the list of available models and their supported methods.",
        )
    return model


def _list(world: World, request: Request) -> Any:
    gemini_project(world.google, request, "ModelService.ListModels")
    return {"models": [_described(model) for model in MODELS]}


def _get(world: World, request: Request) -> Any:
    gemini_project(world.google, request, "ModelService.GetModel")
    return _described(_known(request.place["model"], "generateContent"))


def _generate(world: World, request: Request) -> Any:
    project = gemini_project(world.google, request, "GenerativeService.GenerateContent")
    return replies.generated(_answered(world, request, project, "generateContent"))


def _stream(world: World, request: Request) -> Any:
    project = gemini_project(world.google, request, "GenerativeService.StreamGenerateContent")
    pieces = replies.generated_pieces(_answered(world, request, project, "streamGenerateContent"))
    return Stream(tuple(pieces)) if request.query.get("alt") == "sse" else pieces


def _answered(world: World, request: Request, project: str, method: str) -> replies.Reply:
    model, body = _known(request.place["model"], method), request.body or {}
    prompt, cap = prompts.content_prompt(f"models/{model}", body), prompts.content_cap(body)
    world.limits.check_gemini(project, model)
    return replies.reply(model, prompt, cap, world.count())


def _count(world: World, request: Request) -> Any:
    gemini_project(world.google, request, "GenerativeService.CountTokens")
    model, body = _known(request.place["model"], "countTokens"), request.body or {}
    inner = body.get("generateContentRequest", body)
    if not isinstance(inner, dict):
        raise ApiError(INVALID, "generateContentRequest: an object is needed.")
    total = replies.tokens(prompts.content_prompt(f"models/{model}", inner))
    return {"totalTokens": total, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}]}


def _openai_models(world: World, request: Request) -> Any:
    openai_project(world.google, request, "ModelService.ListModels")
    if wanted := request.place.get("model"):
        return _openai_model(_known(wanted, "generateContent"))
    return {"object": "list", "data": [_openai_model(model) for model in MODELS]}


def _openai_model(model: str) -> dict[str, str]:
    return {"id": f"models/{model}", "object": "model", "owned_by": "google", "display_name": MODELS[model]}


def _openai_chat(world: World, request: Request) -> Any:
    project, body = openai_project(world.google, request, "GenerativeService.GenerateContent"), request.body or {}
    model = _known(str(body.get("model") or ""), "generateContent")
    prompt, cap = prompts.chat_prompt(f"models/{model}", body), prompts.chat_cap(body)
    world.limits.check_gemini(project, model)
    one = replies.reply(model, prompt, cap, world.count())
    if body.get("stream"):
        return Stream(tuple(replies.completion_pieces(one, prompts.has_usage(body))))
    return replies.completion(one)


_MODEL = r"/v1beta/models/(?P<model>[^/:]+)"
_OPENAI = "/v1beta/openai"
ROUTES = tuple(
    Route(name, method, re.compile(pattern), answer, lists_errors=pattern.startswith(_OPENAI))
    for name, method, pattern, answer in (
        ("gemini.list", "GET", "/v1beta/models", _list),
        ("gemini.get", "GET", _MODEL, _get),
        ("gemini.generate", "POST", _MODEL + ":generateContent", _generate),
        ("gemini.stream", "POST", _MODEL + ":streamGenerateContent", _stream),
        ("gemini.count", "POST", _MODEL + ":countTokens", _count),
        ("gemini.openai-models", "GET", _OPENAI + r"/models(?:/(?P<model>(?:models/)?[^/:]+))?", _openai_models),
        ("gemini.openai-chat", "POST", _OPENAI + "/chat/completions", _openai_chat),
    )
)
