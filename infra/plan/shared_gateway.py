"""An entrance through a Gateway that is there, on a cluster that is not GKE: a plain HTTPRoute of Gateway API."""

from __future__ import annotations

from infra.plan.exposure import LEAST_TIMEOUT_SECONDS, ClientPods, Entrance, Exposure, client_pods
from infra.plan.quantities import Timing
from infra.plan.refusal import RefusedError
from infra.spec import Expose

# On the pods that are a Gateway's proxies, in the Gateway's namespace (Gateway API, GEP-1762, in-cluster gateways).
GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name"


def shared_exposure(expose: Expose, times: Timing, *, answer_seconds: int) -> Exposure:
    """Exposure of an endpoint on a cluster of one's own.

    Args:
        expose: what its file says.
        times: of the endpoint.
        answer_seconds: longest answer that a planned stop lets finish.

    Raises:
        RefusedError: a Gateway would have to be made, or an endpoint picker is asked for.
    """
    clients = client_pods(expose)
    gateway = expose.gateway
    if gateway is None:
        return Exposure(clients=clients)
    if gateway.shared is None:
        raise RefusedError(
            ("expose", "gateway"),
            "Gateways are made on platforms with gke; name one that the cluster has: shared: {name: NAME, namespace: "
            "NAMESPACE}.",
        )
    if expose.routing == "inference-pool":
        raise RefusedError(
            ("expose", "routing"), "endpoint pickers are set up on platforms with gke; write routing: service."
        )
    shared = gateway.shared
    entrance = Entrance(
        hostname=gateway.hostname,
        scope=gateway.scope,
        gateway_class=None,
        certificate_secret=None,
        certificate_map=None,
        name=shared.name,
        namespace=shared.namespace,
        listener=shared.listener,
        source_ranges=(),
        timeout_seconds=max(LEAST_TIMEOUT_SECONDS, 2 * answer_seconds),
        draining_seconds=times.pre_stop_seconds + times.drain_seconds,
        url=f"https://{gateway.hostname}/v1",
        proxies=ClientPods(shared.namespace, ((GATEWAY_NAME_LABEL, shared.name),)),
    )
    return Exposure(gateway=entrance, clients=clients)


def shared_gateway_caution(entrance: Entrance | None) -> str:
    """What nobody checks of a Gateway that is there; "" where there is none."""
    if entrance is None or entrance.proxies is None:
        return ""
    return (
        f"Gateway {entrance.name} must take routes of the endpoint's namespace at listener {entrance.listener}, and "
        f"its proxies be pods of namespace {entrance.namespace} with label {GATEWAY_NAME_LABEL}={entrance.name}; "
        "where they are others, name them in expose.clients"
    )
