"""What a gateway's route leads to, as Gateway API and GKE's policies name it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.frameworks.picker import POOL_GROUP
from infra.plan.serving_plan import ServingPlan


@dataclass(frozen=True)
class Backend:
    """The Service or the InferencePool of an endpoint.

    Attributes:
        target: `targetRef` of policies.
        reference: `backendRef` of the route.
        certificate_secrets, certificate_maps: of the endpoint's own Gateway: one of one kind, or none.
    """

    target: dict[str, str]
    reference: dict[str, Any]
    certificate_secrets: tuple[str, ...]
    certificate_maps: tuple[str, ...]


def backend(plan: ServingPlan, port: int) -> Backend | None:
    """What the route leads to; None without a gateway. A pool has the port in its own `targetPorts`."""
    gateway = plan.exposure.gateway
    if gateway is None:
        return None
    pool = plan.exposure.routing == "inference-pool"
    target = {
        "group": POOL_GROUP if pool else "",
        "kind": "InferencePool" if pool else "Service",
        "name": plan.stack,
    }
    return Backend(
        target=target,
        reference={**target, "weight": 1} if pool else {**target, "port": port, "weight": 1},
        certificate_secrets=(gateway.certificate_secret,) if gateway.certificate_secret else (),
        certificate_maps=(gateway.certificate_map,) if gateway.certificate_map else (),
    )
