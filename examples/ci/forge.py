"""The REST API of GitHub or GitLab: JSON in and out, every page, refusals as one sentence. Standard library only."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import IO, Any

TIMEOUT_SECONDS = 60
MAX_PAGES = 100
MAX_ANSWER_BYTES = 20 * 2**20
_SHOWN_CHARACTERS = 200
_REDIRECTS = (301, 302, 303, 307, 308)


class ForgeError(Exception):
    """What went wrong, for the log of the job; `status` is that of HTTP, 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Forge:
    """One API, and the header that says who calls. The token goes to that API and nowhere else."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Accept": "application/json", "User-Agent": "servestack-ci", **headers}
        self._opener = urllib.request.build_opener(_Stay)

    def get(self, path: str, **query: str | int) -> Any:
        """One answer.

        Raises:
            ForgeError: no answer, or a refusal.
        """
        return _json(self._open("GET", self._address(path, query), None)[0])

    def pages(self, path: str, **query: str | int) -> Iterator[Any]:
        """Every element of a list, over all its pages; under `query['key']`, where the list is a field of the answer.

        Raises:
            ForgeError: as `get`; a next page at another host, or too many of them.
        """
        address = self._address(path, {"per_page": 100, **query})
        for _ in range(MAX_PAGES):
            body, headers = self._open("GET", address, None)
            found = _json(body)
            yield from (
                found if isinstance(found, list) else next(one for one in found.values() if isinstance(one, list))
            )
            following = re.search(r'<([^>]+)>\s*;\s*rel="next"', headers.get("Link", ""))
            if following is None:
                return
            address = following[1]
            if not address.startswith(f"{self._url}/"):
                raise ForgeError(f"the next page of {path} is not of {self._url}")
        raise ForgeError(f"{path} has more than {MAX_PAGES} pages")

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Create or change something.

        Raises:
            ForgeError: no answer, or a refusal.
        """
        return _json(self._open(method, self._address(path, {}), json.dumps(body).encode())[0])

    def download(self, path: str, limit_bytes: int) -> bytes:
        """A file; from another host, to which the API may send us, without the token.

        Raises:
            ForgeError: as `get`; larger than the limit.
        """
        body, headers = self._open("GET", self._address(path, {}), None, limit_bytes)
        location = headers.get("Location")
        if location is None:
            return body
        if urllib.parse.urlsplit(location).scheme != urllib.parse.urlsplit(self._url).scheme:
            raise ForgeError(f"{path} is sent to an address of another kind")
        bare = urllib.request.Request(location, headers={"User-Agent": self._headers["User-Agent"]})
        return self._answer(bare, f"GET {path}", limit_bytes)[0]

    def _address(self, path: str, query: Mapping[str, str | int]) -> str:
        return f"{self._url}/{path.lstrip('/')}" + (f"?{urllib.parse.urlencode(query)}" if query else "")

    def _open(
        self, method: str, address: str, body: bytes | None, limit_bytes: int = MAX_ANSWER_BYTES
    ) -> tuple[bytes, Message]:
        headers = self._headers | ({"Content-Type": "application/json"} if body is not None else {})
        request = urllib.request.Request(address, body, headers, method=method)
        return self._answer(request, f"{method} {urllib.parse.urlsplit(address).path}", limit_bytes)

    def _answer(self, request: urllib.request.Request, told: str, limit_bytes: int) -> tuple[bytes, Message]:
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                body = answer.read(limit_bytes + 1)
                if len(body) > limit_bytes:
                    raise ForgeError(f"{told}: larger than {limit_bytes:,} bytes")
                return body, answer.headers
        except urllib.error.HTTPError as error:
            if error.code in _REDIRECTS:
                return b"", error.headers
            raise ForgeError(f"{told}: {error.code} {_said(error)}{_hint(error.code)}", error.code) from None
        except OSError as error:
            raise ForgeError(f"{told}: no answer: {getattr(error, 'reason', error)}") from None


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the built-in handler would take the token along to another host."""

    def redirect_request(self, *_ignored: Any) -> None:
        return None


def quoted(text: str) -> str:
    """One segment of a path, whatever it holds."""
    return urllib.parse.quote(text, safe="")


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise ForgeError("the answer is not JSON; is the address that of an API?") from None


def _said(error: IO[bytes]) -> str:
    try:
        found = json.loads(error.read(10_000))
        said = found.get("message") or found.get("error")
    except (ValueError, AttributeError, OSError):
        said = None
    return re.sub(r"[^ -~]", " ", str(said or "without a reason"))[:_SHOWN_CHARACTERS]


def _hint(status: int) -> str:
    if status in (401, 403):
        return ". The job's token may not do this: see `permissions` in its file."
    if status == 404:
        return ". It is not there, or the token may not see it."
    if status == 429 or status >= 500:
        return ". Run the job again later: nothing is left half done."
    return ""
