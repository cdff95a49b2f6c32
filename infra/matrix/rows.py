"""Rows of the support matrix, from the catalogue and from the frameworks that this version plans and deploys."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from infra.catalog.loader import load_catalog, read_facts
from infra.catalog.records import Catalog, Checkpoint, Drafter, Framework, Image
from infra.errors import SpecError, nearest
from infra.frameworks import FRAMEWORKS
from infra.frameworks.base import Framework as Served
from infra.plan.images import image_for
from infra.plan.versions import at_least


@dataclass(frozen=True)
class Source:
    """Where something was found, and when that was written or last seen; None where there is no date."""

    name: str
    what: str
    date: str | None


@dataclass(frozen=True)
class MatrixRow:
    """One serving system.

    Attributes:
        facts: its record in the catalogue.
        planned_on: kinds of accelerator for which this version plans it; empty where it does not, or where it has none.
        deployed: whether this version deploys it.
        kinds: kinds of accelerator on which it runs.
        accelerators: those of the catalogue on which it runs, by architecture.
        image_by_architecture: container image of the default version; None where it runs outside of containers.
        minimum_by_size: oldest version of those sizes that need a newer one than the rest.
        checkpoints: those that it loads, by model, best precision first.
        evidence: statements, each with its source.
        sources: all sources of the record.
        checkpoint_sources: those of its checkpoints and drafters, by name.
    """

    facts: Framework
    planned_on: tuple[str, ...]
    deployed: bool
    kinds: tuple[str, ...]
    accelerators: tuple[tuple[str, tuple[str, ...]], ...]
    image_by_architecture: tuple[tuple[str, Image | None], ...]
    minimum_by_size: tuple[tuple[str, str], ...]
    checkpoints: tuple[Checkpoint, ...]
    drafters: tuple[Drafter, ...]
    evidence: tuple[tuple[str, Source], ...]
    sources: tuple[Source, ...]
    checkpoint_sources: Mapping[str, Source]

    @property
    def here(self) -> str:
        """What this version does with it: `deployed`, `planned`, `refused` or `not yet`."""
        if self.deployed:
            return "deployed"
        if self.planned_on:
            return "planned"
        return "refused" if self.facts.state == "refused" else "not yet"

    @property
    def newest(self) -> str:
        """Date of its newest evidence, or `no date`."""
        return max((source.date for _, source in self.evidence if source.date), default="no date")

    @property
    def abilities(self) -> tuple[tuple[str, bool], ...]:
        """What it can do besides answering, by name."""
        one = self.facts
        return (
            ("tools", one.tools),
            ("reasoning", one.reasoning),
            ("drafters", one.drafters),
            ("adapters", one.adapters),
            ("metrics", bool(one.metrics)),
        )

    def inputs(self, size: str) -> tuple[str, ...]:
        """What a size takes there; empty where it is not served."""
        return dict(self.facts.inputs_by_size).get(size, ())


@dataclass(frozen=True)
class Matrix:
    """All rows.

    Attributes:
        checked: date on which the records were last checked.
        sizes: of the family, smallest first.
        inputs: all that any model takes.
    """

    checked: str
    sizes: tuple[str, ...]
    inputs: tuple[str, ...]
    rows: tuple[MatrixRow, ...]

    def only(self, name: str) -> Matrix:
        """The same with one row.

        Raises:
            SpecError: there is no such framework.
        """
        rows = tuple(row for row in self.rows if row.facts.name == name)
        if not rows:
            known = nearest(name, [row.facts.name for row in self.rows])
            raise SpecError(f"matrix: framework: unknown {name!r}. {known}")
        return dataclasses.replace(self, rows=rows)


# Deployed as something other than the objects of an endpoint: kinds of accelerator, None for all on which it runs.
OTHERWISE: Mapping[str, tuple[str, ...] | None] = {
    "gemini": None,
    "keras": ("gpu", "tpu"),  # as jobs
    "mlx": ("apple",),  # as services of Macs
    "vertex": None,
}


def own_matrix() -> Matrix:
    """The matrix of this version's own catalogue."""
    facts, published = read_facts("frameworks.yaml"), read_facts("checkpoints.yaml")
    return build_matrix(load_catalog(), FRAMEWORKS, facts, published, otherwise=OTHERWISE)


def build_matrix(
    catalog: Catalog,
    served: Mapping[str, Served],
    facts: Mapping[str, Any],
    published: Mapping[str, Any],
    *,
    otherwise: Mapping[str, tuple[str, ...] | None] = MappingProxyType({}),
) -> Matrix:
    """The matrix of a catalogue.

    Args:
        catalog: all records.
        served: frameworks that this version plans, by name.
        facts: `sources` of the frameworks and `checked`, their date.
        published: `sources` of the checkpoints.
        otherwise: frameworks that this version deploys as something other than an endpoint's objects, each with the
            kinds of accelerator for which, or None for all on which it runs.
    """
    own, of_checkpoints = _sources(facts), _sources(published)
    models = sorted(catalog.models.values(), key=lambda one: one.text_parameters)
    return Matrix(
        checked=str(facts["checked"]),
        sizes=tuple(dict.fromkeys(one.size for one in models)),
        inputs=tuple(sorted({each for one in models for each in one.inputs})),
        rows=tuple(
            _row(one, catalog, served.get(one.name), own, of_checkpoints, otherwise)
            for one in catalog.frameworks.values()
        ),
    )


def _row(
    facts: Framework,
    catalog: Catalog,
    served: Served | None,
    sources: Mapping[str, Source],
    checkpoint_sources: Mapping[str, Source],
    otherwise: Mapping[str, tuple[str, ...] | None],
) -> MatrixRow:
    checkpoints, drafters = _checkpoints(facts, catalog), _drafters(facts, catalog)
    kinds = tuple(
        sorted({one.kind for one in catalog.accelerators.values() if one.architecture in facts.architectures})
    )
    named = [*(one.sources for one in checkpoints), *(one.sources for one in drafters)]
    return MatrixRow(
        facts=facts,
        planned_on=_planned_on(facts.name, kinds, served, otherwise),
        deployed=facts.name in otherwise or (served is not None and served.workload is not None),
        kinds=kinds,
        accelerators=tuple(
            (each, tuple(one.id for one in catalog.accelerators.values() if one.architecture == each))
            for each in facts.architectures
        ),
        image_by_architecture=_images(facts, catalog),
        minimum_by_size=tuple(
            (size, version)
            for size, version in facts.minimum_version_by_size
            if facts.minimum_version is None or not at_least(facts.minimum_version, version)
        ),
        checkpoints=checkpoints,
        drafters=drafters,
        evidence=tuple((one.statement, sources[one.source]) for one in facts.evidence),
        sources=tuple(sources[name] for name in facts.sources),
        checkpoint_sources={name: checkpoint_sources[name] for names in named for name in names},
    )


def _planned_on(
    name: str, kinds: tuple[str, ...], served: Served | None, otherwise: Mapping[str, tuple[str, ...] | None]
) -> tuple[str, ...]:
    if served is not None:
        return served.capabilities.kinds
    known = otherwise.get(name, ())
    return kinds if known is None else known


def _sources(facts: Mapping[str, Any]) -> dict[str, Source]:
    return {
        name: Source(name, row["what"], None if row["date"] is None else str(row["date"]))
        for name, row in facts["sources"].items()
    }


def _images(facts: Framework, catalog: Catalog) -> tuple[tuple[str, Image | None], ...]:
    """Image by architecture. A Mac's GPU is out of reach of containers; `{model}` stays, it is the model's id."""
    found: dict[str, Image | None] = {}
    for accelerator in catalog.accelerators.values():
        image = image_for(facts, accelerator) if accelerator.kind != "apple" else None
        if image:
            reference = image.reference.replace("{version}", facts.default_version or "")
            image = dataclasses.replace(image, reference=reference)
        found[accelerator.architecture] = image
    return tuple((one, found.get(one)) for one in facts.architectures) if facts.images else ()


def _checkpoints(facts: Framework, catalog: Catalog) -> tuple[Checkpoint, ...]:
    loaded = [
        one
        for model in catalog.models.values()
        for one in model.checkpoints
        if facts.name in one.frameworks and one.format in facts.formats and one.precision in facts.precisions
    ]
    places = {name: place for place, name in enumerate(catalog.models)}
    return tuple(sorted(loaded, key=lambda one: (places[one.model], facts.precisions.index(one.precision))))


def _drafters(facts: Framework, catalog: Catalog) -> tuple[Drafter, ...]:
    """Those made for it; none where it is not trusted with drafters."""
    made = [one for model in catalog.models.values() for one in model.drafters if facts.name in one.frameworks]
    return tuple(made) if facts.drafters else ()
