"""What `make up` ends with: there is a line for everything that can be up."""

from __future__ import annotations

import json

import pytest

from infra.pipeline import Platform, build
from infra.stack_folder import StackFolder
from simulator.summary import plan_rows
from tests.conftest import ROOT

FOLDERS = [StackFolder(ROOT / "stacks"), StackFolder(ROOT / "tests" / "examples" / "valid")]
PLANS = {
    name: one.plan.to_json()
    for folder in FOLDERS
    for name in folder.names()
    if not isinstance(one := build(name, folder), Platform)
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_of_any_kind_has_its_model_and_its_price_and_fits_a_terminal(name: str) -> None:
    rows = plan_rows(json.loads(json.dumps(PLANS[name])))
    names = [label for label, _ in rows]
    assert {"model", "cost"} <= set(names)
    assert all(text and "None" not in text for _, text in rows)
    assert len(names) == len(set(names)) or names.count("") >= 1
