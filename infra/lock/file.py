"""`servestack.lock` as text: written sorted, so that a pull request shows one line per change, and read as hostile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from infra.document import Document, parse_document, quoted
from infra.errors import Problem, SpecError, nearest
from infra.lock.records import KINDS, Lock
from infra.spec.fields import REPOSITORY_PATTERN

LOCK_FILE = "servestack.lock"
MAX_BYTES = 1024 * 1024
_VERSION = 1
_HEADER = "# Written by `servestack lock`: commit it. `servestack lock --upgrade` asks for newer ones.\n"
_KEYS = {"image": "images", "repository": "repositories"}
# As stack files and the catalogue name images: with a tag, and no digest.
_IMAGE = r"[a-z0-9][a-z0-9.-]{0,99}(:[0-9]{1,5})?(/[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?){0,6}:[A-Za-z0-9_][\w.-]{0,127}"
# What a name has to be, its value, and both in words.
_NAMES = {"image": re.compile(_IMAGE, re.ASCII), "repository": re.compile(REPOSITORY_PATTERN)}
_VALUES = {"image": re.compile(r"sha256:[0-9a-f]{64}"), "repository": re.compile(r"[0-9a-f]{40}")}
_SHOWN = {
    "image": ("an image with its tag", "a digest, sha256: and 64 hexadecimal digits"),
    "repository": ("a repository of the hub, OWNER/NAME", "a commit, 40 hexadecimal digits"),
}
_LONGEST_NAME = 255
_AGAIN = "Take the line from version control, or delete it and run: servestack lock"


def lock_text(lock: Lock) -> str:
    """The file's text; equal locks have equal bytes. Commits are quoted: one without letters would be a number."""
    lines = [_HEADER, f"version: {_VERSION}\n"]
    for kind in KINDS:
        entries = sorted(lock.of_kind(kind).items())
        lines.append(f"{_KEYS[kind]}:\n" if entries else f"{_KEYS[kind]}: {{}}\n")
        mark = '"' if kind == "repository" else ""
        lines += [f"  {name}: {mark}{value}{mark}\n" for name, value in entries]
    return "".join(lines)


def parse_lock(text: str, path: str) -> Lock:
    """Read a lock file. The last ones are kept, so that a fleet's is read once.

    Raises:
        SpecError: not what `lock_text` writes; every problem with its line.
    """
    found = _parsed(text, path)
    if isinstance(found, SpecError):
        raise SpecError(problems=found.problems)
    return found


@lru_cache(maxsize=4)
def _parsed(text: str, path: str) -> Lock | SpecError:
    """The lock, or why it is refused: kept as well, as every stack of a folder asks."""
    if not text.strip():
        message = "the file is empty; delete it and run: servestack lock"
        return SpecError(problems=[Problem(path, 0, 0, "", message)])
    try:
        document = parse_document(text, path, most_bytes=MAX_BYTES)
    except SpecError as error:
        return error
    problems = [*document.problems, *_problems(document)]
    if problems:
        return SpecError(problems=problems)
    images, repositories = (dict(document.values[_KEYS[kind]]) for kind in KINDS)
    return Lock(MappingProxyType(images), MappingProxyType(repositories))


def _problems(document: Document) -> list[Problem]:
    known, found = ("version", *(_KEYS[kind] for kind in KINDS)), []
    for key in document.values:
        if key not in known:
            found.append(document.problem((key,), f"unknown key. {nearest(key, known)}", at_key=True))
    version = document.values.get("version")
    if type(version) is not int or version != _VERSION:
        what = "missing" if version is None else f"{quoted(version)} is not known"
        found.append(document.problem(("version",), f"{what}; this program reads version {_VERSION}."))
    for kind in KINDS:
        entries: Any = document.values.get(_KEYS[kind])
        if not isinstance(entries, Mapping):
            found.append(document.problem((_KEYS[kind],), "missing, or no mapping; write {} where there is none."))
            continue
        for name, value in entries.items():
            found += _entry_problems(document, kind, name, value)
    return found


def _entry_problems(document: Document, kind: str, name: str, value: object) -> list[Problem]:
    place, (named, valued) = (_KEYS[kind], name), _SHOWN[kind]
    if len(name) > _LONGEST_NAME or not _NAMES[kind].fullmatch(name):
        return [document.problem(place, f"not {named}. {_AGAIN}", at_key=True)]
    if not isinstance(value, str) or not _VALUES[kind].fullmatch(value):
        return [document.problem(place, f"{quoted(value)} is not {valued}. {_AGAIN}")]
    return []
