"""Which answers are on offer for a new stack, and at what price: each is tried as a whole plan."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.catalog.loader import load_catalog
from infra.catalog.records import Model
from infra.document import field_name
from infra.errors import PlanError, SpecError, StackError
from infra.frameworks import FRAMEWORKS
from infra.new_stack import ANY, DEFAULT_FRAMEWORK, Draft, NewStack, check, platforms, propose, spec_of, told
from infra.pipeline import GARDEN_ENGINE, Endpoint, ManagedEndpoint, StackFiles, read
from infra.plan.managed import ManagedPlan
from infra.plan.managed.garden_request import garden_request
from infra.plan.offered import ON_DEMAND
from infra.plan.placement import SOLD
from infra.plan.question import ask
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import DoesNotFitError, choose
from infra.spec import CAPACITIES, MANAGED_FRAMEWORKS, EndpointSpec, PlatformSpec
from infra.text import wrapped

_TOO_SMALL = "too little memory for this load. Fewer requests at once, or shorter ones, may fit."


@dataclass(frozen=True)
class Offer:
    """One possible answer, filled into the draft, with its plan."""

    draft: Draft
    endpoint: Endpoint | ManagedEndpoint

    @property
    def deployed(self) -> bool:
        """Whether this version deploys it."""
        return isinstance(self.endpoint, ManagedEndpoint) or self.endpoint.refusal is None

    @property
    def kind(self) -> str:
        """Kind of its accelerator; empty where it has none."""
        accelerator = self.endpoint.plan.accelerator
        return accelerator.kind if accelerator else ""

    @property
    def usd_per_hour(self) -> float:
        """Price by which offers are sorted; infinite where none is known."""
        price = self.endpoint.plan.cost.hourly_usd
        return math.inf if price is None else price

    @property
    def own_gib(self) -> float:
        """Memory that a replica takes of nodes that are there, by which those are sorted that have no price; else 0."""
        plan = self.endpoint.plan
        if isinstance(plan, ManagedPlan):
            return 0.0
        return plan.memory.per_accelerator_gib * plan.accelerator.count if plan.accelerator.node_labels else 0.0

    @property
    def price_text(self) -> str:
        """Its price in words."""
        cost = self.endpoint.plan.cost
        if self.own_gib:
            return "on nodes that are there"
        if cost.hourly_usd is None:
            return "price not known"
        return f"{'' if cost.exact else 'at most '}{cost.hourly_usd:,.2f} USD per hour"


def complete(draft: Draft, files: StackFiles, *, schema: bool = False) -> NewStack:
    """The stack file of a draft that has platform and model; accelerator and framework are chosen where it has none.

    With `schema` the editor's line comes first.

    Raises:
        SpecError: an answer is wrong.
        PlanError: it cannot be served.
    """
    check(draft)
    if draft.platform not in files.names():
        platforms(files)
    chosen, note = draft, ""
    if draft.has_machines and (draft.accelerator in {None, ANY} or draft.framework is None):
        found = accelerator_offers(draft, files)
        best = cheapest(found)
        chosen = best.draft
        if len(found) > 1:
            second = cheapest([one for one in found if one is not best])
            note = f"; next {second.draft.accelerator}: {second.price_text}"
        if draft.accelerator in {None, ANY}:
            least = "smallest" if best.own_gib else "cheapest"
            what = f"{chosen.accelerator} is the {least} that fits with {chosen.framework}"
            note = f"{what}: {best.price_text}{note}."
        elif chosen.framework != DEFAULT_FRAMEWORK:
            note = f"{DEFAULT_FRAMEWORK} cannot serve this on {chosen.accelerator}; {chosen.framework} can."
    try:
        return dataclasses.replace(propose(chosen, files, schema=schema), note=note)
    except StackError as error:
        raise type(error)(told(str(error))) from None


def accelerator_offers(draft: Draft, files: StackFiles) -> list[Offer]:
    """Accelerators that fit, cheapest first, price unknown last; each with the first framework that plans on it.

    Raises:
        PlanError: none fits.
    """
    named = [] if draft.accelerator in {None, ANY} else [str(draft.accelerator)]
    frameworks = _frameworks(draft, files)
    groups = (_each(draft, name, frameworks) for name in named or _accelerators(draft, frameworks))
    return sorted(_offers(groups, files), key=lambda one: (one.usd_per_hour, one.own_gib, str(one.draft.accelerator)))


def framework_offers(draft: Draft, files: StackFiles) -> list[Offer]:
    """Frameworks that plan on the draft's accelerator, the default first where it does.

    Raises:
        PlanError: none does.
    """
    frameworks = _frameworks(draft, files)
    return _offers(([one] for one in _each(draft, str(draft.accelerator), frameworks)), files)


def capacity_offers(draft: Draft, files: StackFiles) -> list[Offer]:
    """Ways to buy the draft's accelerator, cheapest first; none where the platform's machine is there already."""
    if not draft.has_machines:
        return []
    kinds = [kind for kind in CAPACITIES if kind != "reservation"]
    try:
        found = _offers(([dataclasses.replace(draft, capacity=(kind,))] for kind in kinds), files)
    except PlanError:
        return []
    return sorted(found, key=lambda one: one.usd_per_hour)


def cheapest(found: list[Offer]) -> Offer:
    """First of sorted offers that this version deploys, else the first; a processor, which is slow, only by itself."""
    deployed = [one for one in found if one.deployed]
    return next((one for one in deployed if one.kind != "cpu"), (deployed or found)[0])


def models_on_offer(draft: Draft) -> list[Model]:
    """Models in the order in which they are shown: of a framework that Google runs those that it is known to serve."""
    catalog, framework = load_catalog(), draft.named_framework
    garden = catalog.managed.garden_models
    known = set(catalog.models)
    if framework == "gemini" or draft.serverless:
        known = set(catalog.managed.served_by("serverless" if draft.serverless else "gemini"))
    elif framework == "vertex":
        known = {one.model for one in catalog.managed.offers if garden[one.model].weights}
    return sorted((catalog.models[name] for name in catalog.models if name in known), key=lambda one: not one.instruct)


def only_managed(draft: Draft, files: StackFiles) -> bool:
    """Whether the draft's platform has no machines, so that Google alone can run its endpoints."""
    try:
        _, platform = read(str(draft.platform), files)
    except StackError:
        return False  # told by the pipeline
    return isinstance(platform, PlatformSpec) and platform.google is not None


def _frameworks(draft: Draft, files: StackFiles) -> list[str]:
    """Its framework, or each, the default first; those that Google runs where they are asked for or there is no other.

    Those without machines of one's own stand at no accelerator, so they are never chosen for the user.
    """
    if draft.named_framework:
        return [draft.named_framework]
    if only_managed(draft, files):
        return ["vertex"]
    known = (name for name in load_catalog().frameworks if name not in MANAGED_FRAMEWORKS)
    return [DEFAULT_FRAMEWORK, *(name for name in known if name != DEFAULT_FRAMEWORK)]


def _accelerators(draft: Draft, frameworks: list[str]) -> list[str]:
    """Those that can be on offer: of Model Garden what it is known to offer for the model, or one that is refused."""
    catalog = load_catalog()
    if frameworks != ["vertex"]:
        return list(catalog.accelerators)
    marked = {one.accelerator for one in catalog.managed.offers if one.model == draft.model}
    return sorted(marked) or [next(one.id for one in catalog.accelerators.values() if one.vertex_type)]


def _each(draft: Draft, accelerator: str, frameworks: Iterable[str]) -> Iterator[Draft]:
    """The draft on an accelerator with each framework."""
    for name in frameworks:
        yield dataclasses.replace(draft, accelerator=accelerator, framework=name)


def _offers(groups: Iterable[Iterable[Draft]], files: StackFiles) -> list[Offer]:
    """The first draft of each group that plans.

    Raises:
        PlanError: none does; of each group its first refusal.
    """
    found: list[Offer] = []
    refused: list[tuple[Draft, str]] = []
    for group in groups:
        reasons: list[tuple[Draft, str]] = []
        for draft in group:
            plain = dataclasses.replace(draft, suffix=None)  # a suffix too long for one name is told of the chosen
            try:
                reason = _objection(plain, files)
                if reason:
                    raise PlanError(reason)
                found.append(Offer(draft, propose(plain, files).endpoint))
                break
            except PlanError as error:
                reasons.append((plain, str(error)))
        else:
            refused.append(reasons[0])
    if found:
        return found
    if len({draft.accelerator for draft, _ in refused}) == 1:
        try:
            propose(refused[0][0], files)
        except PlanError as error:
            raise PlanError(told(str(error))) from None
    raise PlanError(_refusals([(str(draft.accelerator), reason) for draft, reason in refused]))


def _objection(draft: Draft, files: StackFiles) -> str | None:
    """Why the plan refuses, found without what its own refusal costs: the search for the nearest that works."""
    spec = spec_of(draft)
    try:
        _, platform = read(spec.platform, files)
        if isinstance(platform, PlatformSpec):
            sold = (ON_DEMAND,) if spec.service else SOLD
            choose(_request(spec, platform), tuple(spec.capacity[:1]) if spec.capacity else sold)
    except DoesNotFitError:
        return _TOO_SMALL
    except RefusedError as refused:
        return f"{field_name(refused.field)}: {refused.message}"
    except SpecError:
        pass  # told by the pipeline
    return None


def _request(spec: EndpointSpec, platform: PlatformSpec) -> Request:
    catalog, framework = load_catalog(), FRAMEWORKS.get(spec.framework)
    if spec.service:
        return garden_request(spec, platform, catalog, FRAMEWORKS[GARDEN_ENGINE].capabilities)
    return ask(spec, platform, catalog, framework.capabilities if framework else None)


def _refusals(refused: list[tuple[str, str]]) -> str:
    """Why nothing fits, accelerators of the same reason together."""
    if len({reason for _, reason in refused}) == 1:
        return told(refused[0][1])
    same: dict[str, list[str]] = {}
    for name, reason in refused:
        words = f"{re.escape(load_catalog().accelerators[name].display_name)}|{name}"
        anyone = re.sub(rf"(?<![\w-])({words})(?![\w-])", "it", reason.removeprefix("accelerator: "))
        same.setdefault(anyone, []).append(name)
    rows = [wrapped(f"{', '.join(names)}: {reason}", "  ", "    ") for reason, names in same.items()]
    return "\n".join(["No accelerator can serve this:", *rows])
