"""MLX on Apple silicon: `mlx_vlm.server`. Planned; a service on a Mac is not deployed by this version."""

from __future__ import annotations

from infra.catalog.records import Accelerator, Checkpoint, Model
from infra.frameworks.base import Framework, kept
from infra.plan.capabilities import Capabilities
from infra.plan.kv_mlx import KV_BITS, demand_terms, host_terms, mlx_bytes


def _step_tokens(_model: Model, _accelerator: Accelerator, _inputs: tuple[str, ...]) -> tuple[int, ...]:
    return (0,)


def _floor(_model: Model, _inputs: tuple[str, ...]) -> int:
    return 0


def _weights_bytes(model: Model, checkpoint: Checkpoint, _inputs: tuple[str, ...]) -> int | None:
    return checkpoint.bytes or mlx_bytes(model, checkpoint.precision)


def _kv_cache_dtypes(_accelerator: Accelerator) -> tuple[str, ...]:
    return tuple(KV_BITS)


FRAMEWORK = Framework(
    name="mlx",
    capabilities=Capabilities(
        kinds=("apple",),
        utilization=1.0,  # what macOS leaves to the GPU is the accelerator's memory already
        step_field=None,
        step_tokens=_step_tokens,
        step_floor=_floor,
        kv_cache_dtypes=_kv_cache_dtypes,
        smaller_kv_cache_dtypes=("int8", "int4"),
        weights_bytes=kept(_weights_bytes),
        terms=demand_terms,
        host_terms=host_terms,
        engine_seconds=15,
        pre_stop_seconds=5,
        drain_seconds=60,
    ),
    workload=None,
)
