"""Stack names: `<model><gen>-<size>[-<precision>]-<accelerator>[-<framework>][-<suffix>]`, checked against content."""

from __future__ import annotations

from infra.catalog.records import Catalog
from infra.spec import EndpointSpec

_DEFAULT_FRAMEWORK, _LOCAL_FRAMEWORK = "vllm", "llamacpp"
_LONGEST = 40


def base_name(spec: EndpointSpec, catalog: Catalog, *, local: bool = False) -> str:
    """Name that follows from a stack file's content, defaults left out; last words go where it would be too long.

    Args:
        spec: the content.
        catalog: the words.
        local: whether it runs on this machine, which stands for accelerator and framework.
    """
    words = _words(spec, catalog, local=local)
    while len("-".join(words)) > _LONGEST:
        words.pop()
    return "-".join(words)


def name_fault(stack: str, spec: EndpointSpec, catalog: Catalog, *, local: bool = False) -> str | None:
    """What is wrong with a stack's name, or None; on this machine the name of its accelerator is right as well.

    A suffix tells endpoints of equal content apart; it must not read as a model, precision, accelerator or framework.
    """
    if local and name_fault(stack, spec, catalog) is None:
        return None
    words, expected = _words(spec, catalog, local=local), base_name(spec, catalog, local=local)
    for kept in range(len(words), 1, -1):
        stem = "-".join(words[:kept])
        suffix = stack.removeprefix(f"{stem}-")
        if stack == stem and stem == expected:
            return None
        if suffix == stack:
            continue
        needed = kept == len(words) or len(f"{stem}-{words[kept]}-{suffix}") > _LONGEST
        if needed and not any(f"-{word}-" in f"-{suffix}-" for word in _vocabulary(catalog)):
            return None
    return f"the name does not match the content. Rename the file to {expected}.yaml, or {expected}-<suffix>.yaml."


def _words(spec: EndpointSpec, catalog: Catalog, *, local: bool = False) -> list[str]:
    model = catalog.models[spec.model]
    words = [f"gemma4-{'tiny' if spec.weights.source == 'tiny' else model.size}", *([] if model.instruct else ["base"])]
    precisions = catalog.frameworks[spec.framework].precisions
    if spec.precision and precisions and spec.precision != precisions[0]:
        words.append(spec.precision.replace("_", "-"))
    if local:
        return [*words, "local", *([] if spec.framework == _LOCAL_FRAMEWORK else [spec.framework])]
    if not spec.service:
        words.append(spec.on.type)
    if spec.framework != _DEFAULT_FRAMEWORK:
        words.append(spec.framework)
    if spec.service == "serverless":
        words.append("serverless")
    return words


def _vocabulary(catalog: Catalog) -> set[str]:
    """Words of which names are made, hyphens for underscores; of accelerators and frameworks their parts as well."""
    names = {*catalog.accelerators, *catalog.frameworks}
    precisions = {one.precision for model in catalog.models.values() for one in model.checkpoints}
    sizes = {model.size for model in catalog.models.values()}
    return {
        "base",
        "serverless",
        *(word for name in names for word in name.split("-")),
        *sizes,
        *(one.replace("_", "-") for one in precisions),
    }
