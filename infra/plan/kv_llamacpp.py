"""Memory of `llama-server`: cache, buffers and weights on the accelerator, and what stays in host memory.

Source of every formula, where no other is named: llama.cpp b11434, read, and checked against the fit pass of its own
server at the points of `tests/facts/llama-server-b11434-memory.json`. All sizes are in bytes.
"""

from __future__ import annotations

from fractions import Fraction

from infra.catalog.records import Model
from infra.plan.demand import HostTerm, Setting, Term
from infra.plan.gguf import WEIGHT_BYTES, gguf_bytes, unused_kv_bytes

MIB = 2**20
BATCH_TOKENS = 2048
UBATCH_TOKENS = 512
CHECKPOINT_BUDGET_BYTES = 2048 * MIB
ELEMENT_BYTES = {
    "f32": Fraction(4),
    "f16": Fraction(2),
    "bf16": Fraction(2),
    "q8_0": Fraction(34, 32),
    "q5_1": Fraction(24, 32),
    "q5_0": Fraction(22, 32),
    "q4_1": Fraction(20, 32),
    "q4_0": Fraction(18, 32),
    "iq4_nl": Fraction(18, 32),
}
_FLOATS = frozenset({"f32", "f16", "bf16"})
_PAIR = {kind: (2 * size.numerator, size.denominator) for kind, size in ELEMENT_BYTES.items()}
# Embedding tables of a 4-bit file: q4_0 at least; llama-quantize takes q6_K.
_TABLE_BYTES_AT_LEAST, _TABLE_BYTES_AT_MOST = ELEMENT_BYTES["q4_0"], Fraction(210, 256)
_CELLS, _TEXT = 256, ("text",)
# Bytes of compute buffer per token of the micro-batch, beside the mask: without an accelerator; on one, and what the
# host keeps then; and what a quantised cache adds to the first two.
_COMPUTE = {
    "12b": (261176, 245808, 61496, 0, 0),
    "26b-a4b": (214072, 202800, 45112, 0, 0),
    "31b": (365624, 344112, 86072, 0, 0),
    "e2b": (214076, 232484, 66620, 0, 0),
    "e4b": (219196, 206884, 94268, 8192, 23552),
}
# A quantised cache is rotated by Hadamard matrices: 512 x 512 and 256 x 256 of f32 for K, two of 64 x 64 for V.
_ROTATION_BYTES = 4 * (512**2 + 256**2 + 2 * 64**2)
_FIT, _READ, _ASSUMED = "fit pass of llama-server b11434", "llama.cpp b11434, read", "assumed"
_TABLES = "tied output copied, tables in host memory"
_COMPUTE_SOURCE = {
    "cpu": _FIT,
    "gpu": f"{_FIT} with an RPC device; CUDA itself not measured",
    "apple": f"{_FIT} with an RPC device; Metal itself not measured",
}
# Together the 1024 MiB per device that the server's own --fit-target leaves free for what it does not project.
_CONTEXT_BYTES = {"gpu": (512 * MIB, 512 * MIB), "apple": (128 * MIB, 384 * MIB)}
_CONTEXT_SOURCE = "assumed; uncertainty from the margin of --fit-target"
# Largest image and, by tower width, bytes of buffer per image token.
_IMAGE_TOKENS, _IMAGE_TOKEN_BYTES = (
    1120,
    {"e2b": 415000, "e4b": 415000, "26b-a4b": 617000, "31b": 617000, "12b": 125000},
)


def slot_tokens(tokens: int) -> int:
    """Cells of a slot that holds `tokens` tokens: the server rounds up to a multiple of 256."""
    return -(-tokens // _CELLS) * _CELLS


def context_size(tokens: int, slots: int) -> int:
    """`--ctx-size` with which each of `slots` slots holds `tokens` tokens; the flag is the total."""
    return slot_tokens(tokens) * slots


def _cells(
    model: Model, tokens: int, slots: int, unified: bool, ubatch: int, sliding_full: bool
) -> tuple[int, int, int]:
    """Cells of one stream in global and in sliding layers, and the number of streams."""
    sequences = slots if unified else 1
    cells = slot_tokens(tokens) * sequences
    held = cells if sliding_full else slot_tokens(min(cells, model.sliding_window_tokens * sequences + ubatch))
    return cells, held, 1 if unified else slots


def cache_bytes(
    model: Model,
    *,
    tokens: int,
    slots: int,
    unified: bool,
    ubatch_tokens: int,
    kv_type: str,
    batch_tokens: int = BATCH_TOKENS,
    sliding_full: bool = False,
) -> int:
    """Whole KV cache of `slots` slots that hold `tokens` tokens each.

    Global layers hold the context; sliding layers hold `pad256(min(context, window + micro-batch))` cells, and with a
    unified cache one window per slot. Micro-batch is capped by the batch. Source: llama-kv-cache-iswa.cpp.
    """
    cells, held, streams = _cells(model, tokens, slots, unified, min(ubatch_tokens, batch_tokens), sliding_full)
    values = model.sliding_layers * model.kv_heads_sliding * model.head_dim_sliding * held
    values += model.global_layers * model.kv_heads_global * model.head_dim_global * cells
    numerator, denominator = _PAIR[kv_type]
    return streams * values * numerator // denominator


def compute_bytes(
    model: Model,
    *,
    tokens: int,
    slots: int,
    unified: bool,
    ubatch_tokens: int,
    kv_type: str,
    batch_tokens: int = BATCH_TOKENS,
    sliding_full: bool = False,
    outputs: int = 1,
    place: str = "cpu",
) -> int:
    """Compute buffer: `cpu` without an accelerator, else `device`, or `host` for what the host keeps beside it.

    Per token of the micro-batch: a base by model, and 2 bytes of mask per cell of one stream. Where many slots share a
    small micro-batch the logits (4 bytes x vocabulary x slots x `outputs`) are larger than the widest layer. Within
    1 KiB of the fit pass up to 64 slots (26B with many slots and a small step: up to 1 MiB above); f32 is not modelled.
    """
    ubatch = min(ubatch_tokens, batch_tokens, context_size(tokens, slots))
    cells, held, _streams = _cells(model, tokens, slots, unified, ubatch, sliding_full)
    step = -(-ubatch // slots) * slots
    cpu, device, host, cpu_quantised, device_quantised = _COMPUTE[model.size]
    quantised = kv_type not in _FLOATS
    rotation = _ROTATION_BYTES if quantised else 0
    mask = 2 * (cells + held)
    if place == "host":
        return step * (host + mask) + rotation
    base, extra = (cpu, cpu_quantised) if place == "cpu" else (device, device_quantised)
    narrow = (24 if model.experts else 20) * model.hidden + 64
    logits = 4 * model.vocabulary * min(ubatch, slots * outputs)
    return max(step * (base + (extra if quantised else 0) + mask), step * (narrow + mask) + logits) + rotation


def context_checkpoint_bytes(model: Model, kv_type: str) -> int:
    """Host memory of one context checkpoint of one slot: its sliding layers' state.

    The cells inside the window of the last token (older ones are masked and skipped), K and V, and 12 bytes each for
    position and sequence. Source: llama_kv_cache::state_write; equal to llama_state_seq_get_size_ext.
    """
    numerator, denominator = _PAIR[kv_type]
    row = model.sliding_layers * model.kv_heads_sliding * model.head_dim_sliding * numerator // denominator
    return model.sliding_window_tokens * (row + 12) + 24 * model.sliding_layers + 32


def checkpoints(model: Model, kv_type: str = "f16", budget_bytes: int = CHECKPOINT_BUDGET_BYTES) -> int:
    """`--ctx-checkpoints`: as many per slot as the budget holds, 2 at least and 8 at most.

    The server takes two near the end of every prompt, from which the next turn goes on; with fewer each turn would
    evict the one it needs. Its own default of 32 would be 25 GiB per slot of 31B.
    """
    return max(2, min(8, budget_bytes // context_checkpoint_bytes(model, kv_type)))


def prompt_cache_bytes(model: Model, *, tokens: int, kv_type: str = "f16") -> int:
    """`--cache-ram`: room for one saved prompt of `tokens` tokens, from 2 GiB to the server's own 8 GiB.

    A saved prompt is its state in all layers plus copies of its checkpoints; one above the limit is never saved, so
    that a smaller cache would be useless. Source: server_prompt_cache::alloc.
    """
    numerator, denominator = _PAIR[kv_type]
    row = model.global_layers * model.kv_heads_global * model.head_dim_global * numerator // denominator
    entry = tokens * (row + 12) + (1 + checkpoints(model, kv_type)) * context_checkpoint_bytes(model, kv_type)
    return min(8192, max(2048, -(-entry // MIB))) * MIB


_known: dict[tuple[str, str, int | None], tuple[Model, tuple[int, int, int, int]]] = {}


def _weights(setting: Setting) -> tuple[int, int, int, int]:
    """Weight file, its uncertainty, its per-layer table at least, and all its tables at most; once per checkpoint."""
    model, checkpoint = setting.model, setting.checkpoint
    key = (model.id, checkpoint.precision, checkpoint.bytes)
    entry = _known.get(key)
    if entry is not None and entry[0] is model:
        return entry[1]
    size = WEIGHT_BYTES.get(checkpoint.precision)
    if checkpoint.bytes is None:
        file = gguf_bytes(model, checkpoint.precision)
        uncertainty = unused_kv_bytes(model, checkpoint.precision)
    else:
        file, uncertainty = checkpoint.bytes, checkpoint.bytes_uncertainty
    per_layer = model.vocabulary * model.layers * model.per_layer_embedding
    tables = per_layer + model.vocabulary * model.hidden
    least, most = (size, size) if size else (_TABLE_BYTES_AT_LEAST, _TABLE_BYTES_AT_MOST)
    figures = (file, uncertainty, int(per_layer * least), int(tables * most))
    _known[key] = (model, figures)
    return figures


def cache_type(kv_cache_dtype: str) -> str:
    """Type of K and V by the stack's word: the server's own is f16."""
    return "f16" if kv_cache_dtype == "auto" else kv_cache_dtype


def _compute(setting: Setting, place: str) -> int:
    drafter = setting.drafter
    return compute_bytes(
        setting.model,
        tokens=setting.tokens,
        slots=setting.concurrency,
        unified=setting.unified_slots,
        ubatch_tokens=setting.batched_tokens or UBATCH_TOKENS,
        kv_type=cache_type(setting.kv_cache_dtype),
        outputs=1 + (drafter.tokens or 8) if drafter else 1,
        place=place,
    )


def _weight_terms(setting: Setting) -> list[Term]:
    model, checkpoint = setting.model, setting.checkpoint
    file, uncertainty, table, _tables = _weights(setting)
    on_gpu = setting.accelerator.kind == "gpu"
    terms = [Term("weights", "weights", file - (table if on_gpu else 0), uncertainty, f"{_FIT}; {_TABLES}")]
    if setting.inputs != _TEXT:
        listed = checkpoint.projector_bytes
        size = listed or 2 * (model.vision_parameters + model.audio_parameters)
        slack = size // 50 if listed else 2 * model.tower_parameters_uncertainty
        terms.append(Term("weights", "projector", size, slack, "listed" if listed else "bf16 towers"))
    drafter = setting.drafter
    if drafter is not None:
        if drafter.parameters is None:
            raise ValueError(f"the size of {drafter.repository} is not known")
        size, slack = 2 * drafter.parameters, 2 * drafter.parameters_uncertainty
        terms.append(Term("weights", "drafter", size, slack, "2 bytes per parameter"))
    return terms


def _projector_buffers(setting: Setting, ubatch: int) -> Term:
    """Of the largest image; where images are attended both ways they are cut to the micro-batch. Audio is assumed."""
    tokens = min(_IMAGE_TOKENS, ubatch) if setting.model.bidirectional_over_images else _IMAGE_TOKENS
    size = tokens * _IMAGE_TOKEN_BYTES[setting.model.size]
    audio = 256 * MIB if "audio" in setting.inputs else 0
    return Term("overhead", "projector buffers", size, size // 4 + audio, f"{_FIT}; 12b and audio assumed")


def demand_terms(setting: Setting) -> tuple[Term, ...]:
    """Every part of the accelerator's memory, all layers on it; of `cpu` and `apple`, of the memory they share.

    On a GPU the tied output is a copy of token_embd: the file's size less the per-layer table, which is only looked up
    and stays in host memory. Without a GPU of its own memory the weights are the mapped file, once.
    """
    if setting.tensor != 1 or setting.pipeline != 1:
        raise ValueError("llama.cpp is planned on one accelerator per replica")
    kind = setting.accelerator.kind
    ubatch = setting.batched_tokens or UBATCH_TOKENS
    cache = cache_bytes(
        setting.model,
        tokens=setting.tokens,
        slots=setting.concurrency,
        unified=setting.unified_slots,
        ubatch_tokens=ubatch,
        kv_type=cache_type(setting.kv_cache_dtype),
    )
    compute = _compute(setting, "cpu" if kind == "cpu" else "device")
    if kind == "apple":
        compute += _compute(setting, "host")
    terms = _weight_terms(setting)
    terms.append(Term("kv", "KV cache", cache, 0, _FIT))
    terms.append(
        Term("overhead", "compute buffer", compute, 0 if kind == "cpu" else compute // 4, _COMPUTE_SOURCE[kind])
    )
    if kind != "cpu":
        size, slack = _CONTEXT_BYTES[kind]
        terms.append(Term("overhead", "driver context and work memory", size, slack, _CONTEXT_SOURCE))
    if setting.inputs != _TEXT:
        terms.append(_projector_buffers(setting, ubatch))
    if setting.drafter is not None:
        terms.append(Term("overhead", "drafter buffers", compute // 2, compute // 2, _ASSUMED))
    return tuple(terms)


def host_terms(setting: Setting) -> tuple[HostTerm, ...]:
    """Host memory of a pod beside what `demand_terms` charges.

    The weight file is mapped: its pages are page cache, touched once by the load and taken back under pressure, so
    they are not charged, but the tables that are read at every token are. Growth seen in ggml-org/llama.cpp 21690
    comes from checkpoints and the prompt cache: both are bounded here by their flags.
    """
    model, kv_type = setting.model, cache_type(setting.kv_cache_dtype)
    slots = setting.concurrency
    kept = checkpoints(model, kv_type) * slots * context_checkpoint_bytes(model, kv_type)
    saved = prompt_cache_bytes(model, tokens=setting.tokens, kv_type=kv_type)
    terms = [
        HostTerm("prompt cache", saved, _READ),
        HostTerm("context checkpoints", kept, _READ),
        HostTerm("output buffer", 4 * model.vocabulary * slots, _READ),
        HostTerm("process, tokenizer and driver", 1024 * MIB, _ASSUMED),
    ]
    if setting.accelerator.kind == "gpu":
        terms.append(HostTerm("embedding tables", _weights(setting)[3], f"{_FIT}; {_TABLES}"))
        terms.append(HostTerm("compute buffer", _compute(setting, "host"), _FIT))
    if setting.inputs != _TEXT:
        terms.append(HostTerm("media in work", 256 * MIB * slots, _ASSUMED))
    return tuple(terms)
