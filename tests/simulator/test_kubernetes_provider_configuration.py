from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from provider_harness import Engine, ProviderCallError, urn_of
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from simulator.control_plane import ControlPlane
from simulator.kubernetes_provider.config_diff import check_config, diff_config
from simulator.kubernetes_provider.errors import ProviderError
from simulator.kubernetes_provider.properties import UNKNOWN

pytest_plugins = ["provider_fixtures"]


def kubeconfig(server: str = "https://a", user: dict[str, Any] | None = None, **cluster: Any) -> str:
    return json.dumps(
        {
            "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
            "users": [{"name": "u", "user": user or {}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
    )


@pytest.mark.parametrize(
    ("olds", "news", "changed", "replaces"),
    [
        ({}, {}, [], []),
        ({"kubeconfig": kubeconfig()}, {"kubeconfig": kubeconfig()}, [], []),
        (
            {"kubeconfig": kubeconfig()},
            {"kubeconfig": kubeconfig(user={"token": "new"})},
            ["kubeconfig"],
            [],
        ),
        ({"kubeconfig": kubeconfig()}, {"kubeconfig": kubeconfig("https://b")}, ["kubeconfig"], ["kubeconfig"]),
        ({"kubeconfig": kubeconfig()}, {"kubeconfig": UNKNOWN}, ["kubeconfig"], ["kubeconfig"]),
        (
            {"kubeconfig": kubeconfig(), "clusterIdentifier": "x"},
            {"kubeconfig": kubeconfig("https://b"), "clusterIdentifier": "x"},
            ["kubeconfig"],
            [],
        ),
        (
            {"kubeconfig": kubeconfig(), "clusterIdentifier": "x"},
            {"kubeconfig": UNKNOWN, "clusterIdentifier": "x"},
            ["kubeconfig"],
            [],
        ),
        ({"clusterIdentifier": "x"}, {"clusterIdentifier": "y"}, ["clusterIdentifier"], ["clusterIdentifier"]),
        ({}, {"clusterIdentifier": "y"}, ["clusterIdentifier"], []),
        ({"clusterIdentifier": "y"}, {}, ["clusterIdentifier"], []),
        ({"namespace": "a"}, {"namespace": "b"}, ["namespace"], []),
        ({}, {"renderYamlToDirectory": "b"}, ["renderYamlToDirectory"], ["renderYamlToDirectory"]),
    ],
)
def test_only_another_cluster_replaces_what_is_on_the_provider(
    olds: dict[str, Any], news: dict[str, Any], changed: list[str], replaces: list[str]
) -> None:
    found = diff_config(olds, news)

    assert (found.changed, found.replaces) == (changed, replaces)


def test_unparsable_kubeconfig_fails_the_config_diff() -> None:
    with pytest.raises(ProviderError, match="failed to parse kubeconfig"):
        diff_config({"kubeconfig": kubeconfig()}, {"kubeconfig": "{not json"})


def test_strict_mode_wants_an_explicit_provider_with_kubeconfig_and_context() -> None:
    keys = [failure.key for failure in check_config({"strictMode": "true"}, is_default=True)]

    assert keys == ["provider", "kubeconfig", "context"]
    assert check_config({"strictMode": "true", "kubeconfig": "a", "context": "b"}, is_default=False) == []


def test_render_mode_refuses_a_cluster() -> None:
    (failure,) = check_config({"renderYamlToDirectory": "out", "context": "a"}, is_default=False)

    assert failure.reason == '"context" arg is not compatible with "renderYamlToDirectory" arg'


def test_handshake_is_unimplemented_and_the_version_is_the_sdks(unconfigured: Engine) -> None:
    with pytest.raises(grpc.RpcError) as failure:
        unconfigured.stub.Handshake(provider_pb2.ProviderHandshakeRequest())

    assert failure.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert unconfigured.stub.GetPluginInfo(empty_pb2.Empty()).version == "4.34.2"


NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}


def is_reachable(engine: Engine) -> bool:
    """A preview echoes when there is no cluster, and shows server defaults when there is."""
    metadata = {"name": "never-made"}
    shown = engine.create({**NAMESPACE, "metadata": metadata}, preview=True)
    return "uid" in shown.state["metadata"]


def test_kubeconfig_may_be_a_path(unconfigured: Engine, control_plane: ControlPlane) -> None:
    unconfigured.configure(kubeconfig=str(control_plane.kubeconfig))

    assert is_reachable(unconfigured)


def test_exec_plugin_gives_the_token(unconfigured: Engine, control_plane: ControlPlane, tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "status": {"token": control_plane.token},
    }
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(credential)}\nEND\n")
    plugin.chmod(0o755)
    authority = tmp_path / "ca.pem"
    authority.write_text(control_plane.ca_pem)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": str(plugin)}}

    unconfigured.configure(
        kubeconfig=kubeconfig(control_plane.server, user, **{"certificate-authority": str(authority)})
    )

    assert is_reachable(unconfigured)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{not json", "failed to parse kubeconfig data in `kubernetes:config:kubeconfig`- "),
        (
            kubeconfig("https://127.0.0.1:9", {"exec": {"command": "no-such-plugin"}}),
            "getting credentials: exec: executable no-such-plugin not found",
        ),
        (json.dumps({"current-context": "gone", "clusters": [{"name": "c"}]}), 'context "gone" does not exist'),
    ],
)
def test_broken_kubeconfig_shows_only_when_the_cluster_is_needed(unconfigured: Engine, text: str, reason: str) -> None:
    unconfigured.configure(kubeconfig=text)

    with pytest.raises(ProviderCallError) as failure:
        unconfigured.create(NAMESPACE)
    assert str(failure.value).startswith("configured Kubernetes cluster is unreachable: ")
    assert reason in str(failure.value)


def test_configured_namespace_is_the_default_of_its_own_connection_only(
    unconfigured: Engine, control_plane: ControlPlane
) -> None:
    other_channel = grpc.insecure_channel(unconfigured.target, [("grpc.use_local_subchannel_pool", 1)])
    other = Engine(provider_pb2_grpc.ResourceProviderStub(other_channel), unconfigured.recording, unconfigured.target)
    unconfigured.configure(kubeconfig=str(control_plane.kubeconfig), namespace="team")
    other.configure(kubeconfig=str(control_plane.kubeconfig))
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}

    namespaces = [each.check(urn_of("v1", "ConfigMap"), obj)["metadata"]["namespace"] for each in (unconfigured, other)]

    other_channel.close()
    assert namespaces == ["team", "default"]


def test_yaml_is_decoded_without_a_cluster(unconfigured: Engine) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\nnot: an object\n"
    arguments = {"text": text, "defaultNamespace": "llm"}
    request = provider_pb2.InvokeRequest(tok="kubernetes:yaml:decode")
    request.args.update(arguments)

    answer = unconfigured.stub.Invoke(request)

    (obj,) = getattr(answer, "return")["result"]
    assert obj["metadata"]["namespace"] == "llm"


def test_what_is_not_imitated_is_refused_with_a_next_step(unconfigured: Engine) -> None:
    with pytest.raises(grpc.RpcError) as failure:
        unconfigured.stub.Construct(provider_pb2.ConstructRequest(type="kubernetes:yaml/v2:ConfigGroup"))

    assert failure.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "pulumi plugin install resource kubernetes" in failure.value.details()
