"""What may be said of a gateway: names, ranges, places; everything else is refused in words."""

from __future__ import annotations

import pytest

from infra.errors import PlanError, SpecError
from infra.pipeline import build
from tests.unit.files import HOST, Files, endpoint
from tests.unit.test_exposure import TLS, planned


def test_a_gateway_on_a_machine_of_ones_own_is_refused() -> None:
    gateway = "expose: {gateway: {hostname: g.example.com, scope: internal, certificate: {secret: s}}}"
    name = "gemma4-e4b-cpu-llamacpp"
    text = endpoint("gemma-4-e4b-it", "cpu", "llamacpp", gateway)
    with pytest.raises(PlanError, match="gateways are made on platforms with gke"):
        build(name, Files(**{name: text, "dev": HOST}))


SUBNETS = {
    "10.129.0.0/23": True,
    "100.64.8.0/24": True,
    "172.31.0.0/16": True,
    "192.168.255.192/26": True,
    "10.129.0.1/23": False,
    "10.129.0.0/27": False,
    "10.0.0.0/15": False,
    "10.0.0.0/8": False,
    "0.0.0.0/0": False,
    "35.191.0.0/16": False,
    "172.32.0.0/16": False,
    "169.254.0.0/16": False,
    "127.0.0.0/16": False,
    "10.129.0.0": False,
    "010.129.0.0/23": False,
    "10.129.0.256/26": False,
    "2001:db8::/32": False,
    "fd00::/20": False,
}


@pytest.mark.parametrize("subnet", SUBNETS)
def test_a_proxy_only_subnet_is_a_private_ipv4_range_that_is_no_whole_network(subnet: str) -> None:
    place = (
        f"gke: {{project: servestack-dev, location: us-central1, cluster: {{name: dev}}, proxyOnlySubnet: '{subnet}'}}"
    )
    platform = f"apiVersion: servestack/v1\nkind: Platform\n{place}\n"
    expose = f"gateway: {{hostname: g.example.com, scope: internal, {TLS}}}"
    if SUBNETS[subnet]:
        gateway = planned(expose, dev=platform).plan.exposure.gateway
        assert gateway
        assert subnet in gateway.source_ranges
    else:
        with pytest.raises(SpecError, match=r"gke\.proxyOnlySubnet"):
            planned(expose, dev=platform)


HOSTNAMES = {
    "a.b": True,
    "gemma.example.com": True,
    "xn--bcher-kva.example": True,
    f"{'a' * 63}.com": True,
    "localhost": False,
    "Gemma.example.com": False,
    "gemma.example.com.": False,
    "*.example.com": False,
    "-a.example.com": False,
    "a-.example.com": False,
    "a..com": False,
    "a_b.example.com": False,
    "10.0.0.1": False,
    "a.1": False,
    f"{'a' * 64}.com": False,
    f"{'a.' * 130}com": False,
    "gemma.example.com\\n": False,
    "gemma.example.com/v1": False,
    "gemma.example.com:443": False,
    "b\u00fccher.example": False,
}


@pytest.mark.parametrize("hostname", HOSTNAMES)
def test_a_hostname_is_a_dns_name_of_two_labels_or_more(hostname: str) -> None:
    try:
        planned(f'gateway: {{hostname: "{hostname}", scope: external, {TLS}}}')
    except SpecError as error:
        assert "expose.gateway.hostname" in str(error)
        assert not HOSTNAMES[hostname]
    else:
        assert HOSTNAMES[hostname]
