"""A hub on loopback: states size and SHA-256 in the headers of a redirect, as the real one does, and can misbehave."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """What it has, and how it misbehaves.

    Attributes:
        content: of every file.
        size, sha256: what it states; of the content where empty.
        cut_after: bytes after which the next answers break off, one number each.
        seen: method, path, and the headers Range and Authorization of every call.
    """

    content: bytes
    size: int = 0
    sha256: str = ""
    resumes: bool = True
    code: int = 0
    cut_after: list[int] = field(default_factory=list)
    seen: list[tuple[str, str, str, str]] = field(default_factory=list)
    address: str = ""
    storage: str = ""


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            sent = self.headers.get("Range", "")
            hub.seen.append((self.command, self.path, sent, self.headers.get("Authorization", "")))
            if hub.code:
                self.send_response(hub.code)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if "/resolve/" in self.path:
                self.send_response(302)
                self.send_header("X-Linked-Size", str(hub.size or len(hub.content)))
                self.send_header("X-Linked-Etag", f'"{hub.sha256 or hashlib.sha256(hub.content).hexdigest()}"')
                self.send_header("Location", f"{hub.storage}/blob?signature=secret")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            begin = int(sent.removeprefix("bytes=").rstrip("-")) if sent and hub.resumes else 0
            rest = hub.content[begin:]
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            if body:
                cut = hub.cut_after.pop(0) if hub.cut_after else len(rest)
                self.wfile.write(rest[:cut])
                if cut < len(rest):
                    self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextlib.contextmanager
def serving(content: bytes) -> Iterator[Hub]:
    """A hub, and its storage at another address."""
    hub = Hub(content)
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub)) for _ in range(2)]
    hub.address, hub.storage = (f"http://127.0.0.1:{one.server_address[1]}" for one in servers)
    for one in servers:
        threading.Thread(target=one.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hub
    finally:
        for one in servers:
            one.shutdown()
            one.server_close()
