"""The Pulumi dynamic provider. Pickled by reference to this module; the key is in a file and passes through nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.engine_watch import end_with_engine
from infra.local.service import FIELDS, Service, changed, from_inputs, restarts, to_inputs

VERSION = 1
"""Raised when a change of this code must reach services that run: the engine does not see code (pulumi #11764)."""


class LocalServiceProvider(ResourceProvider):
    """Start, look at, restart and stop a service; `diff` says which."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:  # noqa: ARG002
        """End with the engine."""
        end_with_engine()

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """All in place, but for the stack's name; another binary is a difference too."""
        try:
            names = changed(from_inputs(_olds), from_inputs(_news))
        except (KeyError, TypeError, ValueError):
            return DiffResult(changes=True)
        other = _other_binary(_olds) or _olds.get("provider_version") != _news.get("provider_version")
        return DiffResult(
            changes=bool(names) or other, replaces=["stack"] if "stack" in names else [], delete_before_replace=True
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Start it."""
        from infra.local import run

        wanted = from_inputs(props)
        return CreateResult(wanted.stack, _outputs(wanted, props, _said(lambda: run.up(wanted), "was not started")))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What runs; nothing where it does not, so that the next update starts it."""
        from infra.local import run

        found = run.running(from_inputs(props))
        if found is None:
            return ReadResult(None, {})
        outputs = _outputs(from_inputs(props), props, found)
        return ReadResult(id_, outputs, {name: outputs[name] for name in (*FIELDS, "provider_version")})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Restart it where what runs has changed, or does not run."""
        from infra.local import run

        wanted = from_inputs(_news)
        found = None
        if not restarts(changed(from_inputs(_olds), wanted)) and not _other_binary(_olds):
            found = run.running(wanted)
        if found is None:
            found = _said(lambda: run.up(wanted), "was not restarted, and does not run")
        return UpdateResult(_outputs(wanted, _news, found))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Stop it."""
        from infra.local import run

        wanted = from_inputs(_props)
        _said(lambda: run.down(wanted), "was not stopped")


def _said(work: Any, failed: str) -> Any:
    from infra.local.failures import LocalError

    try:
        return work()
    except LocalError as wrong:
        raise Exception(f"the service {failed}: {wrong}") from None


def _other_binary(olds: Mapping[str, Any]) -> bool:
    """Whether the binary that would be started is not the one that runs; one that is gone is no difference."""
    from infra.local import run
    from infra.local.failures import LocalError

    try:
        return bool(olds.get("binary")) and run.identity(run.find_program(olds["program"])) != olds["binary"]
    except (LocalError, OSError):
        return False


def _outputs(wanted: Service, properties: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    from infra.local.home import data_folder

    folder = data_folder()
    return {
        **to_inputs(wanted),
        "provider_version": properties.get("provider_version"),
        "binary": found["binary"],
        "manager": found["manager"],
        "url": wanted.url,
        "key_command": f"cat {folder / wanted.key_file}" if wanted.key_file else "",
        "log": str(folder / "services" / wanted.stack / "server.log"),
    }
