"""Questions for what a new stack file still lacks, one at a time. Reading and printing are the caller's."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence

from infra.catalog.loader import load_catalog
from infra.document import quoted
from infra.errors import PlanError, SpecError, nearest
from infra.new_stack import ANY, Draft, check, platforms
from infra.offers import (
    Offer,
    accelerator_offers,
    capacity_offers,
    cheapest,
    complete,
    framework_offers,
    models_on_offer,
    only_managed,
)
from infra.pipeline import StackFiles, read
from infra.text import wrapped

_COLUMNS = "USD per hour of one replica; how many, how bought; weights; tokens per request:"
# What there is on a platform that is a project alone; the first is the framework `vertex` with machines.
_SERVICES = (
    ("vertex", "Model Garden: a machine of your own, by the hour"),
    ("serverless", "Vertex AI on Google's own machines, by the token"),
    ("gemini", "the Gemini API on Google's own machines, free within limits"),
)
_NUMBER = re.compile(r"[0-9][0-9,]{0,11}")


@dataclasses.dataclass(frozen=True)
class Terminal:
    """Where answers come from and questions go; `read` raises EOFError at the end of the input."""

    read: Callable[[str], str]
    say: Callable[[str], None]


def interview(draft: Draft, files: StackFiles, terminal: Terminal) -> Draft:
    """The draft with everything answered; what it has already is not asked.

    Raises:
        SpecError: what it has already is wrong, there is no platform, or the answers ended.
        PlanError: what it has already cannot be served.
    """
    try:
        return _named(_bought(_placed(draft, files, terminal), files, terminal), files, terminal)
    except EOFError:
        raise SpecError("the answers ended before the last question; nothing was written.") from None


def _placed(draft: Draft, files: StackFiles, terminal: Terminal) -> Draft:
    """With platform, model, load, accelerator and framework."""
    check(draft)
    known = platforms(files)
    if draft.platform is None:
        name = _choose("platform", [(one, "") for one in known], known[0], terminal)
        draft = dataclasses.replace(draft, platform=name)
    if draft.platform not in {*known, *files.names()}:
        raise SpecError(f"platform: unknown {quoted(draft.platform)}. {nearest(str(draft.platform), known)}")
    read(str(draft.platform), files)
    if draft.named_framework is None and only_managed(draft, files):
        name = _choose("service", _SERVICES, "vertex", terminal)
        serverless = name == "serverless"
        draft = dataclasses.replace(draft, framework="vertex" if serverless else name, serverless=serverless)
    draft, found = _loaded(draft, files, terminal)
    if not draft.has_machines:
        return draft
    if draft.accelerator in {None, ANY}:
        best = str(cheapest(found).draft.accelerator)
        answer = draft.accelerator
        if answer is None:
            rows = [(str(one.draft.accelerator), _row(one)) for one in found]
            terminal.say(_COLUMNS)
            refusal = _refusal_of("accelerator", draft, files)
            answer = _choose("accelerator", [*rows, (ANY, f"the cheapest that fits: {best}")], ANY, terminal, refusal)
        if answer == ANY:
            answer = best
            terminal.say(f"accelerator: {best}, the cheapest that fits.")
        draft = dataclasses.replace(draft, accelerator=answer)
    if draft.framework is None:
        found = framework_offers(draft, files)
        rows = [(str(one.draft.framework), _row(one)) for one in found]
        name = rows[0][0]
        if len(rows) == 1:
            terminal.say(f"framework: {name}, the only one that is planned there.")
        else:
            name = _choose("framework", rows, name, terminal, _refusal_of("framework", draft, files))
        draft = dataclasses.replace(draft, framework=name)
    return draft


def _loaded(draft: Draft, files: StackFiles, terminal: Terminal) -> tuple[Draft, list[Offer]]:
    """With model, context and concurrency that an accelerator fits, or that Google serves; asked again until so."""
    while True:
        asked = draft
        if asked.model is None:
            models = models_on_offer(asked)
            name = _choose("model", [(one.id, ", ".join(one.inputs)) for one in models], models[0].id, terminal)
            asked = dataclasses.replace(asked, model=name)
        if asked.context is None:
            asked = _number(asked, "context", "tokens of the longest request", "the longest that fits", terminal)
        if asked.concurrency is None and asked.has_machines:
            asked = _number(asked, "concurrency", "full-length requests at once", "1", terminal)
        try:
            if not asked.has_machines:
                complete(asked, files)
                return asked, []
            return asked, accelerator_offers(asked, files)
        except PlanError as error:
            if asked == draft:
                raise
            terminal.say(f"{error}\nAnswer again, or end with Ctrl-C.")


def _bought(draft: Draft, files: StackFiles, terminal: Terminal) -> Draft:
    """With the way to buy, where there is more than one."""
    if draft.capacity is not None:
        return draft
    found = capacity_offers(draft, files)
    if len(found) < 2:
        return draft
    rows = [(str((one.draft.capacity or ("",))[0]), _row(one)) for one in found]
    answer = _choose("capacity", [*rows, (ANY, "the cheapest, whenever the stack is planned")], ANY, terminal)
    return draft if answer == ANY else dataclasses.replace(draft, capacity=(answer,))


def _named(draft: Draft, files: StackFiles, terminal: Terminal) -> Draft:
    """With a suffix, where a file of the same name exists."""
    while (name := complete(draft, files).name) in files.names():
        terminal.say(wrapped(f"{files.path(name)} exists and stays as it is; give the new one a last word.", "", "  "))
        while True:
            answer = terminal.read("suffix: ").strip()
            try:
                complete(dataclasses.replace(draft, suffix=answer), files)
            except SpecError as error:
                terminal.say(str(error))
                continue
            draft = dataclasses.replace(draft, suffix=answer)
            break
    return draft


def _refusal_of(field: str, draft: Draft, files: StackFiles) -> Callable[[str], str | None]:
    """Why an accelerator or framework that exists is not on offer."""

    def refusal(answer: str) -> str | None:
        changed = dataclasses.replace(draft, **{field: answer})  # type: ignore[arg-type]
        try:
            check(changed)
            accelerator_offers(changed, files)
        except PlanError as error:
            return str(error)
        except SpecError:
            pass
        return None

    return refusal


def _choose(
    what: str,
    answers: Sequence[tuple[str, str]],
    default: str,
    terminal: Terminal,
    refusal: Callable[[str], str | None] = lambda _: None,
) -> str:
    """One of the answers, by name or number; anything else is explained and asked again."""
    width = max(len(name) for name, _ in answers)
    numbered = {str(number): name for number, (name, _) in enumerate(answers, start=1)}
    for number, (name, remark) in zip(numbered, answers, strict=True):
        terminal.say(f"  {number:>2}  {name:<{width}}  {remark}".rstrip())
    while True:
        answer = terminal.read(f"{what}, by name or number [{default}]: ").strip()
        if not answer:
            return default
        chosen = numbered.get(answer, answer.lower())
        if chosen in numbered.values():
            return chosen
        known = nearest(answer[:63], numbered.values())
        why = refusal(chosen)
        terminal.say(why or wrapped(f"{what}: {quoted(answer)} is no answer here. {known}", "", "  "))


def _number(draft: Draft, field: str, what: str, default: str, terminal: Terminal) -> Draft:
    most = load_catalog().models[str(draft.model)].max_context_tokens
    while True:
        answer = terminal.read(f"{what} [{default}]: ").strip()
        if not answer:
            return draft
        if not _NUMBER.fullmatch(answer):
            terminal.say(f"{field}: {quoted(answer)} is no whole number; write digits only.")
            continue
        number = int(answer.replace(",", ""))
        changed = dataclasses.replace(draft, **{field: number})  # type: ignore[arg-type]
        try:
            check(changed)
        except SpecError as error:
            terminal.say(str(error))
            continue
        if field == "context" and number > most:
            terminal.say(f"{draft.model} reads at most {most:,} tokens.")
            continue
        return changed


def _row(offer: Offer) -> str:
    """What an offer costs, and what one gets for it."""
    plan = offer.endpoint.plan
    chosen, tokens = plan.accelerator, plan.context.max_model_len or 0
    assert chosen is not None, "an offer stands at an accelerator"
    later = "" if offer.deployed else "; planned only"
    price = offer.price_text.removesuffix(" USD per hour")
    return f"{price:>15}  {chosen.count} x {chosen.capacity}, {plan.precision}, {tokens:,}{later}"
