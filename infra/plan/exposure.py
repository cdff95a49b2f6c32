"""From where an endpoint may be called, and through which gateway: closed but for what the stack file opens."""

from __future__ import annotations

from dataclasses import dataclass

from infra.catalog.picker import Picker
from infra.plan.quantities import Timing
from infra.plan.refusal import RefusedError
from infra.spec import Expose, Gateway, Gke

# Classes of GKE (GKE documentation, GatewayClass capabilities); an InferencePool is served by the regional ones alone.
_GLOBAL_EXTERNAL = "gke-l7-global-external-managed"
_REGIONAL_EXTERNAL = "gke-l7-regional-external-managed"
_REGIONAL_INTERNAL = "gke-l7-rilb"
# Google's health checks, and the proxies of global external load balancers (Cloud Load Balancing documentation).
HEALTH_CHECK_RANGES = ("130.211.0.0/22", "35.191.0.0/16")
# Not known before the cluster is there: every address on this port but link-local ones.
_ANY_CONTROL_PLANE = ("0.0.0.0/0",)
LEAST_TIMEOUT_SECONDS = 300  # the llm-d and GAIE charts' own; the load balancer's default of 30 cuts long answers
_MOST_DRAINING_SECONDS = 3600  # GCPBackendPolicy's limit
_Row = tuple[str, object, object, str, str]


@dataclass(frozen=True)
class ClientPods:
    """Pods that may call: those of the namespace with all of the labels."""

    namespace: str
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Entrance:
    """The gateway before an endpoint.

    Attributes:
        gateway_class: None where the Gateway is the platform's.
        certificate_secret, certificate_map: where the certificate is; both None with the platform's Gateway.
        name, namespace, listener: of the Gateway to which the route is attached.
        source_ranges: addresses from which its proxies and health checks come.
        timeout_seconds: longest time from a request to the end of its answer.
        draining_seconds: time for running answers of a pod that leaves.
        proxies: pods that are the Gateway, on a cluster that is not GKE; None where its proxies are outside.
    """

    hostname: str
    scope: str
    gateway_class: str | None
    certificate_secret: str | None
    certificate_map: str | None
    name: str
    namespace: str
    listener: str
    source_ranges: tuple[str, ...]
    timeout_seconds: int
    draining_seconds: int
    url: str
    proxies: ClientPods | None = None


@dataclass(frozen=True)
class Exposure:
    """From where an endpoint may be called.

    Attributes:
        gateway: None where it is called inside the cluster alone.
        routing: `service`, or `inference-pool` where an endpoint picker chooses the replica.
        failure_mode: what the gateway does without the picker; None where there is none, as `picker_image`.
        control_plane: addresses at which the picker reaches the cluster's API.
        clients: pods that may call beside those with the endpoint's client label.
    """

    gateway: Entrance | None = None
    routing: str = "service"
    failure_mode: str | None = None
    picker_image: str | None = None
    control_plane: tuple[str, ...] = ()
    clients: tuple[ClientPods, ...] = ()


CLOSED = Exposure()


def exposure(
    stack: str, expose: Expose, gke: Gke | None, framework: str, times: Timing, *, answer_seconds: int, picker: Picker
) -> Exposure:
    """Exposure of one endpoint.

    Args:
        stack: its name.
        expose: what its file says.
        gke: its platform, None where that is no GKE.
        framework: name.
        times: of the endpoint.
        answer_seconds: longest answer that a planned stop lets finish.
        picker: the endpoint picker.

    Raises:
        RefusedError: the platform lacks what the gateway needs, or the picker cannot read the framework's metrics.
    """
    clients = client_pods(expose)
    if expose.gateway is None:
        return Exposure(clients=clients)
    if gke is None:
        raise RefusedError(("expose", "gateway"), "gateways are made on platforms with gke; leave it out.")
    pool = expose.routing == "inference-pool"
    if pool and picker.engine(framework) is None:
        known = ", ".join(one.framework for one in picker.engines)
        raise RefusedError(
            ("expose", "routing"),
            f"the endpoint picker reads metrics of {known}, not of {framework}; write routing: service.",
        )
    return Exposure(
        gateway=_entrance(stack, expose.gateway, gke, times, answer_seconds=answer_seconds, pool=pool),
        routing=expose.routing,
        failure_mode="FailOpen" if pool else None,
        picker_image=picker.reference if pool else None,
        control_plane=((gke.controlPlane,) if gke.controlPlane else _ANY_CONTROL_PLANE) if pool else (),
        clients=clients,
    )


def client_pods(expose: Expose) -> tuple[ClientPods, ...]:
    """Pods that the stack file lets in."""
    return tuple(ClientPods(one.namespace, tuple(sorted(one.labels.items()))) for one in expose.clients)


def _entrance(stack: str, gateway: Gateway, gke: Gke, times: Timing, *, answer_seconds: int, pool: bool) -> Entrance:
    internal, shared, certificate = gateway.scope == "internal", gateway.shared, gateway.certificate
    regional = internal or pool
    if regional and gke.proxyOnlySubnet is None:
        raise RefusedError(("expose", "gateway", "scope"), _no_subnet(gke, _kind(internal=internal)))
    own_class = _REGIONAL_INTERNAL if internal else _REGIONAL_EXTERNAL if pool else _GLOBAL_EXTERNAL
    # A shared external Gateway may be a regional one, whose proxies come from the subnet.
    subnet = gke.proxyOnlySubnet if regional or shared else None
    return Entrance(
        hostname=gateway.hostname,
        scope=gateway.scope,
        gateway_class=None if shared else own_class,
        certificate_secret=certificate.secret if certificate else None,
        certificate_map=certificate.map if certificate else None,
        name=shared.name if shared else stack,
        namespace=shared.namespace if shared else stack,
        listener=shared.listener if shared else "https",
        source_ranges=(*((subnet,) if subnet else ()), *HEALTH_CHECK_RANGES),
        timeout_seconds=max(LEAST_TIMEOUT_SECONDS, 2 * answer_seconds),
        draining_seconds=min(_MOST_DRAINING_SECONDS, times.pre_stop_seconds + times.drain_seconds),
        url=f"https://{gateway.hostname}/v1",
    )


def _kind(*, internal: bool) -> str:
    return "an internal gateway" if internal else "a gateway with an InferencePool"


def _no_subnet(gke: Gke, kind: str) -> str:
    region = "-".join(gke.location.split("-")[:2])
    which = f'--project {gke.project} --filter "purpose=REGIONAL_MANAGED_PROXY AND region:{region}"'
    made = f"--purpose REGIONAL_MANAGED_PROXY --role ACTIVE --region {region} --project {gke.project}"
    return (
        f"{kind} reaches pods from the proxy-only subnet of {region}, which the platform does not name: "
        "write gke.proxyOnlySubnet in its file.\n"
        f"  find it: gcloud compute networks subnets list {which} --format 'value(ipCidrRange)'\n"
        f"  or make it: gcloud compute networks subnets create proxy-only {made} --network default "
        "--range 10.129.0.0/23"
    )


def exposure_cautions(expose: Expose, gke: Gke | None, *, replicas: int, data_parallel: int) -> list[str]:
    """What to know about the endpoint picker before it is used."""
    if expose.gateway is None or expose.routing != "inference-pool":
        return []
    said = []
    if replicas == 1:
        said.append("the endpoint picker has one replica to choose from; routing: service does the same for less")
    if data_parallel > 1:
        said.append("the endpoint picker reads the metrics of the first of a replica's data-parallel engines only")
    if gke is not None and gke.controlPlane is None:
        said.append(
            "the endpoint picker may reach every address at port 443, as the platform does not name gke.controlPlane"
        )
    return said


def exposure_rows(expose: Expose, exposed: Exposure) -> list[_Row]:
    """Decisions with their reasons: field, value, what was asked or None, origin, reason."""
    asked = expose.routing if "routing" in expose.model_fields_set else None
    even = "a Service spreads connections evenly over the replicas"
    rows: list[_Row] = [("exposure.routing", exposed.routing, asked, "derived", even)]
    if exposed.clients:
        named = "; ".join(map(_client_text, exposed.clients))
        rows.append(("exposure.clients", named, expose.clients, "stack", ""))
    entrance = exposed.gateway
    if entrance is None:
        closed = "called inside the cluster alone unless the stack file names a gateway"
        return [*rows, ("exposure.gateway", "none", None, "derived", closed)]
    where = "the platform's own Gateway" if entrance.gateway_class is None else _class_reason(exposed)
    if entrance.proxies is not None:
        length = "the longest answer and as long a wait before it, of the route itself"
        return [
            *rows,
            ("exposure.gateway.url", entrance.url, expose.gateway, "stack", ""),
            ("exposure.gateway.gatewayClass", "shared", None, "derived", where),
            ("exposure.gateway.proxies", _client_text(entrance.proxies), None, "derived", "labels of Gateway API"),
            ("exposure.gateway.timeoutSeconds", entrance.timeout_seconds, None, "derived", length),
        ]
    rows += [
        ("exposure.gateway.url", entrance.url, expose.gateway, "stack", ""),
        ("exposure.gateway.gatewayClass", entrance.gateway_class or "shared", None, "derived", where),
        (
            "exposure.gateway.sourceRanges",
            ", ".join(entrance.source_ranges),
            None,
            "platform" if len(entrance.source_ranges) > len(HEALTH_CHECK_RANGES) else "derived",
            "Google's health checks and the gateway's proxies: no other address reaches the pods",
        ),
        (
            "exposure.gateway.timeoutSeconds",
            entrance.timeout_seconds,
            None,
            "derived",
            f"the longest answer and as long a wait before it, at least {LEAST_TIMEOUT_SECONDS} s; it counts to the "
            "last token of a stream; Google's default of 30 s cuts long answers",
        ),
        (
            "exposure.gateway.drainingSeconds",
            entrance.draining_seconds,
            None,
            "derived",
            "as long as a pod that stops still answers: its pre-stop delay and its drain",
        ),
    ]
    if exposed.failure_mode:
        rows += [
            (
                "exposure.failureMode",
                exposed.failure_mode,
                None,
                "derived",
                "who may call is decided by the network and in every pod: without the picker only its choice is lost",
            ),
            ("exposure.pickerImage", exposed.picker_image, None, "catalogue", "newest known; it was not pulled here"),
            (
                "exposure.controlPlane",
                ", ".join(exposed.control_plane),
                None,
                "platform" if exposed.control_plane != _ANY_CONTROL_PLANE else "derived",
                "where the endpoint picker reads which pods there are",
            ),
        ]
    return rows


def _client_text(pods: ClientPods) -> str:
    return ", ".join([pods.namespace, *("=".join(pair) for pair in pods.labels)])


def _class_reason(exposed: Exposure) -> str:
    assert exposed.gateway is not None
    if exposed.gateway.scope == "internal":
        return "reached inside the network alone"
    if exposed.routing == "inference-pool":
        return "of the external classes the one that serves InferencePools"
    return "reached from the internet, from the place nearest to the caller"
