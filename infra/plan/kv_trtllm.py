"""Memory of TensorRT-LLM's PyTorch backend for Gemma 4: bounds from above, as nothing of it was run or measured here.

All sizes are in bytes, per accelerator. What is known, and what follows:

- Weights: its log says 14.79 GiB for E4B in bf16 (NVIDIA/TensorRT-LLM issue 14942), which is the text model with both
  towers: they are loaded although only text is served.
- The same log ends where 5.25 GiB more are asked for: the size of E4B's table of per-layer embeddings in bf16. A second
  one is charged for models that have one.
- KV cache: per-layer head sizes need its second cache manager, which has a pool for each window and shares the memory
  out among them by a rule that was not found in words (documentation features/kvcache: "static"). Every layer is
  charged for the whole request, also those that share the cache of another: whether memory is shared out by need, by
  bytes per token or by window, the global layers get what they need.
- A prompt must fit one step (issue 9277), so that a step is as long as a request.
"""

from __future__ import annotations

from dataclasses import replace

from infra.catalog.records import Model
from infra.plan.demand import GIB, HostTerm, Setting, Term
from infra.plan.overhead_vllm import overhead_terms
from infra.plan.weights import weight_terms, weights_bytes

BLOCK_TOKENS = 32
ALL_INPUTS = ("audio", "image", "text", "video")
ELEMENT_BYTES = {"auto": 2, "fp8": 1}
_BF16_BYTES = 2
_RUNNING = 32
_MOST_PERMILLE = 980
_RUNTIME_BYTES, _RUNTIME_UNCERTAINTY_BYTES = GIB, GIB
_PROCESS_GIB, _PROCESSES_GIB = 4, 8
_LOG = "NVIDIA/TensorRT-LLM issue 14942: log of E4B"
_POOLS = "every layer in full: an upper bound; TensorRT-LLM documentation features/kvcache, pull request 12932"
_STEP = "vLLM's arithmetic for a step of that length; half as much again is uncertain: not measured"


def running_requests(concurrency: int) -> int:
    """`--max_batch_size`: short requests may run beside each other where fewer full ones are guaranteed."""
    return max(_RUNNING, concurrency)


def token_bytes(model: Model, *, tensor: int, element_bytes: int) -> int:
    """KV cache of one token in all layers. A KV head is never split."""
    whole = model.layers // model.layers_per_global
    sliding = model.layers - whole
    heads = (
        whole * max(1, model.kv_heads_global // tensor) * model.head_dim_global
        + sliding * max(1, model.kv_heads_sliding // tensor) * model.head_dim_sliding
    )
    return 2 * element_bytes * heads


def cache_bytes(setting: Setting) -> int:
    """KV cache of all guaranteed requests, in whole blocks."""
    blocks = -(-setting.tokens // BLOCK_TOKENS)
    element = ELEMENT_BYTES[setting.kv_cache_dtype]
    one = blocks * BLOCK_TOKENS * token_bytes(setting.model, tensor=setting.tensor, element_bytes=element)
    return setting.concurrency * one


def _embeddings_bytes(model: Model) -> int:
    return model.vocabulary * model.layers * model.per_layer_embedding * _BF16_BYTES


def demand_terms(setting: Setting) -> tuple[Term, ...]:
    """Every part of the fullest accelerator's memory."""
    model = setting.model
    terms = list(weight_terms(replace(setting, inputs=ALL_INPUTS)))
    step = overhead_terms(replace(setting, batched_tokens=setting.tokens, inputs=("text",)))
    terms += [replace(one, uncertainty_bytes=one.uncertainty_bytes + one.size_bytes // 2, source=_STEP) for one in step]
    terms.append(
        Term(
            "overhead",
            "CUDA context and workspaces",
            _RUNTIME_BYTES,
            _RUNTIME_UNCERTAINTY_BYTES,
            "assumed; the log of issue 14942 has 2 GiB beside the weights before the cache is made",
        )
    )
    if model.per_layer_embedding:
        second = _embeddings_bytes(model)
        terms.append(Term("overhead", "second per-layer embeddings", second, 0, f"{_LOG}: 5.25 GiB asked for"))
    return (*terms, Term("kv", "KV cache", cache_bytes(setting), 0, _POOLS))


def cache_permille(setting: Setting, *, whole_bytes: int, have_bytes: int) -> int:
    """`free_gpu_memory_fraction` in thousandths: the cache's share of what is left beside the peak of a step.

    The engine takes share x (whole - peak) (pyexecutor/_util.py). With the highest peak the guaranteed requests still
    fit, and what is taken stays within `have_bytes` to the thousandth.
    """
    terms = demand_terms(setting)
    cache = sum(one.size_bytes for one in terms if one.kind == "kv")
    peak = sum(one.size_bytes + one.uncertainty_bytes for one in terms if one.kind != "kv")
    left = max(1, whole_bytes - peak)
    return min(_MOST_PERMILLE, max(-(-1000 * cache // left), 1000 * (have_bytes - peak) // left))


def host_terms(setting: Setting) -> tuple[HostTerm, ...]:
    """Host memory of a pod: weights pass through the page cache; a process per accelerator. Assumed, not measured."""
    size = weights_bytes(setting.model, setting.checkpoint) or 0
    return (
        HostTerm("weights in the page cache", size, "safetensors files are mapped"),
        HostTerm("processes", (_PROCESSES_GIB + setting.tensor * _PROCESS_GIB) * GIB, "assumed"),
    )
