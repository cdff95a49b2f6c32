"""Memory of mlx-vlm on a machine with unified memory: weights, cache and the prefill step.

Source of every formula, where no other is named: mlx-vlm 0.7.10, read; cache sizes are checked against its own cache
classes at the points in `tests/facts/mlx-vlm-0.7.10-cache.json`. All sizes are in bytes.
"""

from __future__ import annotations

from infra.catalog.records import Model
from infra.plan.demand import HostTerm, Setting, Term
from infra.plan.gguf import tensors

MIB = 2**20
STEP_TOKENS = 2048
PREFILL_ROWS = 8
KV_BITS = {"auto": None, "int8": 8, "int4": 4}
_GROWTH_TOKENS, _GROUP, _BF16_BYTES = 256, 64, 2
_BITS = {"4bit": 4, "8bit": 8}
# Scale and bias of 16 bits for each group of 64 values.
_GROUP_BITS = 32
_READ = "mlx-vlm 0.7.10, read"
_SCORES = "mlx-vlm 0.7.10, read; 2.25 bytes per score measured on the CPU backend, Metal not measured"
_ACTIVATIONS = "estimated: widest layer of one step in bf16"
_PROCESS = "assumed; 145 to 170 MB were seen with a tiny model"


def _grown(tokens: int) -> int:
    """Tokens that a cache has room for: it grows by 256."""
    return -(-tokens // _GROWTH_TOKENS) * _GROWTH_TOKENS


def _step(model: Model, tokens: int, inputs: tuple[str, ...]) -> int:
    """Tokens of one prefill step: 2048, but a prompt with images of a bidirectional model is one step."""
    whole = model.bidirectional_over_images and ("image" in inputs or "video" in inputs)
    return tokens if whole else min(STEP_TOKENS, tokens)


def cache_bytes(
    model: Model, *, tokens: int, concurrency: int, kv_bits: int | None, step_tokens: int = STEP_TOKENS
) -> int:
    """Peak KV cache of `concurrency` requests of `tokens` tokens, the last eight of them in prefill.

    Global layers: capacity in steps of 256, quantised in groups of 64 with a bf16 scale and bias where `kv_bits` is
    set, but never in the last of them. Sliding layers: never quantised, the window in decode (below it they grow by
    256 from any length), and in prefill the step after what is left of the window. Source: models/cache.py and
    generate/ar.py (_make_cache, BatchGenerator).
    """
    values = 2 * model.kv_heads_global * model.head_dim_global * _grown(tokens) * concurrency
    plain = _BF16_BYTES * values
    packed = plain if kv_bits is None else values * (kv_bits * _GROUP + _GROUP_BITS) // (8 * _GROUP)
    whole = (model.global_layers - 1) * packed + plain
    window = model.sliding_window_tokens
    decoding = min(window, tokens + _GROWTH_TOKENS - 1)
    steps, rest = divmod(tokens - 1, step_tokens)
    full = min(window - 1, (steps - 1) * step_tokens) + step_tokens if steps else 0
    prefilling = max(decoding, full, min(window - 1, steps * step_tokens) + rest)
    rows = min(PREFILL_ROWS, concurrency)
    held = rows * prefilling + (concurrency - rows) * decoding
    token = 2 * model.kv_heads_sliding * model.head_dim_sliding * _BF16_BYTES
    return whole + model.sliding_layers * token * held


def mlx_bytes(model: Model, precision: str) -> int:
    """Weights of a checkpoint in `4bit`, `8bit` or `bf16`, with the towers: mlx-vlm always loads them.

    As its own converter makes it: matrices and embeddings in groups of 64, routers in 8 bits, vectors and towers in
    bf16; the output is tied. A checkpoint made otherwise differs.
    """
    total = _BF16_BYTES * (model.vision_parameters + model.audio_parameters)
    bits = _BITS.get(precision)
    if bits is None and precision != "bf16":
        raise ValueError(f"the size of MLX weights in {precision} is not known")
    for values, matrix in tensors(model):
        router = values == model.hidden * model.experts
        if bits is None or not (matrix or router):
            total += _BF16_BYTES * values
        else:
            total += values * ((8 if router else bits) * _GROUP + _GROUP_BITS) // (8 * _GROUP)
    return total


_known: dict[tuple[str, str], tuple[Model, int]] = {}


def _computed_bytes(model: Model, precision: str) -> int:
    key = (model.id, precision)
    entry = _known.get(key)
    if entry is not None and entry[0] is model:
        return entry[1]
    size = mlx_bytes(model, precision)
    _known[key] = (model, size)
    return size


def demand_terms(setting: Setting) -> tuple[Term, ...]:
    """Every part of the memory that the GPU of the machine shares; one process, one machine.

    The prefill step is the largest scratch: Metal has no fused attention for 512-wide heads, so the scores of one
    global layer (heads x step x tokens) exist at once, for up to eight prompts that arrive together.
    """
    model, checkpoint, tokens = setting.model, setting.checkpoint, setting.tokens
    rows = min(PREFILL_ROWS, setting.concurrency)
    step = _step(model, tokens, setting.inputs)
    if checkpoint.bytes is None:
        weights = _computed_bytes(model, checkpoint.precision)
        slack = _BF16_BYTES * model.tower_parameters_uncertainty
    else:
        weights, slack = checkpoint.bytes, checkpoint.bytes_uncertainty
    bits = KV_BITS[setting.kv_cache_dtype]
    cache = cache_bytes(model, tokens=tokens, concurrency=setting.concurrency, kv_bits=bits, step_tokens=step)
    copied = 2 * model.kv_heads_global * model.head_dim_global * _BF16_BYTES * _grown(tokens) * setting.concurrency
    scores = rows * model.query_heads * step * _grown(tokens) * 9 // 4
    ffn = max(model.ffn, model.ffn_in_shared_layers or 0)
    width = 3 * ffn + 8 * model.hidden + model.layers * model.per_layer_embedding
    width += model.experts_per_token * (3 * model.expert_ffn + model.hidden)
    activations = rows * step * width * _BF16_BYTES
    terms = [
        Term("weights", "weights", weights, slack, _READ),
        Term("kv", "KV cache", cache, copied, f"{_READ}; uncertainty: one layer copied while it grows"),
        Term("overhead", "attention scores", scores, scores, _SCORES),
        Term("overhead", "activations", activations, activations, _ACTIVATIONS),
        Term("overhead", "process and Metal buffers", 512 * MIB, 512 * MIB, _PROCESS),
    ]
    drafter = setting.drafter
    if drafter is not None:
        if drafter.parameters is None:
            raise ValueError(f"the size of {drafter.repository} is not known")
        size, slack = _BF16_BYTES * drafter.parameters, _BF16_BYTES * drafter.parameters_uncertainty
        terms.insert(1, Term("weights", "drafter", size, slack, "bf16"))
    return tuple(terms)


def host_terms(_setting: Setting) -> tuple[HostTerm, ...]:
    """None: the process lives in the same memory, and `demand_terms` counts it."""
    return ()
