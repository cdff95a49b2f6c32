"""stacks/schema.json in an editor: it accepts what is valid, marks wrong shapes, and explains every key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.schema import _MEANINGS, schema_text
from tests.conftest import ROOT

EXAMPLES = ROOT / "tests" / "examples"
SCHEMA: dict[str, Any] = json.loads((ROOT / "stacks" / "schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
WELL_SHAPED = sorted(
    path for folder in (ROOT / "stacks", EXAMPLES / "valid", EXAMPLES / "refused") for path in folder.glob("*.yaml")
)
# Files that YAML itself reads, and whose fault is in single values and keys.
MISSHAPEN = [
    "everything-wrong",
    "expose-clients-everywhere",
    "expose-clients-hostile-label",
    "expose-gateway-address",
    "expose-gateway-wildcard",
    "expose-gateway-without-hostname",
    "hostile-argument",
    "hostile-key",
    "hostile-quotes",
    "key-of-two-brackets",
    "labels-key-digit",
    "missing-fields",
    "not-a-list",
    "platform-bad-project",
    "platform-of-two-kinds",
    "truth-in-disguise",
    "unknown-accelerator",
    "unknown-api-version",
    "unknown-capacity",
    "unknown-framework",
    "unknown-key",
    "unknown-kind",
    "unknown-model",
    "unknown-precision",
    "wrong-range",
    "wrong-type",
]


def faults(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def test_committed_schema_is_the_generated_one() -> None:
    text = (ROOT / "stacks" / "schema.json").read_text(encoding="utf-8")
    assert text == schema_text(), "servestack schema > stacks/schema.json"


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", WELL_SHAPED, ids=lambda path: path.stem)
def test_every_file_of_the_right_shape_passes(path: Path) -> None:
    assert faults(path) == []


@pytest.mark.parametrize("name", MISSHAPEN)
def test_every_file_of_a_wrong_shape_is_marked(name: str) -> None:
    assert faults(EXAMPLES / "invalid" / f"{name}.yaml")


def test_every_key_is_explained_and_nothing_else_is() -> None:
    keys = {key for definition in SCHEMA["$defs"].values() for key in definition["properties"]}
    assert keys == set(_MEANINGS)


def test_a_mistake_is_marked_where_it_is_and_alone() -> None:
    path = EXAMPLES / "invalid" / "unknown-model.yaml"
    found = list(VALIDATOR.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8"))))
    assert [list(error.absolute_path) for error in found] == [["model"]]
