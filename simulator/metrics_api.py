"""A stand-in for an adapter that serves custom and external metrics, for the controller of HorizontalPodAutoscalers.

It answers `external.metrics.k8s.io/v1beta1` and `custom.metrics.k8s.io/v1beta2` (kubernetes/metrics, pkg/apis) with
what it was given, in the JSON of those APIs, behind the aggregation layer of a simulated cluster: an APIService whose
Service is an ExternalName on loopback. Nobody starts it but who asks for it.
"""

from __future__ import annotations

import datetime
import json
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from simulator.control_plane import ControlPlane
from simulator.errors import SimulatorError
from simulator.google.kubernetes_api import KubernetesApi, KubernetesError

EXTERNAL, CUSTOM = "external.metrics.k8s.io/v1beta1", "custom.metrics.k8s.io/v1beta2"
_START_LIMIT_SECONDS = 30.0
_NAMESPACE, _SERVICE = "kube-system", "servestack-metrics"
_RESOURCES = {
    EXTERNAL: ("externalmetrics", "ExternalMetricValueList"),
    CUSTOM: ("pods/*", "MetricValueList"),
}


class MetricsApi:
    """Serves metrics to one cluster until it is closed.

    A metric that was not given is answered with 404, as adapters do, so that the controller keeps what it has.
    """

    def __init__(self, control_plane: ControlPlane) -> None:
        """Listen on loopback, register both APIs and wait until the API server passes requests on.

        Raises:
            KubernetesError: the API server refuses the registration.
            SimulatorError: it passes nothing on in time.
        """
        self._external: dict[tuple[str, str], list[tuple[dict[str, str], str]]] = {}
        self._pods: dict[tuple[str, str], dict[str, str]] = {}
        self._lock = threading.Lock()
        keys = control_plane.directory / "keys"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys / "server.crt", keys / "server.key")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.answer))
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()
        self._api = KubernetesApi(control_plane)
        self._register(self._server.server_address[1])

    def close(self) -> None:
        """Take both APIs back, as a namespace cannot end while a registered API does not answer; then stop."""
        for group_version in _RESOURCES:
            self._api.delete(f"/apis/apiregistration.k8s.io/v1/apiservices/{_name(group_version)}")
        self._api.delete(f"/api/v1/namespaces/{_NAMESPACE}/services/{_SERVICE}")
        self._server.shutdown()
        self._server.server_close()

    def set_external(self, namespace: str, metric: str, series: list[tuple[dict[str, str], str]]) -> None:
        """Give the series of an external metric: labels, and value as a Kubernetes quantity."""
        with self._lock:
            self._external[namespace, metric] = series

    def set_pods(self, namespace: str, metric: str, values: dict[str, str]) -> None:
        """Give a metric of pods: value by the pod's name, as a Kubernetes quantity."""
        with self._lock:
            self._pods[namespace, metric] = values

    def forget(self) -> None:
        """Lose every metric, as an adapter does whose source is gone."""
        with self._lock:
            self._external.clear()
            self._pods.clear()

    def answer(self, target: str) -> tuple[int, dict[str, Any]]:
        """HTTP status and body for the target of a GET."""
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = [urllib.parse.unquote(part) for part in url.path.strip("/").split("/")]
        group_version = "/".join(parts[1:3])
        with self._lock:
            match parts:
                case ["apis", _, _] if group_version in _RESOURCES:
                    return 200, _discovery(group_version)
                case ["apis", _, _, "namespaces", namespace, metric] if group_version == EXTERNAL:
                    series = self._external.get((namespace, metric))
                    if series is not None:
                        return 200, _external_list(metric, series, query.get("labelSelector", ""))
                case ["apis", _, _, "namespaces", namespace, "pods", which, metric] if group_version == CUSTOM:
                    values = self._pods.get((namespace, metric))
                    if values is not None:
                        return 200, _pods_list(namespace, metric, values, which)
        message = f"the server could not find the metric {parts[-1]}"
        return 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message} | {
            "reason": "NotFound",
            "code": 404,
        }

    def _register(self, port: int) -> None:
        where = {"name": _SERVICE, "namespace": _NAMESPACE}
        service = {"metadata": where, "spec": {"type": "ExternalName", "externalName": "localhost"}}
        self._api.request("POST", f"/api/v1/namespaces/{_NAMESPACE}/services", service)
        for group_version in _RESOURCES:
            group, version = group_version.split("/")
            spec = {
                "group": group,
                "version": version,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": True,
                "service": where | {"port": port},
            }
            body = {"metadata": {"name": _name(group_version)}, "spec": spec}
            self._api.request("POST", "/apis/apiregistration.k8s.io/v1/apiservices", body)
        deadline = time.monotonic() + _START_LIMIT_SECONDS
        while not all(map(self._is_served, _RESOURCES)):
            if time.monotonic() > deadline:
                raise SimulatorError(f"The API server passed no request on in {_START_LIMIT_SECONDS:.0f} s.")
            time.sleep(0.05)

    def _is_served(self, group_version: str) -> bool:
        try:
            self._api.request("GET", f"/apis/{group_version}")
        except KubernetesError:
            return False
        return True


def _name(group_version: str) -> str:
    group, version = group_version.split("/")
    return f"{version}.{group}"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _discovery(group_version: str) -> dict[str, Any]:
    name, kind = _RESOURCES[group_version]
    resource = {"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["get"]}
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": [resource]}


def _external_list(metric: str, series: list[tuple[dict[str, str], str]], selector: str) -> dict[str, Any]:
    """Series that have every `key=value` of the selector; other operators are not understood, and nothing matches."""
    wanted = [part.partition("=")[::2] for part in selector.split(",") if part]
    items = [
        {"metricName": metric, "metricLabels": labels, "timestamp": _now(), "value": value}
        for labels, value in series
        if all(labels.get(key) == value_ for key, value_ in wanted)
    ]
    return {"kind": "ExternalMetricValueList", "apiVersion": EXTERNAL, "metadata": {}, "items": items}


def _pods_list(namespace: str, metric: str, values: dict[str, str], which: str) -> dict[str, Any]:
    items = [
        {
            "describedObject": {"kind": "Pod", "namespace": namespace, "name": pod, "apiVersion": "/v1"},
            "metric": {"name": metric, "selector": None},
            "timestamp": _now(),
            "windowSeconds": 60,
            "value": value,
        }
        for pod, value in values.items()
        if which in ("*", pod)
    ]
    return {"kind": "MetricValueList", "apiVersion": CUSTOM, "metadata": {}, "items": items}


def _handler(answer: Callable[[str], tuple[int, dict[str, Any]]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = answer(self.path)
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
