"""A server on loopback that answers as a forge's REST API does: pages, refusals, and files at another host."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any]
Route = tuple[str, str, Callable[..., Answer]]


class Forge:
    """Subclasses say their routes; `refused` makes a path answer with a status, `calls` is what was asked."""

    page_size = 2

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.refused: dict[str, int] = {}
        self.files: dict[str, bytes] = {}
        self.headers_at_files: list[dict[str, str]] = []
        self._api = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(self._answer))
        self._storage = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(self._file))
        self.url = f"http://127.0.0.1:{self._api.server_port}"
        self.storage_url = f"http://127.0.0.1:{self._storage.server_port}"

    def routes(self) -> list[Route]:
        raise NotImplementedError

    def __enter__(self) -> Self:
        for server in (self._api, self._storage):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._api, self._storage):
            server.shutdown()
            server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler, body: Any) -> None:
        address = urlsplit(request.path)
        self.calls.append((request.command, request.path, body))
        self.authorized(request)
        for part, status in self.refused.items():
            if part in f"{request.command} {address.path}":
                return _send(request, status, {"message": "refused on purpose"})
        for method, pattern, route in self.routes():
            found = re.fullmatch(pattern, address.path)
            if method == request.command and found:
                query = {key: values[0] for key, values in parse_qs(address.query).items()}
                status, said = route(*found.groups(), **({"query": query} if method == "GET" else {"body": body}))
                if status == 200 and method == "GET" and isinstance(said, list | tuple):
                    return self._page(request, said, query)
                if status == 302:
                    return _send(request, status, None, {"Location": said})
                return _send(request, status, said)
        return _send(request, 404, {"message": "Not Found"})

    def authorized(self, request: BaseHTTPRequestHandler) -> None:
        raise NotImplementedError

    def _page(self, request: BaseHTTPRequestHandler, found: Any, query: dict[str, str]) -> None:
        """A list; with a name, as (name, list), it is a field of the answer."""
        name, said = found if isinstance(found, tuple) else (None, found)
        page = int(query.get("page", 1))
        start = (page - 1) * self.page_size
        more = start + self.page_size < len(said)
        path = request.path.split("?")[0]
        rest = "&".join(f"{key}={value}" for key, value in query.items() if key != "page")
        link = {"Link": f'<{self.url}{path}?{rest}&page={page + 1}>; rel="next"'} if more else {}
        shown = said[start : start + self.page_size]
        _send(request, 200, {"total_count": len(said), name: shown} if name else shown, link)

    def _file(self, request: BaseHTTPRequestHandler, _body: Any) -> None:
        self.headers_at_files.append(dict(request.headers.items()))
        content = self.files.get(request.path)
        request.send_response(200 if content is not None else 404)
        request.end_headers()
        request.wfile.write(content or b"")

    @staticmethod
    def _handler(answer: Callable[[BaseHTTPRequestHandler, Any], None]) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                answer(self, json.loads(self.rfile.read(length)) if length else None)

            do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _send(request: BaseHTTPRequestHandler, status: int, said: Any, headers: dict[str, str] | None = None) -> None:
    request.send_response(status)
    for key, value in (headers or {}).items():
        request.send_header(key, value)
    request.send_header("Content-Type", "application/json")
    request.end_headers()
    request.wfile.write(json.dumps(said).encode())
