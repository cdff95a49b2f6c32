"""A new stack file: from answers to its name, its text and its plan."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

import yaml

from infra.catalog.loader import load_catalog
from infra.document import Document, parse_document, quoted
from infra.errors import SpecError, StackError
from infra.managed_report import endpoint_text
from infra.naming import base_name, name_fault
from infra.pipeline import Endpoint, ManagedEndpoint, StackFiles, build
from infra.spec import NAME_PATTERN, EndpointSpec, Vertex, needs_accelerator, spec_problems
from infra.text import wrapped
from infra.vocabulary import vocabulary_problems

ANY = "any"
DEFAULT_FRAMEWORK = "vllm"
_LONGEST = 40
_SCHEMA_LINE = "# yaml-language-server: $schema=schema.json\n"
_NO_PLATFORM = """\
{folder} has no platform, and an endpoint needs one. Write {file} first:
  apiVersion: servestack/v1
  kind: Platform
  gke:
    project: YOUR-PROJECT
    location: us-central1
    cluster: {{name: dev}}"""
_BAD_SUFFIX = (
    "{} cannot end a stack name: lower-case letters, digits and hyphens, at most 40 with the words before it, and no "
    "word for a model, precision, accelerator or framework."
)


@dataclass(frozen=True)
class Draft:
    """Answers so far; None is not answered. An accelerator `any` is the cheapest that fits.

    Attributes:
        serverless: framework `vertex` without a deployment, on Google's own machines.
        capacity: words as in a stack file; `reservation:NAME` for a reservation.
        suffix: last word of the name, which tells endpoints of equal content apart.
    """

    platform: str | None = None
    model: str | None = None
    accelerator: str | None = None
    framework: str | None = None
    serverless: bool = False
    count: int | None = None
    precision: str | None = None
    context: int | None = None
    concurrency: int | None = None
    inputs: tuple[str, ...] | None = None
    tools: bool = False
    reasoning: bool = False
    capacity: tuple[str, ...] | None = None
    suffix: str | None = None

    @property
    def missing(self) -> list[str]:
        """Flags of what cannot be derived."""
        return [f"--{name}" for name in ("platform", "model") if getattr(self, name) is None]

    @property
    def named_framework(self) -> str | None:
        """The framework, as far as it is answered: only one of them is serverless."""
        return "vertex" if self.framework is None and self.serverless else self.framework

    @property
    def has_machines(self) -> bool:
        """Whether it runs on machines of its own, as far as is known."""
        return needs_accelerator(self.named_framework or DEFAULT_FRAMEWORK, Vertex(serverless=self.serverless))


@dataclass(frozen=True)
class NewStack:
    """A stack file that plans. `note` says what was chosen for the user, or is empty."""

    name: str
    text: str
    endpoint: Endpoint | ManagedEndpoint
    note: str = ""


def new_text(new: NewStack, file: str, *, written: bool) -> str:
    """What is told of a new stack: its file, with the content where it was not written, what was chosen, the plan."""
    head = f"{file}\n" if written else f"{file}, not written:\n\n{new.text}\n"
    note = f"{wrapped(new.note, '', '  ')}\n" if new.note else ""
    return f"{head}{note}{endpoint_text(new.endpoint.plan)}"


def check(draft: Draft) -> None:
    """Refuse answers that are wrong whatever the others will be.

    Raises:
        SpecError: with everything that is wrong.
    """
    catalog = load_catalog()
    accelerator = draft.accelerator
    if draft.has_machines and accelerator in {None, ANY}:
        accelerator = next(iter(catalog.accelerators))
    usual = {"platform": "dev", "model": next(iter(catalog.models)), "framework": DEFAULT_FRAMEWORK}
    values = usual | _values(dataclasses.replace(draft, accelerator=accelerator))
    document = Document("", values, {}, {})
    _, problems = spec_problems(document)
    refused = {problem.field for problem in problems}
    words = vocabulary_problems(document, catalog, [values["platform"]])
    lines = [*problems, *(problem for problem in words if problem.field not in refused)]
    if draft.suffix is not None and not re.fullmatch(NAME_PATTERN, f"x-{draft.suffix}"):
        lines.append(document.problem(("suffix",), _BAD_SUFFIX.format(quoted(draft.suffix))))
    if lines:
        raise SpecError(told("\n".join(f"{one.field}: {one.message}" for one in lines)))


def told(text: str) -> str:
    """A refusal in lines of at most 80 columns; its tables stay as they are."""
    return "\n".join(line if line.startswith(" ") else wrapped(line, "", "  ") for line in text.split("\n"))


def platforms(files: StackFiles) -> list[str]:
    """Names of the platforms in the folder.

    Raises:
        SpecError: there is none; it says how to make one.
    """
    found = [name for name in files.names() if _is_platform(name, files)]
    if not found:
        file = files.path("dev")
        raise SpecError(_NO_PLATFORM.format(folder=file.removesuffix("/dev.yaml"), file=file))
    return found


def propose(draft: Draft, files: StackFiles, *, schema: bool = False) -> NewStack:
    """The stack file of a draft that was checked and lacks nothing; with `schema` the editor's line comes first.

    Raises:
        SpecError: an answer is wrong.
        PlanError: it cannot be served.
    """
    name, values = _name(spec_of(draft), draft.suffix), _values(draft)
    text = (_SCHEMA_LINE if schema else "") + "".join(f"{key}: {_flow(value)}\n" for key, value in values.items())
    proposed = _Proposed(name, text, files)
    try:
        built = build(name, proposed, demand_lock=False)
    except StackError as error:
        if not error.problems:
            raise
        own = proposed.path(name)
        lines = [
            str(one) if one.path != own else f"{one.field}: {one.message}" if one.field else one.message
            for one in error.problems
        ]
        raise type(error)("\n".join(lines)) from None
    assert isinstance(built, Endpoint | ManagedEndpoint)
    return NewStack(name, text, built)


def spec_of(draft: Draft) -> EndpointSpec:
    """What a draft that was checked and lacks nothing asks for."""
    return EndpointSpec.model_validate(_values(draft))


def _values(draft: Draft) -> dict[str, Any]:
    """What the file says, in its order; defaults and what is not answered are left out."""
    accelerator: Any = None if draft.accelerator == ANY else draft.accelerator
    if accelerator is not None and draft.count is not None:
        accelerator = {"type": accelerator, "count": draft.count}
    values = {
        "apiVersion": "servestack/v1",
        "kind": "Endpoint",
        "platform": draft.platform,
        "model": draft.model,
        "accelerator": accelerator,
        "framework": draft.named_framework,
        "vertex": {"serverless": True} if draft.serverless else None,
        "precision": draft.precision,
        "contextLength": draft.context,
        "concurrency": None if draft.concurrency == 1 else draft.concurrency,
        "inputs": None if draft.inputs is None else list(draft.inputs),
        "tools": draft.tools or None,
        "reasoning": draft.reasoning or None,
        "capacity": None if draft.capacity is None else [_rung(word) for word in draft.capacity],
    }
    return {key: value for key, value in values.items() if value is not None}


def _flow(value: Any) -> str:
    """A value on one line, quoted where YAML would read a word as something else."""
    return yaml.safe_dump([value], default_flow_style=True, sort_keys=False, width=10_000).strip()[1:-1]


def _rung(word: str) -> str | dict[str, str]:
    kind, colon, name = word.partition(":")
    return {kind: name} if kind == "reservation" and colon else word


def _name(spec: EndpointSpec, suffix: str | None) -> str:
    """Name that follows from the content; its last words give way to a suffix as in `infra.naming`."""
    catalog = load_catalog()
    base = base_name(spec, catalog)
    if suffix is None:
        return base
    words = base.split("-")
    shortest = 2 if len(f"{base}-{suffix}") > _LONGEST else len(words)
    for kept in range(len(words), shortest - 1, -1):
        name = "-".join([*words[:kept], suffix])
        if re.fullmatch(NAME_PATTERN, name) and name_fault(name, spec, catalog) is None:
            return name
    raise SpecError(told(f"suffix: {_BAD_SUFFIX.format(quoted(suffix))}"))


def _is_platform(name: str, files: StackFiles) -> bool:
    try:
        return parse_document(files.text(name), files.path(name)).values.get("kind") == "Platform"
    except SpecError:
        return False


@dataclass(frozen=True)
class _Proposed:
    """The folder as it will be with the new file."""

    new: str
    content: str
    files: StackFiles

    def names(self) -> list[str]:
        return self.files.names()

    def path(self, name: str) -> str:
        return self.files.path(name)

    def text(self, name: str) -> str:
        return self.content if name == self.new else self.files.text(name)

    def lock_text(self) -> str | None:
        return self.files.lock_text()
