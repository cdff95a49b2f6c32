"""One stack at one revision: built, or why it is refused, and everything that is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.batch_job import BatchJob
from infra.cloud.platform_plan import platform_plan
from infra.document import Document, parse_document
from infra.errors import Problem, StackError
from infra.golden import golden_text
from infra.judgement import broken_rules
from infra.lock import Use
from infra.pipeline import Built, Endpoint, Platform
from infra.rendered_tree import stack_files
from infra.toolkit import using


@dataclass(frozen=True)
class Money:
    """USD a month with the fewest and with the most replicas; `exact` is False where a price is only a ceiling."""

    monthly_usd_min: float
    monthly_usd_max: float
    exact: bool


@dataclass(frozen=True)
class Version:
    """A stack as one revision has it.

    Attributes:
        path: of its file, from the top of the repository.
        text: of its file; empty where it cannot be read.
        built: what follows from it; None where it is refused.
        refusal: why; None where it is not.
        toolkit: folder of the catalogue and templates that it is planned and rendered with.
    """

    stack: str
    path: str
    text: str
    built: Built | None
    refusal: StackError | None
    toolkit: Path

    @cached_property
    def document(self) -> Document | None:
        """The file with its positions; None where it is no YAML mapping."""
        try:
            return parse_document(self.text, self.path)
        except StackError:
            return None

    @cached_property
    def broken(self) -> tuple[Problem, ...]:
        """Rules that its objects break."""
        if self.built is None or isinstance(self.built, Platform):
            return ()
        with using(self.toolkit):
            return tuple(broken_rules(self.built, self.path))

    @property
    def _only_planned(self) -> bool:
        """Whether this version plans it, and deploys nothing of it."""
        return isinstance(self.built, Endpoint) and self.built.refusal is not None

    @property
    def refused(self) -> bool:
        """Whether `pulumi up` or `servestack validate` would refuse it."""
        return self.built is None or bool(self.broken)

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """Kubernetes objects; none of a platform, of what is refused, or of what is only planned."""
        built = self.built
        if built is None or isinstance(built, Platform) or self._only_planned:
            return []
        with using(self.toolkit):
            return built.objects()

    @cached_property
    def files(self) -> dict[str, str]:
        """Files of its folder in the rendered tree."""
        if self.built is None or self._only_planned:
            return {}
        with using(self.toolkit):
            return stack_files(self.built)

    @cached_property
    def effect(self) -> object:
        """All that it makes: equal for two texts that differ in form alone."""
        built = self.built
        if built is None:
            return str(self.refusal)
        if isinstance(built, Platform):
            return built.spec.model_dump(), self._resources
        return built.plan.to_json(), self.objects, built.spec.budgetUsdPerMonth, self._resources

    @property
    def _resources(self) -> str:
        """What is made elsewhere than in a cluster, as text."""
        built = self.built
        if built is None or self._only_planned or (isinstance(built, Endpoint) and not built.on_a_machine):
            return ""
        with using(self.toolkit):
            return "" if isinstance(built, BatchJob) else golden_text(built)

    @cached_property
    def money(self) -> Money | None:
        """What it costs; None where no price is known, or nothing is paid by the hour."""
        built = self.built
        if built is None or isinstance(built, BatchJob):
            return None
        if isinstance(built, Platform):
            with using(self.toolkit):
                standing = platform_plan(built.name, built.spec).monthly_usd
            return Money(standing, standing, exact=True) if built.spec.gke else None
        cost = built.plan.cost
        if cost.monthly_usd_min is None:
            return None
        most = cost.monthly_usd_min if cost.monthly_usd_max is None else cost.monthly_usd_max
        return Money(cost.monthly_usd_min, most, cost.exact)

    @property
    def team(self) -> str | None:
        """Value of the label `team`."""
        if self.built is None:
            return None
        labels = self.built.spec.labels if isinstance(self.built, Platform) else dict(self.built.plan.labels)
        return labels.get("team")

    @property
    def uses(self) -> tuple[Use, ...]:
        """Names that move, of which the lock file fixes some or all."""
        return () if self.built is None or isinstance(self.built, Platform) else self.built.uses
