"""A hub on loopback with one repository, which can cut, refuse and lie."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

REVISION = "a" * 40


class Hub:
    """Files by repository; `requests` has every path with its Range."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.cut_after = 0
        self.status = 0
        self.lies = False

    def listing(self) -> list[dict[str, Any]]:
        found = [
            {
                "type": "file",
                "path": name,
                "size": len(data),
                "lfs": {"oid": hashlib.sha256(b"other" if self.lies else data).hexdigest()},
            }
            for name, data in self.files.items()
        ]
        return [*found, {"type": "directory", "path": "x"}, {"type": "file", "path": "../../evil", "size": 1}]


@contextlib.contextmanager
def serving() -> Iterator[tuple[Hub, str]]:
    hub = Hub()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            hub.requests.append((self.path, asked))
            if hub.status:
                self.send_error(hub.status)
                return
            if self.path.startswith("/api/models/"):
                body, status = json.dumps(hub.listing()).encode(), 200
            else:
                body, status = hub.files[self.path.rpartition("/")[2]], 200
                if asked:
                    body, status = body[int(asked[6:-1]) :], 206
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if hub.cut_after and status == 200 and "/resolve/" in self.path and len(body) > hub.cut_after:
                body, hub.cut_after = body[: hub.cut_after], 0
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
