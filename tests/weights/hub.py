"""A stand-in for the model hub on loopback, with faults that a test switches on.

What it answers is what huggingface_hub 2.4.0 and curl ask for: file lists, trees, and files by way of a redirect whose
headers state commit, size and SHA-256 (`X-Repo-Commit`, `X-Linked-Size`, `X-Linked-ETag`), as the hub's own do.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What it holds, what is wrong with it, and what it was asked.

    Attributes:
        files: content by name, all of one repository.
        status: HTTP code by stage (`ask`, `file`, `list`), given instead of an answer.
        times: how often a stage gives its code before it answers; without an entry, always.
        error_code: `X-Error-Code` beside it.
        cuts: how many answers with a file are cut after half of what is left.
        states: what is stated instead of the true SHA-256; `size` instead of the true size.
        resumes: whether a range is answered with that range.
        moved_from: name under which the repository was known before.
        url, elsewhere: its address, and the one of its files: another host, as the hub's is.
        asked: requests by method and stage; `ranges` the ranges among them; `tokens` what authorization came to which;
            `asked_of` the revisions of files in order.
    """

    repository: str = "org/model"
    files: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    error_code: str = ""
    cuts: int = 0
    states: str = ""
    size: int | None = None
    resumes: bool = True
    moved_from: str = ""
    url: str = ""
    elsewhere: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    ranges: list[str] = field(default_factory=list)
    tokens: list[tuple[str, str | None]] = field(default_factory=list)
    asked_of: list[str] = field(default_factory=list)

    @property
    def revisions(self) -> set[str]:
        """Revisions of which files were asked."""
        return set(self.asked_of)

    def refuses(self, stage: str) -> int | None:
        """Code to give at this stage now, if any."""
        if stage not in self.status or self.times.get(stage) == 0:
            return None
        if stage in self.times:
            self.times[stage] -= 1
        return self.status[stage]


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """The hub on a free port of loopback."""

    class Handler(_Handler):
        served = hub

    server = _Server(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    hub.elsewhere = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub, path = self.served, unquote(urlsplit(self.path).path)
        stage = "list" if path.startswith("/api/") else "file" if path.startswith("/cdn/") else "ask"
        hub.asked[f"{self.command} {stage}"] += 1
        hub.tokens.append((stage, self.headers.get("Authorization")))
        refused = hub.refuses(stage)
        if refused is not None:
            self._send(refused, b"no", {"X-Error-Code": hub.error_code} if hub.error_code else {})
        elif stage == "list":
            self._list(path)
        elif stage == "file":
            self._file(hub.files[path.removeprefix("/cdn/")])
        elif hub.moved_from and path.startswith(f"/{hub.moved_from}/"):
            self._send(307, b"", {"Location": path.replace(hub.moved_from, hub.repository, 1)})
        else:
            self._resolve(path)

    def _resolve(self, path: str) -> None:
        hub = self.served
        head, _, name = path.partition("/resolve/")
        revision, _, name = name.partition("/")
        hub.asked_of.append(revision)
        if head != f"/{hub.repository}":
            self._send(401, b"", {"X-Error-Code": "RepoNotFound"})
        elif revision not in {COMMIT, "main"}:
            self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        elif name not in hub.files:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        else:
            content = hub.files[name]
            self._send(
                302,
                b"",
                {
                    "Location": f"{hub.elsewhere}/cdn/{name}",
                    "X-Repo-Commit": COMMIT,
                    "X-Linked-ETag": f'"{hub.states or hashlib.sha256(content).hexdigest()}"',
                    "X-Linked-Size": str(len(content) if hub.size is None else hub.size),
                },
            )

    def _file(self, content: bytes) -> None:
        hub, start, wanted = self.served, 0, self.headers.get("Range")
        if wanted:
            hub.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").partition("-")[0]) if hub.resumes else 0
        rest = content[start:]
        headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        if self.command == "GET" and hub.cuts:
            hub.cuts -= 1
            self._send(206 if start else 200, rest, headers, cut=len(rest) // 2)
        else:
            self._send(206 if start else 200, rest, headers)

    def _list(self, path: str) -> None:
        hub = self.served
        whole = {name: hashlib.sha256(content).hexdigest() for name, content in hub.files.items()}
        if f"/api/models/{hub.repository}/" not in f"{path}/":
            self._send(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif "/revision/" in path and path.rpartition("/")[2] not in {COMMIT, "main"}:
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif "/tree/" in path:
            entries = [
                {
                    "type": "file",
                    "path": name,
                    "size": len(hub.files[name]),
                    "oid": "0" * 40,
                    "lfs": {"oid": hub.states or sha, "size": len(hub.files[name]), "pointerSize": 100},
                }
                for name, sha in whole.items()
            ]
            self._send(200, json.dumps(entries).encode(), {"Content-Type": "application/json"})
        else:
            about = {"id": hub.repository, "modelId": hub.repository, "sha": COMMIT, "private": False, "tags": []}
            about |= {"downloads": 0, "likes": 0, "siblings": [{"rfilename": name} for name in hub.files]}
            self._send(200, json.dumps(about).encode(), {"Content-Type": "application/json"})

    def _send(self, code: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if cut is not None:
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            with suppress(ConnectionError):
                self.wfile.write(body[:cut])
