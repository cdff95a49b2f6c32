"""MLX on Apple silicon: `mlx_vlm.server`. Planned; a service on a Mac is not deployed by this version."""

from __future__ import annotations

from infra.catalog.records import Accelerator, Checkpoint, Model
from infra.frameworks.base import Framework, kept
from infra.plan.capabilities import MOST_REQUESTS, Capabilities
from infra.plan.demand import Setting
from infra.plan.kv_mlx import KV_BITS, demand_terms, host_terms, mlx_bytes


def _one(_model: Model, _drafter: bool = False) -> int:
    return 1


def _step_tokens(_model: Model, _accelerator: Accelerator, _inputs: tuple[str, ...]) -> tuple[int, ...]:
    return (0,)


def _floor(_model: Model, _inputs: tuple[str, ...]) -> int:
    return 0


def _max_tokens(model: Model, _accelerator: Accelerator) -> int:
    return model.max_context_tokens


def _weights_bytes(model: Model, checkpoint: Checkpoint, _inputs: tuple[str, ...]) -> int | None:
    return checkpoint.bytes or mlx_bytes(model, checkpoint.precision)


def _growing_bytes(setting: Setting) -> int:
    return sum(term.size_bytes + term.uncertainty_bytes for term in demand_terms(setting) if term.kind != "weights")


def _settings(_setting: Setting, _have_bytes: int) -> tuple[tuple[str, int], ...]:
    return ()


def _kv_cache_dtypes(_accelerator: Accelerator) -> tuple[str, ...]:
    return tuple(KV_BITS)


def _nothing_outside(_setting: Setting) -> int:
    return 0


def _no_objection(_model: Model, _accelerator: Accelerator) -> None:
    return None


FRAMEWORK = Framework(
    name="mlx",
    capabilities=Capabilities(
        kinds=("apple",),
        utilization=1.0,  # what macOS leaves to the GPU is the accelerator's memory already
        max_tensor=_one,
        max_pipeline=_one,
        max_data=1,
        step_field=None,
        step_is_shared=False,
        step_tokens=_step_tokens,
        step_floor=_floor,
        max_tokens=_max_tokens,
        max_concurrency=MOST_REQUESTS,
        kv_cache_dtypes=_kv_cache_dtypes,
        smaller_kv_cache_dtypes=("int8", "int4"),
        unified_slots=False,
        weights_bytes=kept(_weights_bytes),
        terms=demand_terms,
        growing_bytes=_growing_bytes,
        host_terms=host_terms,
        settings=_settings,
        outside_bytes=_nothing_outside,
        pins_revision=True,
        objection=_no_objection,
        engine_seconds=15,
        pre_stop_seconds=5,
        drain_seconds=60,
    ),
    workload=None,
)
