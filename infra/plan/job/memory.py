"""What a job takes of its accelerator, in bytes: bounds from what keras-hub 0.32.0 allocates, and stated assumptions.

No measured run of a real preset is known to us, so that every term says whether it was read, computed or assumed, and
what is assumed comes with as much again, or half, on top.
"""

from __future__ import annotations

from infra.catalog.records import Checkpoint, Model
from infra.plan.demand import GIB, Term
from infra.plan.job.job_plan import JobMemory
from infra.plan.quantities import MemoryTerm
from infra.plan.weights import weights_bytes
from infra.spec.job import Job

# Told to JAX (XLA_PYTHON_CLIENT_MEM_FRACTION), whose own default is 0.75; TensorFlow may fill all.
MEMORY_SHARE = 0.9
_BF16, _FP32 = 2, 4
_CONTEXT_BYTES = int(1.5 * GIB)
# Of a token in a layer, kept for the way back, in widths of the hidden state: ten bf16 states (residuals, inputs and
# outputs of norms and projections), and four norms that compute in fp32.
_HIDDEN_BYTES = 10 * _BF16 + 4 * _FP32
_HEAD_COPIES, _FFN_COPIES = 4, 4  # projection, norm, rotation, result; gate, its activation, up, their product
_SCORE_BYTES = _FP32 + _BF16  # attention without a fused kernel: fp32 scores, and what softmax makes of them
_LOGIT_BYTES = {"evaluate": 10, "lora": 16}  # bf16, its cap and fp32 copy; of training also softmax and gradient
_READ = "keras-hub 0.32.0"


def job_terms(model: Model, checkpoint: Checkpoint, job: Job) -> tuple[Term, ...]:
    """Memory of the accelerator, term by term."""
    size = weights_bytes(model, checkpoint)
    assert size is not None, "presets of keras-hub are bf16"
    towers = model.tower_parameters_uncertainty * _BF16
    batch, length = (1 if job.mode == "evaluate" else job.batchSize), job.sequenceLength
    tokens = batch * length
    terms = [Term("weights", "preset, bf16, with its encoders", size, towers, "computed from its parameters")]
    if job.mode == "lora" or job.adapter is not None:
        terms.append(_lora_term(model, job))
    if job.mode == "generate":
        terms.append(_cache_term(model, batch, length))
        size = tokens * model.vocabulary * 2 * _BF16
        terms.append(Term("overhead", "logits of the prompt", 0, size, f"{_READ}: computed, and dropped by a compiler"))
    else:
        size = tokens * model.vocabulary * _LOGIT_BYTES[job.mode]
        terms.append(Term("overhead", "logits", size, size // 4, f"assumed: {_LOGIT_BYTES[job.mode]} bytes per logit"))
    kept = model.layers if job.mode == "lora" else 1
    size = _activation_bytes(model, batch, length, kept)
    terms.append(
        Term("overhead", "activations", size, size // 2, "assumed: all kept for the way back, none computed anew")
    )
    terms.append(Term("overhead", "driver and libraries", _CONTEXT_BYTES, 0, "assumed"))
    return tuple(terms)


def _lora_term(model: Model, job: Job) -> Term:
    copies = 4 if job.mode == "lora" else 1  # the matrices, their gradients, and the two moments of Adam
    size = lora_parameters(model, job.rank) * _FP32 * copies
    why = f"{_READ}: query and value of every layer, fp32; as much again for the encoders"
    return Term("overhead", "LoRA matrices and optimizer", size, size, why)


def lora_parameters(model: Model, rank: int) -> int:
    """Parameters of LoRA on the text layers: `default_lora_layer_names` are query and value.

    A kernel (heads, hidden, head_dim) gets matrices (heads, hidden, rank) and (rank, head_dim): keras 3.15.1,
    layers/core/einsum_dense.py. Layers that share another's KV cache have no value (gemma4_attention.py).
    """
    total = 0
    for layer in range(model.layers):
        full = (layer + 1) % model.layers_per_global == 0
        head_dim = model.head_dim_global if full else model.head_dim_sliding
        total += model.query_heads * model.hidden * rank + rank * head_dim
        shared = layer >= model.layers - model.kv_shared_layers
        if not shared and not (full and model.global_layers_without_value):
            heads = model.kv_heads_global if full else model.kv_heads_sliding
            total += heads * model.hidden * rank + rank * head_dim
    return total


def _cache_term(model: Model, batch: int, length: int) -> Term:
    """Of every layer at full length, with the widest head: the sliding window saves nothing (`_build_cache`)."""
    heads = max(model.kv_heads_sliding, model.kv_heads_global)
    width = max(model.head_dim_sliding, model.head_dim_global)
    size = batch * model.layers * 2 * length * heads * width * _BF16
    return Term("kv", "KV cache", size, size, f"{_READ}, _build_cache; as much again while it is copied")


def _activation_bytes(model: Model, batch: int, length: int, layers: int) -> int:
    ffn = max(model.ffn, model.ffn_in_shared_layers or 0)
    heads = model.query_heads + 2 * max(model.kv_heads_sliding, model.kv_heads_global)
    of_token = _HIDDEN_BYTES * model.hidden + _BF16 * (
        _HEAD_COPIES * heads * model.head_dim_global + _FFN_COPIES * ffn + 2 * model.per_layer_embedding
    )
    scores = model.query_heads * length * _SCORE_BYTES
    return batch * length * layers * (of_token + scores)


def need_bytes(terms: tuple[Term, ...]) -> int:
    """What is expected, and all that may come on top."""
    return sum(term.size_bytes + term.uncertainty_bytes for term in terms)


def job_memory(terms: tuple[Term, ...], whole_gib: float) -> JobMemory:
    """The proof as the plan states it."""
    return JobMemory(
        per_accelerator_gib=whole_gib,
        need_gib=need_bytes(terms) / GIB,
        have_gib=whole_gib * MEMORY_SHARE,
        terms=tuple(
            MemoryTerm(one.kind, one.name, one.size_bytes / GIB, one.uncertainty_bytes / GIB, one.source)
            for one in terms
        ),
    )
