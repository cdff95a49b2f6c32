"""Several engines on one port, and engines that are killed: officially each has a plugin process of its own."""

from __future__ import annotations

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from kubernetes import client
from provider_harness import Engine, ProviderCallError
from pulumi.runtime.proto import plugin_pb2
from workloads import in_background, pod_template, waiting_config_map, workload

from simulator.kubernetes_provider import create, provider

pytest_plugins = ["provider_fixtures"]


def config_map(namespace: str, name: str, value: str = "1") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": value}}


def informers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("informer ")]


def test_create_that_still_retries_ends_with_its_engine(
    engine: Engine, other: Engine, api: client.ApiClient, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create, "_RETRY_SECONDS", (0.3,) * 60)
    namespace = f"late-{secrets.token_hex(4)}"
    thread, outcome = in_background(other, config_map(namespace, "ghost"))
    until(lambda: any("Retry #0" in text for text in other.statuses()))

    other.hang_up()
    thread.join(5)

    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": namespace}})
    try:
        assert isinstance(outcome[0], ProviderCallError | ValueError)
        assert engine.create(config_map(namespace, "first")).identifier
        with pytest.raises(pytest.fail.Exception):
            until(
                lambda: "ghost" in {one.metadata.name for one in core.list_namespaced_config_map(namespace).items},
                within_seconds=1,
            )
    finally:
        core.delete_namespace(namespace)


def test_wait_ends_with_its_engine(other: Engine, namespace: str, until: Any) -> None:
    thread, _ = in_background(other, workload("Deployment", namespace, pod_template(namespace)), timeout=600)
    until(lambda: any(text.startswith("Waiting for app") for text in other.statuses()))
    assert informers()

    other.hang_up()
    thread.join(5)

    until(lambda: not informers(), within_seconds=5, what="nothing watches the cluster any more")


def test_cancel_ends_only_its_own_engines_waits_and_what_comes_after(
    engine: Engine, other: Engine, namespace: str, api: client.ApiClient, until: Any
) -> None:
    obj = waiting_config_map(namespace, "jsonpath={.data.phase}=Ready")
    mine, my_outcome = in_background(engine, obj)
    until(lambda: any("Pending" in text for text in engine.statuses()))
    obj = waiting_config_map(namespace, "jsonpath={.data.phase}=Ready")
    obj["metadata"]["name"] = "theirs"
    theirs, their_outcome = in_background(other, obj)
    until(lambda: any("Pending" in text for text in other.statuses()))

    engine.cancel()
    mine.join(5)

    assert str(my_outcome[0]) == "context canceled"
    assert my_outcome[0].partial
    with pytest.raises(ProviderCallError, match="context canceled"):
        engine.create(config_map(namespace, "late"))
    client.CoreV1Api(api).patch_namespaced_config_map("theirs", namespace, {"data": {"phase": "Ready"}})
    theirs.join(10)
    assert their_outcome[0].identifier == f"{namespace}/theirs"


def test_session_that_waits_outlives_many_others(
    engine: Engine, other: Engine, namespace: str, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "_SESSIONS_KEPT", 1)
    thread, outcome = in_background(engine, waiting_config_map(namespace, "jsonpath={.data.phase}=Ready"))
    until(lambda: any("Pending" in text for text in engine.statuses()))

    assert other.create(config_map(namespace, "theirs")).identifier
    other.stub.Attach(plugin_pb2.PluginAttach())
    engine.cancel()
    thread.join(5)

    assert str(outcome[0]) == "context canceled"


def test_a_hundred_objects_are_created_at_once_and_one_of_a_megabyte(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    objects = [config_map(namespace, f"many-{number}") for number in range(100)]
    objects.append(config_map(namespace, "big", "x" * 1_000_000))
    with ThreadPoolExecutor(len(objects)) as pool:
        made = list(pool.map(engine.create, objects))

    assert len({resource.identifier for resource in made}) == 101
    live = client.CoreV1Api(api).read_namespaced_config_map("big", namespace)
    assert live.data == made[-1].inputs["data"]
    changed = config_map(namespace, "big", "y" * 1_000_000)
    assert engine.diff(made[-1], engine.check(made[-1].urn, changed, made[-1].inputs)).detailedDiff
