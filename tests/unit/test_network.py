"""Every pair of source and port is admitted exactly where the stack file says so; brute force over all of them."""

from __future__ import annotations

from typing import Any

import pytest

from infra.pipeline import Endpoint, build
from tests.unit.files import Files, endpoint
from tests.unit.network_rules import Party, admitted

STACK = "gemma4-e4b-l4"
OTHER = "gemma4-12b-l4"
PLATFORM = """\
apiVersion: servestack/v1
kind: Platform
gke: {project: servestack-dev, location: us-central1, cluster: {name: dev}, %sdeletionProtection: false}
"""
SUBNET, CONTROL = "proxyOnlySubnet: 10.129.0.0/23, ", "controlPlane: 172.16.0.32/28, "
EXTERNAL = "gateway: {hostname: g.example.com, scope: external, certificate: {map: m}}"
INTERNAL = "gateway: {hostname: g.example.com, scope: internal, certificate: {secret: s}}"
POOL = "routing: inference-pool, gateway: {hostname: g.example.com, scope: %s, certificate: {secret: s}}"
SHARED = "gateway: {hostname: g.example.com, scope: external, shared: {name: front, namespace: gateways}}"
CLIENTS = "clients: [{namespace: search, labels: {app: bot, tier: a}}, {namespace: notebooks}]"
CLIENT = {"servestack.dev/client-of": STACK}
PORTS = (22, 53, 80, 443, 2019, 8000, 8080, 8090, 8091, 9002, 9003, 9090)

CALLERS = {
    "labelled": Party("labelled", "10.4.1.1", "anywhere", CLIENT),
    "labelled in its own namespace": Party("own", "10.4.1.2", STACK, CLIENT),
}
NAMED = {
    "bot": Party("bot", "10.4.2.1", "search", {"app": "bot", "tier": "a", "more": "x"}),
    "notebook": Party("notebook", "10.4.2.2", "notebooks", {"user": "x"}),
}
PROXIES = {
    "health check": Party("probe", "35.191.255.254"),
    "global proxy": Party("proxy", "130.211.3.1"),
}
REGIONAL = {
    "first of the subnet": Party("first", "10.129.0.0"),
    "last of the subnet": Party("last", "10.129.1.255"),
}
COLLECTOR = {"app.kubernetes.io/name": "collector"}
SCRAPERS = {
    "standard": Party("collector", "10.4.3.1", "gmp-system", COLLECTOR),
    "autopilot": Party("collector", "10.4.3.2", "gke-gmp-system", COLLECTOR),
}
STRANGERS = {
    "internet": Party("internet", "203.0.113.7"),
    "metadata": Party("metadata", "169.254.169.254"),
    "beside the subnet": Party("beside", "10.129.2.0"),
    "before the subnet": Party("before", "10.128.255.255"),
    "beside the health checks": Party("beside", "35.190.255.255"),
    "beside the proxies": Party("beside", "130.211.4.0"),
    "pod": Party("pod", "10.4.4.1", "default", {}),
    "client of another": Party("pod", "10.4.4.2", "default", {"servestack.dev/client-of": OTHER}),
    "bot elsewhere": Party("pod", "10.4.4.3", "default", {"app": "bot", "tier": "a"}),
    "half a bot": Party("pod", "10.4.4.4", "search", {"app": "bot"}),
    "false collector": Party("pod", "10.4.4.5", "default", COLLECTOR),
    "neighbour of the collector": Party("pod", "10.4.4.6", "gmp-system", {"app.kubernetes.io/name": "operator"}),
    "gateway's namespace": Party("pod", "10.4.4.7", "gateways", {}),
    "picker of another": Party(
        "pod",
        "10.4.4.8",
        OTHER,
        {"app.kubernetes.io/instance": STACK, "app.kubernetes.io/component": "endpoint-picker"},
    ),
}
EVERYBODY = {
    f"{kind}: {name}": party
    for kind, group in (
        ("caller", CALLERS),
        ("named", NAMED),
        ("proxy", PROXIES),
        ("regional", REGIONAL),
        ("scraper", SCRAPERS),
        ("stranger", STRANGERS),
    )
    for name, party in group.items()
}


class World:
    """An endpoint's policies, and its pods with the labels that its Deployments give them."""

    def __init__(self, expose: str, platform: str = SUBNET + CONTROL) -> None:
        lines = [f"expose: {{{expose}}}"] if expose else []
        text = endpoint("gemma-4-e4b-it", "l4", "vllm", "replicas: {min: 2}", *lines)
        built = build(STACK, Files(**{STACK: text, "dev": PLATFORM % platform}))
        assert isinstance(built, Endpoint)
        self.objects = built.objects()
        self.policies = [one for one in self.objects if one["kind"] == "NetworkPolicy"]
        self.engine = self.pod(STACK, "10.4.0.1")
        self.picker = self.pod(f"{STACK}-epp", "10.4.0.2") if len(self.policies) > 1 else None

    def pod(self, name: str, address: str) -> Party:
        deployment: Any = next(o for o in self.objects if (o["kind"], o["metadata"]["name"]) == ("Deployment", name))
        return Party(name, address, STACK, deployment["spec"]["template"]["metadata"]["labels"])

    def entering(self, target: Party) -> set[tuple[str, int]]:
        """Every source and port that is admitted, but for those of the endpoint's own pods."""
        return {
            (name, port)
            for name, party in EVERYBODY.items()
            for port in PORTS
            for protocol in ("TCP", "UDP")
            if admitted(self.policies, party, target, port, protocol)
        }


def pairs(port: int, *groups: tuple[str, dict[str, Party]]) -> set[tuple[str, int]]:
    # A pod of the endpoint's own namespace is closed in the other direction: it has no egress to the proxy.
    return {(f"{kind}: {name}", port) for kind, group in groups for name in group if "own namespace" not in name}


CALLING, NAMING, SCRAPING = ("caller", CALLERS), ("named", NAMED), ("scraper", SCRAPERS)
GLOBAL, SUBNETS = ("proxy", PROXIES), ("regional", REGIONAL)


@pytest.mark.parametrize(
    ("expose", "callers"),
    [
        ("", [CALLING]),
        ("authentication: none, reason: callers are in one namespace", [CALLING]),
        (CLIENTS, [CALLING, NAMING]),
        (EXTERNAL, [CALLING, GLOBAL]),
        (f"{EXTERNAL}, {CLIENTS}", [CALLING, NAMING, GLOBAL]),
        (INTERNAL, [CALLING, GLOBAL, SUBNETS]),
        (SHARED, [CALLING, GLOBAL, SUBNETS]),
        (POOL % "external", [CALLING, GLOBAL, SUBNETS]),
        (POOL % "internal", [CALLING, GLOBAL, SUBNETS]),
    ],
)
def test_the_engines_pods_admit_whom_the_stack_file_names_to_the_proxy_and_collectors_to_metrics(
    expose: str, callers: list[tuple[str, dict[str, Party]]]
) -> None:
    world = World(expose)
    assert world.entering(world.engine) == pairs(8090, *callers) | pairs(8091, SCRAPING)


def test_a_global_gateway_admits_no_proxy_only_subnet_even_where_the_platform_has_one() -> None:
    world = World(EXTERNAL)
    assert not any(name.startswith("regional") for name, _ in world.entering(world.engine))


@pytest.mark.parametrize("scope", ["external", "internal"])
def test_the_picker_is_asked_by_the_gateway_alone_and_shows_its_metrics_to_nobody(scope: str) -> None:
    world = World(POOL % scope)
    assert world.picker
    entering = {one for one in world.entering(world.picker) if one[1] not in (8090, 8091)}
    assert entering == pairs(9002, GLOBAL, SUBNETS) | pairs(9003, GLOBAL, SUBNETS)


def test_the_picker_reads_metrics_and_sends_no_request() -> None:
    world = World(POOL % "internal")
    assert world.picker
    ports = {port for port in PORTS if admitted(world.policies, world.picker, world.engine, port)}
    assert ports == {8091}


def test_an_engine_reaches_neither_its_picker_nor_another_engine() -> None:
    world = World(POOL % "internal")
    assert world.picker
    for target in (world.picker, Party("another", "10.4.0.9", STACK, world.engine.labels)):
        assert not any(admitted(world.policies, world.engine, target, port) for port in PORTS)


@pytest.mark.parametrize(
    ("platform", "address", "reached"),
    [
        (SUBNET + CONTROL, "172.16.0.33", True),
        (SUBNET + CONTROL, "172.16.0.48", False),
        (SUBNET + CONTROL, "10.0.0.1", False),
        (SUBNET, "172.16.0.33", True),
        (SUBNET, "10.0.0.1", True),
        (SUBNET, "169.254.169.254", False),
        (SUBNET, "169.254.169.252", False),
    ],
)
def test_the_picker_reaches_the_clusters_api_where_the_platform_says_it_is_and_never_the_metadata_server(
    platform: str, address: str, reached: bool
) -> None:
    world = World(POOL % "internal", platform)
    assert world.picker
    target = Party("api", address)
    assert admitted(world.policies, world.picker, target, 443) is reached
    assert not any(admitted(world.policies, world.picker, target, port) for port in PORTS if port not in (443, 53))


def test_without_a_gateway_there_is_no_way_in_from_any_address() -> None:
    world = World(CLIENTS)
    assert not any(EVERYBODY[name].namespace is None for name, _ in world.entering(world.engine))


def test_the_oracle_tells_open_from_closed() -> None:
    world = World("")
    (policy,) = world.policies
    policy["spec"]["ingress"].append({})
    assert len(world.entering(world.engine)) == (len(EVERYBODY) - 1) * len(PORTS)  # its own pods may not leave
