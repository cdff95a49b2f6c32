"""`kind: Platform`: where endpoints run."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from infra.spec.fields import Labels, Strict
from infra.spec.gke import Gke
from infra.spec.google import Google
from infra.spec.kubernetes import Kubernetes
from infra.spec.machine import Host, Local
from infra.spec.monitoring import Monitoring

PLATFORM_KINDS = ("gke", "kubernetes", "google", "host", "local")
_HTTP_ADDRESS = r"^https?://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~-]+){0,8}$"


def _http_address(text: str) -> str:
    """The address, which a message never repeats: people write passwords into addresses."""
    if len(text) > 400 or not re.fullmatch(_HTTP_ADDRESS, text):
        raise ValueError("write an address such as http://HOST:9090, without user, password, query and last slash.")
    port = text.split("/")[2].partition(":")[2]
    if port and int(port) > 65535:
        raise ValueError(f"{port} is no port; the highest is 65535.")
    return text


class Prometheus(Strict):
    """Where KEDA asks for the engines' metrics."""

    url: Annotated[str, AfterValidator(_http_address), Field(json_schema_extra={"pattern": _HTTP_ADDRESS})]


class PlatformSpec(Strict):
    """Where endpoints run: exactly one of `gke`, `kubernetes`, `google`, `host` and `local`."""

    apiVersion: Literal["servestack/v1"]
    kind: Literal["Platform"]
    gke: Gke | None = None
    kubernetes: Kubernetes | None = None
    google: Google | None = None
    host: Host | None = None
    local: Local | None = None
    monitoring: Monitoring | None = None
    autoscaler: Literal["hpa", "keda"] = "hpa"
    prometheus: Prometheus | None = None
    httpAddOn: bool = False
    requireLock: bool = False
    labels: Labels = {}

    @property
    def in_cluster(self) -> bool:
        """Whether endpoints are pods of a cluster."""
        return self.gke is not None or self.kubernetes is not None

    @property
    def cloud(self) -> tuple[str, str] | None:
        """Google Cloud project and region; None where the platform is in none."""
        if self.gke is not None:
            return self.gke.project, self.gke.region
        return (self.google.project, self.google.location) if self.google is not None else None

    @model_validator(mode="after")
    def _one_place(self) -> PlatformSpec:
        named = [name for name in PLATFORM_KINDS if getattr(self, name) is not None]
        if len(named) != 1:
            said = f"it has {' and '.join(named)}" if named else "it has none"
            raise ValueError(f"a Platform has exactly one of gke, kubernetes, google, host and local; {said}.")
        return self

    @model_validator(mode="after")
    def _watched_in_a_cluster(self) -> PlatformSpec:
        kind = self.monitoring.kind if self.monitoring else "none"
        if not self.in_cluster and kind != "none":
            raise ValueError(f"monitoring {kind} watches pods of a cluster; leave it out here.")
        if self.kubernetes is not None and kind == "managed-prometheus":
            raise ValueError("managed-prometheus is GKE's own; write monitoring: prometheus-operator, or none.")
        return self

    @model_validator(mode="after")
    def _watched_by_what_is_there(self) -> PlatformSpec:
        asked = self.monitoring is not None and self.monitoring.kind == "managed-prometheus"
        if asked and self.gke is not None and "managed-prometheus" in self.gke.cluster.lacks:
            raise ValueError("monitoring is managed-prometheus, which cluster.lacks says is not there.")
        return self

    @model_validator(mode="after")
    def _keda_with_what_it_needs(self) -> PlatformSpec:
        if self.autoscaler == "keda" and not self.in_cluster:
            raise ValueError("autoscaler keda is for clusters; leave it out beside google, host and local.")
        if self.autoscaler == "keda" and self.prometheus is None:
            raise ValueError("autoscaler keda asks a Prometheus; write prometheus: {url: http://HOST:9090}.")
        named = [name for name in ("prometheus", "httpAddOn") if getattr(self, name)]
        if self.autoscaler != "keda" and named:
            raise ValueError(f"only KEDA reads {' and '.join(named)}; write autoscaler: keda, or leave it out.")
        return self
