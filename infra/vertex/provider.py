"""The Pulumi dynamic provider. Pickled by reference to this module: no code and no token reaches the state.

The engine starts one process for all dynamic resources of a run. That process ends with the engine: a killed run must
not go on deploying, or clean up under the feet of the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.runtime.rpc import UNKNOWN

from infra.engine_watch import end_with_engine
from infra.vertex.deployment import FIELDS, Deployment, changed, from_inputs, replacing, to_inputs
from infra.vertex.reading import problems

if TYPE_CHECKING:
    from infra.vertex.garden import Garden
    from infra.vertex.live import Live

T = TypeVar("T")
VERSION = 1
"""Raised when a change of this code must reach endpoints that exist: the engine does not see code (pulumi #11764)."""
ADDRESS_KEY = "vertexAddress"


class ModelGardenProvider(ResourceProvider):
    """Create, read, update and delete a deployment; `diff` says which."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Take the address of a test's server, and end with the engine."""
        self._address = req.config.get(ADDRESS_KEY) or ""
        end_with_engine()

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Every input at fault, before anything is called."""
        unknown = {name for name, value in news.items() if value == UNKNOWN}
        return CheckResult(news, [CheckFailure(name, reason) for name, reason in problems(news, unknown)])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Replicas, autoscaling and labels change in place; all else is deleted first: the id is the same."""
        names = changed(_canonical(_olds), _canonical(_news))
        return DiffResult(changes=bool(names), replaces=replacing(names), delete_before_replace=True)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Deploy, or take over what is this stack's already."""
        wanted = from_inputs(props)
        live = self._run(wanted, "was not made", lambda garden: garden.create())
        return CreateResult(wanted.endpoint_name, _outputs(live, props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What is there now, as inputs too, so that a change by hand shows as a difference."""
        live = self._run(from_inputs(props), "cannot be read", lambda garden: garden.read())
        if live is None:
            return ReadResult(None, {})
        outputs = _outputs(live, props)
        return ReadResult(id_, outputs, {name: outputs[name] for name in (*FIELDS, "provider_version")})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Change in place."""
        live = self._run(from_inputs(_news), "was not changed", lambda garden: garden.update())
        return UpdateResult(_outputs(live, {"request_model": _olds.get("request_model")} | _news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove everything of ours."""
        self._run(from_inputs(_props), "was not removed", lambda garden: garden.delete())

    def _run(self, wanted: Deployment, failed: str, work: Callable[[Garden], T]) -> T:
        from infra.vertex import session  # the Google client: slow to import, and not for check and diff

        return session.run(wanted, getattr(self, "_address", ""), failed, work)


def _canonical(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs in one form, whatever the engine made of numbers; what cannot be read (not known yet) stays."""
    try:
        known = to_inputs(from_inputs(properties))
    except (ValueError, TypeError):
        known = {name: properties[name] for name in FIELDS if name in properties}
    return known | {"provider_version": properties.get("provider_version")}


def _outputs(live: Live, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as they are at Google, and the outputs; what was known of the request's model stays known."""
    made = live.outputs()
    made["request_model"] = made["request_model"] or properties.get("request_model") or ""
    return to_inputs(live.deployment) | {"provider_version": properties.get("provider_version")} | made
