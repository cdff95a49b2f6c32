"""What the program asks the engine for, run in a process of its own: `python -m tests.unit.registered FOLDER STACK`."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

NUMBER = "123456789012"
_ON = [{"enabled": True}]
_ANSWERS: dict[str, dict[str, Any]] = {
    # A cluster with all that an endpoint may need, in the plurals of the look-up.
    "gcp:container/getCluster:getCluster": {
        "endpoint": "10.0.0.1",
        "masterAuths": [{"clusterCaCertificate": "Q0E="}],
        "masterVersion": "1.34.4-gke.1000000",
        "datapathProvider": "ADVANCED_DATAPATH",
        "enableShieldedNodes": True,
        "addonsConfigs": [{"gcsFuseCsiDriverConfigs": _ON}],
        "gatewayApiConfigs": [{"channel": "CHANNEL_STANDARD"}],
        "monitoringConfigs": [{"managedPrometheuses": _ON}],
        "secretManagerConfigs": _ON,
        "secretSyncConfigs": _ON,
        "workloadIdentityConfigs": [{"workloadPool": "servestack-dev.svc.id.goog"}],
    },
    "gcp:organizations/getProject:getProject": {"number": NUMBER},
}


@dataclasses.dataclass(frozen=True)
class Registered:
    """Everything that reached the engine.

    Attributes:
        resources: type, name, inputs, and names of what each waits for, in the order of the program.
        calls: tokens of the functions that were called.
        outputs: of the stack.
        text: all of it, as it was sent.
    """

    resources: list[dict[str, Any]]
    calls: list[str]
    outputs: dict[str, Any]
    text: str

    def of_type(self, token: str) -> list[dict[str, Any]]:
        return [one for one in self.resources if one["type"] == token]

    def one(self, kind: str, name: str) -> dict[str, Any]:
        (found,) = (one for one in self.resources if one["type"].endswith(f":{kind}") and one["name"] == name)
        return found


def registered(folder: Path, stack: str, **environment: str) -> Registered:
    """Run the program of one stack file with the engine's answers made up."""
    command = [sys.executable, "-m", "tests.unit.registered", str(folder), stack]
    run = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return Registered(**json.loads(run.stdout), text=run.stdout + run.stderr)


def _main(folder: str, stack: str) -> None:
    import pulumi
    from pulumi.runtime import mocks, rpc, settings
    from pulumi.runtime import stack as stacks

    from infra.components.deploy import deploy
    from infra.pipeline import build
    from infra.stack_folder import StackFolder

    found: dict[str, Any] = {"resources": [], "calls": [], "outputs": {}}

    class Made(mocks.Mocks):
        def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            return f"{args.name}-id", args.inputs

        def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
            found["calls"].append(args.token)
            return _ANSWERS[args.token], []

    class Monitor(mocks.MockMonitor):
        def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (the engine's own name)
            after = sorted({urn.rpartition("::")[2] + "|" + _kind(urn) for urn in request.dependencies})
            inputs = rpc.deserialize_properties(request.object)
            found["resources"].append(
                {
                    "type": request.type,
                    "name": request.name,
                    "inputs": inputs,
                    "after": [one.split("|") for one in after],
                }
            )
            return super().RegisterResource(request)

    async def program() -> None:
        deploy(build(stack, StackFolder(Path(folder))))
        await stacks.wait_for_rpcs()
        outputs = pulumi.Output.from_input(settings.get_root_resource().outputs)
        found["outputs"] = await outputs.future()

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    mocks.set_mocks(Made(), "servestack", stack, False, monitor=Monitor(Made()))
    loop.run_until_complete(program())
    print(json.dumps(found))


def _kind(urn: str) -> str:
    return str(urn.split("::")[2].rpartition(":")[2])


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])
