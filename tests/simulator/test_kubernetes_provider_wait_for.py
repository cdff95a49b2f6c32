from __future__ import annotations

from typing import Any

import pytest
from kubernetes import client
from provider_harness import Engine, ProviderCallError
from workloads import in_background, waiting_config_map

from simulator.kubernetes_provider.errors import ProviderError
from simulator.kubernetes_provider.wait_for import Condition, JsonPath, parse, select

pytest_plugins = ["provider_fixtures"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("condition=Ready", [Condition("Ready", "True")]),
        ("condition=Ready=False", [Condition("Ready", "False")]),
        ("jsonpath={.status.phase}=Running", [JsonPath("{.status.phase}", "Running")]),
        ("jsonpath={.status.phase}", [JsonPath("{.status.phase}", None)]),
        ("jsonpath={.a}==", [JsonPath("{.a}", "=")]),
        (
            '["condition=Ready", "jsonpath={.a}"]',
            [Condition("Ready", "True"), JsonPath("{.a}", None)],
        ),
    ],
)
def test_expressions_are_understood(text: str, expected: list[Any]) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ready", 'expected a "jsonpath=" or "condition=" prefix, got "Ready"'),
        ("jsonpath=.status.phase=Running", ".status.phase=Running should be wrapped in brackets"),
        ("jsonpath={.a", "{.a should be wrapped in brackets"),
    ],
)
def test_malformed_expressions_have_the_official_texts(text: str, message: str) -> None:
    with pytest.raises(ProviderError) as failure:
        parse(text)

    assert str(failure.value) == message


OBJECT = {
    "status": {
        "phase": "Running",
        "replicas": 2,
        "conditions": [{"type": "A", "status": "False"}, {"type": "Ready", "status": "True"}],
        "labels": {"a.b/c": "d"},
    }
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("{.status.phase}", ["Running"]),
        ("{$.status.replicas}", [2]),
        ("{.status.conditions[0].type}", ["A"]),
        ("{.status.conditions[-1].type}", ["Ready"]),
        ("{.status.conditions[*].type}", ["A", "Ready"]),
        ('{.status.conditions[?(@.type=="Ready")].status}', ["True"]),
        ("{.status.labels['a.b/c']}", ["d"]),
        ("{.status.missing}", []),
        ("{.status.phase.deeper}", []),
        ("{.status.conditions[7]}", []),
    ],
)
def test_paths_select_values(path: str, values: list[Any]) -> None:
    assert select(OBJECT, path) == values


def test_wait_for_holds_a_resource_until_its_path_has_the_value(
    engine: Engine, namespace: str, api: client.ApiClient, until: Any
) -> None:
    thread, outcome = in_background(engine, waiting_config_map(namespace, "jsonpath={.data.phase}=Ready"))
    until(lambda: 'Waiting for {.data.phase}=Ready (found "Pending")' in engine.statuses())
    client.CoreV1Api(api).patch_namespaced_config_map("flag", namespace, {"data": {"phase": "Ready"}})
    thread.join(10)

    assert outcome[0].state["data"] == {"phase": "Ready"}
    assert engine.statuses()[-1] == "Found {.data.phase}=Ready"


def test_wait_for_that_never_holds_gives_no_reason(engine: Engine, namespace: str) -> None:
    with pytest.raises(ProviderCallError) as failure:
        engine.create(waiting_config_map(namespace, "condition=Ready"), timeout=1)

    (reason,) = failure.value.reasons
    assert reason.endswith("become live: timed out waiting for the condition")
    assert "Has no .status.conditions" in engine.statuses()


def test_malformed_wait_for_is_found_after_the_create_and_loses_the_object(
    engine: Engine, namespace: str, api: client.ApiClient
) -> None:
    with pytest.raises(ProviderCallError) as failure:
        engine.create(waiting_config_map(namespace, "ready"))

    assert str(failure.value).endswith('expected a "jsonpath=" or "condition=" prefix, got "ready"')
    assert not failure.value.partial
    assert client.CoreV1Api(api).read_namespaced_config_map("flag", namespace)
