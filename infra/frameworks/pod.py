"""What differs between the pods of one endpoint: which takes calls, and which only computes."""

from __future__ import annotations

from dataclasses import dataclass

from infra.frameworks.proxy import ProxySidecar
from infra.plan.serving_plan import AcceleratorChoice

SERVER_COMPONENT = "inference-server"
WORKER_COMPONENT = "inference-worker"


@dataclass(frozen=True)
class Pod:
    """One kind of pod.

    Attributes:
        labels: beside the recommended ones, and in place of those of the same name.
        entry: `command` and `args` of the engine, what of them it has.
        proxies: the proxy before the engine; none where the pod takes no calls, and then it has no probes.
        spread_by: label that tells one version's pods from another's, for their spread over zones; none without.
    """

    labels: dict[str, str]
    entry: tuple[tuple[str, tuple[str, ...]], ...]
    proxies: tuple[ProxySidecar, ...]
    spread_by: tuple[str, ...]


def entry(command: tuple[str, ...], args: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What takes the place of the image's own entry point and words, if anything does."""
    return tuple((key, words) for key, words in (("command", command), ("args", args)) if words)


def accelerator_labels(accelerator: AcceleratorChoice) -> dict[str, str]:
    """Labels that GKE gives the nodes of an accelerator; a TPU pod must select both of its own (GKE, how-to/tpus)."""
    if not accelerator.gke_label:
        return {}
    if accelerator.kind != "tpu":
        return {"cloud.google.com/gke-accelerator": accelerator.gke_label}
    return {
        "cloud.google.com/gke-tpu-accelerator": accelerator.gke_label,
        "cloud.google.com/gke-tpu-topology": accelerator.topology,
    }
