"""Which answers are on offer for a new stack, and at what price: each is tried as a whole plan."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.catalog.loader import load_catalog
from infra.document import field_name
from infra.errors import PlanError, SpecError, StackError
from infra.frameworks import FRAMEWORKS
from infra.new_stack import ANY, DEFAULT_FRAMEWORK, Draft, NewStack, check, platforms, propose, spec_of, told
from infra.pipeline import Endpoint, StackFiles, read
from infra.plan.placement import SOLD
from infra.plan.question import ask
from infra.plan.refusal import RefusedError
from infra.plan.search import DoesNotFitError, choose
from infra.spec import CAPACITIES, PlatformSpec
from infra.text import wrapped

_TOO_SMALL = "too little memory for this load. Fewer requests at once, or shorter ones, may fit."


@dataclass(frozen=True)
class Offer:
    """One possible answer, filled into the draft, with its plan."""

    draft: Draft
    endpoint: Endpoint

    @property
    def usd_per_hour(self) -> float:
        """Price by which offers are sorted; infinite where none is known."""
        price = self.endpoint.plan.cost.hourly_usd
        return math.inf if price is None else price

    @property
    def own_gib(self) -> float:
        """Memory that a replica takes of nodes that are there, by which those are sorted that have no price; else 0."""
        plan = self.endpoint.plan
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
    if draft.accelerator in {None, ANY} or draft.framework is None:
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
    groups = (_frameworks(draft, name) for name in named or load_catalog().accelerators)
    return sorted(_offers(groups, files), key=lambda one: (one.usd_per_hour, one.own_gib, str(one.draft.accelerator)))


def framework_offers(draft: Draft, files: StackFiles) -> list[Offer]:
    """Frameworks that plan on the draft's accelerator, the default first where it does.

    Raises:
        PlanError: none does.
    """
    return _offers(([one] for one in _frameworks(draft, str(draft.accelerator))), files)


def capacity_offers(draft: Draft, files: StackFiles) -> list[Offer]:
    """Ways to buy the draft's accelerator, cheapest first; none where the platform's machine is there already."""
    kinds = [kind for kind in CAPACITIES if kind != "reservation"]
    try:
        found = _offers(([dataclasses.replace(draft, capacity=(kind,))] for kind in kinds), files)
    except PlanError:
        return []
    return sorted(found, key=lambda one: one.usd_per_hour)


def cheapest(found: list[Offer]) -> Offer:
    """First of sorted offers that this version deploys, else the first; a processor, which is slow, only by itself."""
    deployed = [one for one in found if one.endpoint.refusal is None]
    return next((one for one in deployed if one.endpoint.plan.accelerator.kind != "cpu"), (deployed or found)[0])


def _frameworks(draft: Draft, accelerator: str) -> Iterator[Draft]:
    """The draft on an accelerator with its framework, or with each, the default first."""
    others = (name for name in load_catalog().frameworks if name != DEFAULT_FRAMEWORK)
    for name in [draft.framework] if draft.framework else [DEFAULT_FRAMEWORK, *others]:
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
    framework = FRAMEWORKS.get(spec.framework)
    capacities = tuple(spec.capacity[:1]) if spec.capacity else SOLD
    try:
        _, platform = read(spec.platform, files)
        if isinstance(platform, PlatformSpec):
            choose(ask(spec, platform, load_catalog(), framework.capabilities if framework else None), capacities)
    except DoesNotFitError:
        return _TOO_SMALL
    except RefusedError as refused:
        return f"{field_name(refused.field)}: {refused.message}"
    except SpecError:
        pass  # told by the pipeline
    return None


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
