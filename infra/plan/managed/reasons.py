"""Why each value of a Model Garden plan is what it is, and what to know before paying for it."""

from __future__ import annotations

from infra.plan.fit import Fit
from infra.plan.managed.managed_plan import ManagedPlan
from infra.plan.proof import arithmetic
from infra.plan.serving_plan import Decision
from infra.spec import EndpointSpec

_SAID = "said in the stack file"


def garden_decisions(spec: EndpointSpec, plan: ManagedPlan, fit: Fit) -> tuple[Decision, ...]:
    """Decisions in reading order.

    Args:
        spec: what was asked.
        plan: the plan, its decisions still empty.
        fit: the proof.
    """
    garden, accelerator = plan.garden, plan.accelerator
    assert garden is not None
    assert accelerator is not None
    vertex = spec.vertex
    rows = [
        ("endpoint", garden.endpoint_id, None, "derived", "the stack's name, so that a later run finds it again"),
        (
            "provider",
            garden.provider,
            vertex and "provider" in vertex.model_fields_set,
            "derived",
            "adopts, reads back, changes replicas in place and cleans up",
        ),
        (
            "accelerator",
            f"{accelerator.count} x {accelerator.type} on {accelerator.machine_type}",
            None,
            "catalogue",
            f"seen at Model Garden for this model; {garden.accelerator_type} there",
        ),
        ("capacity", accelerator.capacity, spec.capacity, "derived", "Vertex AI sells its replicas on demand"),
        ("precision", plan.precision, spec.precision, "catalogue", "what Model Garden's deployments load"),
        ("inputs", ", ".join(plan.inputs), spec.inputs, "derived", "image and text, where nothing else is asked"),
        *_container(spec, plan, fit),
        (
            "startupTimeoutSeconds",
            garden.timeout_seconds,
            spec.startupTimeoutSeconds,
            "derived",
            f"twice the {plan.startup_seconds:,} s that deployments of this size were seen to take",
        ),
        ("role", plan.calling.role, None, "derived", "of the callers' account in the project; it has no other"),
        (
            "licence",
            "accepted" if garden.accept_licence else "not accepted by this stack",
            None,
            "stack",
            _licence(plan),
        ),
    ]
    return tuple(
        Decision(field, str(value), "stack", _SAID) if asked else Decision(field, str(value), origin, reason)
        for field, value, asked, origin, reason in rows
    )


_Row = tuple[str, object, object, str, str]


def _container(spec: EndpointSpec, plan: ManagedPlan, fit: Fit) -> list[_Row]:
    if plan.memory is None:
        why = "Model Garden's own container and arguments: what they are, only Google knows before the deployment"
        return [("container", "verified", None, "stack", why)]
    engine, context = spec.engine, plan.context
    return [
        ("container", "planned", None, "derived", "the plan's arguments, so that what is proved is what serves"),
        ("image", plan.framework.image, engine.image, "catalogue", f"vLLM {plan.framework.version} was read in it"),
        ("contextLength", context.max_model_len, spec.contextLength, "derived", arithmetic(fit)),
        ("concurrency", context.concurrency, spec.concurrency, "derived", "one full request, where nothing is asked"),
        (
            "engine.maxNumBatchedTokens",
            context.max_num_batched_tokens,
            engine.maxNumBatchedTokens,
            "derived",
            "largest step that leaves room for the guaranteed requests",
        ),
        (
            "engine.gpuMemoryUtilization",
            f"{plan.memory.utilization:g}",
            engine.gpuMemoryUtilization,
            "catalogue",
            "share of an accelerator's memory that the engine may fill",
        ),
        (
            "kvCache",
            "every layer in full",
            None,
            "derived",
            "vLLM charges sliding layers for their window only since 0.21",
        ),
    ]


def _licence(plan: ManagedPlan) -> str:
    assert plan.garden is not None
    if plan.garden.accept_licence:
        return f"vertex.acceptLicence: `pulumi up` accepts {plan.model.licence} in the project's name"
    return "where Google asks for it, the deployment is refused until vertex.acceptLicence, or somebody accepts it"


def garden_cautions(spec: EndpointSpec, plan: ManagedPlan) -> tuple[str, ...]:
    """What to know before paying."""
    garden, accelerator = plan.garden, plan.accelerator
    assert garden is not None
    assert accelerator is not None
    said = [f"which machines Model Garden offers today is not published: `servestack plan {plan.stack} --live` asks it"]
    if garden.container == "planned":
        said.append(
            f"the proof is for vLLM {plan.framework.version}, as it was read in the image; "
            + (
                "what is in engine.image is not checked"
                if spec.engine.image
                else "servestack.lock fixes it"
                if "@" in plan.framework.image
                else "Google can move its tag: engine.image with @sha256:... names one"
            )
        )
    else:
        said.append("context and memory of Model Garden's own container are not known, so nothing is proved")
        asked = " and ".join(name for name in ("tools", "reasoning") if getattr(plan, name))
        said += [f"whether Model Garden's own container parses {asked} is not known"] if asked else []
    if garden.provider == "native":
        said.append(
            "Pulumi's own resource reads nothing back, adopts nothing, and leaves the Registry entry behind "
            "(docs/managed.md)"
        )
    if accelerator.capacity == "spot":
        said.append("Spot machines can be taken away at any time: with one replica nothing answers until the next")
    if plan.replicas > plan.min_replicas and garden.autoscaling is None:
        said.append("replicas follow Vertex AI's own target, 60 % of accelerator and processor (its documentation)")
    return tuple(said)
