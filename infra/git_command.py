"""`git`, asked for objects of a repository; it changes none, and no file of the working tree is looked at."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.errors import StackError

FILE_MODES = ("100644", "100755")


@dataclass(frozen=True)
class Blob:
    """A file of a revision, by the name of its object: equal for equal content."""

    mode: str
    object_id: str
    size: int


def git(folder: Path, *arguments: str, given: str = "") -> bytes:
    """What git prints.

    Raises:
        StackError: there is no git, or it fails; its first line says why.
    """
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, input=given.encode(), capture_output=True, check=False)
    except FileNotFoundError:
        raise StackError("git is not there: install it, as reviews read revisions with it.") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise StackError(f"git: {said[0] if said else 'failed'}")
    return done.stdout


def merge_base(folder: Path, one: str, other: str) -> str | None:
    """Commit from which two commits come; None where there is none, or it was not fetched."""
    try:
        return git(folder, "merge-base", one, other).decode().split()[0]
    except StackError:
        return None


def uncommitted(folder: Path) -> int:
    """How many files below a folder are not as the last commit has them."""
    return len(git(folder, "status", "--porcelain", "--", ".").splitlines())


def listed(folder: Path, commit: str, *paths: str, deep: bool = False) -> Iterator[tuple[str, Blob]]:
    """Path from the top of the repository and object of everything below some paths; of a folder itself without."""
    top = ["ls-tree", "-z", "-l", "--full-tree", *(["-r"] if deep else []), commit, *(["--", *paths] if paths else [])]
    for entry in filter(None, git(folder, *top).split(b"\0")):
        head, _, path = entry.partition(b"\t")
        mode, _kind, object_id, size = head.decode().split()
        yield path.decode("utf-8", "replace"), Blob(mode, object_id, int(size) if size.isdecimal() else 0)


def contents(folder: Path, object_ids: set[str]) -> dict[str, bytes]:
    """Content of files by their objects, read by one git, as a fleet has a thousand."""
    answer = git(folder, "cat-file", "--batch", given="".join(f"{one}\n" for one in sorted(object_ids)))
    found, at = {}, 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        object_id, _kind, size = answer[at:end].decode().split()
        found[object_id] = answer[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)
    return found
