"""Each difference in a plain sentence, for people who know nothing of the engine."""

from __future__ import annotations

from collections.abc import Callable

from infra.review.facts import NONE, UNFIXED, Fact

_Sentence = Callable[[Fact, Fact], str]
_BITS = {
    "bf16": "16 bits a weight, as trained",
    "fp8": "8 bits a weight",
    "q8": "8 bits a weight",
    "8bit": "8 bits a weight",
    "nvfp4": "4 bits a weight",
    "w4a16": "4 bits a weight",
    "q4": "4 bits a weight",
    "4bit": "4 bits a weight",
}
_SHORT = 12


def sentence(before: Fact, after: Fact) -> str:
    """One sentence on what differs between two facts of one subject."""
    return _SENTENCES.get(after.subject, _plain)(before, after)


def _plain(before: Fact, after: Fact) -> str:
    return f"{after.subject[0].upper()}{after.subject[1:]}: {after.text}; before, {before.text}."


def _platform(before: Fact, after: Fact) -> str:
    return f"It moves from platform {before.text} to {after.text}: callers must be given the new address."


def _model(before: Fact, after: Fact) -> str:
    return f"Another model answers: {after.text} in place of {before.text}."


def _precision(before: Fact, after: Fact) -> str:
    return (
        f"The weights are {_with_bits(after.text)} in place of {_with_bits(before.text)}: answers can differ, so try "
        "your own prompts."
    )


def _with_bits(precision: str) -> str:
    said = next((bits for start, bits in _BITS.items() if precision.startswith(start)), "")
    return f"{precision} ({said})" if said else precision


def _checkpoint(before: Fact, after: Fact) -> str:
    return f"The weights come from {after.text}, in place of {before.text}."


def _revision(before: Fact, after: Fact) -> str:
    if before.text == UNFIXED:
        return f"The weights are fixed at commit {after.text[:_SHORT]}; before, whatever the hub had was loaded."
    if after.text == UNFIXED:
        return "The weights are no longer fixed: each start loads whatever the hub has then."
    return f"Other files of weights: commit {after.text[:_SHORT]} in place of {before.text[:_SHORT]}."


def _longest(before: Fact, after: Fact) -> str:
    said = f"A request may have at most {after.text}, question and answer together; before, {before.text}."
    return f"{said} Longer ones are refused." if _less(before, after) else said


def _at_once(before: Fact, after: Fact) -> str:
    number = f"{after.text} full-length request{'' if after.text == '1' else 's'}"
    said = f"Each replica is proved to serve {number} at once; before, {before.text}."
    return f"{said} More than that may wait." if _less(before, after) else said


def _inputs(before: Fact, after: Fact) -> str:
    had, has = (set(one.text.split(", ")) for one in (before, after))
    said = []
    if has - had:
        said.append(f"Requests may hold {_listed(has - had)} now.")
    if had - has:
        said.append(f"Requests with {_listed(had - has)} are refused from now on.")
    return " ".join(said)


def _switch(gained: str, lost: str) -> _Sentence:
    return lambda _before, after: gained if after.text == "yes" else lost


def _adapters(before: Fact, after: Fact) -> str:
    had, has = ({name for name in one.text.split(", ") if name != NONE} for one in (before, after))
    said = []
    if has - had:
        said.append(f"Adapters that can be asked for now: {_listed(has - had)}.")
    if had - has:
        said.append(f"Requests for {_listed(had - has)} fail from now on.")
    return " ".join(said)


def _address(before: Fact, after: Fact) -> str:
    if before.text == "nowhere":
        return f"It can be called from outside the cluster now, at {after.text}."
    if after.text == "nowhere":
        return f"It can no longer be called from outside the cluster; {before.text} is gone."
    return f"Its address is {after.text}; callers of {before.text} fail from then on."


def _engine(before: Fact, after: Fact) -> str:
    if before.text.partition(" ")[0] == after.text.partition(" ")[0]:
        return f"Another version of the engine serves: {after.text}; before, {before.text}."
    return f"Another engine serves: {after.text} in place of {before.text}. Answers and speed can differ."


def _first_token(before: Fact, after: Fact) -> str:
    return f"A question alone waits for its first token {after.text}, an estimate; before, {before.text}."


def _startup(before: Fact, after: Fact) -> str:
    return f"From nothing to a first answer takes {after.text}, an estimate; before, {before.text}."


def _replicas(before: Fact, after: Fact) -> str:
    return f"{after.text} replicas run; before, {before.text}." if after.text != "1" else (
        f"1 replica runs; before, {before.text}. While it restarts or fails, nothing answers."
    )  # fmt: skip


def _machines(before: Fact, after: Fact) -> str:
    return f"A replica runs on {after.text}; before, {before.text}."


def _budget(before: Fact, after: Fact) -> str:
    if after.text == NONE:
        return f"No budget limits the plan any more; before, one above {before.text} was refused."
    return (
        f"A plan above {after.text} is refused; before, {'there was no limit' if before.text == NONE else before.text}."
    )


def _planned_only(_before: Fact, after: Fact) -> str:
    if after.text == "nothing":
        return "It is deployed from now on; before, it was only planned."
    return f"It is only planned, and no longer deployed, because of {after.text}."


def _less(before: Fact, after: Fact) -> bool:
    return before.amount is not None and after.amount is not None and after.amount < before.amount


def _listed(words: set[str]) -> str:
    *most, last = sorted(words)
    return f"{', '.join(most)} and {last}" if most else last


_SENTENCES: dict[str, _Sentence] = {
    "platform": _platform,
    "model": _model,
    "precision": _precision,
    "checkpoint": _checkpoint,
    "revision": _revision,
    "longest request": _longest,
    "full requests at once": _at_once,
    "inputs": _inputs,
    "tool calls": _switch(
        "Tool calls come back as such now.", "Tool calls no longer come back as such: programs that use them break."
    ),
    "reasoning apart": _switch(
        "The model's reasoning comes back apart from its answer now.",
        "The model's reasoning no longer comes back apart from its answer.",
    ),
    "adapters": _adapters,
    "key asked for": _switch(
        "Callers must send a key from now on: those without one are refused.",
        "No key is asked for any more: whoever reaches it can use it.",
    ),
    "called from outside at": _address,
    "engine": _engine,
    "first token": _first_token,
    "first answer from nothing": _startup,
    "replicas": _replicas,
    "machines of a replica": _machines,
    "machines of a pod": _machines,
    "budget": _budget,
    "not deployed because of": _planned_only,
}
