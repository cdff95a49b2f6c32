"""One GET, whole or with the reason why not: bounded in size, time, tries and hops, and quiet about secrets."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from infra.text import printable

TRIES, PAUSE_SECONDS, MOST_PAUSE_SECONDS = 4, 1.0, 30.0
_CONNECT_SECONDS, _READ_SECONDS, _WHOLE_SECONDS = 10, 20, 60
_BIGGEST_BYTES = 8 * 1024 * 1024  # of manifests, registries take 4 MiB at least (OCI distribution-spec 1.1)
_HOPS = 4
_REDIRECTS, _AGAIN = (301, 302, 303, 307, 308), (408, 429, 500, 502, 503, 504)
_SHOWN = 120


class AskingError(Exception):
    """Why there is no answer, in words for the user."""


@dataclass(frozen=True)
class Answer:
    """A status, its headers and its body as they came over the wire."""

    status: int
    headers: httpx.Headers
    body: bytes


class Asker:
    """Asks, and asks again where that may help. Threads may share it."""

    def __init__(self) -> None:
        # Proxies and certificate authorities are the environment's; redirects are followed below.
        timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
        self._client = httpx.Client(timeout=timeout, follow_redirects=False)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def get(self, url: str, headers: Mapping[str, str], secret: str = "") -> Answer:
        """The answer of a server, whatever its status, once it is none that may be better the next time.

        Args:
            url: http or https.
            headers: to send to whoever answers.
            secret: value of the header Authorization, for the host of `url` alone.

        Raises:
            AskingError: no network, too many tries, or an answer that is too large, slow or goes in circles.
        """
        for attempt in range(TRIES):
            try:
                found = self._follow(url, headers, secret)
                if found.status not in _AGAIN:
                    return found
                said, wait = f"HTTP {found.status}", _told_seconds(found.headers)
            except (httpx.InvalidURL, UnicodeError):
                raise AskingError("it has no address that can be asked.") from None
            except httpx.HTTPError as error:
                said, wait = f"{type(error).__name__}: {short(str(error))}", None
            if attempt + 1 < TRIES:
                pause = PAUSE_SECONDS * 2**attempt if wait is None else wait
                time.sleep(min(pause, MOST_PAUSE_SECONDS))
        hint = {"HTTP 429": "; it limits how often it may be asked: log in, or wait"}.get(said, "")
        raise AskingError(f"{_host(url)} does not answer: {said}, {TRIES} times in a row{hint}.")

    def _follow(self, url: str, headers: Mapping[str, str], secret: str) -> Answer:
        here = httpx.URL(url)
        home = (here.scheme, here.host, here.port)
        for _ in range(_HOPS):
            own = {"Authorization": secret} if secret and (here.scheme, here.host, here.port) == home else {}
            found = self._once(here, {**headers, **own})
            if found.status not in _REDIRECTS:
                return found
            try:
                to = here.join(found.headers.get("Location", ""))
            except httpx.InvalidURL:
                raise AskingError(f"{_host(url)} redirects to what is no address.") from None
            if to.scheme not in ("http", "https") or (here.scheme == "https" and to.scheme != "https"):
                raise AskingError(f"{_host(url)} redirects to {to.scheme or 'nowhere'}, which is not safe.")
            here = to
        raise AskingError(f"{_host(url)} redirects from place to place.")

    def _once(self, url: httpx.URL, headers: Mapping[str, str]) -> Answer:
        until = time.monotonic() + _WHOLE_SECONDS
        plain = {"User-Agent": "servestack", "Accept-Encoding": "identity", **headers}
        with self._client.stream("GET", url, headers=plain) as answer:
            body = bytearray()
            for piece in answer.iter_raw():
                body += piece
                if len(body) > _BIGGEST_BYTES:
                    raise AskingError(f"{url.host} answers more than {_BIGGEST_BYTES // 2**20} MiB.")
                if time.monotonic() > until:
                    raise AskingError(f"{url.host} sends its answer too slowly.")
            return Answer(answer.status_code, answer.headers, bytes(body))


def short(text: str) -> str:
    """Words of a server, on one line, without control characters, shortened."""
    line = " ".join(printable(text).split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "..."


def _told_seconds(headers: httpx.Headers) -> float | None:
    """Seconds of `Retry-After`; its other form, a date, is left to the usual pause."""
    told = headers.get("Retry-After", "")
    return float(told) if told.isascii() and told.isdigit() and len(told) < 6 else None


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc
