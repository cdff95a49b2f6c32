"""Bytes of a checkpoint's weights, from the architecture where its format allows, else as listed."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from infra.catalog.records import Checkpoint, Model
from infra.plan.demand import Setting, Term
from infra.plan.kv_vllm import stage_layers

_BF16_BYTES = 2
_FP8_BYTES = 1
_SCALE_BYTES = 4
# Scales per row, or per block of 128 x 128, which are fewer.
_FP8 = ("fp8", "fp8-block")
# What loading adds to the computed sum: the allocator rounds every tensor up. Logged, with the position tables that
# `overhead_vllm` counts, against computed: 31B 58.99 and 58.83 GiB, 26B 48.5 and 48.47, E4B with all inputs 15.18 and
# 15.12, 31B in NVFP4 31.04 and 31.03, 26B in FP8 25.67 and 25.72 (eugr/spark-vllm-docker issue 217).
_BF16_UNCERTAINTY, _FP8_UNCERTAINTY = 0.004, 0.01
# First version that gives layers with a shared KV cache no K and V projections of their own.
_SHARED_WITHOUT_KV = (0, 30)
_UNIFIED = "Gemma4UnifiedForConditionalGeneration"
_TEXT_SOURCE = "vllm 0.33.0 model_executor/models/gemma4.py"
_FP8_SOURCE = "llm-compressor, key model Gemma 4: vision and embeddings are left out of FP8"
_TOWER_SOURCE = "transformers 5.23.0 modeling_gemma4.py; vllm 0.33.0 model_executor/models/gemma4_mm.py"


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


def weights_bytes(model: Model, checkpoint: Checkpoint, _inputs: tuple[str, ...] = ()) -> int | None:
    """Bytes of a checkpoint's files, towers and all, whatever requests may hold; None where they are not known."""
    towers = (model.vision_parameters + model.audio_parameters) * _BF16_BYTES
    if checkpoint.bytes is not None:
        return checkpoint.bytes
    if checkpoint.precision == "bf16":
        return text_parameters(model) * _BF16_BYTES + towers
    if checkpoint.precision in _FP8:
        shape = _shape(model, False)
        twice = sum(_kept_twice_bytes(shape, layer) for layer in range(model.layers)) // _BF16_BYTES
        return _text_bytes(shape, 1, 1, "fp8") - twice + towers
    return None


def has_known_size(setting: Setting) -> bool:
    """Whether `weight_terms` can size the setting: its weights and, where it has one, its drafter."""
    computed = setting.checkpoint.precision in ("bf16", *_FP8)
    sized = computed or setting.checkpoint.bytes is not None
    return sized and (setting.drafter is None or setting.drafter.parameters is not None)


def weight_terms(setting: Setting) -> tuple[Term, ...]:
    """What the weights take of the fullest accelerator under vLLM, in bytes.

    Attention, feed-forward, experts and vocabulary are split by tensor parallelism, KV projections down to one head;
    norms, routers, per-layer gates and towers are whole on every accelerator. Layers are split by stages, embeddings
    are whole on each. A tower is left out where no request may hold what it reads; the projections of the unified
    architecture never are. Raises ValueError where `has_known_size` is false.
    """
    if not has_known_size(setting):
        raise ValueError(f"the size of {setting.checkpoint.repository} or of its drafter is not known")
    model, checkpoint, drafter, inputs = setting.model, setting.checkpoint, setting.drafter, setting.inputs
    major, minor = setting.version.split(".")[:2]
    unified = model.architecture == _UNIFIED
    return _weight_terms(
        _shape(model, (int(major), int(minor)) < _SHARED_WITHOUT_KV),
        setting.tensor,
        setting.pipeline,
        checkpoint.precision,
        None if checkpoint.precision == "bf16" else checkpoint.bytes,
        checkpoint.bytes_uncertainty,
        (
            model.vision_parameters,
            model.audio_parameters,
            unified or "image" in inputs or "video" in inputs,
            unified or "audio" in inputs,
            model.tower_parameters_uncertainty,
        ),
        None if drafter is None or drafter.parameters is None else (drafter.parameters, drafter.parameters_uncertainty),
    )


class _Shape(NamedTuple):
    """Numbers of a model's text part; equal shapes have equal weights. Units as in `Model`."""

    layers: int
    layers_per_global: int
    shared: int
    hidden: int
    ffn: int
    ffn_in_shared_layers: int | None
    query_heads: int
    kv_heads_sliding: int
    kv_heads_global: int
    head_dim_sliding: int
    head_dim_global: int
    without_value: bool
    per_layer_embedding: int
    experts: int
    expert_ffn: int
    vocabulary: int
    shared_have_kv: bool


def _shape(model: Model, shared_have_kv: bool) -> _Shape:
    return _Shape(
        model.layers,
        model.layers_per_global,
        model.kv_shared_layers,
        model.hidden,
        model.ffn,
        model.ffn_in_shared_layers,
        model.query_heads,
        model.kv_heads_sliding,
        model.kv_heads_global,
        model.head_dim_sliding,
        model.head_dim_global,
        model.global_layers_without_value,
        model.per_layer_embedding,
        model.experts,
        model.expert_ffn,
        model.vocabulary,
        shared_have_kv,
    )


class _Layer(NamedTuple):
    """Of one layer on one accelerator: parameters that FP8 covers and that it leaves, and rows with an own scale."""

    linear: int
    plain: int
    rows: int


@cache
def _layer(shape: _Shape, layer: int, tensor: int) -> _Layer:
    """As vLLM lays it out: global layers without a value projection keep their keys twice, as K and as V."""
    hidden = shape.hidden
    shared = layer >= shape.layers - shape.shared
    full = (layer + 1) % shape.layers_per_global == 0
    head_dim = shape.head_dim_global if full else shape.head_dim_sliding
    kv_heads = shape.kv_heads_global if full else shape.kv_heads_sliding
    query = shape.query_heads // tensor * head_dim
    kv = 0 if shared and not shape.shared_have_kv else 2 * max(1, kv_heads // tensor) * head_dim
    ffn = (shape.ffn_in_shared_layers if shared and shape.ffn_in_shared_layers else shape.ffn) // tensor
    linear = hidden * (2 * query + kv + 3 * ffn)
    rows = query + kv + 2 * ffn + 2 * hidden
    plain = head_dim * (2 if kv else 1) + 4 * hidden + 1
    if shape.per_layer_embedding:
        plain += 2 * hidden * shape.per_layer_embedding + hidden
    if shape.experts:
        expert_ffn = shape.expert_ffn // tensor
        linear += shape.experts * 3 * hidden * expert_ffn
        rows += shape.experts * (2 * expert_ffn + hidden)
        plain += hidden * shape.experts + shape.experts + 4 * hidden
    return _Layer(linear, plain, rows)


def _bf16_bytes(layer: _Layer) -> int:
    return (layer.linear + layer.plain) * _BF16_BYTES


def _fp8_bytes(layer: _Layer) -> int:
    return layer.linear * _FP8_BYTES + layer.rows * _SCALE_BYTES + layer.plain * _BF16_BYTES


@cache
def _embedding_bytes(shape: _Shape, tensor: int) -> int:
    """Token and per-layer embeddings with their norms, bf16 in every checkpoint that loads them unquantised."""
    per_layer = shape.layers * shape.per_layer_embedding
    split = shape.vocabulary * (shape.hidden + per_layer) + shape.hidden * per_layer
    return (split // tensor + shape.hidden + shape.per_layer_embedding) * _BF16_BYTES


@cache
def _text_bytes(shape: _Shape, tensor: int, pipeline: int, precision: str) -> int:
    """Text model of the fullest stage on one accelerator, computed."""
    size = _fp8_bytes if precision in _FP8 else _bf16_bytes
    stages = stage_layers(shape.layers, pipeline)
    layers = max(sum(size(_layer(shape, layer, tensor)) for layer in range(first, end)) for first, end in stages)
    return _embedding_bytes(shape, tensor) + layers


@cache
def _listed_text_bytes(shape: _Shape, tensor: int, pipeline: int, listed_bytes: int) -> int:
    """At most what a listed text model takes on one accelerator.

    Its embeddings are counted in bf16; its layers are shared out as bf16 ones would be; what is not split or is kept
    twice is counted in bf16.
    """
    embeddings = min(_embedding_bytes(shape, 1), listed_bytes)
    whole = [_layer(shape, layer, 1) for layer in range(shape.layers)]
    part = [_layer(shape, layer, tensor) for layer in range(shape.layers)]
    all_layers = sum(_bf16_bytes(layer) for layer in whole)
    fullest = 0
    for first, end in stage_layers(shape.layers, pipeline):
        own = sum(_bf16_bytes(layer) for layer in whole[first:end])
        more = sum(_bf16_bytes(layer) for layer in part[first:end]) - own // tensor
        twice = sum(_kept_twice_bytes(shape, layer) for layer in range(first, end)) // tensor
        fullest = max(fullest, (listed_bytes - embeddings) * own // all_layers // tensor + more + twice)
    return embeddings // tensor + fullest


def _kept_twice_bytes(shape: _Shape, layer: int) -> int:
    if not shape.without_value or (layer + 1) % shape.layers_per_global:
        return 0
    return shape.hidden * shape.kv_heads_global * shape.head_dim_global * _BF16_BYTES


@cache
def _weight_terms(
    shape: _Shape,
    tensor: int,
    pipeline: int,
    precision: str,
    listed_bytes: int | None,
    listed_uncertainty_bytes: int,
    towers: tuple[int, int, bool, bool, int],
    drafter: tuple[int, int] | None,
) -> tuple[Term, ...]:
    vision, audio, with_vision, with_audio, tower_uncertainty = towers
    if listed_bytes is None:
        text = _text_bytes(shape, tensor, pipeline, precision)
        uncertainty = int(text * (_FP8_UNCERTAINTY if precision in _FP8 else _BF16_UNCERTAINTY))
        source = f"{_TEXT_SOURCE}; {_FP8_SOURCE}" if precision in _FP8 else _TEXT_SOURCE
    else:
        all_towers = (vision + audio) * _BF16_BYTES
        text = _listed_text_bytes(shape, tensor, pipeline, max(0, listed_bytes - all_towers))
        skipped = (0 if with_vision else vision) + (0 if with_audio else audio)
        uncertainty = (listed_uncertainty_bytes + skipped) // tensor + int(text * _BF16_UNCERTAINTY)
        source = f"listed size of the checkpoint; shared out as in {_TEXT_SOURCE}"
    terms = [Term("weights", "text model", text, uncertainty, source)]
    spread = tower_uncertainty * _BF16_BYTES
    if with_vision and vision:
        terms.append(Term("weights", "vision tower", vision * _BF16_BYTES, spread, _TOWER_SOURCE))
    if with_audio and audio:
        terms.append(Term("weights", "audio tower", audio * _BF16_BYTES, spread, _TOWER_SOURCE))
    if drafter is not None:
        parameters, off = drafter
        terms.append(
            Term(
                "weights",
                "drafter",
                parameters * _BF16_BYTES // tensor,
                off * _BF16_BYTES // tensor,
                "vllm 0.33.0 model_executor/models/gemma4_mtp.py: embeddings shared with the target, own output layer",
            )
        )
    return tuple(terms)
