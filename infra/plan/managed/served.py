"""Endpoints on Google's own machines: Vertex AI serverless and the Gemini API. There is nothing to deploy."""

from __future__ import annotations

from infra.catalog.managed import ServedModel
from infra.catalog.records import Catalog, Framework
from infra.plan.managed.calling import calling, key_grants, key_in_cluster
from infra.plan.managed.managed_plan import FIRST_APIS, ManagedContext, ManagedModel, ManagedPlan, TokenPrice
from infra.plan.quantities import Cost
from infra.plan.refusal import RefusedError
from infra.plan.serving_plan import Decision, FrameworkChoice
from infra.spec import EndpointSpec, PlatformSpec

# Cautions that comparisons know again.
MAY_BE_REFUSED = "no capacity is promised: under load Google answers 429, and callers have to try again later"
MAY_BE_USED = (
    "Gemma has no paid tier at the Gemini API, and outside of one Google may use what is sent to improve its "
    "products (Gemini API documentation, billing)"
)
_NAMES = {"serverless": "Vertex AI serverless", "gemini": "the Gemini API"}
_GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/openai/"
_APIS = {
    "serverless": (*FIRST_APIS, "aiplatform", "iam"),
    "gemini": (*FIRST_APIS, "apikeys", "generativelanguage", "iam", "secretmanager"),
}


def served_plan(stack: str, spec: EndpointSpec, platform: PlatformSpec, catalog: Catalog) -> ManagedPlan:
    """Plan an endpoint on Google's own machines.

    Raises:
        RefusedError: the service does not have the model, an input, a switch or the context.
    """
    assert platform.cloud is not None
    service, facts, (project, region) = spec.service, catalog.frameworks[spec.framework], platform.cloud
    served = _served(spec, catalog, facts)
    inputs = _inputs(spec, served)
    for name in ("tools", "reasoning"):
        if getattr(spec, name) and not getattr(served, name):
            raise RefusedError(
                (name,), f"{_NAMES[service]} has no {name} for {spec.model}; leave it out, or use another framework."
            )
    if spec.contextLength is not None and spec.contextLength > served.context_tokens:
        raise RefusedError(
            ("contextLength",),
            f"{_NAMES[service]} takes {served.context_tokens:,} tokens at most; write that or less.",
        )
    model = catalog.models[spec.model]
    known = calling(stack, spec, platform)
    location = served.location or ""
    price = TokenPrice(served.input_usd_per_million_tokens, served.output_usd_per_million_tokens, served.price)
    return ManagedPlan(
        stack=stack,
        platform=spec.platform,
        service=service,
        project=project,
        location=location,
        base_url=_GEMINI_URL if service == "gemini" else _openapi_url(project, location),
        apis=_APIS[service] if platform.gke is None or service == "gemini" else (*_APIS[service], "iamcredentials"),
        model=ManagedModel(model.id, "", served.request_model, model.licence),
        framework=FrameworkChoice(facts.name, "", ""),
        precision="",
        inputs=inputs,
        tools=spec.tools,
        reasoning=spec.reasoning,
        context=_context(spec, served),
        accelerator=None,
        parallelism=None,
        memory=None,
        settings=(),
        min_replicas=0,
        replicas=0,
        startup_seconds=0,
        cost=Cost(None, None, None, True, "nothing by the hour: Google's own machines", None, price.basis),
        token_price=price,
        garden=None,
        calling=known,
        synced_secrets=key_in_cluster(stack, known, project),
        grants=key_grants(known, project),
        expected_requests_per_minute=spec.expectedRequestsPerMinute,
        labels=tuple(sorted({**platform.labels, **spec.labels}.items())),
        decisions=_decisions(spec, served, project, known.role),
        cautions=_cautions(spec, served, catalog, region),
    )


def _openapi_url(project: str, location: str) -> str:
    """Google Cloud documentation of the MaaS: host of a location, `global` has none of its own."""
    host = "aiplatform.googleapis.com" if location == "global" else f"{location}-aiplatform.googleapis.com"
    return f"https://{host}/v1/projects/{project}/locations/{location}/endpoints/openapi"


def _served(spec: EndpointSpec, catalog: Catalog, facts: Framework) -> ServedModel:
    known = catalog.managed.served_by(spec.service)
    if spec.model in known:
        return known[spec.model]
    others = f"{facts.evidence[0].statement} " if spec.service == "gemini" else ""
    instead = "framework: vllm on gke serves it" if spec.service == "gemini" else "leave serverless out to deploy it"
    raise RefusedError(
        ("model",),
        f"{_NAMES[spec.service]} does not serve {spec.model}. {others}Write {' or '.join(known)}; {instead}.",
    )


def _context(spec: EndpointSpec, served: ServedModel) -> ManagedContext:
    """An answer is no longer than the request that holds it."""
    tokens, answer = spec.contextLength or served.context_tokens, served.output_tokens
    return ManagedContext(tokens, None if answer is None else min(answer, tokens), None, None)


def _inputs(spec: EndpointSpec, served: ServedModel) -> tuple[str, ...]:
    for index, name in enumerate(spec.inputs or ()):
        if name not in served.inputs:
            raise RefusedError(
                ("inputs", index),
                f"{_NAMES[spec.service]} takes no {name} for {spec.model}. It takes {', '.join(served.inputs)}; "
                "E2B, E4B and 12B hear audio where they are self-hosted."
                if name == "audio"
                else f"{_NAMES[spec.service]} takes no {name} for {spec.model}. It takes {', '.join(served.inputs)}.",
            )
    wanted = tuple(sorted(set(spec.inputs or served.inputs)))
    if "text" not in wanted:
        raise RefusedError(("inputs",), "text is always needed; add it.")
    return wanted


def _decisions(spec: EndpointSpec, served: ServedModel, project: str, role: str) -> tuple[Decision, ...]:
    name = _NAMES[spec.service]
    where = served.location or "not told by Google"
    said = "said in the stack file"
    context = (
        Decision("contextLength", f"{spec.contextLength}", "stack", said)
        if spec.contextLength
        else Decision("contextLength", f"{served.context_tokens}", "catalogue", f"all that {name} takes")
    )
    inputs = (
        Decision("inputs", ", ".join(spec.inputs), "stack", said)
        if spec.inputs
        else Decision("inputs", ", ".join(served.inputs), "catalogue", f"all that {name} takes for this model")
    )
    access = (
        Decision("role", role, "derived", f"callers' account in project {project}; it has no other")
        if role
        else Decision("key", "bound to the callers' account", "derived", "restricted to this one service of Google")
    )
    return (
        Decision("deployment", "none", "catalogue", f"{name} runs on Google's own machines: nothing to deploy"),
        Decision("requestModel", served.request_model, "catalogue", "name to send as `model`"),
        Decision("location", where, "catalogue", "where requests are worked on"),
        context,
        inputs,
        access,
    )


def _cautions(spec: EndpointSpec, served: ServedModel, catalog: Catalog, region: str) -> tuple[str, ...]:
    if spec.service == "serverless":
        return (
            f"location {served.location}, not the platform's {region}: Google chooses where requests are worked on",
            MAY_BE_REFUSED,
        )
    free = catalog.managed.free_tier_requests_per_minute
    said = [
        MAY_BE_USED,
        "limits are the project's, not the key's, and Google publishes none per model: AI Studio shows them",
    ]
    wanted = spec.expectedRequestsPerMinute
    if wanted is not None and wanted > free:
        said.append(
            f"{wanted} requests per minute are expected, and {free} were measured as the free limit: callers will get "
            "429; framework: vertex or vllm has no such limit"
        )
    return tuple(said)
