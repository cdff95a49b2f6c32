"""A Kubernetes API in memory, for tests of the simulated Google Cloud that need no scheduler."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.google.kubernetes_api import ControlPlane, KubernetesApi, KubernetesError, Object

FAKE_CA = "-----BEGIN CERTIFICATE-----\nbm90IHJlYWw=\n-----END CERTIFICATE-----\n"


@dataclass
class FakeControlPlane:
    server: str = "https://127.0.0.1:1"
    endpoint: str = "127.0.0.1:1"
    ca_pem: str = FAKE_CA
    token: str = "token"
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True


@dataclass
class FakeStarter:
    """A factory of control planes that remembers what it started."""

    started: list[tuple[str, Path]] = field(default_factory=list)
    planes: list[FakeControlPlane] = field(default_factory=list)

    def __call__(self, name: str, directory: Path) -> FakeControlPlane:
        self.started.append((name, directory))
        self.planes.append(FakeControlPlane())
        return self.planes[-1]


class FakeApi(KubernetesApi):
    """Objects by path: POST to a list adds, DELETE removes, PATCH merges at the top."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.objects: dict[str, Object] = {}
        self.control_plane = control_plane

    def request(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        content_type: str = "application/json",  # noqa: ARG002
    ) -> Object:
        path = path.partition("?")[0].removesuffix("/status")
        if method == "GET":
            children = {key: one for key, one in self.objects.items() if key.rpartition("/")[0] == path}
            return self.objects.get(path) or {"items": list(children.values())}
        if method == "POST":
            assert body is not None
            body["metadata"].setdefault("uid", body["metadata"]["name"])
            self.objects[f"{path}/{body['metadata']['name']}"] = body
            return body
        if path not in self.objects:
            raise KubernetesError(404, path)
        if method == "DELETE":
            return self.objects.pop(path)
        for key, value in (body or {}).items():
            current: Any = self.objects[path].setdefault(key, {})
            current.update(value) if isinstance(value, dict) else self.objects[path].update({key: value})
        return self.objects[path]
