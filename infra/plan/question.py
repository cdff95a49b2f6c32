"""From a stack file to a `Request`: the words looked up, and everything refused that no machine could mend."""

from __future__ import annotations

from infra.catalog.records import Accelerator, Catalog, Drafter, Model
from infra.catalog.records import Framework as FrameworkFacts
from infra.plan.capabilities import Capabilities
from infra.plan.channel import wrong_channel
from infra.plan.credentials import check_credentials
from infra.plan.engine_image import check_image
from infra.plan.lora import check_adapters
from infra.plan.media import check_media
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.switches import check_switches
from infra.plan.versions import choose_version
from infra.spec import EndpointSpec, PlatformSpec


def ask(spec: EndpointSpec, platform: PlatformSpec, catalog: Catalog, capabilities: Capabilities | None) -> Request:
    """The request of a stack file whose model, accelerator and framework exist in the catalogue.

    Raises:
        RefusedError: framework, version, model, accelerator, inputs or engine settings that do not go together.
    """
    model, facts = catalog.models[spec.model], catalog.frameworks[spec.framework]
    accelerator = catalog.accelerators[spec.on.type]
    if platform.google is not None:
        raise RefusedError(
            ("platform",),
            f"platform {spec.platform} has no machines, only Google's managed endpoints; write framework: vertex or "
            "gemini, or name a platform with gke or kubernetes.",
        )
    if capabilities is None:
        raise NotPlannedError(("framework",), _not_planned(facts))
    unstable = wrong_channel(spec, facts)
    if unstable:
        raise NotPlannedError(("framework",), unstable)
    check_credentials(spec, facts, capabilities)
    version = choose_version(facts, spec.engine.version, model.size)
    objection = capabilities.objection(model, accelerator)
    if objection:
        raise RefusedError(("accelerator",), objection)
    if facts.architectures and accelerator.architecture not in facts.architectures:
        runs = sorted(one.id for one in catalog.accelerators.values() if one.architecture in facts.architectures)
        raise NotPlannedError(
            ("accelerator",), f"{facts.display_name} does not run on {accelerator.id}. It runs on {', '.join(runs)}."
        )
    if accelerator.kind not in capabilities.kinds:
        raise NotPlannedError(
            ("accelerator",),
            f"the memory rules of {facts.display_name} on {accelerator.display_name} are not known, so nothing can be "
            f"proved; use framework: llamacpp, or a {' or '.join(capabilities.kinds)}.",
        )
    refused = capabilities.precision_objection(spec.precision, accelerator) if spec.precision else None
    if refused:
        raise RefusedError(("precision",), refused)
    inputs = inputs_of(spec, model, facts)
    check_image(spec, facts, accelerator, version, model.size)
    check_media(spec, facts, capabilities, inputs)
    check_adapters(spec, facts, capabilities)
    check_abilities(spec, model, facts)
    check_switches(spec, accelerator, capabilities)
    check_engine(spec, facts, capabilities, accelerator)
    drafter = _drafter(model, facts, capabilities) if spec.speculativeDecoding else None
    return Request(spec, platform, catalog, model, accelerator, facts, capabilities, version, inputs, drafter)


class NotPlannedError(RefusedError):
    """The framework cannot be planned at all or on that accelerator, so that another one helps."""


def _not_planned(facts: FrameworkFacts) -> str:
    if facts.runs == "batch":
        return (
            f"{facts.display_name} is a training library and no server: it runs batches, and nobody can call it. Use "
            f"framework: {facts.alternative or 'vllm'} to serve, or write job: {{mode: generate, input: ..., "
            "output: ...} for a batch (docs/keras.md)."
        )
    refused = facts.state == "refused"
    why = " ".join(one.statement for one in facts.evidence[: None if refused else 2])
    state = "does not serve Gemma 4" if refused else "is not planned by this version"
    return f"{facts.display_name} {state}. {why} Use framework: {facts.alternative or 'vllm'}."


def inputs_of(spec: EndpointSpec, model: Model, facts: FrameworkFacts) -> tuple[str, ...]:
    """What requests may hold, sorted.

    Raises:
        RefusedError: the framework does not serve the model, or it takes no such input.
    """
    able = dict(facts.inputs_by_size).get(model.size, ())
    if not able:
        sizes = ", ".join(size for size, _ in facts.inputs_by_size)
        raise RefusedError(("model",), f"{facts.display_name} does not serve {model.id}. It serves {sizes}.")
    for index, name in enumerate(spec.inputs or ()):
        if name not in model.inputs:
            raise RefusedError(("inputs", index), f"{model.id} takes no {name}. It takes {', '.join(model.inputs)}.")
        if name in facts.inputs_with_own_image and not spec.engine.image:
            raise RefusedError(("inputs", index), _needs_image(facts, name))
        if name not in (*able, *facts.inputs_with_own_image):
            raise RefusedError(
                ("inputs", index), f"{facts.display_name} images take no {name} here. They take {', '.join(able)}."
            )
    wanted = spec.inputs or [name for name in ("image", "text") if name in able]
    if "text" not in wanted:
        raise RefusedError(("inputs",), "text is always needed; add it.")
    return tuple(sorted(set(wanted)))


def _needs_image(facts: FrameworkFacts, name: str) -> str:
    return (
        f"published images of {facts.display_name} take no {name}: they lack its packages ({facts.name}[{name}]: av, "
        f"scipy, soundfile, soxr). Build an image with them and name it as engine.image, or leave {name} out."
    )


def check_abilities(spec: EndpointSpec, model: Model, facts: FrameworkFacts) -> None:
    """Refuse tools and reasoning where model or framework have none.

    Raises:
        RefusedError: they have none.
    """
    for name, able in (("tools", facts.tools), ("reasoning", facts.reasoning)):
        if getattr(spec, name) and not model.instruct:
            raise RefusedError((name,), f"{model.id} is a base model without a chat template; use {model.id}-it.")
        if getattr(spec, name) and not able:
            raise RefusedError((name,), f"{facts.display_name} has no {name} for Gemma 4; leave it out.")


def check_engine(
    spec: EndpointSpec, facts: FrameworkFacts, capabilities: Capabilities, accelerator: Accelerator
) -> None:
    """Refuse settings that the engine does not have.

    Raises:
        RefusedError: it has none such.
    """
    most = capabilities.max_concurrency * capabilities.max_data
    if spec.concurrency and spec.concurrency > most:
        raise RefusedError(
            ("concurrency",),
            f"{facts.display_name} serves at most {most} requests at once; write {most} or less, and more replicas.",
        )
    dtype, dtypes = spec.engine.kvCacheDtype or "auto", capabilities.kv_cache_dtypes(accelerator)
    if dtype not in dtypes:
        raise RefusedError(
            ("engine", "kvCacheDtype"),
            f"{facts.display_name} keeps no {dtype} KV cache on {accelerator.id}; write {' or '.join(dtypes)}.",
        )
    if spec.weights.revision and not capabilities.pins_revision:
        raise RefusedError(("weights", "revision"), f"{facts.display_name} takes the newest only; leave it out.")
    if spec.engine.unifiedSlots and not capabilities.unified_slots:
        raise RefusedError(("engine", "unifiedSlots"), f"{facts.display_name} has no slots; leave it out.")


def _drafter(model: Model, facts: FrameworkFacts, capabilities: Capabilities) -> Drafter:
    field = ("speculativeDecoding",)
    if not facts.drafters:
        raise RefusedError(field, f"{facts.display_name} has no drafters for Gemma 4; leave it out.")
    if not capabilities.drafters:
        raise RefusedError(field, f"drafters of {facts.display_name} are not deployed by this version; leave it out.")
    known = [one for one in model.drafters if facts.name in one.frameworks]
    if not known:
        raise RefusedError(field, f"no drafter of {model.id} that {facts.display_name} loads is known; leave it out.")
    if known[0].parameters is None:
        raise RefusedError(field, f"the size of {known[0].repository} is not known; leave it out.")
    return known[0]
