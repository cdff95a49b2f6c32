"""Typed records of the catalogue. Facts only; what follows from them is computed in `infra.plan`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Checkpoint:
    """Published weights of one model in one precision.

    Attributes:
        precision: number format, as in stack files.
        format: `safetensors` or `gguf`.
        repository: hub repository id.
        revision: hub commit, or None where none is pinned.
        bytes: size of the weights, or None where it is computed or unknown.
        projector_bytes: size of the separate multimodal projector of a GGUF checkpoint, or None.
    """

    precision: str
    format: str
    repository: str
    revision: str | None
    bytes: int | None
    projector_bytes: int | None
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """One size of the family: architecture numbers, in tokens, layers, heads and parameters."""

    size: str
    hub_size: str
    architecture: str
    layers: int
    hidden: int
    ffn: int
    ffn_in_shared_layers: int | None
    query_heads: int
    kv_heads_sliding: int
    kv_heads_global: int
    sliding_window_tokens: int
    layers_per_global: int
    kv_shared_layers: int
    global_layers_without_value: bool
    per_layer_embedding: int
    experts: int
    experts_per_token: int
    expert_ffn: int
    max_context_tokens: int
    text_parameters: int
    vision_parameters: int
    audio_parameters: int
    bidirectional_over_images: bool
    inputs: tuple[str, ...]
    sources: tuple[str, ...]
    checkpoints: tuple[Checkpoint, ...]
    vocabulary: int
    head_dim_sliding: int
    head_dim_global: int

    @property
    def id(self) -> str:
        """Name in stack files, of the instruction-tuned model."""
        return f"gemma-4-{self.size}-it"

    @property
    def global_layers(self) -> int:
        """Layers with full attention that own a KV cache."""
        return (self.layers - self.kv_shared_layers) // self.layers_per_global

    @property
    def sliding_layers(self) -> int:
        """Layers with sliding-window attention that own a KV cache."""
        return self.layers - self.kv_shared_layers - self.global_layers


@dataclass(frozen=True)
class Machine:
    """Compute Engine machine type that carries an accelerator.

    Attributes:
        accelerators: how many it carries.
        bundled_local_ssds: 375 GiB disks that come with it, or None where not known.
        capacity: how Compute Engine sells it: `on-demand`, `spot`, `flex-start`.
    """

    machine_type: str
    accelerators: int
    vcpus: int
    memory_gib: int
    bundled_local_ssds: int | None
    capacity: tuple[str, ...]


@dataclass(frozen=True)
class Accelerator:
    """One accelerator type. `memory_gib` is what a process sees of one, in GiB."""

    id: str
    display_name: str
    architecture: str
    memory_gib: float
    gke_label: str
    resource: str
    boot_disk_type: str
    zones: tuple[str, ...]
    sources: tuple[str, ...]
    machines: tuple[Machine, ...]


@dataclass(frozen=True)
class Framework:
    """One serving framework: versions, image and what it loads.

    Attributes:
        state: `native`, `experimental` or `refused`.
        image: image reference with `{version}`.
        image_gib: size of the image on disk, rounded up, in GiB.
        nvfp4_architectures: accelerator architectures on which it runs NVFP4 checkpoints.
    """

    name: str
    display_name: str
    state: str
    default_version: str
    minimum_version: str
    denied_versions: tuple[str, ...]
    image: str
    image_gib: int
    format: str
    precisions: tuple[str, ...]
    inputs: tuple[str, ...]
    nvfp4_architectures: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Price:
    """List price of one machine in USD per hour; None where no dated source was found."""

    machine_type: str
    on_demand_usd_per_hour: float | None
    spot_usd_per_hour: float | None
    flex_start_usd_per_hour: float | None
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Catalog:
    """Everything known, by the name used in stack files."""

    models: dict[str, Model]
    accelerators: dict[str, Accelerator]
    frameworks: dict[str, Framework]
    prices: dict[str, Price]
    price_region: str
