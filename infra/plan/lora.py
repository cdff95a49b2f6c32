"""LoRA adapters: which are taken, and what vLLM keeps for them on an accelerator.

vLLM makes room for `--max-loras` adapters of `--max-lora-rank` in every linear layer of the text model when it starts,
whether an adapter touches that layer or not (vllm 0.33.0 lora/model_manager.py `_create_lora_modules`, lora/layers):
for a layer that turns `m` numbers into `n`, two matrices of rank x m and n x rank. Split by columns, the first is whole
on every accelerator; split by rows, the second is. Towers are left out unless asked for, and embeddings as well, as
Gemma 4 names no embedding modules there. Not compared with a start-up log.
"""

from __future__ import annotations

from infra.catalog.records import Framework
from infra.plan.capabilities import Capabilities
from infra.plan.demand import HostTerm, Setting, Term
from infra.plan.kv_vllm import stage_layers
from infra.plan.refusal import RefusedError
from infra.plan.versions import at_least
from infra.spec import EndpointSpec

# Ranks for which vLLM makes room (vllm 0.33.0 config/lora.py, MaxLoRARanks).
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
_BYTES = 2  # the model's own number format, also beside quantised weights
_SHRINK_BYTES = 4
_SLICES = 3
# First version that gives layers with a shared KV cache a query projection alone.
_QUERY_ALONE_SINCE = "0.30.0"
_SOURCE = "vllm 0.33.0 lora/layers: rank x (in + out) of every linear layer, by the splits of each"


def check_adapters(spec: EndpointSpec, facts: Framework, capabilities: Capabilities) -> None:
    """Refuse adapters that the framework does not load here.

    Raises:
        RefusedError: none can be loaded, beside a drafter, or one bears the model's name.
    """
    field = ("adapters",)
    if not spec.adapters:
        return
    if not facts.adapters:
        raise RefusedError(field, f"{facts.display_name} takes no adapters for Gemma 4; leave it out.")
    if capabilities.no_adapters:
        raise RefusedError(field, capabilities.no_adapters)
    if spec.speculativeDecoding:
        raise RefusedError(field, "no use of adapters beside a drafter is known; leave one of the two out.")
    for index, one in enumerate(spec.adapters):
        if one.name == spec.model:
            raise RefusedError(("adapters", index, "name"), f"{one.name} is the model's own name; give it another.")


def adapter_cautions(spec: EndpointSpec) -> list[str]:
    """What to know before adapters are trusted."""
    if not spec.adapters:
        return []
    return [
        "adapters of some tools load and change nothing (vllm-project/vllm issue 41754): compare an answer with each",
        "vLLM downloads the newest files of each adapter's repository; that they are the commit is not checked",
    ]


def slot_rank(rank: int) -> int:
    """The rank for which room is made: the next that vLLM knows."""
    return next(size for size in RANKS if size >= rank)


def adapter_bytes(setting: Setting) -> int:
    """Room for all adapters of a setting on the fullest accelerator, in bytes."""
    if not setting.adapters:
        return 0
    model = setting.model
    layers = [_layer_numbers(setting, layer) for layer in range(model.layers)]
    fullest = max(sum(layers[first:end]) for first, end in stage_layers(model.layers, setting.pipeline))
    if model.per_layer_embedding:
        fullest += model.hidden + model.layers * model.per_layer_embedding // setting.tensor
    return fullest * slot_rank(setting.adapter_rank) * setting.adapters * _BYTES


def adapter_terms(setting: Setting, graphs_bytes: int) -> tuple[Term, ...]:
    """Terms of the memory proof, none without adapters.

    Args:
        setting: with the number of adapters and the largest rank.
        graphs_bytes: CUDA graphs of a step; with adapters a second set is captured (vllm 0.33.0 v1/worker/gpu/
            lora_utils.py, `cudagraph_specialize_lora`).
    """
    if not setting.adapters:
        return ()
    size = adapter_bytes(setting)
    buffers = setting.batched_tokens * slot_rank(setting.adapter_rank) * _SLICES * _SHRINK_BYTES
    if setting.model.experts:
        buffers *= setting.model.experts_per_token
    return (
        Term("weights", "adapters", size, size // 20, _SOURCE),
        Term(
            "overhead",
            "CUDA graphs with adapters",
            graphs_bytes,
            graphs_bytes // 2 + buffers,
            "vllm 0.33.0 v1/worker/gpu/lora_utils.py: a second set; its products of low rank are uncertain",
        ),
    )


def adapter_host_terms(setting: Setting) -> tuple[HostTerm, ...]:
    """Each adapter is also kept in host memory (vllm 0.33.0 config/lora.py: max_cpu_loras is max_loras), per worker."""
    size = adapter_bytes(setting) * setting.tensor * setting.pipeline * setting.data
    return (HostTerm("adapters", size, "kept beside the copies on accelerators"),) if size else ()


def _layer_numbers(setting: Setting, layer: int) -> int:
    """Numbers per unit of rank that one layer takes on one accelerator: in + out of each matrix, as it is split."""
    model, tensor = setting.model, setting.tensor
    hidden = model.hidden
    shared = layer >= model.layers - model.kv_shared_layers
    full = (layer + 1) % model.layers_per_global == 0
    head_dim = model.head_dim_global if full else model.head_dim_sliding
    kv_heads = model.kv_heads_global if full else model.kv_heads_sliding
    query = model.query_heads // tensor * head_dim
    total = hidden + query  # queries
    if not (shared and at_least(setting.version, _QUERY_ALONE_SINCE)):
        total += 2 * (hidden + max(1, kv_heads // tensor) * head_dim)  # keys and values
    total += query + hidden  # output
    ffn = model.ffn_in_shared_layers if shared and model.ffn_in_shared_layers else model.ffn
    total += _feed_forward(hidden, ffn // tensor)
    if model.per_layer_embedding:
        total += 2 * (hidden + model.per_layer_embedding)
    if model.experts:
        total += model.experts * _feed_forward(hidden, model.expert_ffn // tensor) + hidden + model.experts
    return total


def _feed_forward(hidden: int, ffn: int) -> int:
    """Gate, up and down."""
    return 3 * (hidden + ffn)
