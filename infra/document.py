"""A stack file as data with positions: YAML text in, plain values and the line of each out.

Stack files come from pull requests and are hostile until proved otherwise, so the accepted YAML is small: one
document, no anchors, aliases, tags or merge keys, no duplicate keys, bounded size and depth. YAML 1.1 reads `no` as a
truth value and `010` as eight; whoever reviews a file does not, so neither is accepted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from infra.errors import Problem, SpecError

MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
# How the text of a scalar becomes a value, by type; anything else, such as a date, stays text.
_VALUES: dict[str, Callable[[str], Any]] = {
    "bool": lambda text: text.lower() == "true",
    "float": float,
    "int": int,
    "null": lambda _: None,
}
# Spellings that mean the same to YAML 1.1, YAML 1.2 and a reader, by type.
_PLAIN = {
    "bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "float": re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]*([eE][-+][0-9]+)?"),
    "int": re.compile(r"[-+]?(0|[1-9][0-9]*)"),
}
_TYPES = {"bool": "truth value", "float": "number", "int": "number"}
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,60}")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Any = yaml.resolver.Resolver()

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """Parsed stack file.

    Attributes:
        path: file as the user named it.
        values: the top-level mapping as plain Python values.
        positions: (line, column), 1-based, of each value by its path.
        keys: the same of each key.
        problems: what is wrong with single keys and scalars; the rest of the file could be read.
    """

    path: str
    values: dict[str, Any]
    positions: dict[Path, tuple[int, int]]
    keys: dict[Path, tuple[int, int]]
    problems: tuple[Problem, ...] = ()

    def problem(self, location: Path, message: str, *, at_key: bool = False) -> Problem:
        """Problem at a field; falls back to the nearest enclosing field that the file really has."""
        positions = self.keys if at_key else self.positions
        known = location
        while known and known not in positions:
            known = known[:-1]
        line, column = positions.get(known, (1, 1))
        return Problem(self.path, line, column, field_name(location), message)


def field_name(location: Path) -> str:
    """A path as people write it: `engine.args[0]`. A key that is no plain word is quoted, so that it stays one line."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_word(part)}" for part in location).removeprefix(".")


def quoted(value: object) -> str:
    """A value as it is shown in a message: on one line, no control characters, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else text[:56] + "..." + text[-1] * (text[-1] in "'\"]}")


def _word(key: str) -> str:
    return key if _PLAIN_WORD.fullmatch(key) else quoted(key)


@lru_cache(maxsize=16)  # a platform's file is parsed for each of its endpoints
def parse_document(text: str, path: str, most_bytes: int = MAX_BYTES) -> Document:
    """Parse one stack file, or another of its kind that may be larger. Callers share the result, and leave it as it is.

    Raises:
        SpecError: not exactly one YAML mapping within the limits above; every problem has its line. Lesser problems
            are in `Document.problems`, so that the checks that follow can add theirs.
    """
    size = len(text.encode())
    if size > most_bytes:
        kind = "a stack file" if most_bytes == MAX_BYTES else "this file"
        raise _error(path, 0, 0, f"{size:,} bytes; {kind} has at most {most_bytes:,}.")
    _refuse_characters(text, path)
    reader = _Reader(path, _events(text, path))
    root = next((event for event in reader.events if isinstance(event, yaml.NodeEvent)), None)
    if root is None:
        raise _error(path, 0, 0, "the file is empty; a stack file starts with 'apiVersion: servestack/v1'.")
    values = reader.value(root, ())
    for _ in reader.events:
        pass  # what comes after the mapping is checked as well
    if not isinstance(root, yaml.MappingStartEvent):
        raise _error(path, *_position(root), "expected 'key: value' lines at the top level.")
    return Document(path, values, reader.positions, reader.keys, tuple(reader.problems))


def _refuse_characters(text: str, path: str) -> None:
    if text.replace("\n", "").isprintable():
        return
    problems = []
    for number, line in enumerate(text.split("\n"), start=1):
        tab = line.find("\t")
        if tab >= 0:
            problems.append(Problem(path, number, tab + 1, "", "a tab; YAML wants spaces here."))
        for column, character in enumerate(line.removesuffix("\r"), start=1):
            start = number == column == 1
            if not character.isprintable() and character != "\t" and not (start and character == "\ufeff"):
                kind = "control" if unicodedata.category(character) == "Cc" else "invisible"
                problems.append(
                    Problem(path, number, column, "", f"{kind} character U+{ord(character):04X}; remove it.")
                )
                break
    if problems:
        raise SpecError(problems=problems)


def _events(text: str, path: str) -> Iterator[yaml.Event]:
    """Events of the parser; what could expand, hide or run something is refused before its value is built."""
    documents = depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _error(path, *_position(event), "a second document; a stack file holds one. Split the file.")
            elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _error(path, *_position(event), "YAML anchors and aliases are not accepted; write the value out.")
            elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
                raise _error(path, *_position(event), f"YAML tag {quoted(event.tag)} is not accepted; remove it.")
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise _error(path, *_position(event), f"nested more than {MAX_DEPTH} levels deep.")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            yield event
    except yaml.YAMLError as error:
        raise _syntax(error, path) from None


class _Reader:
    def __init__(self, path: str, events: Iterator[yaml.Event]) -> None:
        self.path = path
        self.events = events
        self.problems: list[Problem] = []
        self.positions: dict[Path, tuple[int, int]] = {}
        self.keys: dict[Path, tuple[int, int]] = {}

    def value(self, event: yaml.Event, location: Path) -> Any:
        """The value that begins with an event, with positions and problems kept."""
        self.positions[location] = _position(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(location)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self.value(item, (*location, index)) for index, item in enumerate(self._items())]
        assert isinstance(event, yaml.ScalarEvent)
        text: str = event.value
        kind = _RESOLVER.resolve(yaml.ScalarNode, text, event.implicit).rpartition(":")[2]
        if kind not in _VALUES:
            return text
        if kind == "null":
            self._problem(event, location, "no value; write one, or remove it.")
        if kind in _PLAIN and not _PLAIN[kind].fullmatch(text):
            right = "true or false" if kind == "bool" else "plain decimal digits"
            message = f"YAML reads {quoted(text)} as a {_TYPES[kind]}; write {right}, or quote it if it is text."
            self._problem(event, location, message)
            return text
        try:
            return _VALUES[kind](text)
        except ValueError:
            self._problem(event, location, "a number too long to be meant.")
            return None

    def _items(self) -> Iterator[yaml.Event]:
        """First events of what a collection holds, up to its end; the caller reads the rest of each."""
        while not isinstance(event := next(self.events), yaml.CollectionEndEvent):
            yield event

    def _mapping(self, location: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for event in self._items():
            if not isinstance(event, yaml.ScalarEvent):
                self._problem(event, (), "a key must be a plain word.")
                self._skip(event)
                self._skip(next(self.events))
                continue
            key = event.value
            here = (*location, key)
            if key in result:
                self._problem(event, here, f"duplicate key, first used in line {self.keys[here][0]}; keep one.")
                self._skip(next(self.events))
                continue
            self.keys[here] = _position(event)
            result[key] = self.value(next(self.events), here)
        return result

    def _skip(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.CollectionStartEvent):
            for item in self._items():
                self._skip(item)

    def _problem(self, event: yaml.Event, location: Path, message: str) -> None:
        self.problems.append(Problem(self.path, *_position(event), field_name(location), message))


def _position(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _error(path: str, line: int, column: int, message: str) -> SpecError:
    return SpecError(problems=[Problem(path, line, column, "", message)])


def _syntax(error: yaml.YAMLError, path: str) -> SpecError:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error).split("\n")[0]
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return _error(path, line, column, f"not valid YAML: {reason}.")
