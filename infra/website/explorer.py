"""Answers of the memory explorer: every question that its page can ask, put to the planner when the site is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from infra.catalog.loader import load_catalog
from infra.catalog.records import Accelerator, Framework, Model
from infra.frameworks import FRAMEWORKS
from infra.page.series import memory_parts
from infra.plan.curve import context_curve
from infra.plan.demand import GIB
from infra.plan.fit import Fit, memory
from infra.plan.placement import SOLD
from infra.plan.quantities import Memory
from infra.plan.question import ask
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import Choice, DoesNotFitError, choose
from infra.spec import EndpointSpec, PlatformSpec

# What some frameworks ask for besides; nothing of it changes the memory.
_ENGINE: dict[str, dict[str, str]] = {
    "nim": {"registrySecret": "registry", "apiKeySecret": "key"},
    "trtllm": {"channel": "experimental"},
}
_VERSION = "servestack/v1"


@dataclass(frozen=True)
class Question:
    """What the page can ask: catalogue names, and accelerators of one replica."""

    model: str
    framework: str
    accelerator: str
    precision: str
    count: int

    @property
    def key(self) -> str:
        """The same as one word, by which the page finds the answer."""
        return "|".join((self.model, self.framework, self.accelerator, self.precision, str(self.count)))


@dataclass(frozen=True)
class Answer:
    """What the planner says: a choice that fits, the closest that does not, or why there is none, in words."""

    request: Request | None
    choice: Choice | None
    closest: Fit | None
    refused: str

    @property
    def fits(self) -> bool:
        """Whether it can be served so."""
        return self.choice is not None


@cache
def answers() -> dict[Question, Answer]:
    """Every question of this version's own catalogue with its answer, in the catalogue's order."""
    return {one: _answer(one) for one in _questions()}


def _questions() -> Iterator[Question]:
    catalog = load_catalog()
    for model in catalog.models.values():
        for name in FRAMEWORKS:
            facts = catalog.frameworks[name]
            for accelerator in catalog.accelerators.values():
                if accelerator.architecture not in facts.architectures:
                    continue
                for precision in precisions(model, facts):
                    for count in counts(accelerator):
                        yield Question(model.id, name, accelerator.id, precision, count)


def precisions(model: Model, framework: Framework) -> tuple[str, ...]:
    """Those of the model's checkpoints that a framework loads, best first."""
    known = {one.precision for one in model.checkpoints if framework.name in one.frameworks}
    return tuple(one for one in framework.precisions if one in known)


def counts(accelerator: Accelerator) -> tuple[int, ...]:
    """Accelerators of one replica: as many as a machine carries; one where a machine is one."""
    return tuple(sorted({one.accelerators or 1 for one in accelerator.machines})) or (1,)


def _answer(question: Question) -> Answer:
    catalog, capabilities = load_catalog(), FRAMEWORKS[question.framework].capabilities
    accelerator = catalog.accelerators[question.accelerator]
    try:
        request = ask(_spec(question, accelerator), _platform(accelerator), catalog, capabilities)
        return Answer(request, choose(request, SOLD, one_machine=True), None, "")
    except DoesNotFitError as refused:
        return Answer(None, None, refused.closest, "")
    except RefusedError as refused:
        return Answer(None, None, None, refused.message)


def _spec(question: Question, accelerator: Accelerator) -> EndpointSpec:
    """The shortest stack file that asks this."""
    counted = {"count": question.count} if accelerator.kind in {"gpu", "tpu"} and accelerator.machines else {}
    return EndpointSpec.model_validate(
        {
            "apiVersion": _VERSION,
            "kind": "Endpoint",
            "platform": "explorer",
            "model": question.model,
            "framework": question.framework,
            "precision": question.precision,
            "accelerator": {"type": question.accelerator, **counted},
            "engine": _ENGINE.get(question.framework, {}),
        }
    )


@cache
def _platform_of(place: str) -> PlatformSpec:
    where: dict[str, Any] = {"host": {"address": "me@explorer"}}
    if place:
        where = {"gke": {"project": "explorer-project", "location": place, "cluster": {"name": "explorer"}}}
    return PlatformSpec.model_validate({"apiVersion": _VERSION, "kind": "Platform", **where})


def _platform(accelerator: Accelerator) -> PlatformSpec:
    """A platform that has the accelerator: a Mac, or GKE in a region that offers it."""
    if accelerator.kind == "apple":
        return _platform_of("")
    return _platform_of(accelerator.zones[0].rpartition("-")[0] if accelerator.zones else "us-central1")


def data(found: dict[Question, Answer]) -> dict[str, Any]:
    """What the page looks up. Sizes are text with two decimals, as plans are printed, so that nothing is rounded twice.

    `answers` holds for each question a fit, a lack, or the place of a refusal in `refusals`.
    """
    catalog = load_catalog()
    refusals = list(dict.fromkeys(one.refused for one in found.values() if one.refused))
    return {
        "models": list(dict.fromkeys(one.model for one in found)),
        "frameworks": {name: catalog.frameworks[name].display_name for name in FRAMEWORKS},
        "accelerators": {
            name: catalog.accelerators[name].display_name for name in sorted({one.accelerator for one in found})
        },
        "parts": _part_names(found),
        "refusals": refusals,
        "answers": {
            question.key: refusals.index(one.refused) if one.refused else _fit(one) if one.fits else _lack(one)
            for question, one in found.items()
        },
    }


def _part_names(found: dict[Question, Answer]) -> list[list[str]]:
    """Colour and name of each part of a bar, the same for every answer: each guarantees one request."""
    first = next(one for one in found.values() if one.fits)
    return [[part.colour, part.name] for part in memory_parts(_proof(first), 1)]


def _proof(one: Answer) -> Memory:
    assert one.request is not None
    assert one.choice is not None
    capabilities = one.request.capabilities
    limit = capabilities.max_tokens(one.request.model, one.request.accelerator)
    return memory(capabilities, one.choice.fit, limit_tokens=limit)


def _fit(one: Answer) -> dict[str, Any]:
    assert one.request is not None
    assert one.choice is not None
    request, choice = one.request, one.choice
    proof = _proof(one)
    candidate, setting = choice.candidate, choice.fit.setting
    price = candidate.usd_per_hour
    return {
        "checkpoint": candidate.checkpoint.repository,
        "machine": f"{candidate.machine.machine_type}, {candidate.capacity.kind}",
        "split": [candidate.tensor, candidate.pipeline, candidate.data],
        "usd": None if price is None else f"{price:,.2f}",
        "context": f"{setting.tokens:,}",
        "atOnce": f"{proof.max_concurrent_requests:,}",
        "longest": f"{proof.max_context_tokens:,}",
        "whole": _gib(proof.per_accelerator_gib),
        "need": _gib(proof.need_gib),
        "have": _gib(proof.have_gib),
        "parts": [_gib(part.size_gib) for part in memory_parts(proof, request.concurrency)],
        "curve": [list(point) for point in context_curve(request, choice)],
    }


def _lack(one: Answer) -> dict[str, Any]:
    assert one.closest is not None
    fit = one.closest
    terms = [[term.name, _gib(term.size_bytes / GIB)] for term in fit.terms]
    return {
        "checkpoint": fit.setting.checkpoint.repository,
        "context": f"{fit.setting.tokens:,}",
        "whole": _gib(fit.whole_gib),
        "need": _gib(fit.need_bytes / GIB),
        "have": _gib(fit.have_bytes / GIB),
        "terms": [
            *terms,
            *([["Kept for what is uncertain", _gib(fit.uncertainty_gib)]] if fit.uncertainty_gib else []),
        ],
    }


def _gib(size_gib: float) -> str:
    return f"{size_gib:,.2f}"
