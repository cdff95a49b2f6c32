"""Bytes of a checkpoint's weights, from the architecture where its format allows, else as listed."""

from __future__ import annotations

from infra.catalog.records import Checkpoint, Model

GIB = 2**30
_BF16_BYTES = 2


def text_parameters(model: Model) -> int:
    """Parameters of the text model, embeddings counted once (input and output are tied).

    Source: transformers 5.23.0 modeling_gemma4.py, one line per term; equal to its classes to the last digit.
    """
    total = model.vocabulary * model.hidden + model.hidden
    for layer in range(model.layers):
        total += _layer_parameters(model, layer)
    if model.per_layer_embedding:
        width = model.layers * model.per_layer_embedding
        total += model.vocabulary * width + model.hidden * width + model.per_layer_embedding
    return total


def _layer_parameters(model: Model, layer: int) -> int:
    hidden = model.hidden
    shared = layer >= model.layers - model.kv_shared_layers
    full = (layer + 1) % model.layers_per_global == 0
    head_dim = model.head_dim_global if full else model.head_dim_sliding
    kv_width = (model.kv_heads_global if full else model.kv_heads_sliding) * head_dim
    ffn = model.ffn_in_shared_layers if shared and model.ffn_in_shared_layers else model.ffn
    total = 2 * hidden * model.query_heads * head_dim + head_dim
    if not shared:
        total += hidden * kv_width + head_dim
        if not (full and model.global_layers_without_value):
            total += hidden * kv_width
    total += 3 * hidden * ffn + 4 * hidden + 1
    if model.per_layer_embedding:
        total += 2 * hidden * model.per_layer_embedding + hidden
    if model.experts:
        total += model.experts * 3 * hidden * model.expert_ffn + hidden * model.experts + model.experts + 4 * hidden
    return total


def weights_bytes(model: Model, checkpoint: Checkpoint, inputs: tuple[str, ...]) -> int | None:
    """Bytes of weights that the accelerators hold; None where the checkpoint's size is not known.

    The towers count as soon as any input but text is on: the engines load them together.
    """
    multimodal = set(inputs) != {"text"}
    if checkpoint.bytes is not None:
        return checkpoint.bytes + (checkpoint.projector_bytes or 0 if multimodal else 0)
    if checkpoint.precision != "bf16":
        return None
    towers = model.vision_parameters + model.audio_parameters if multimodal else 0
    return (text_parameters(model) + towers) * _BF16_BYTES
