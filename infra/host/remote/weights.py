"""Weights from the hub: all files of one revision, resumed where they stopped, and checked."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from infra.host.remote.failures import HostError

HUB = "https://huggingface.co"
_CHUNK_BYTES, _TRIES, _TIMEOUT_SECONDS = 2**20, 6, 60
_SPARE_BYTES = 2**30
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]*(/[A-Za-z0-9_][A-Za-z0-9._-]*){0,3}")
_LEFT_OUT = (".md", ".gitattributes", ".png", ".jpg", ".gguf", ".bin", ".pt", ".pth", ".pkl", ".py")
DONE = ".complete"


def fetch(repository: str, revision: str, folder: Path, pause_seconds: float = 1.0) -> None:
    """Have the files of a revision in `folder`: those that a model of MLX is made of, and no code.

    Raises:
        HostError: refused, not found, no room, another checksum, or no network.
    """
    if (folder / DONE).exists():
        _tell(f"{repository} is there")
        return
    folder.mkdir(parents=True, exist_ok=True)
    hub = os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
    address = f"{hub}/api/models/{repository}/tree/{revision}?recursive=1"
    files = [one for one in json.loads(_ask(address, repository, pause_seconds)) if _wanted(one)]
    if not any(one["path"].endswith(".safetensors") for one in files):
        raise HostError(f"{repository} at {revision} holds no weights in safetensors.")
    missing = sum(one["size"] - _there(folder / one["path"]) for one in files)
    free = shutil.disk_usage(folder).free
    if missing + _SPARE_BYTES > free:
        raise HostError(
            f"disk full: {repository} needs {missing / 2**30:.1f} GiB more and 1 GiB to spare, and {folder} has "
            f"{free / 2**30:.1f} GiB free. Remove what is not needed from there, or take a smaller precision."
        )
    for one in files:
        url = f"{hub}/{repository}/resolve/{revision}/{urllib.parse.quote(one['path'])}"
        _fetch_file(url, folder / one["path"], one, pause_seconds)
    (folder / DONE).write_text(f"{repository} {revision}\n", encoding="utf-8")


def _wanted(one: dict[str, Any]) -> bool:
    path = str(one.get("path", ""))
    return one.get("type") == "file" and _FILE.fullmatch(path) is not None and not path.endswith(_LEFT_OUT)


def _there(path: Path) -> int:
    """Bytes of a file that need not come again."""
    part = path.with_name(f"{path.name}.part")
    return next((one.stat().st_size for one in (path, part) if one.exists()), 0)


def _fetch_file(url: str, path: Path, stated: dict[str, Any], pause_seconds: float) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    size, wanted = int(stated["size"]), (stated.get("lfs") or {}).get("oid", "")
    for number in range(_TRIES):
        have = part.stat().st_size if part.exists() else 0
        if have == size:
            break
        if have > size:
            part.unlink()
            have = 0
        _tell(f"{path.name}: {have / 2**30:.2f} of {size / 2**30:.2f} GiB")
        try:
            _get(url, part, have)
        except urllib.error.HTTPError as wrong:
            _refused(wrong, url)
            fault = f"the hub answers HTTP {wrong.code}"
        except (OSError, EOFError) as wrong:
            if getattr(wrong, "errno", None) == 28:
                raise HostError(f"disk full while {path.name} came: make room on the machine, and run again.") from None
            fault = f"no answer from the hub ({wrong})"
        else:
            continue
        if number + 1 < _TRIES:
            _tell(f"{fault}; trying again")
            time.sleep(pause_seconds * 2**number)
    if not part.exists() or part.stat().st_size != size:
        raise HostError(f"network: {url} did not come whole in {_TRIES} tries; run again, and it goes on where it is.")
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest() if wanted else ""
    if found != wanted:
        part.unlink()
        raise HostError(f"wrong checksum of {url}: the hub states {wanted}, got {found}. Run again to fetch it anew.")
    part.replace(path)


def _get(url: str, part: Path, have: int) -> None:
    asked = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(asked, timeout=_TIMEOUT_SECONDS) as answer:
        mode = "ab" if answer.status == 206 else "wb"
        with part.open(mode) as file:
            while chunk := answer.read(_CHUNK_BYTES):
                file.write(chunk)


def _ask(url: str, repository: str, pause_seconds: float) -> bytes:
    fault = ""
    for number in range(_TRIES):
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:
                found: bytes = answer.read()
                return found
        except urllib.error.HTTPError as wrong:
            _refused(wrong, repository)
            fault = f"HTTP {wrong.code}"
        except OSError as wrong:
            fault = str(wrong)
        if number + 1 < _TRIES:
            time.sleep(pause_seconds * 2**number)
    raise HostError(f"network: the hub does not answer for {repository} ({fault}). Can the machine reach it?")


def _refused(wrong: urllib.error.HTTPError, what: str) -> None:
    if wrong.code in (401, 403):
        raise HostError(f"access refused (HTTP {wrong.code}) to {what}: no such repository, or one with a licence.")
    if wrong.code == 404:
        raise HostError(f"not found (HTTP 404): {what}. Is weights.revision one of its commits?")


def _tell(line: str) -> None:
    print(f"weights: {line}", file=sys.stderr, flush=True)
