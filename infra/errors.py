"""What a user is told when a stack file is wrong, a plan cannot be made, or a platform is missing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with a stack file.

    Attributes:
        path: file as the user named it, such as `stacks/x.yaml`.
        line: 1-based line, 0 where the whole file is meant.
        column: 1-based column, 0 where the whole line or file is meant.
        field: dotted field name, empty where no field is meant.
        message: what is wrong and what would be right.
    """

    path: str
    line: int
    column: int
    field: str
    message: str

    def __str__(self) -> str:
        where = ":".join([self.path, *(str(number) for number in (self.line, self.column) if number)])
        return f"{where}: {self.field}: {self.message}" if self.field else f"{where}: {self.message}"


class StackError(Exception):
    """Base of everything this project refuses. `str()` is the whole text for the user.

    Attributes:
        exit_code: process exit code of the command line (design: 2 bad file, 3 no plan, 1 anything else).
        problems: every problem found, in file order.
    """

    exit_code = 1

    def __init__(self, message: str | None = None, problems: Iterable[Problem] = ()) -> None:
        self.problems = tuple(sorted(problems))
        lines = [str(problem) for problem in self.problems]
        super().__init__("\n".join(([message] if message else []) + lines))


class SpecError(StackError):
    """A stack file that cannot be read or is not a valid spec."""

    exit_code = 2


class PlanError(StackError):
    """A valid spec that cannot be served: it does not fit, or is not supported."""

    exit_code = 3


class PolicyError(StackError):
    """A valid spec with a plan, whose rendered objects break a rule: like a plan, it is the result that is refused."""

    exit_code = 3


class PlatformError(StackError):
    """A platform that is not there, or cannot be reached."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Sentence that helps after an unknown word: the nearest known word, then all of them.

    Returns:
        Text such as ``Did you mean 'h100'? Known: h100, h200, l4.``
    """
    names = sorted(known)
    if not names:
        return "None is known."
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    guess = f"Did you mean '{close[0]}'? " if close else ""
    return f"{guess}Known: {', '.join(names)}."
