"""The Pulumi dynamic provider. Pickled by reference to this module; keys stay on the machine and pass through nothing.

Not `pulumi-command`: its resources know their scripts, not what runs. A change of a script is its only difference, its
refresh reads nothing back, and its delete is one more script that does not know how far create came. Here `diff` names
the field that changed, `read` asks the machine, and `delete` removes what is there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.host.service import FIELDS, REPLACING, Service, changed, from_inputs, restarts, to_inputs

VERSION = 1
"""Raised when a change of this code must reach services that run: the engine does not see code (pulumi #11764)."""
ALTERED = "altered by hand"
"""Found for `provider_version` where a file of the service is not as it was written."""


class HostServiceProvider(ResourceProvider):
    """Start, look at, restart and stop a service on a machine; `diff` says which."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """All in place, but for another stack or machine."""
        try:
            names = changed(from_inputs(_olds), from_inputs(_news))
        except (KeyError, TypeError, ValueError):  # not known yet
            return DiffResult(changes=True)
        other = _olds.get("provider_version") != _news.get("provider_version")
        replaces = [name for name in REPLACING if name in names]
        return DiffResult(changes=bool(names) or other, replaces=replaces, delete_before_replace=True)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Start it, or take over what is there already."""
        wanted = from_inputs(props)
        found = _said("was not started", wanted, lambda: _do(wanted, "up"))
        return CreateResult(f"{wanted.stack}@{wanted.address}", _outputs(wanted, props, found))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What runs, as inputs too; nothing where it does not, so that the next update starts it."""
        wanted = from_inputs(props)
        found = _said("cannot be looked at", wanted, lambda: _do(wanted, "look"))
        if not found["there"]:
            return ReadResult(None, {})
        there = dataclasses.replace(
            wanted, arguments=tuple(found["arguments"]), version=found["version"], lock=found["lock"]
        )
        known = {"provider_version": ALTERED if found["altered"] else props.get("provider_version")}
        outputs = _outputs(there, known, found)
        return ReadResult(id_, outputs, {name: outputs[name] for name in (*FIELDS, "provider_version")})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Restart it where what runs has changed; the machine itself leaves alone what is as wanted."""
        wanted = from_inputs(_news)
        stops = restarts(changed(from_inputs(_olds), wanted))
        failed = "was not restarted, and does not run" if stops else "was not changed"
        return UpdateResult(_outputs(wanted, _news, _said(failed, wanted, lambda: _do(wanted, "up"))))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Stop and remove it."""
        wanted = from_inputs(_props)
        _said("was not removed", wanted, lambda: _do(wanted, "down"))


def _do(wanted: Service, order: str) -> dict[str, Any]:
    from infra.host import locks, ssh

    text = locks.text(wanted.version) if order == "up" else ""
    return ssh.do(wanted.address, order, to_inputs(wanted) | {"lock_text": text})


def _said(failed: str, wanted: Service, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    from infra.host.remote.failures import HostError

    try:
        return work()
    except HostError as wrong:
        raise Exception(f"\nThe service {wanted.stack} of {wanted.address} {failed}.\n{wrong}") from None


def _outputs(there: Service, properties: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **to_inputs(there),
        "provider_version": properties.get("provider_version"),
        "host": found["host"],
        "folder": found["folder"],
    }
