"""The only way to the engine: asks for the key, pins the model, and passes answers on as they come.

One request per connection, as HTTP/1.1 with `Connection: close`. What is served: `/v1/chat/completions`, `/v1/models`,
`/health` and `/metrics`, all with the key.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import re
from dataclasses import dataclass

from infra.host.remote.limits import RefusedRequestError, checked

_HEAD_BYTES, _BODY_BYTES = 16 * 2**10, 64 * 2**20
_HEAD_SECONDS, _BODY_SECONDS, _LOOK_SECONDS = 10, 120, 10
_CONNECTIONS = 64
_WORDS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed"}
_WORDS |= {408: "Request Timeout", 411: "Length Required", 413: "Content Too Large", 431: "Headers Too Large"}
_WORDS |= {502: "Bad Gateway", 503: "Service Unavailable"}
_OURS = frozenset({b"connection", b"keep-alive", b"server"})


@dataclass(frozen=True)
class Wanted:
    """What the gateway has to know.

    Attributes:
        model: name under which the one model is served, and under which the engine has loaded it.
        inputs: what a request may hold beside text.
        engine_port: of the engine, on loopback.
        key: which callers show.
        engine_key: which the engine asks for; it never leaves this machine's memory.
    """

    model: str
    inputs: frozenset[str]
    engine_port: int
    key: str
    engine_key: str


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    headers: dict[str, list[str]]

    def one(self, name: str) -> str:
        """A header that may be there once; empty where it is not."""
        found = self.headers.get(name, [])
        if len(found) > 1:
            raise RefusedRequestError(400, "invalid_request_error", f"{name} stands twice")
        return found[0] if found else ""


class Gateway:
    """Answers callers, and counts those that wait for an answer."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.running = 0

    async def serve(self, host: str, port: int) -> asyncio.Server:
        """Listen; the server returned is closed by the caller."""
        return await asyncio.start_server(self._answer, host, port, limit=_HEAD_BYTES)

    async def is_healthy(self) -> bool:
        """Whether the engine answers, and has our model loaded."""
        try:
            status, body = await asyncio.wait_for(self._look("/health"), _LOOK_SECONDS)
            return status == 200 and json.loads(body).get("loaded_model") == self._wanted.model
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            return False

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.running += 1
        try:
            if self.running > _CONNECTIONS:
                raise RefusedRequestError(503, "overloaded", "too many requests at once; try again")
            await self._handle(reader, writer)
        except RefusedRequestError as refused:
            error = {"message": refused.message, "type": refused.code, "code": refused.code}
            _write(writer, refused.status, {"error": error})
        except (OSError, asyncio.IncompleteReadError):
            pass  # the caller has gone
        finally:
            self.running -= 1
            with contextlib.suppress(OSError):
                await writer.drain()
                writer.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _head(reader)
        shown = request.one("authorization").encode("latin-1")
        if not hmac.compare_digest(shown, f"Bearer {self._wanted.key}".encode()):
            raise RefusedRequestError(401, "invalid_api_key", "no valid key")
        match request.method, request.path:
            case "GET", "/health":
                healthy = await self.is_healthy()
                said = {"status": "ok" if healthy else "unhealthy", "model": self._wanted.model}
                _write(writer, 200 if healthy else 503, said)
            case "GET", "/v1/models":
                one = {"id": self._wanted.model, "object": "model", "owned_by": "servestack"}
                _write(writer, 200, {"object": "list", "data": [one]})
            case "GET", "/metrics":
                await self._pass_on("GET", "/metrics", b"", reader, writer)
            case "POST", "/v1/chat/completions":
                body = checked(await _body(request, reader, writer), self._wanted.model, self._wanted.inputs)
                await self._pass_on("POST", request.path, body, reader, writer)
            case _:
                raise RefusedRequestError(404, "not_found", "this path is not served")

    async def _open(self, method: str, path: str, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._wanted.engine_port, limit=_HEAD_BYTES)
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._wanted.engine_key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        return reader, writer

    async def _look(self, path: str) -> tuple[int, bytes]:
        reader, writer = await self._open("GET", path, b"")
        try:
            head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
            return int(head.split(b" ", 2)[1]), body
        except IndexError:
            raise ValueError("no answer") from None
        finally:
            writer.close()

    async def _pass_on(
        self, method: str, path: str, body: bytes, caller: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Ask the engine, and send on what it says; a caller that leaves ends the engine's work too."""
        try:
            reader, engine = await self._open(method, path, body)
        except OSError:
            raise RefusedRequestError(503, "unavailable", "the engine is not up; try again") from None
        relay = asyncio.ensure_future(_relay(reader, writer))
        left = asyncio.ensure_future(caller.read(1))
        try:
            done, _ = await asyncio.wait({relay, left}, return_when=asyncio.FIRST_COMPLETED)
            if left in done and left.result():  # more bytes are not a farewell
                await relay
            if relay.done():
                relay.result()
        finally:
            for task in (relay, left):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError, RefusedRequestError):
                    await task
            engine.close()


async def _head(reader: asyncio.StreamReader) -> _Request:
    try:
        raw = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_SECONDS)
    except TimeoutError:
        raise RefusedRequestError(408, "timeout", "the request did not arrive") from None
    except asyncio.LimitOverrunError:
        raise RefusedRequestError(431, "too_large", f"headers above {_HEAD_BYTES:,} bytes") from None
    first, *lines = raw[:-4].decode("latin-1").split("\r\n")
    words = re.fullmatch(r"([A-Z]{1,10}) (/[!-~]{0,2000}) HTTP/1\.[01]", first)
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z0-9-]{1,80}", name):
            raise RefusedRequestError(400, "invalid_request_error", "a header is none")
        headers.setdefault(name.lower(), []).append(value.strip(" \t"))
    if not words:
        raise RefusedRequestError(400, "invalid_request_error", "this is not HTTP/1.1")
    return _Request(words[1], words[2], headers)


async def _body(request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    length = request.one("content-length")
    if "transfer-encoding" in request.headers or not re.fullmatch(r"[0-9]{1,12}", length):
        raise RefusedRequestError(411, "length_required", "send Content-Length")
    if int(length) > _BODY_BYTES:
        raise RefusedRequestError(413, "too_large", f"a body has at most {_BODY_BYTES:,} bytes")
    if request.one("expect").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        return await asyncio.wait_for(reader.readexactly(int(length)), _BODY_SECONDS)
    except TimeoutError:
        raise RefusedRequestError(408, "timeout", "the body did not arrive") from None


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise RefusedRequestError(502, "bad_gateway", "the engine ended before it answered") from None
    lines = [one for one in head[:-4].split(b"\r\n") if one.split(b":")[0].strip().lower() not in _OURS]
    writer.write(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
    while chunk := await reader.read(2**16):
        writer.write(chunk)
        await writer.drain()
    await writer.drain()


def _write(writer: asyncio.StreamWriter, status: int, data: object) -> None:
    body = json.dumps(data).encode()
    more = "WWW-Authenticate: Bearer\r\n" if status == 401 else ""
    head = (
        f"HTTP/1.1 {status} {_WORDS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"{more}Connection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
