"""One question to the planner: what a stack file asks, with the records of the catalogue that it names."""

from __future__ import annotations

from dataclasses import dataclass

from infra.catalog.records import Accelerator, Catalog, Drafter, Framework, Model
from infra.plan.capabilities import Capabilities
from infra.spec import EndpointSpec, PlatformSpec


@dataclass(frozen=True)
class Request:
    """What is asked, and of whom. `inputs` are sorted; `drafter` is None unless one is asked for and known."""

    spec: EndpointSpec
    platform: PlatformSpec
    catalog: Catalog
    model: Model
    accelerator: Accelerator
    framework: Framework
    capabilities: Capabilities
    version: str
    inputs: tuple[str, ...]
    drafter: Drafter | None

    @property
    def concurrency(self) -> int:
        """Full requests that must fit at once, per replica."""
        return self.spec.concurrency or 1

    @property
    def on_vertex(self) -> bool:
        """Whether Vertex AI has the machines, and asks its own prices for them."""
        return self.framework.runs == "managed"

    @property
    def kv_cache_dtype(self) -> str:
        """Number format of the KV cache, `auto` for the engine's own."""
        return self.spec.engine.kvCacheDtype or "auto"

    @property
    def utilization(self) -> float:
        """Share of an accelerator's memory that the engine may fill."""
        return self.spec.engine.gpuMemoryUtilization or self.capabilities.utilization
