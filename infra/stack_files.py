"""Stack files by name: where they come from, and one of them checked for shape, words and name, but not planned."""

from __future__ import annotations

from typing import Protocol

from infra.catalog.loader import load_catalog
from infra.document import Document, parse_document
from infra.errors import Problem, SpecError, nearest
from infra.lock import LOCK_FILE, NO_LOCK, Lock, parse_lock
from infra.naming import name_fault
from infra.spec import EndpointSpec, Spec, spec_problems
from infra.vocabulary import platform_problems, vocabulary_problems


class StackFiles(Protocol):
    """Where stack files come from; `StackFolder` is the real one."""

    def names(self) -> list[str]:
        """Names of all stack files."""

    def path(self, name: str) -> str:
        """File as shown in messages."""

    def text(self, name: str) -> str:
        """Text of one stack file."""

    def lock_text(self) -> str | None:
        """Text of the lock file beside them; None where there is none."""


def read_lock(files: StackFiles) -> Lock:
    """The lock of a set of stack files; an empty one where there is no file.

    Raises:
        SpecError: the file is wrong; all problems at once.
    """
    text = files.lock_text()
    return NO_LOCK if text is None else parse_lock(text, lock_path(files))


def lock_path(files: StackFiles) -> str:
    """The lock file as shown in messages: beside the stack files."""
    return files.path("x").removesuffix("x.yaml") + LOCK_FILE


def read(name: str, files: StackFiles) -> tuple[Document, Spec]:
    """One stack file, checked for shape, words and name, but not planned.

    Raises:
        SpecError: with every problem found.
    """
    document = parse_document(files.text(name), files.path(name))
    problems = list(document.problems)
    unreadable = {problem.field for problem in problems}
    spec, misshapen = spec_problems(document)
    problems += [problem for problem in misshapen if problem.field not in unreadable]
    if document.values.get("kind") == "Endpoint":
        known, faults = _platforms(document, files)
        problems += faults
        refused = {problem.field for problem in problems}
        words = vocabulary_problems(document, load_catalog(), known)
        problems += [problem for problem in words if problem.field not in refused]
    else:
        refused = {problem.field for problem in problems}
        problems += [one for one in platform_problems(document, load_catalog()) if one.field not in refused]
    if isinstance(spec, EndpointSpec) and not problems:
        fault = name_fault(name, spec, load_catalog())
        if fault and "local" in parse_document(files.text(spec.platform), files.path(spec.platform)).values:
            fault = name_fault(name, spec, load_catalog(), local=True)
        if fault:
            problems.append(document.problem((), fault))
    if problems or spec is None:
        raise SpecError(problems=problems)
    return document, spec


def _platforms(document: Document, files: StackFiles) -> tuple[list[str], list[Problem]]:
    """Names of platforms, and what is wrong with the named file where there is one.

    Only that file is read where it exists, so that other broken files do not matter.
    """
    named = document.values.get("platform")
    broken: SpecError | None = None
    if isinstance(named, str):
        try:
            if parse_document(files.text(named), files.path(named)).values.get("kind") == "Platform":
                return [named], []  # the usual case, so that a fleet's folder is not listed for each of its files
        except SpecError as error:
            broken = error
    names = files.names()
    if named in names and broken:
        fault = document.problem(("platform",), f"{files.path(named)} cannot be read; correct it first.")
        return [named], [*broken.problems, fault]
    known = [name for name in names if _is_platform(name, files)]
    if named not in names:
        return known, []
    message = f"{files.path(named)} is not of kind Platform. {nearest(named, known)}"
    return [*known, named], [document.problem(("platform",), message)]


def _is_platform(name: str, files: StackFiles) -> bool:
    try:
        return parse_document(files.text(name), files.path(name)).values.get("kind") == "Platform"
    except SpecError:
        return False
