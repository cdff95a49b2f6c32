"""SGLang: the OpenAI-compatible server of `lmsysorg/sglang` images. Planned; not deployed by this version."""

from __future__ import annotations

from infra.catalog.records import Accelerator, Model
from infra.frameworks.base import Framework, kept
from infra.plan.capabilities import Capabilities
from infra.plan.demand import Setting
from infra.plan.kv_sglang import ELEMENT_BYTES, demand_terms, host_terms, swa_full_tokens_ratio
from infra.plan.weights import weights_bytes

# Prefill chunk by the memory of the card (sglang 0.5.23 server_args.py: 2048 below 35 GB, 4096 below 60, else 8192).
_CHUNKS = ((60, 8192), (35, 4096), (0, 2048))


def _max_tensor(model: Model, _drafter: bool) -> int:
    return model.query_heads


def _step_tokens(_model: Model, accelerator: Accelerator, _inputs: tuple[str, ...]) -> tuple[int, ...]:
    default = next(tokens for size_gib, tokens in _CHUNKS if (accelerator.memory_gib or 0) >= size_gib)
    return tuple(tokens for _, tokens in _CHUNKS if tokens <= default)


def _floor(_model: Model, _inputs: tuple[str, ...]) -> int:
    return 256


def _settings(setting: Setting) -> tuple[tuple[str, int], ...]:
    ratio = swa_full_tokens_ratio(
        setting.model,
        tokens=setting.tokens,
        concurrency=setting.concurrency,
        chunked_prefill_tokens=setting.batched_tokens,
    )
    return (("swaFullTokensPercent", round(100 * ratio)),)


def _kv_cache_dtypes(_accelerator: Accelerator) -> tuple[str, ...]:
    return tuple(ELEMENT_BYTES)


FRAMEWORK = Framework(
    name="sglang",
    capabilities=Capabilities(
        kinds=("gpu",),
        utilization=0.95,
        max_tensor=_max_tensor,
        step_field="maxNumBatchedTokens",
        step_tokens=_step_tokens,
        step_floor=_floor,
        kv_cache_dtypes=_kv_cache_dtypes,
        smaller_kv_cache_dtypes=("fp8",),
        weights_bytes=kept(weights_bytes),
        terms=demand_terms,
        host_terms=host_terms,
        settings=_settings,
        engine_seconds=120,
        pre_stop_seconds=15,
        drain_seconds=60,
    ),
    workload=None,
)
