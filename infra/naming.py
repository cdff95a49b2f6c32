"""Stack names: `<model><gen>-<size>[-<precision>]-<accelerator>[-<framework>][-<suffix>]`, checked against content."""

from __future__ import annotations

from infra.catalog.records import Catalog
from infra.frameworks import FRAMEWORKS
from infra.spec import EndpointSpec

_DEFAULT_FRAMEWORK = "vllm"


def base_name(spec: EndpointSpec) -> str:
    """Name that follows from a stack file's content, defaults left out."""
    size = spec.model.removeprefix("gemma-4-").removesuffix("-it")
    words = [f"gemma4-{size}"]
    default = FRAMEWORKS[spec.framework].capabilities.default_precision
    if spec.precision and spec.precision != default:
        words.append(spec.precision.replace("_", "-"))
    words.append(spec.accelerator.type)
    if spec.framework != _DEFAULT_FRAMEWORK:
        words.append(spec.framework)
    return "-".join(words)


def name_fault(stack: str, spec: EndpointSpec, catalog: Catalog) -> str | None:
    """What is wrong with a stack's name, or None.

    A suffix tells endpoints of equal content apart; it must not read as a model, precision, accelerator or framework.
    """
    expected = base_name(spec)
    if stack == expected:
        return None
    suffix = stack.removeprefix(f"{expected}-")
    if suffix != stack and not any(f"-{word}-" in f"-{suffix}-" for word in _vocabulary(catalog)):
        return None
    return f"the name does not match the content. Rename the file to {expected}.yaml, or {expected}-<suffix>.yaml."


def _vocabulary(catalog: Catalog) -> set[str]:
    """Words of which names are made, hyphens for underscores; of accelerators and frameworks their parts as well."""
    names = {*catalog.accelerators, *catalog.frameworks}
    precisions = {one.precision for model in catalog.models.values() for one in model.checkpoints}
    sizes = {model.size for model in catalog.models.values()}
    return {
        *(word for name in names for word in name.split("-")),
        *sizes,
        *(one.replace("_", "-") for one in precisions),
    }
