"""What a stack file switches on and the framework has elsewhere, but not on this accelerator."""

from __future__ import annotations

from infra.catalog.records import Accelerator
from infra.plan.capabilities import Capabilities
from infra.plan.refusal import RefusedError
from infra.spec import EndpointSpec

_SWITCHES = ("tools", "reasoning", "adapters", "speculativeDecoding")


def check_switches(spec: EndpointSpec, accelerator: Accelerator, capabilities: Capabilities) -> None:
    """Refuse what the framework does not have there.

    Raises:
        RefusedError: a switch, or an input.
    """
    asked: list[tuple[tuple[str | int, ...], str]] = [((name,), name) for name in _SWITCHES if getattr(spec, name)]
    asked += [(("inputs", index), name) for index, name in enumerate(spec.inputs or ())]
    for field, name in asked:
        why = capabilities.switch_objection(name, accelerator)
        if why:
            raise RefusedError(field, why)
