"""A service of Macs as resources of the program: one for each machine."""

from __future__ import annotations

import pulumi
from pulumi.dynamic import Resource

from infra.frameworks.mlx_service import MlxService
from infra.host.locks import checksum
from infra.host.provider import VERSION, HostServiceProvider
from infra.host.service import Service, Weights, to_inputs
from infra.pipeline import Endpoint


class HostService(Resource, module="host", name="HostService"):
    """A service on one machine.

    Attributes:
        host: IPv4 address on which it listens.
        folder: its own, on the machine.
    """

    host: pulumi.Output[str]
    folder: pulumi.Output[str]

    def __init__(self, name: str, service: Service, opts: pulumi.ResourceOptions | None = None) -> None:
        inputs = to_inputs(service) | {"provider_version": VERSION}
        super().__init__(HostServiceProvider(), name, {"host": None, "folder": None, **inputs}, opts)


def deploy_host(endpoint: Endpoint) -> None:
    """Declare the services of an endpoint, and export its outputs."""
    plan, mlx = endpoint.plan, endpoint.mac
    assert mlx is not None
    made = {
        address: HostService(f"{plan.stack}-{address}", service_of(plan.stack, mlx, address))
        for address in mlx.addresses
    }
    urls = [mlx.url(index, one.host) for index, one in enumerate(made.values())]
    pulumi.export("url", mlx.proxy_url or urls[0])
    if len(made) > 1:
        pulumi.export("urls", urls)
    if mlx.tunnels:
        commands = [mlx.tunnel_command(index) for index in range(len(made))]
        pulumi.export("tunnelCommand", commands[0])
        if len(made) > 1:
            pulumi.export("tunnelCommands", commands)
    pulumi.export("authentication", "key")
    keys = [mlx.key_command(address) for address in mlx.addresses]
    pulumi.export("keyCommand", keys[0])
    if len(made) > 1:
        pulumi.export("keyCommands", keys)
    pulumi.export("logCommand", mlx.log_command(mlx.addresses[0]))
    pulumi.export("model", plan.model.id)
    pulumi.export("plan", plan.summary())
    pulumi.export("cost", {"usdPerHour": plan.cost.hourly_usd, "basis": plan.cost.basis})


def service_of(stack: str, mlx: MlxService, address: str) -> Service:
    """The service of one machine."""
    return Service(
        stack=stack,
        address=address,
        model=mlx.model,
        inputs=mlx.inputs,
        version=mlx.version,
        lock=checksum(mlx.version),
        weights=tuple(Weights(*one) for one in mlx.weights),
        arguments=mlx.arguments,
        environment=mlx.environment,
        port=mlx.port,
        engine_port=mlx.engine_port,
        interface=mlx.interface,
        drain_seconds=mlx.drain_seconds,
        start_seconds=mlx.start_seconds,
        log_bytes=mlx.log_bytes,
        log_files=mlx.log_files,
        keep_weights=mlx.keep_weights,
    )
