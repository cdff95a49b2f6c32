"""How Vertex AI's machines are bought, and what holds their number: in Vertex AI's own words."""

from __future__ import annotations

from infra.plan.refusal import RefusedError
from infra.spec import Capacity, EndpointSpec

# Vertex AI API, AutoscalingMetricSpec.metric_name.
_METRIC = "aiplatform.googleapis.com/prediction/online"
METRICS = {
    "accelerator": f"{_METRIC}/accelerator/duty_cycle",
    "cpu": f"{_METRIC}/cpu/utilization",
    "requests": f"{_METRIC}/request_count",
}
_LONGEST_RUN_SECONDS = 7 * 24 * 3600  # Vertex AI API, FlexStart.max_runtime_duration


def check_buying(spec: EndpointSpec, region: str) -> None:
    """See that a reservation has its zone, and that nothing is said of a way in which no machine is bought.

    Raises:
        RefusedError: something is missing or too much.
    """
    bought, vertex = _bought(spec), spec.vertex
    zone = vertex.reservationZone if vertex else None
    if bought is not None and bought.kind == "reservation" and zone is None:
        raise RefusedError(
            ("capacity", 0),
            f"a reservation is in a zone; write vertex: {{reservationZone: {region}-a}}, with the letter of yours.",
        )
    if zone is not None and (bought is None or bought.kind != "reservation"):
        raise RefusedError(("vertex", "reservationZone"), "capacity names no reservation; leave it out.")
    if zone is not None and not zone.startswith(f"{region}-"):
        raise RefusedError(
            ("vertex", "reservationZone"), f"{zone} is outside the platform's region {region}; write one in it."
        )
    if vertex is not None and vertex.maxRunSeconds and (bought is None or bought.kind != "flex-start"):
        raise RefusedError(
            ("vertex", "maxRunSeconds"),
            "only a flex-start deployment ends by itself; leave it out, or write capacity: [flex-start].",
        )


def reservation_name(spec: EndpointSpec, project: str) -> str:
    """Full name of the reservation; empty without one."""
    bought, vertex = _bought(spec), spec.vertex
    if bought is None or bought.reservation is None or vertex is None:
        return ""
    return f"projects/{project}/zones/{vertex.reservationZone}/reservations/{bought.reservation}"


def flex_start_seconds(spec: EndpointSpec) -> int:
    """Longest run of a flex-start deployment; 0 for others."""
    bought = _bought(spec)
    if bought is None or bought.kind != "flex-start":
        return 0
    asked = spec.vertex.maxRunSeconds if spec.vertex else None
    return asked or _LONGEST_RUN_SECONDS


def _bought(spec: EndpointSpec) -> Capacity | None:
    return spec.capacity[0] if spec.capacity else None
