"""Typed records of the catalogue. Facts only; what follows from them is computed in `infra.plan`."""

from __future__ import annotations

from dataclasses import dataclass

from infra.catalog.compute import Compute
from infra.catalog.local_ssds import LocalSsds
from infra.catalog.managed import ManagedFacts
from infra.catalog.metrics import EngineMetrics
from infra.catalog.node_labels import NodeLabels
from infra.catalog.picker import Picker
from infra.catalog.prices import Price, Throughput
from infra.catalog.proxy import Proxy


@dataclass(frozen=True)
class Checkpoint:
    """Published weights of one model in one number format.

    Attributes:
        model: name of the model in stack files, such as `gemma-4-31b-it`.
        precision: number format, as in stack files.
        format: how the files are made: `safetensors`, `gguf`, `mlx` or `keras`.
        repository: hub repository id, or the preset's name.
        revision: hub commit, or None where none is pinned.
        bytes: listed size of the weights without projector; None where it is computed, or not known.
        bytes_uncertainty: by how much the listed size may be off: 0 where it is exact.
        projector_bytes: listed size of the separate multimodal projector of a GGUF checkpoint, or None.
        file, projector_file: names of its files in the repository, where it is one GGUF file, or None.
        frameworks: those that load it.
        architectures: accelerator architectures on which they do; empty for all that the framework has.
        inputs: what it takes.
    """

    model: str
    precision: str
    format: str
    repository: str
    revision: str | None
    bytes: int | None
    bytes_uncertainty: int
    projector_bytes: int | None
    file: str | None
    projector_file: str | None
    frameworks: tuple[str, ...]
    architectures: tuple[str, ...]
    licence: str
    gated: bool
    inputs: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Drafter:
    """Small model that proposes tokens; Google's read the target's KV cache and have none of their own.

    Attributes:
        parameters: all of them; None where not known.
        parameters_uncertainty: by how much that may be off.
        tokens: proposed tokens per step that the recipes use.
    """

    model: str
    format: str
    repository: str
    parameters: int | None
    parameters_uncertainty: int
    tokens: int | None
    frameworks: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """One size of the family, base or instruction-tuned: architecture numbers, in tokens, layers, heads, parameters.

    Attributes:
        instruct: whether it is instruction-tuned; a base model has no chat template.
        drafters: those that were trained for it.
    """

    size: str
    instruct: bool
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
    tower_parameters_uncertainty: int
    bidirectional_over_images: bool
    inputs: tuple[str, ...]
    licence: str
    gated: bool
    sources: tuple[str, ...]
    checkpoints: tuple[Checkpoint, ...]
    drafters: tuple[Drafter, ...]
    vocabulary: int
    head_dim_sliding: int
    head_dim_global: int

    @property
    def id(self) -> str:
        """Name in stack files."""
        return f"gemma-4-{self.size}{'-it' if self.instruct else ''}"

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
    """Compute Engine machine type that carries accelerators.

    Attributes:
        accelerators: how many it carries; 0 for a machine whose processor is the accelerator.
        vcpus, memory_gib, bundled_local_ssds: None where not known; the last are 375 GiB disks that come with it.
        capacity: how Compute Engine sells it: `on-demand`, `spot`, `flex-start`, `reservation`.
    """

    machine_type: str
    accelerators: int
    vcpus: int | None
    memory_gib: int | None
    bundled_local_ssds: int | None
    capacity: tuple[str, ...]


@dataclass(frozen=True)
class Accelerator:
    """One accelerator type.

    Attributes:
        kind: `gpu`, `tpu`, `apple` (unified memory) or `cpu`.
        architecture: what kernels are built for, such as `hopper`, `tpu-v6e`, `apple`, `x86`.
        vendor_memory_gb: size by which it is sold, GB; None for `cpu`.
        memory_gib: what a process sees of one, in GiB; of `apple`, the share that macOS leaves to the GPU. None where
            not found, and for `cpu`, whose memory is the machine's.
        unified_memory_gib: whole memory of a machine with unified memory, else None.
        gke_label: value of the node label that GKE gives, or None.
        gce_type, vertex_type: accelerator types of Compute Engine and Vertex AI, or None.
        resource: Kubernetes resource name, or None.
        topologies: slice shapes of a TPU.
        host_architecture: `amd64` or `arm64`.
        minimum_gke_standard, minimum_gke_autopilot: GKE versions, None where not found.
        note: what a plan must say when it uses this, or None.
    """

    id: str
    display_name: str
    kind: str
    architecture: str
    vendor_memory_gb: int | None
    memory_gib: float | None
    unified_memory_gib: int | None
    gke_label: str | None
    gce_type: str | None
    vertex_type: str | None
    resource: str | None
    boot_disk_type: str | None
    topologies: tuple[str, ...]
    host_architecture: str
    minimum_gke_standard: str | None
    minimum_gke_autopilot: str | None
    zones: tuple[str, ...]
    note: str | None
    sources: tuple[str, ...]
    machines: tuple[Machine, ...]


@dataclass(frozen=True)
class Image:
    """Container image of a framework.

    Attributes:
        architectures: accelerator architectures for which it is; empty for all others.
        reference: image with `{version}` where the version goes.
        size_gib: size on disk, rounded up, in GiB; None where not known.
    """

    architectures: tuple[str, ...]
    reference: str
    size_gib: int | None


@dataclass(frozen=True)
class Evidence:
    """Why a framework has its state: a statement, with where and when it was found."""

    statement: str
    source: str


@dataclass(frozen=True)
class Framework:
    """One serving system: versions, images and what it can do with the family.

    Attributes:
        state: `native`, `experimental` or `refused`.
        runs: where: `kubernetes`, `managed`, `host` or `batch`.
        default_version, minimum_version: None for a managed service and where it is refused.
        minimum_version_by_size: newer minimum of single sizes.
        hybrid_kv_since: first version that charges sliding layers for their window only, or None.
        formats: checkpoint formats that it loads.
        precisions: those that it loads, best first at equal price.
        architectures: accelerator architectures on which it runs; empty where it has no accelerators.
        inputs_by_size: what each size takes there; a size that is left out is not served.
        inputs_with_own_image: what images of one's own can add, as the published ones lack packages for it.
        metrics: its names for queue, running requests and KV-cache use, where it has them.
        alternative: framework to use instead where it is refused.
    """

    name: str
    display_name: str
    state: str
    runs: str
    default_version: str | None
    minimum_version: str | None
    minimum_version_by_size: tuple[tuple[str, str], ...]
    denied_versions: tuple[str, ...]
    hybrid_kv_since: str | None
    images: tuple[Image, ...]
    formats: tuple[str, ...]
    precisions: tuple[str, ...]
    architectures: tuple[str, ...]
    inputs_by_size: tuple[tuple[str, tuple[str, ...]], ...]
    inputs_with_own_image: tuple[str, ...]
    tools: bool
    reasoning: bool
    drafters: bool
    adapters: bool
    metrics: tuple[str, ...]
    alternative: str | None
    evidence: tuple[Evidence, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Catalog:
    """Everything known, by the name used in stack files."""

    models: dict[str, Model]
    accelerators: dict[str, Accelerator]
    compute: dict[str, Compute]
    frameworks: dict[str, Framework]
    prices: dict[str, Price]
    throughputs: tuple[Throughput, ...]
    price_region: str
    proxy: Proxy
    metrics: dict[str, EngineMetrics]
    picker: Picker
    time_zones: frozenset[str]
    node_labels: NodeLabels
    local_ssds: dict[str, LocalSsds]
    managed: ManagedFacts
