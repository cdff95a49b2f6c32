from __future__ import annotations

from typing import Any

import pytest

from simulator.kubernetes_provider.errors import ProviderError
from simulator.kubernetes_provider.wait_for import Condition, JsonPath, parse, select


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
