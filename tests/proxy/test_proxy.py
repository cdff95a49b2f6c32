"""Nobody gets past the proxy without a key: a real Caddy, the rendered Caddyfile, an engine that answers everything."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.pipeline import Endpoint, build
from tests.proxy.rig import CURRENT, NEXT, Proxy, until
from tests.unit.files import ENGINES, Files, endpoint

CHAT = "/v1/chat/completions"
# What vLLM 0.32 and llama-server b11434 answer, with and without a key of their own; then paths that try to be others.
ENGINE_PATHS = [
    "/",
    "/invocations",
    "/tokenize",
    "/detokenize",
    "/generative_scoring",
    "/scale_elastic_ep",
    "/is_scaling_elastic_ep",
    "/kv_event_sources",
    "/load",
    "/metrics",
    "/version",
    "/ping",
    "/openapi.json",
    "/docs",
    "/redoc",
    "/pooling",
    "/classify",
    "/score",
    "/rerank",
    "/sleep",
    "/wake_up",
    "/server_info",
    "/slots",
    "/slots/0?action=save",
    "/props",
    "/completion",
    "/completions",
    "/chat/completions",
    "/infill",
    "/embedding",
    "/embeddings",
    "/apply-template",
    "/lora-adapters",
    "/models",
    "/api/tags",
    "/v1",
    "/v1/",
    "/v1/models",
    "/v1/completions",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/embeddings",
    "/v1/load_lora_adapter",
    "/v1/health",
    "/.well-known/acme-challenge/x",
]
TRICKS = [
    "//invocations",
    "/./invocations",
    "/v1/../tokenize",
    "/v1/%2e%2e/tokenize",
    "/v1/%2E%2E/tokenize",
    "/v1/..%2ftokenize",
    "/v1//../load",
    "/v1/models/../../slots",
    "/V1/models",
    "/%76%31/models",
    "/v1%2fmodels",
    "//v1/models",
    "/HEALTH",
    "/Health",
    "/health/",
    "//health",
    "/health?x",
    "/health/../slots",
    "/slots/../health",
    "/health%2f..%2fslots",
    "/health%00",
    "/%68ealth",
    "/health;x",
    "/health#x",
    "/v1/models;x",
    "/v1\\models",
    "/health/v1/models",
    "/v1/{file./etc/hostname}",
    "http://x/v1/models",
]


def rendered(*lines: str, framework: str = "vllm") -> tuple[str, int]:
    size, accelerator = ("31b", "h100") if framework in ENGINES else ("e4b", "l4")
    name = f"gemma4-{size}-{accelerator}{'' if framework == 'vllm' else '-' + framework}"
    lines += (ENGINES[framework],) if framework in ENGINES else ()
    one = build(name, Files(**{name: endpoint(f"gemma-4-{size}-it", accelerator, framework, *lines)}))
    assert isinstance(one, Endpoint)
    config = next(o for o in one.objects() if o["metadata"]["name"] == f"{name}-proxy")
    return config["data"]["Caddyfile"], one.workload.port


@pytest.fixture(scope="module", params=["vllm", "llamacpp"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    text, port = rendered(framework=request.param)
    one = Proxy(text, port, tmp_path_factory.mktemp("proxy"))
    yield one
    one.close()


@pytest.fixture
def proxy(running: Proxy) -> Proxy:
    running.write_keys(current=CURRENT, next=NEXT)
    running.engine.seen.clear()
    running.engine.gone.clear()
    return running


@pytest.mark.parametrize("key", [None, "", "wrong-key-0123456789abcdef", CURRENT.upper(), CURRENT[:-1], CURRENT + "x"])
def test_without_the_key_no_path_answers_and_nothing_reaches_the_engine(proxy: Proxy, key: str | None) -> None:
    statuses = {path: proxy.ask(path, key)[0] for path in [*ENGINE_PATHS, *TRICKS]}
    assert {path: status for path, status in statuses.items() if status not in {400, 401}} == {}
    assert all(statuses[path] == 401 for path in ENGINE_PATHS)
    assert proxy.engine.seen == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "get", "BREW"])
def test_no_method_opens_a_path(proxy: Proxy, method: str) -> None:
    for path in ("/health", "/metrics", "/invocations", CHAT):
        assert proxy.ask(path, method=method, body=b"{}")[0] == 401
    assert proxy.engine.seen == []


def test_an_old_version_of_http_opens_nothing(proxy: Proxy) -> None:
    assert {proxy.ask(path, version="1.0")[0] for path in ENGINE_PATHS} == {401}
    assert proxy.ask(CHAT, CURRENT, version="1.0")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        (f"Authorization: bearer {CURRENT}",),
        (f"Authorization: Basic {CURRENT}",),
        (f"Authorization: {CURRENT}",),
        (f"Authorization:  Bearer  {CURRENT}",),
        ("Authorization: Bearer x", f"Authorization: Bearer {CURRENT}"),
        (f"Authorization: Bearer {CURRENT}, Bearer {CURRENT}",),
        ("Authorization: Bearer {file./etc/servestack/keys/current}",),
        (f"X-Api-Key: {CURRENT}",),
        (f"Proxy-Authorization: Bearer {CURRENT}",),
        ("X-Original-URL: /health", "X-Rewrite-URL: /health", "X-Forwarded-For: 127.0.0.1"),
    ],
)
def test_only_the_exact_header_counts(proxy: Proxy, headers: tuple[str, ...]) -> None:
    assert proxy.ask(CHAT, headers=headers)[0] == 401
    assert proxy.engine.seen == []


# What Google's load balancers add, what callers behind them may send, and what other proxies believe.
FORWARDED = (
    "Via: 1.1 google",
    "X-Forwarded-For: 203.0.113.7, 35.191.0.1",
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: gemma.example.com",
    "X-Forwarded-Port: 8091",
    "X-Forwarded-Uri: /health",
    "X-Forwarded-Prefix: /health",
    "X-Forwarded-Method: GET",
    "X-Forwarded-User: admin",
    "X-Forwarded-Authorization: Bearer x",
    "X-Envoy-Original-Path: /health",
    "X-Envoy-Internal: true",
    "X-Gateway-Destination-Endpoint: 127.0.0.1:8091",
    "X-Original-URL: /health",
    "X-Original-Method: GET",
    "X-Rewrite-URL: /metrics",
    "X-HTTP-Method-Override: GET",
    "X-Real-IP: 127.0.0.1",
    "X-Cloud-Trace-Context: 105445aa7843bc8bf206b12000100000/1;o=1",
    "X-Goog-Authenticated-User-Email: accounts.google.com:admin@example.com",
    "Forwarded: for=127.0.0.1;host=localhost;proto=https",
    "True-Client-IP: 127.0.0.1",
)


@pytest.mark.parametrize("key", [None, "wrong-key-0123456789abcdef"])
def test_what_a_gateway_adds_opens_nothing(proxy: Proxy, key: str | None) -> None:
    for headers in (*((one,) for one in FORWARDED), FORWARDED):
        for path in (CHAT, "/v1/models", "/metrics", "/invocations"):
            assert proxy.ask(path, key, headers=headers)[0] == 401, headers
    assert proxy.engine.seen == []


def test_a_key_that_comes_through_a_gateway_opens_the_path_it_was_sent_for_and_no_other(proxy: Proxy) -> None:
    assert proxy.ask(CHAT, CURRENT, method="POST", body=b"{}", headers=FORWARDED)[0] == 200
    ((method, path, headers, _),) = proxy.engine.seen
    assert (method, path) == ("POST", CHAT)
    assert CURRENT not in str(headers)
    assert {proxy.ask(path, CURRENT, headers=FORWARDED)[0] for path in ("/metrics", "/slots", "/")} == {401}


def test_the_health_check_of_a_gateway_is_answered_and_no_other_path_to_it(proxy: Proxy) -> None:
    checker = ("User-Agent: GoogleHC/1.0", *FORWARDED)
    assert proxy.ask("/health", headers=checker)[0] == 200
    assert {proxy.ask(path, headers=checker)[0] for path in ("/", "/metrics", "/v1/models")} == {401}
    assert [one[1] for one in proxy.engine.seen] == ["/health"]


def test_a_placeholder_in_a_header_is_not_read_as_the_key(proxy: Proxy) -> None:
    assert proxy.ask(CHAT, f"{{file.{proxy.keys}/current}}")[0] == 401


def test_health_is_open_to_the_kubelet(proxy: Proxy) -> None:
    assert proxy.ask("/health")[0] == 200
    assert [one[:2] for one in proxy.engine.seen] == [("GET", "/health")]


def test_metrics_and_nothing_else_answer_on_the_port_of_the_collectors(proxy: Proxy) -> None:
    assert proxy.ask("/metrics", port=proxy.metrics_port)[0] == 200
    for path in ("/health", CHAT, "/invocations", "/METRICS", "//metrics", "/metrics/../slots"):
        assert proxy.ask(path, CURRENT, port=proxy.metrics_port)[0] == 404
    assert [one[1] for one in proxy.engine.seen] == ["/metrics"]


@pytest.mark.parametrize(("framework", "path"), [("nim", "/v1/metrics"), ("trtllm", "/prometheus/metrics")])
def test_collectors_ask_every_engine_at_one_path(framework: str, path: str, tmp_path: Path) -> None:
    text, port = rendered(framework=framework)
    one = Proxy(text, port, tmp_path)
    try:
        assert one.ask("/metrics", port=one.metrics_port)[0] == 200
        assert one.ask(path, port=one.metrics_port)[0] == 404
        assert [seen[1] for seen in one.engine.seen] == [path]
    finally:
        one.close()


@pytest.mark.parametrize("key", [CURRENT, NEXT])
def test_both_keys_open_the_api_and_nothing_beside_it(proxy: Proxy, key: str) -> None:
    paths = [path for path in ENGINE_PATHS if path.startswith("/v1/") and len(path) > 4]
    assert {proxy.ask(path, key)[0] for path in [*paths, "/v1/models/gemma-4-e4b-it?x=/../y"]} == {200}
    assert {proxy.ask(path, key)[0] for path in ENGINE_PATHS if path not in paths} == {401}
    assert all(one[1].startswith("/v1/") and ".." not in one[1].partition("?")[0] for one in proxy.engine.seen)


@pytest.mark.parametrize("path", [one for one in TRICKS if not one.startswith("http")])
def test_a_key_opens_no_path_that_is_written_another_way(proxy: Proxy, path: str) -> None:
    assert proxy.ask(path, CURRENT)[0] in {400, 401}
    assert proxy.engine.seen == []


def test_the_key_is_passed_on_to_nobody_and_written_nowhere(proxy: Proxy) -> None:
    proxy.ask(CHAT, CURRENT)
    ((_, _, headers, _),) = proxy.engine.seen
    assert "authorization" not in {name.lower() for name in headers}
    proxy.ask(CHAT, "wrong-key-0123456789abcdef")
    assert CURRENT not in proxy.log.read_text()


def test_changed_and_removed_keys_count_from_the_next_request(proxy: Proxy) -> None:
    proxy.write_keys(current=f"{NEXT}\n")
    assert (proxy.ask(CHAT, CURRENT)[0], proxy.ask(CHAT, NEXT)[0]) == (401, 200)
    proxy.write_keys()
    assert (proxy.ask(CHAT, CURRENT)[0], proxy.ask(CHAT, NEXT)[0], proxy.ask("/health")[0]) == (401, 401, 200)


@pytest.mark.parametrize("content", ["", "\n", " ", "short"])
def test_a_key_that_is_empty_or_too_short_admits_nobody(proxy: Proxy, content: str) -> None:
    proxy.write_keys(current=content, next=content)
    for value in ("Bearer", "Bearer ", "Bearer  ", "Bearer short", ""):
        assert proxy.ask(CHAT, headers=(f"Authorization: {value}",))[0] == 401


def test_a_body_with_pictures_passes_and_one_beyond_all_bounds_does_not(proxy: Proxy) -> None:
    assert proxy.ask(CHAT, CURRENT, method="POST", body=b"x" * 5_000_000)[0] == 200
    assert proxy.engine.seen[-1][3] == 5_000_000
    assert proxy.ask(CHAT, method="POST", body=b"x" * 1000)[0] == 401


def start_stream(proxy: Proxy) -> socket.socket:
    connection = proxy.connect()
    request = f"GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {CURRENT}\r\n\r\n"
    connection.sendall(request.encode())
    return connection


def read_until(connection: socket.socket, words: bytes) -> bytes:
    got = b""
    while words not in got:
        part = connection.recv(65536)
        assert part, f"closed after {got!r}"
        got += part
    return got


def test_events_arrive_one_by_one(proxy: Proxy) -> None:
    with start_stream(proxy) as connection:
        for number in range(3):
            proxy.engine.events.release()
            got = read_until(connection, f"data: {number}".encode())
            assert f"data: {number + 1}".encode() not in got


def test_a_caller_that_leaves_frees_the_engine(proxy: Proxy) -> None:
    with start_stream(proxy) as connection:
        read_until(connection, b"ping")
    assert proxy.engine.gone.wait(10)


def test_a_stop_lets_a_running_answer_finish(tmp_path: Path) -> None:
    one = Proxy(*rendered(), tmp_path)
    try:
        one.write_keys(current=CURRENT)
        with start_stream(one) as connection:
            read_until(connection, b"ping")
            one.process.send_signal(signal.SIGTERM)
            until(lambda: "grace period" in one.log.read_text())
            assert one.process.poll() is None
            for _ in range(3):
                one.engine.events.release()
            read_until(connection, b"[DONE]")
        assert one.process.wait(10) == 0
    finally:
        one.close()


def test_without_authentication_the_same_paths_answer_and_no_others(tmp_path: Path) -> None:
    one = Proxy(*rendered("expose: {authentication: none, reason: the gateway asks for a token}"), tmp_path)
    try:
        assert {one.ask(path)[0] for path in (CHAT, "/v1/models", "/health")} == {200}
        others = [path for path in [*ENGINE_PATHS, *TRICKS] if not path.startswith(("/v1/", "http"))]
        assert {one.ask(path)[0] for path in others} <= {400, 404}
    finally:
        one.close()
