"""A hub, a registry and its token server on loopback, which answer as the real ones are documented, and can misbehave.

Hub: huggingface_hub 2.4.0 (`HfApi.model_info`, `hf_raise_for_status`), whose real client is tried on it. Registry: OCI
distribution-spec 1.1, pulling manifests; token challenge: distribution.github.io/distribution/spec/auth/token.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass
class Call:
    path: str
    authorization: str
    accept: str


@dataclass
class Hub:
    """Commits by repository.

    Attributes:
        private: repositories that want `token`; `gated` those that refuse everybody.
        moved: new names by old ones, at the address `elsewhere` where there is one.
        faults: of the next answers: a status, `cut`, `drop`, or a body in place of the right one.
    """

    commits: dict[str, str] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    gated: set[str] = field(default_factory=set)
    moved: dict[str, str] = field(default_factory=dict)
    elsewhere: str = ""
    token: str = "hf_right"
    faults: list[int | str | bytes] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    address: str = ""


@dataclass
class Registry:
    """Manifests by name and tag.

    Attributes:
        private: names that want the user and password of `login`.
        challenge: what a call without a token is asked for; empty where everybody may pull.
        stated: digest by path, in place of the right one.
        token_calls: those of the token server, which is at an address of its own.
    """

    manifests: dict[str, bytes] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    login: str = "user:secret"
    challenge: str = "Bearer"
    kind: str = INDEX
    stated: dict[str, str] = field(default_factory=dict)
    redirect: str = ""
    faults: list[int | str | bytes] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    token_calls: list[Call] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    address: str = ""
    token_address: str = ""

    def push(self, image: str, salt: str = "") -> str:
        """Have an image, by path and tag; its digest."""
        body = json.dumps(
            {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"of": image + salt}}
        )
        self.manifests[image] = body.encode()
        return f"sha256:{hashlib.sha256(body.encode()).hexdigest()}"


Reply = Callable[[int, dict[str, str], bytes], None]


def _handler(answer: Callable[[Call, Reply], None], faults: list[Any]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            said = self.headers
            call = Call(self.path, said.get("Authorization", ""), said.get("Accept", ""))
            fault = faults.pop(0) if faults else None
            if fault == "drop":
                self.close_connection = True
                return
            if isinstance(fault, int):
                answer(call, lambda *_: None)
                self._send(fault, {"Retry-After": "0"}, b"")
            elif isinstance(fault, bytes):
                self._send(200, {"Content-Type": INDEX}, fault)
            else:
                self.cut = fault == "cut"
                answer(call, self._send)

        cut = False

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:-1] if self.cut else body)
            if self.cut:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextlib.contextmanager
def _listening(answer: Callable[[Call, Reply], None], faults: list[Any]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer, faults))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def hub() -> Iterator[Hub]:
    one = Hub()

    def answer(call: Call, reply: Reply) -> None:
        one.calls.append(call)
        path, _, query = call.path.partition("?")
        parts = path.split("/")
        if parts[:3] != ["", "api", "models"] or parts[5:6] != ["revision"]:
            return reply(404, {}, b"{}")
        name, revision = "/".join(parts[3:5]), urllib.parse.unquote(parts[6])
        known = call.authorization == f"Bearer {one.token}"
        if name in one.moved:
            return reply(307, {"Location": one.elsewhere + call.path.replace(name, one.moved[name])}, b"")
        if name in one.gated:
            return reply(403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "awaiting a review"}, b"{}")
        if name not in one.commits or (name in one.private and not known):
            return reply(404 if known else 401, {"X-Error-Code": "RepoNotFound"}, b"{}")
        if revision != "main":
            return reply(404, {"X-Error-Code": "RevisionNotFound"}, b"{}")
        found: dict[str, Any] = {"_id": "0" * 24, "id": name, "sha": one.commits[name]}
        if urllib.parse.parse_qs(query).get("expand") != ["sha"]:
            found["siblings"] = [{"rfilename": "config.json"}]
        return reply(200, {"Content-Type": "application/json"}, json.dumps(found).encode())

    with _listening(answer, one.faults) as one.address:
        yield one


@contextlib.contextmanager
def registry() -> Iterator[Registry]:
    one = Registry()

    def logged_in(call: Call) -> bool:
        return call.authorization == f"Basic {base64.b64encode(one.login.encode()).decode()}"

    def token(call: Call, reply: Reply) -> None:
        one.token_calls.append(call)
        asked = urllib.parse.parse_qs(call.path.partition("?")[2])
        scope = asked.get("scope", [""])[0]
        name = scope.split(":")[1] if scope.count(":") == 2 else ""
        if asked.get("service") != ["registry.test"] or (call.authorization and not logged_in(call)):
            return reply(401, {}, b"{}")
        made = secrets.token_hex(8)
        one.tokens[made] = name if name not in one.private or logged_in(call) else ""
        return reply(200, {}, json.dumps({"token": made, "expires_in": 300}).encode())

    def answer(call: Call, reply: Reply) -> None:
        one.calls.append(call)
        path = urllib.parse.unquote(call.path)
        if not path.startswith("/v2/") or "/manifests/" not in path:
            return reply(404, {}, b"{}")
        name, _, tag = path.removeprefix("/v2/").partition("/manifests/")
        if one.challenge == "Bearer" and one.tokens.get(call.authorization.removeprefix("Bearer ")) != name:
            words = f'realm="{one.token_address}/token",service="registry.test",scope="repository:{name}:pull"'
            return reply(401, {"WWW-Authenticate": f"Bearer {words}"}, b"{}")
        if one.challenge == "Basic" and not logged_in(call):
            return reply(401, {"WWW-Authenticate": 'Basic realm="test"'}, b"{}")
        if one.challenge not in ("", "Basic", "Bearer"):
            return reply(401, {"WWW-Authenticate": one.challenge}, b"{}")
        if one.redirect:
            return reply(307, {"Location": f"{one.redirect}{call.path}"}, b"")
        body = one.manifests.get(f"{name}:{tag}")
        if body is None or INDEX not in call.accept:
            return reply(404, {}, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')
        stated = one.stated.get(name, f"sha256:{hashlib.sha256(body).hexdigest()}")
        return reply(200, {"Content-Type": one.kind, "Docker-Content-Digest": stated}, body)

    with _listening(answer, one.faults) as one.address, _listening(token, []) as one.token_address:
        yield one
