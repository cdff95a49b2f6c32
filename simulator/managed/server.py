"""The loopback server of the managed endpoints: one port for the Vertex AI API, chats and the Gemini API."""

from __future__ import annotations

import contextlib
import json
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from simulator.managed import gemini_api, vertex_api, vertex_chat
from simulator.managed.errors import INTERNAL, INVALID, MISSING, ApiError
from simulator.managed.faults import Call
from simulator.managed.obedience import obey
from simulator.managed.orders import Orders
from simulator.managed.routing import Request, Route, Stream
from simulator.managed.world import World

ROUTES: tuple[Route, ...] = (*vertex_chat.ROUTES, *vertex_api.ROUTES, *gemini_api.ROUTES)
_SLOW_SECONDS = 60.0
_UNKNOWN = "unknown"


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: the second would wait for the client's ACK
    world: World
    orders: Orders | None

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client was killed
            super().handle()

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self) -> None:
        """Record the call, carry it out unless a fault stands before it, and answer."""
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), {key: values[0] for key, values in parse_qs(parts.query).items()}
        matches = ((route, route.pattern.fullmatch(path)) for route in ROUTES if route.method == self.command)
        route, found = next(((route, match) for route, match in matches if match), (None, None))
        name = route.name if route else _UNKNOWN
        headers = {key.lower(): value for key, value in self.headers.items()}
        with self.world.lock:
            self.obey()
            try:
                body, malformed = json.loads(data or b"null"), None
            except ValueError as error:
                body, malformed = None, ApiError(INVALID, f"Invalid JSON payload received. {error}")
            self.world.calls.append(Call(name, self.command, self.path, body, dict(self.headers)))
            fault = self.world.fault(name)
            status, content = 200, None
            if not fault or fault.arrives:
                request = Request(name, found.groupdict() if found else {}, query, body, headers)
                status, content = self.carry_out(route, request, malformed)
        if fault:
            if fault.slow:
                self.world.over.wait(_SLOW_SECONDS)
            if fault.cut:
                self.cut(content)
                return
            if fault.code:
                status, content = _error(ApiError(fault.code, fault.message), route)
        self.send(status, content)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

    def carry_out(self, route: Route | None, request: Request, malformed: ApiError | None) -> tuple[int, Any]:
        """Return status and body; the world is saved."""
        try:
            if route is None:
                raise ApiError(MISSING, f"{self.command} {urlsplit(self.path).path}: no such method")
            if malformed:
                raise malformed
            if not isinstance(request.body, dict | None):
                raise ApiError(INVALID, "Invalid JSON payload received. The body is no object.")
            return 200, route.answer(self.world, request)
        except ApiError as error:
            return _error(error, route)
        except Exception:
            traceback.print_exc()  # into the simulator's log
            return _error(ApiError(INTERNAL, "Internal error encountered."), route)
        finally:
            self.world.save()

    def obey(self) -> None:
        """Do what a command line has asked for; what cannot be understood is told in the log."""
        if self.orders:
            try:
                obey(self.world, self.orders.take())
            except (ApiError, AttributeError, KeyError, TypeError, ValueError):
                traceback.print_exc()

    def cut(self, content: Any) -> None:
        """Close the connection: at once, or after the first event of a stream that had begun."""
        if isinstance(content, Stream):
            self.begin_stream()
            self.send_event(content.events[0])
        self.close_connection = True
        self.connection.close()

    def send(self, status: int, content: Any) -> None:
        """Send an answer; one that the client does not wait for is dropped."""
        try:
            if isinstance(content, Stream):
                self.begin_stream()
                for event in content.events:
                    self.send_event(event)
                self.wfile.write(b"0\r\n\r\n")
                return
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def begin_stream(self) -> None:
        """Send the head of a stream of events."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send_event(self, event: Any) -> None:
        """Send one event as a chunk of its own."""
        text = event if isinstance(event, str) else json.dumps(event)
        data = f"data: {text}\r\n\r\n".encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


def _error(error: ApiError, route: Route | None) -> tuple[int, Any]:
    body = error.body()
    return error.http_status, [body] if route and route.lists_errors else body


class Server:
    """A running server.

    Attributes:
        port: where it listens on 127.0.0.1.
    """

    def __init__(self, world: World, orders: Orders | None = None, port: int = 0) -> None:
        """Start serving.

        Args:
            world: what it serves.
            orders: what is asked of it from a command line.
            port: where to listen; 0 for any free port.
        """
        self._world = world
        handler = type("Bound", (_Handler,), {"world": world, "orders": orders})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        arguments = {"poll_interval": 0.02}
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs=arguments, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop serving; held-back answers end."""
        self._world.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def serving(world: World, orders: Orders | None = None) -> Iterator[str]:
    """Serve a world for a while; its address."""
    server = Server(world, orders)
    try:
        yield server.address
    finally:
        server.stop()
