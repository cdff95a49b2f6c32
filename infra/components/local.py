"""A service of this machine as a resource of the program."""

from __future__ import annotations

import pulumi
from pulumi.dynamic import Resource

from infra.frameworks.host_service import HostService
from infra.local.provider import VERSION, LocalServiceProvider
from infra.local.service import File, Service, to_inputs
from infra.pipeline import Endpoint


class LocalService(Resource, module="local", name="Service"):
    """One engine, kept running on this machine.

    Attributes:
        url: OpenAI-compatible; takes the key as bearer.
        key_command: prints the key; empty where none is asked for.
        manager: what keeps it running: systemd, launchd or supervisor.
        log: file with what the engine said.
    """

    url: pulumi.Output[str]
    key_command: pulumi.Output[str]
    manager: pulumi.Output[str]
    log: pulumi.Output[str]

    def __init__(self, name: str, service: Service, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("url", "key_command", "manager", "log", "binary"))
        super().__init__(
            LocalServiceProvider(), name, {**outputs, **to_inputs(service), "provider_version": VERSION}, opts
        )


def service_of(stack: str, service: HostService, *, keep_weights: bool) -> Service:
    """What is wanted of this machine."""
    return Service(
        stack=stack,
        program=service.program,
        arguments=service.arguments,
        environment=service.environment,
        port=service.port,
        health_path=service.health_path,
        files=tuple(File(one.path, one.origin, one.address, one.sha256) for one in service.files),
        key_file=service.key_file,
        start_seconds=service.start_seconds,
        keep_weights=keep_weights,
    )


def deploy_local(endpoint: Endpoint) -> None:
    """Declare the service of an endpoint and export its outputs."""
    assert endpoint.service is not None
    wanted = service_of(endpoint.name, endpoint.service, keep_weights=endpoint.spec.weights.keep)
    made = LocalService(f"{endpoint.name}-service", wanted)
    pulumi.export("url", made.url)
    pulumi.export("authentication", endpoint.plan.access.authentication)
    if wanted.key_file:
        pulumi.export("keyCommand", made.key_command)
    pulumi.export("service", made.manager)
    pulumi.export("log", made.log)
    pulumi.export("model", endpoint.plan.model.id)
    pulumi.export("plan", endpoint.plan.summary())
