"""Which checkpoints a stack may run: those that its framework loads on its accelerator, best first."""

from __future__ import annotations

from infra.catalog.records import Accelerator, Checkpoint, Framework, Model
from infra.plan.capabilities import Capabilities
from infra.plan.refusal import RefusedError
from infra.plan.request import Request


def loadable(model: Model, framework: Framework, accelerator: Accelerator) -> list[Checkpoint]:
    """Checkpoints of a model, in the framework's order of precisions; the default of each precision first."""
    usable = [
        one
        for one in model.checkpoints
        if framework.name in one.frameworks
        and one.precision in framework.precisions
        and one.format in framework.formats
        and (not one.architectures or accelerator.architecture in one.architectures)
    ]
    return sorted(usable, key=lambda one: framework.precisions.index(one.precision))


def choices(request: Request) -> list[Checkpoint]:
    """Checkpoints among which the plan chooses: one where the stack file names it, else all, the default ones first.

    Raises:
        RefusedError: none of that precision, none of that name, or its size is not known.
    """
    spec, model, framework = request.spec, request.model, request.framework
    usable = loadable(model, framework, request.accelerator)
    if not usable and not spec.precision:
        raise RefusedError(("framework",), _none_of(request, usable))
    if spec.weights.checkpoint and usable:
        named = [one for one in usable if one.repository == spec.weights.checkpoint]
        if not named:
            known = ", ".join(dict.fromkeys(one.repository for one in usable))
            raise RefusedError(
                ("weights", "checkpoint"), f"no checkpoint of that name that {framework.display_name} loads: {known}."
            )
        if spec.precision and spec.precision not in {one.precision for one in named}:
            precisions = " or ".join(one.precision for one in named)
            raise RefusedError(
                ("precision",), f"{spec.weights.checkpoint} is {precisions}; write that, or leave it out."
            )
        usable = named
    of_precision = [one for one in usable if spec.precision in {None, one.precision}]
    if not of_precision:
        raise RefusedError(("precision",) if usable else ("framework",), _none_of(request, usable))
    sized = [one for one in of_precision if is_sized(request.capabilities, model, one, request.inputs)]
    if not sized:
        names = ", ".join(one.repository for one in of_precision)
        raise RefusedError(
            ("precision",) if spec.precision else ("framework",),
            f"the size of {names} is not known, so nothing can be proved; use another precision.",
        )
    return sized


def is_sized(capabilities: Capabilities, model: Model, checkpoint: Checkpoint, inputs: tuple[str, ...]) -> bool:
    """Whether the size of a checkpoint is listed or can be computed."""
    return capabilities.weights_bytes(model, checkpoint, inputs) is not None


def _none_of(request: Request, usable: list[Checkpoint]) -> str:
    model, framework, accelerator, precision = (
        request.model,
        request.framework,
        request.accelerator,
        request.spec.precision,
    )
    elsewhere = [one for one in model.checkpoints if one.precision == precision and framework.name in one.frameworks]
    if elsewhere and elsewhere[0].architectures:
        needed = " or ".join(elsewhere[0].architectures)
        known = ", ".join(dict.fromkeys(one.precision for one in usable)) or "nothing of this model"
        return f"{precision} needs {needed}; {accelerator.id} is {accelerator.architecture}. It runs {known}."
    known = ", ".join(dict.fromkeys(one.precision for one in usable))
    what = f"{precision} checkpoint" if precision else "checkpoint"
    other = "another framework" if model.instruct else f"{model.id}-it, or another framework"
    loads = f"It loads {known}." if known else f"Use {other}."
    return f"{framework.display_name} has no {what} of {model.id} for {accelerator.id}. {loads}"
