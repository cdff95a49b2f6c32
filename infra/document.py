"""A stack file as data with positions: YAML text in, plain values and the line of each out.

Stack files come from pull requests and are hostile until proved otherwise, so the accepted YAML is small: one
document, no anchors, aliases, tags or merge keys, no duplicate keys, bounded size and depth. YAML 1.1 reads `no` as a
truth value and `010` as eight; whoever reviews a file does not, so neither is accepted.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import yaml

from infra.errors import Problem, SpecError

MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
_SCALARS = {"bool", "float", "int", "null", "str"}
# Spellings that mean the same to YAML 1.1, YAML 1.2 and a reader, by type.
_PLAIN = {
    "bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "float": re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]*([eE][-+][0-9]+)?"),
    "int": re.compile(r"[-+]?(0|[1-9][0-9]*)"),
}
_TYPES = {"bool": "truth value", "float": "number", "int": "number"}
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,60}")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

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


def parse_document(text: str, path: str) -> Document:
    """Parse one stack file.

    Raises:
        SpecError: not exactly one YAML mapping within the limits above; every problem has its line. Lesser problems
            are in `Document.problems`, so that the checks that follow can add theirs.
    """
    size = len(text.encode())
    if size > MAX_BYTES:
        raise _error(path, 0, 0, f"{size:,} bytes; a stack file has at most {MAX_BYTES:,}.")
    _refuse_characters(text, path)
    _refuse_features(text, path)
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _syntax(error, path) from None
    if root is None:
        raise _error(path, 0, 0, "the file is empty; a stack file starts with 'apiVersion: servestack/v1'.")
    if not isinstance(root, yaml.MappingNode):
        mark = root.start_mark
        raise _error(path, mark.line + 1, mark.column + 1, "expected 'key: value' lines at the top level.")
    reader = _Reader(path)
    values = reader.value(root, ())
    return Document(path, values, reader.positions, reader.keys, tuple(reader.problems))


def _refuse_characters(text: str, path: str) -> None:
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


def _refuse_features(text: str, path: str) -> None:
    """Refuse what could expand, hide or run something, before any node is built."""
    documents = depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            mark = event.start_mark
            at = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _error(path, *at, "a second document; a stack file holds one. Split the file.")
            elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _error(path, *at, "YAML anchors and aliases are not accepted; write the value out.")
            elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
                raise _error(path, *at, f"YAML tag {quoted(event.tag)} is not accepted; remove it.")
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise _error(path, *at, f"nested more than {MAX_DEPTH} levels deep.")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError as error:
        raise _syntax(error, path) from None


class _Reader:
    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.positions: dict[Path, tuple[int, int]] = {}
        self.keys: dict[Path, tuple[int, int]] = {}

    def value(self, node: yaml.Node, location: Path) -> Any:
        self.positions.setdefault(location, _position(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*location, index)) for index, item in enumerate(node.value)]
        kind = node.tag.rpartition(":")[2]
        if kind not in _SCALARS:
            return node.value
        if kind == "null":
            self.problems.append(
                Problem(self.path, *_position(node), field_name(location), "no value; write one, or remove it.")
            )
        if kind in _PLAIN and not _PLAIN[kind].fullmatch(node.value):
            right = "true or false" if kind == "bool" else "plain decimal digits"
            message = f"YAML reads {quoted(node.value)} as a {_TYPES[kind]}; write {right}, or quote it if it is text."
            self.problems.append(Problem(self.path, *_position(node), field_name(location), message))
            return node.value
        try:
            return yaml.SafeLoader("").construct_object(node)
        except (ValueError, OverflowError):
            self.problems.append(
                Problem(self.path, *_position(node), field_name(location), "a number too long to be meant.")
            )
            return None

    def _mapping(self, node: yaml.MappingNode, location: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line, column = _position(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem(self.path, line, column, "", "a key must be a plain word."))
                continue
            key = key_node.value
            if key in result:
                message = f"duplicate key, first used in line {first[key]}; keep one."
                self.problems.append(Problem(self.path, line, column, field_name((*location, key)), message))
                continue
            first[key] = line
            self.keys[(*location, key)] = (line, column)
            result[key] = self.value(value_node, (*location, key))
        return result


def _position(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _error(path: str, line: int, column: int, message: str) -> SpecError:
    return SpecError(problems=[Problem(path, line, column, "", message)])


def _syntax(error: yaml.YAMLError, path: str) -> SpecError:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error).split("\n")[0]
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return _error(path, line, column, f"not valid YAML: {reason}.")
