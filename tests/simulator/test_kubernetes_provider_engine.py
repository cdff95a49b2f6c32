"""The stand-in under the real Pulumi engine and the real Python SDK."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from small_program import Pulumi, small_program

from simulator.binaries import Binaries
from simulator.control_plane import ControlPlane
from simulator.kubernetes_provider import serve

PROGRAM = """
import pulumi
import pulumi_kubernetes as k8s

config = pulumi.Config()
provider = k8s.Provider("cluster", kubeconfig=config.require("kubeconfig"), cluster_identifier="c")
options = pulumi.ResourceOptions(provider=provider)
namespace = k8s.core.v1.Namespace("llm", metadata={"name": config.require("namespace")}, opts=options)
place = {"namespace": namespace.metadata.name}
k8s.core.v1.ServiceAccount("engine", metadata={"name": "engine", **place}, opts=options)
k8s.core.v1.ConfigMap("settings", metadata={"name": "settings", **place}, data={"v": config.require("v")}, opts=options)
k8s.core.v1.Secret("token", metadata={"name": "token", **place}, string_data={"a": "hush-hush"}, opts=options)
k8s.networking.v1.NetworkPolicy(
    "closed", metadata={"name": "closed", **place}, spec={"podSelector": {}, "policyTypes": ["Ingress"]}, opts=options
)
k8s.apiextensions.CustomResource(
    "scrape",
    api_version="monitoring.googleapis.com/v1",
    kind="PodMonitoring",
    metadata={"name": "scrape", **place},
    spec={
        "selector": {"matchLabels": {"app": "engine"}},
        "endpoints": [{"port": config.require("v"), "interval": "30s"}],
    },
    opts=options,
)
app = k8s.apps.v1.Deployment(
    "engine",
    metadata={"name": "engine", **place},
    spec={
        "replicas": config.require_int("replicas"),
        "selector": {"matchLabels": {"app": "engine"}},
        "template": {
            "metadata": {"labels": {"app": "engine"}},
            "spec": {
                "hostNetwork": False,
                "containers": [
                    {
                        "name": "engine",
                        "image": f"example.com/engine:{config.require('v')}",
                        "resources": {"requests": {"cpu": 1, "memory": "1024Mi"}},
                    }
                ],
            },
        },
    },
    opts=pulumi.ResourceOptions(provider=provider, custom_timeouts=pulumi.CustomTimeouts(create="2s", update="2s")),
)
pulumi.export("uid", app.metadata.uid)
"""


@pytest.fixture
def pulumi(tmp_path: Path, binaries: Binaries, control_plane: ControlPlane, namespace: str) -> Iterator[Pulumi]:
    """Runs the CLI on a small program, with the stand-in attached."""
    server, port = serve()
    run = small_program(tmp_path, binaries, PROGRAM, "kubernetes", port)
    run("config", "set", "kubeconfig", control_plane.kubeconfig.read_text())
    run("config", "set", "namespace", f"{namespace}-up")
    run("config", "set", "v", "1")
    run("config", "set", "replicas", "0")
    yield run
    server.stop(None)


def changes(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    return dict(json.loads(done.stdout)["changeSummary"])


def test_preview_up_edit_refresh_and_destroy(pulumi: Pulumi, api: client.ApiClient, namespace: str) -> None:
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    inside = f"{namespace}-up"

    assert changes(pulumi("preview", "--json")) == {"create": 9}
    pulumi("up", "--yes", "--skip-preview")
    assert core.read_namespaced_config_map("settings", inside).data == {"v": "1"}
    assert changes(pulumi("preview", "--json", "--expect-no-changes")) == {"same": 9}
    assert "hush-hush" not in pulumi("stack", "export").stdout

    pulumi("config", "set", "v", "2")
    assert changes(pulumi("preview", "--json")) == {"replace": 1, "same": 6, "update": 2}
    pulumi("up", "--yes", "--skip-preview")
    assert core.read_namespaced_config_map("settings", inside).data == {"v": "2"}
    (container,) = apps.read_namespaced_deployment("engine", inside).spec.template.spec.containers
    assert container.image == "example.com/engine:2"
    custom = client.CustomObjectsApi(api)
    scrape = custom.get_namespaced_custom_object("monitoring.googleapis.com", "v1", inside, "podmonitorings", "scrape")
    assert [one["port"] for one in scrape["spec"]["endpoints"]] == ["2"]

    drift: dict[str, Any] = {"data": {"v": "by hand"}}
    core.patch_namespaced_config_map("settings", inside, drift)
    assert changes(pulumi("preview", "--json")) == {"same": 9}
    assert changes(pulumi("preview", "--json", "--refresh")) == {"replace": 1, "same": 8}

    pulumi("destroy", "--yes", "--skip-preview")
    assert inside not in {item.metadata.name for item in core.list_namespace().items}


def test_failed_deployment_is_saved_and_shown_with_the_official_words(pulumi: Pulumi) -> None:
    pulumi("config", "set", "replicas", "1")

    shown = pulumi("up", "--yes", "--skip-preview", succeeds=False).stdout

    assert '* resource "urn:pulumi:s::p::kubernetes:apps/v1:Deployment::engine" was successfully created' in shown
    assert "'engine' timed out waiting to be Ready" in shown
    assert "* Minimum number of live Pods was not attained" in shown
    state = json.loads(pulumi("stack", "export").stdout)
    (saved,) = [item for item in state["deployment"]["resources"] if item["type"].endswith(":Deployment")]
    assert saved["initErrors"]
    assert changes(pulumi("preview", "--json")) == {"same": 8, "update": 1}

    pulumi("config", "set", "replicas", "0")
    pulumi("up", "--yes", "--skip-preview")
    assert changes(pulumi("preview", "--json", "--expect-no-changes")) == {"same": 9}
