"""Why Compute Engine would not give an instance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shortage:
    """Why Compute Engine would not give an instance.

    Attributes:
        code: As in a node pool's `conditions[].code`: GCE_STOCKOUT, GCE_QUOTA_EXCEEDED or UNKNOWN.
        event_reason: What the autoscaler's FailedScaleUp event says (GKE autoscaler source,
            failed_scale_up_event_logger.go).
        condition_reason: What the status of a ComputeClass says (GKE autoscaler source, translateErrorCode).
        message: Compute Engine's own text.
    """

    code: str
    event_reason: str
    condition_reason: str
    message: str


def stockout(zone: str) -> Shortage:
    """A machine type is sold out in a zone."""
    return Shortage(
        "GCE_STOCKOUT",
        "GCE out of resources",
        "OutOfResources",
        f"The zone '{zone}' does not have enough resources available to fulfill the request, "
        "'(resource type:compute)'.",
    )


def over_quota(limit: float, region: str) -> Shortage:
    """A quota of a region is used up."""
    return Shortage(
        "GCE_QUOTA_EXCEEDED",
        "GCE quota exceeded",
        "QuotaExceeded",
        f"Quota 'GPUS_PER_GPU_FAMILY' exceeded. Limit: {limit:.1f} in region {region}.",
    )
