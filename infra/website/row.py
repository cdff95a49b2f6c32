"""One line of the table of all stacks, the same for endpoints, managed endpoints and jobs."""

from __future__ import annotations

from dataclasses import dataclass

from infra.batch_job import BatchJob
from infra.catalog.loader import load_catalog
from infra.page import numbers
from infra.pipeline import Endpoint, ManagedEndpoint
from infra.plan.job import JobPlan
from infra.plan.managed import ManagedPlan
from infra.plan.serving_plan import ServingPlan

Served = BatchJob | Endpoint | ManagedEndpoint
NO_TEAM = "(none)"
NO_ACCELERATOR = "(none)"
TEAM = "team"


@dataclass(frozen=True)
class Price:
    """What a month costs, in USD.

    Attributes:
        kind: `priced`, `unknown`, `own` for machines that are there, `token`, or `job`, which ends.
        least, most: at the fewest and the most replicas; 0 where `kind` is not `priced`.
        text: as people read it.
    """

    kind: str
    least: float
    most: float
    exact: bool
    text: str


@dataclass(frozen=True)
class Row:
    """What the table shows of a stack, and by what it is found.

    Attributes:
        kind: `endpoint`, `managed`, `machine` for a service of one's own machine, or `job`.
        accelerator: its type, or `(none)`; `machines` says how many and how they are bought.
        need_gib, have_gib: of the memory proof; None where Google runs it on machines of its own.
        notes: what keeps it from being deployed, and how many cautions it has.
    """

    name: str
    kind: str
    model: str
    precision: str
    accelerator: str
    machines: str
    framework: str
    platform: str
    team: str
    need_gib: float | None
    have_gib: float | None
    price: Price
    notes: tuple[str, ...]

    @property
    def page(self) -> str:
        """Its page, from the folder's top."""
        return f"stacks/{self.name}.html"

    @property
    def full(self) -> float | None:
        """Share of the memory that may be filled which is needed, in percent."""
        return None if self.need_gib is None or not self.have_gib else 100 * self.need_gib / self.have_gib

    @property
    def fits(self) -> bool:
        """Whether the need is within what there is; True where there is nothing to prove."""
        return self.need_gib is None or self.have_gib is None or self.need_gib <= self.have_gib

    @property
    def words(self) -> str:
        """Everything that a search looks through, in lower case."""
        said = (self.name, self.kind, self.model, self.precision, self.machines, self.framework, self.platform)
        return " ".join([*said, self.team, *self.notes]).lower()


def row(one: Served) -> Row:
    """The line of one stack."""
    plan = one.plan
    memory = plan.memory
    return Row(
        name=one.name,
        kind=_kind(one),
        model=plan.model.id,
        precision=plan.precision,
        accelerator=plan.accelerator.type if plan.accelerator else NO_ACCELERATOR,
        machines=_machines(plan),
        framework=load_catalog().frameworks[plan.framework.name].display_name,
        platform=one.platform_name,
        team=dict(plan.labels).get(TEAM, NO_TEAM),
        need_gib=memory.need_gib if memory else None,
        have_gib=memory.have_gib if memory else None,
        price=_price(plan),
        notes=_notes(plan),
    )


def _kind(one: Served) -> str:
    if isinstance(one, BatchJob):
        return "job"
    if isinstance(one, ManagedEndpoint):
        return "managed"
    return "machine" if one.on_a_machine else "endpoint"


def _machines(plan: ServingPlan | ManagedPlan | JobPlan) -> str:
    one = plan.accelerator
    if one is None:
        return "Google's own"
    copies = _pods(plan) if isinstance(plan, JobPlan) else _replicas(plan)
    return f"{one.count or 1} x {one.type}, {one.capacity}{copies}"


def _pods(plan: JobPlan) -> str:
    return "" if plan.work.parallel == 1 else f"; {plan.work.parallel} pods at once"


def _replicas(plan: ServingPlan | ManagedPlan) -> str:
    if plan.min_replicas == plan.replicas:
        return "" if plan.replicas == 1 else f"; {plan.replicas} replicas"
    return f"; {plan.min_replicas} to {numbers.count(plan.replicas, 'replica')}"


def _price(plan: ServingPlan | ManagedPlan | JobPlan) -> Price:
    if isinstance(plan, JobPlan):
        most = plan.cost.most_usd
        return Price("job", 0, 0, True, "unknown" if most is None else f"{numbers.monthly(most)} at most, once")
    cost = plan.cost
    if cost.hourly_usd is None:
        if plan.accelerator is None:
            return Price("token", 0, 0, True, _by_token(plan))
        own = plan.accelerator.capacity == "own"
        return Price("own" if own else "unknown", 0, 0, True, "own machine" if own else "unknown")
    least = cost.monthly_usd_min or 0
    most = least if cost.monthly_usd_max is None else cost.monthly_usd_max
    return Price("priced", least, most, cost.exact, numbers.monthly_range(least, cost.monthly_usd_max, cost.exact))


def _by_token(plan: ServingPlan | ManagedPlan) -> str:
    price = plan.token_price if isinstance(plan, ManagedPlan) else None
    return "by token" if price is not None and price.input_usd_per_million is not None else "free"


def _notes(plan: ServingPlan | ManagedPlan | JobPlan) -> tuple[str, ...]:
    planned = isinstance(plan, ServingPlan) and plan.only_planned
    cautions = numbers.count(len(plan.cautions), "caution") if plan.cautions else ""
    return tuple(filter(None, ("only planned" if planned else "", cautions)))
