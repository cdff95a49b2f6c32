"""Every way to run a request: checkpoint, capacity, machine and parallelism, cheapest first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from infra.catalog.records import Checkpoint, Machine
from infra.plan.checkpoints import choices
from infra.plan.placement import machines
from infra.plan.prices import ceiling_usd_per_hour
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.spec import Capacity

# At equal price, the capacity that is interrupted least comes first.
_BY_INTERRUPTION = ("own", "reservation", "on-demand", "flex-start", "spot")


@dataclass(frozen=True)
class Candidate:
    """One way to run a request.

    Attributes:
        nodes: machines of one replica, all alike.
        usd_per_hour: of one replica, a ceiling, or None where no price is known.
    """

    checkpoint: Checkpoint
    capacity: Capacity
    machine: Machine
    nodes: int
    tensor: int
    pipeline: int
    data: int
    usd_per_hour: float | None

    @property
    def count(self) -> int:
        """Accelerators of one replica; none is idle."""
        return self.tensor * self.pipeline * self.data


def candidates(
    request: Request, capacities: tuple[Capacity, ...], node_counts: tuple[int, ...] = (1,)
) -> list[Candidate]:
    """All of them, in the order in which the plan prefers them.

    The order: price per hour, then the capacity that is interrupted least, then precision in the framework's order,
    then fewest accelerators, fewest machines, least data and pipeline parallelism, and least host memory.

    Raises:
        RefusedError: the stack asks for what no machine, no capacity or no split of the model gives.
    """
    checkpoints = choices(request)
    sold = [(nodes, *one) for nodes in node_counts for one in machines(request, capacities, nodes)]
    shapes = {key: shapes_of(request, *key) for key in sorted({(count, nodes) for nodes, _, _, count in sold})}
    if not any(shapes.values()):
        raise RefusedError(*_no_shape(request, sorted({count for count, _ in shapes})))
    ranked = []
    for nodes, machine, capacity, count in sold:
        each = ceiling_usd_per_hour(request.catalog, machine.machine_type, capacity.kind, vertex=request.on_vertex)
        price = None if each is None else each * nodes
        for rank, checkpoint in enumerate(checkpoints):
            for tensor, pipeline, data in shapes[count, nodes]:
                key = (
                    math.inf if price is None else price,
                    _BY_INTERRUPTION.index(capacity.kind),
                    rank,
                    count,
                    nodes,
                    data,
                    pipeline,
                    machine.memory_gib or 0,
                    machine.machine_type,
                )
                ranked.append((key, Candidate(checkpoint, capacity, machine, nodes, tensor, pipeline, data, price)))
    ranked.sort(key=lambda one: one[0])
    return [candidate for _, candidate in ranked]


def shapes_of(request: Request, count: int, nodes: int = 1) -> list[tuple[int, int, int]]:
    """(tensor, pipeline, data) whose product is `count` and which the model, the framework and the stack allow.

    Over several machines every stage of layers stays within one, as its accelerators talk most, and there is one copy.
    """
    engine, capabilities, model = request.spec.engine, request.capabilities, request.model
    asked = (engine.tensorParallelSize, engine.pipelineParallelSize, engine.dataParallelSize)
    limits = (
        capabilities.max_tensor(model, request.drafter is not None),
        capabilities.max_pipeline(model),
        capabilities.max_data,
    )
    return [
        shape
        for shape in _products(count)
        if model.query_heads % shape[0] == 0
        and all(size <= limit for size, limit in zip(shape, limits, strict=True))
        and all(wanted in {None, size} for size, wanted in zip(shape, asked, strict=True))
        and (nodes == 1 or (shape[1] % nodes == 0 and shape[2] == 1))
    ]


@cache
def _products(count: int) -> tuple[tuple[int, int, int], ...]:
    return tuple(_triples(count))


def _triples(count: int) -> Iterator[tuple[int, int, int]]:
    for tensor in range(1, count + 1):
        for pipeline in range(1, count // tensor + 1):
            if count % (tensor * pipeline) == 0:
                yield tensor, pipeline, count // (tensor * pipeline)


def _no_shape(request: Request, counts: list[int]) -> tuple[tuple[str | int, ...], str]:
    model, engine, capabilities = request.model, request.spec.engine, request.capabilities
    limit = capabilities.max_tensor(model, request.drafter is not None)
    sizes = ", ".join(str(size) for size in range(1, limit + 1) if model.query_heads % size == 0)
    tensor, count = engine.tensorParallelSize, request.spec.on.count
    if tensor and limit == 1 and tensor > 1:
        return (
            "engine",
            "tensorParallelSize",
        ), f"{request.framework.display_name} runs {model.id} on one accelerator; leave it out."
    if tensor and (tensor > limit or model.query_heads % tensor):
        return (
            "engine",
            "tensorParallelSize",
        ), f"{model.id} has {model.query_heads} query heads; it splits over {sizes}."
    asked = {
        "tensorParallelSize": tensor,
        "pipelineParallelSize": engine.pipelineParallelSize,
        "dataParallelSize": engine.dataParallelSize,
    }
    said = " x ".join(f"{name} {size}" for name, size in asked.items() if size)
    name = request.framework.display_name
    split = f"{name} splits {model.id} over {sizes}" if limit > 1 else f"{name} runs {model.id} on one accelerator"
    if said:
        field = next(key for key, size in asked.items() if size)
        return ("engine", field), (
            f"{said} does not make {' or '.join(map(str, counts))} x {request.accelerator.id} without an idle one; "
            f"count = tensor x pipeline x data, and {split}. Write sizes that do, or leave it out."
        )
    if count:
        return ("accelerator", "count"), f"{split}; {count} would leave some idle."
    return ("accelerator",), f"machines carry {' or '.join(map(str, counts))} x {request.accelerator.id}, and {split}."
