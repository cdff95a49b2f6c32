"""The five sizes of the family as records, written out so that rules are tested apart from the catalogue."""

from __future__ import annotations

import dataclasses
from typing import Any

from infra.catalog.records import Accelerator, Checkpoint, Drafter, Model
from infra.plan.demand import Setting

_COMMON: dict[str, Any] = {
    "instruct": True,
    "tower_parameters_uncertainty": 0,
    "licence": "Apache-2.0",
    "gated": False,
    "sources": (),
    "checkpoints": (),
    "drafters": (),
    "vocabulary": 262144,
    "head_dim_sliding": 256,
    "head_dim_global": 512,
    "ffn_in_shared_layers": None,
    "kv_shared_layers": 0,
    "per_layer_embedding": 0,
    "experts": 0,
    "experts_per_token": 0,
    "expert_ffn": 0,
}
_SMALL: dict[str, Any] = {
    "architecture": "Gemma4ForConditionalGeneration",
    "query_heads": 8,
    "sliding_window_tokens": 512,
    "global_layers_without_value": False,
    "per_layer_embedding": 256,
    "max_context_tokens": 131072,
    "bidirectional_over_images": False,
    "inputs": ("audio", "image", "text", "video"),
}
_LARGE: dict[str, Any] = {
    "architecture": "Gemma4ForConditionalGeneration",
    "layers_per_global": 6,
    "sliding_window_tokens": 1024,
    "global_layers_without_value": True,
    "max_context_tokens": 262144,
    "bidirectional_over_images": True,
    "inputs": ("image", "text", "video"),
}
_SIZES: tuple[dict[str, Any], ...] = (
    {
        **_SMALL,
        "size": "e2b",
        "hub_size": "E2B",
        "layers": 35,
        "layers_per_global": 5,
        "hidden": 1536,
        "ffn": 6144,
        "ffn_in_shared_layers": 12288,
        "kv_heads_sliding": 1,
        "kv_heads_global": 1,
        "kv_shared_layers": 20,
        "text_parameters": 4628569379,
        "vision_parameters": 168544256,
        "audio_parameters": 307183904,
    },
    {
        **_SMALL,
        "size": "e4b",
        "hub_size": "E4B",
        "layers": 42,
        "layers_per_global": 6,
        "hidden": 2560,
        "ffn": 10240,
        "kv_heads_sliding": 2,
        "kv_heads_global": 2,
        "kv_shared_layers": 18,
        "text_parameters": 7463013418,
        "vision_parameters": 169330688,
        "audio_parameters": 308756768,
    },
    {
        **_LARGE,
        "size": "12b",
        "hub_size": "12B",
        "architecture": "Gemma4UnifiedForConditionalGeneration",
        "inputs": ("audio", "image", "text", "video"),
        "layers": 48,
        "hidden": 3840,
        "ffn": 15360,
        "query_heads": 16,
        "kv_heads_sliding": 8,
        "kv_heads_global": 1,
        "text_parameters": 11907350320,
        "vision_parameters": 49922304,
        "audio_parameters": 2457600,
    },
    {
        **_LARGE,
        "size": "26b-a4b",
        "hub_size": "26B-A4B",
        "layers": 30,
        "hidden": 2816,
        "ffn": 2112,
        "query_heads": 16,
        "kv_heads_sliding": 8,
        "kv_heads_global": 2,
        "experts": 128,
        "experts_per_token": 8,
        "expert_ffn": 704,
        "text_parameters": 25233141790,
        "vision_parameters": 572792112,
        "audio_parameters": 0,
    },
    {
        **_LARGE,
        "size": "31b",
        "hub_size": "31B",
        "layers": 60,
        "hidden": 5376,
        "ffn": 21504,
        "query_heads": 32,
        "kv_heads_sliding": 16,
        "kv_heads_global": 4,
        "text_parameters": 30697345340,
        "vision_parameters": 575741232,
        "audio_parameters": 0,
    },
)
MODELS = {row["size"]: Model(**(_COMMON | row)) for row in _SIZES}
_CARDS = {  # id: architecture, GiB that a process sees
    "h100-80gb": ("hopper", 79.11),
    "a100-40gb": ("ampere", 39.49),
    "a100-80gb": ("ampere", 79.15),
    "l4": ("ada", 22.03),
    "l40s": ("ada", 44.39),
    "b200": ("blackwell-sm100", 178.35),
    "rtx-pro-6000": ("blackwell-sm120", 94.97),
}


def accelerator(name: str) -> Accelerator:
    architecture, memory_gib = _CARDS[name]
    filled: dict[str, Any] = {field.name: None for field in dataclasses.fields(Accelerator)}
    filled |= {"topologies": (), "zones": (), "sources": (), "machines": (), "host_architecture": "amd64"}
    return Accelerator(**(filled | {"id": name, "kind": "gpu", "architecture": architecture, "memory_gib": memory_gib}))


def checkpoint(
    model: Model, precision: str, size_bytes: int | None = None, uncertainty: int = 0, format_: str = "safetensors"
) -> Checkpoint:
    return Checkpoint(
        model=model.id,
        precision=precision,
        format=format_,
        repository=f"example/{model.id}-{precision}",
        revision=None,
        bytes=size_bytes,
        bytes_uncertainty=uncertainty,
        projector_bytes=None,
        file=None,
        projector_file=None,
        frameworks=("vllm",),
        architectures=(),
        licence="Apache-2.0",
        gated=False,
        inputs=model.inputs,
        sources=(),
    )


def drafter(model: Model, parameters: int | None, uncertainty: int = 0) -> Drafter:
    return Drafter(
        model=model.id,
        format="safetensors",
        repository=f"example/{model.id}-assistant",
        parameters=parameters,
        parameters_uncertainty=uncertainty,
        tokens=4,
        frameworks=("vllm",),
        sources=(),
    )


def setting(size: str, card: str = "h100-80gb", **changes: Any) -> Setting:
    """A bf16, text-only endpoint on one card, with `changes`."""
    model = MODELS[size]
    base: dict[str, Any] = {
        "model": model,
        "checkpoint": checkpoint(model, "bf16"),
        "drafter": None,
        "accelerator": accelerator(card),
        "inputs": ("text",),
        "version": "0.33.0",
        "tokens": 8192,
        "concurrency": 1,
        "tensor": 1,
        "pipeline": 1,
        "data": 1,
        "batched_tokens": 4096,
        "kv_cache_dtype": "auto",
        "unified_slots": False,
    }
    return Setting(**(base | changes))
