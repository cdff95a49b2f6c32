"""Weights from the hub: resumed where they stopped, compared with what it states, and there whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import os
import re
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import IO, Any

from infra.local.failures import LocalError

HUB = "https://huggingface.co"
_CHUNK_BYTES = 2**20
_TRIES, _HOPS, _TIMEOUT_SECONDS, _TOLD_EVERY_SECONDS = 6, 6, 60, 5.0
_SPARE_BYTES = 64 * 2**20  # log, key and what others write meanwhile
_REDIRECTS = (301, 302, 303, 307, 308)
_NETWORK = (urllib.error.URLError, http.client.HTTPException, OSError)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def tell(line: str) -> None:
    """One line of progress."""
    print(f"weights: {line}", file=sys.stderr, flush=True)


def fetch(address: str, target: Path, sha256: str = "", pause_seconds: float = 1.0) -> None:
    """Have a file of the hub at `target`; one that is there and was verified is not fetched again.

    Args:
        address: `REPOSITORY/resolve/REVISION/FILE`.
        target: where it goes.
        sha256: what it has to be; what the hub states where empty.
        pause_seconds: before the second try; each further one waits twice as long.

    Raises:
        LocalError: refused, not found, no room, another checksum, or no network.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    mark, part = target.with_name(f"{target.name}.verified"), target.with_name(f"{target.name}.part")
    with _locked(target.with_name(f".{target.name}.lock")):
        if _verified(target, mark, sha256):
            tell(f"{target.name} is there")
            return
        hub = os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
        size, stated = _look(f"{hub}/{address}", pause_seconds)
        wanted = sha256 or stated
        if not wanted:
            raise LocalError(f"the hub states no checksum for {address}, so it cannot be checked.")
        _check_room(target, part, size)
        _get(f"{hub}/{address}", part, size, pause_seconds)
        tell(f"checking {target.name}")
        check_sum(part, wanted, f"of {hub}/{address}", remove=True)
        part.replace(target)
        mark.write_text(_seal(target, wanted), encoding="utf-8")
        tell(f"{target.name} is complete")


def check_sum(path: Path, wanted: str, what: str, *, remove: bool) -> None:
    """See that a file is what it has to be.

    Raises:
        LocalError: it is not; the file is gone then, if it is ours.
    """
    with path.open("rb") as file:
        real = hashlib.file_digest(file, "sha256").hexdigest()
    if real == wanted:
        return
    if remove:
        path.unlink()
    gone = "It was removed; run again to fetch it anew." if remove else "Correct weights.sha256, or the file."
    raise LocalError(f"wrong checksum {what}: expected {wanted}, got {real}. {gone}")


def forget(target: Path) -> None:
    """Remove a downloaded file and what lies beside it; folders that are empty then go too."""
    for name in (target.name, f"{target.name}.part", f"{target.name}.verified", f".{target.name}.lock"):
        target.with_name(name).unlink(missing_ok=True)
    for folder in list(target.parents)[:3]:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _verified(target: Path, mark: Path, sha256: str) -> bool:
    if not target.is_file() or not mark.is_file():
        return False
    noted = mark.read_text(encoding="utf-8")
    return noted == _seal(target, noted.split()[0] if noted else "") and (not sha256 or noted.startswith(sha256))


def _seal(target: Path, sha256: str) -> str:
    known = target.stat()
    return f"{sha256} {known.st_size} {known.st_mtime_ns}"


def _headers(url: str) -> dict[str, str]:
    """The token goes to the hub alone, never to the storage to which it sends us."""
    token = os.environ.get("HF_TOKEN", "").strip()
    hub = urllib.parse.urlsplit(os.environ.get("HF_ENDPOINT", HUB)).netloc
    return {"Authorization": f"Bearer {token}"} if token and urllib.parse.urlsplit(url).netloc == hub else {}


@contextlib.contextmanager
def _ask(url: str, method: str, more: dict[str, str]) -> Iterator[tuple[int, Message, IO[bytes]]]:
    request = urllib.request.Request(url, method=method, headers={**_headers(url), **more})
    try:
        answer = _OPENER.open(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as failed:
        answer = failed
    with answer:
        yield answer.status, answer.headers, answer


def _refuse(code: int, url: str) -> None:
    plain = url.partition("?")[0]
    if code in (401, 403):
        raise LocalError(f"access refused (HTTP {code}): {plain}. Accept the model's licence on the hub, set HF_TOKEN.")
    if code == 404:
        raise LocalError(f"not found (HTTP 404): {plain}. Check weights.checkpoint and weights.revision.")
    if 400 <= code < 500 and code not in (408, 416, 429):
        raise LocalError(f"the hub answers HTTP {code}: {plain}.")


def _look(url: str, pause: float) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a file, which the hub states in the headers of its redirect to the storage."""
    stated = ""
    size: int | None = None
    for _ in range(_HOPS):
        code, headers = _head(url, pause)
        tag = headers.get("X-Linked-Etag", "").strip('"')
        stated = stated or (tag if re.fullmatch(r"[0-9a-f]{64}", tag) else "")
        linked = headers.get("X-Linked-Size") or (headers.get("Content-Length") if code == 200 else None)
        size = int(linked) if linked and linked.isdigit() else size
        if code == 200 or (stated and size is not None):
            break
        url = urllib.parse.urljoin(url, headers.get("Location", ""))
    if size is None:
        raise LocalError(f"the hub does not say how large {url.partition('?')[0]} is.")
    return size, stated


def _head(url: str, pause: float) -> tuple[int, Message]:
    for attempt in range(_TRIES):
        try:
            with _ask(url, "HEAD", {}) as (code, headers, _):
                _refuse(code, url)
                if code == 200 or code in _REDIRECTS:
                    return code, headers
                said = f"HTTP {code}"
        except _NETWORK as failed:
            said = _words(failed)
        _again(said, url, attempt, pause)
    raise AssertionError("the last try raises")


def _again(said: str, url: str, attempt: int, pause: float) -> None:
    if attempt + 1 >= _TRIES:
        raise LocalError(f"no network: {url.partition('?')[0]}: {said}, {_TRIES} times in a row.")
    wait = pause * 2**attempt
    tell(f"{said}; trying again in {wait:g} s")
    time.sleep(wait)


def _words(failed: BaseException) -> str:
    return str(getattr(failed, "reason", None) or failed) or type(failed).__name__


def _check_room(target: Path, part: Path, size: int) -> None:
    have = part.stat().st_size if part.exists() else 0
    needed, free = size - have + _SPARE_BYTES, shutil.disk_usage(target.parent).free
    if needed > free:
        raise LocalError(
            f"no disk space: {target.name} needs {needed / 2**30:,.1f} GiB more, {free / 2**30:,.1f} GiB are free in "
            f"{target.parent}. Make room, or set SERVESTACK_DATA to a folder on another disk."
        )


def _get(url: str, part: Path, size: int, pause: float) -> None:
    attempt = 0
    while (have := part.stat().st_size if part.exists() else 0) != size:
        if have > size:
            part.unlink()
            continue
        try:
            said = _append(url, part, have, size)
        except _NETWORK as failed:
            if isinstance(failed, OSError) and failed.errno in (28, 122):
                raise LocalError(
                    f"no disk space: {part} could not be written beyond {have / 2**30:,.1f} GiB."
                ) from None
            said = _words(failed)
        now = part.stat().st_size if part.exists() else 0
        if now == size:
            return
        attempt = 0 if now > have else attempt + 1
        _again(said or "it ended early", url, max(attempt - 1, 0), pause)


def _append(url: str, part: Path, have: int, size: int) -> str:
    """Fetch what is missing; why it did not go well, or nothing."""
    for _ in range(_HOPS):
        with _ask(url, "GET", {"Range": f"bytes={have}-"} if have else {}) as (code, headers, body):
            _refuse(code, url)
            if code in _REDIRECTS:
                url = urllib.parse.urljoin(url, headers.get("Location", ""))
                continue
            if code == 416 or (code == 200 and have):  # it does not resume: from the beginning
                part.unlink(missing_ok=True)
                have = 0
                if code == 416:
                    continue
            if code not in (200, 206):
                return f"HTTP {code}"
            _write(body, part, have, size)
            return ""
    return "it is sent from place to place"


def _write(body: IO[bytes], part: Path, have: int, size: int) -> None:
    told, began = time.monotonic() - _TOLD_EVERY_SECONDS, time.monotonic()
    done = 0
    with part.open("ab") as file:
        while data := body.read(_CHUNK_BYTES):
            file.write(data)
            done += len(data)
            if time.monotonic() - told >= _TOLD_EVERY_SECONDS:
                told = time.monotonic()
                rate = done / max(told - began, 0.001) / 2**20
                tell(
                    f"{part.stem} {100 * (have + done) // max(size, 1)} % of {size / 2**30:,.2f} GiB, {rate:,.0f} MiB/s"
                )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two stacks with the same weights fetch them once."""
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
