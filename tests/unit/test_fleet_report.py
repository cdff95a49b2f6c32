"""`plan --all`: a line per stack, sorted, then totals, at most 80 columns; what is refused hides nothing else."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from infra.cli import main
from infra.fleet import total, totals
from infra.fleet_report import fleet_text
from infra.pipeline import ManagedEndpoint, build
from infra.plan.managed import ManagedPlan
from infra.plan.serving_plan import ServingPlan
from infra.stack_folder import StackFolder
from tests.conftest import ROOT
from tests.unit.files import PLATFORM, endpoint
from tests.unit.sample_plans import ladder, simple

LONG = "gemma4-26b-a4b-nvfp4-rtxpro6000-the-team"


def changed(
    name: str,
    *,
    replicas: int = 1,
    count: int = 1,
    kind: str = "rtxpro6000",
    hourly: float | None = 4.5,
    own: bool = False,
) -> ServingPlan:
    plan, capacity = simple(), "own" if own else "on-demand"
    accelerator = dataclasses.replace(plan.accelerator, type=kind, count=count, capacity=capacity)
    month = None if hourly is None else hourly * 730
    cost = dataclasses.replace(plan.cost, hourly_usd=hourly, monthly_usd_min=month, monthly_usd_max=month, exact=False)
    return dataclasses.replace(plan, stack=name, accelerator=accelerator, replicas=replicas, cost=cost, labels=())


@pytest.mark.parametrize("replicas", [1, 20, 100])
def test_names_of_forty_letters_and_great_fleets_keep_to_eighty_columns(replicas: int) -> None:
    assert len(LONG) == 40
    plans = [
        changed(LONG, replicas=replicas, count=16, kind="apple-128gb", hourly=replicas * 88.49),
        changed("gemma4-e4b-l4"),
    ]
    lines = fleet_text(plans).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:3]] == [LONG, "gemma4-e4b-l4"]
    assert f"{replicas * 88.49 * 730:,.0f}" in lines[1]


def test_a_price_that_is_unknown_and_a_machine_of_ones_own_are_told_apart() -> None:
    text = fleet_text([changed("b", hourly=None), changed("a", hourly=None, own=True, kind="apple-64gb"), simple()])
    assert "a              1 apple-64gb    own        own   83%" in text
    assert "b              1 rtxpro6000      ?          ?   83%" in text
    assert "3 stacks: 0.85 USD per hour, 623 per month; 1 without a known price (?); 1 on" in text


def test_a_ladder_tells_which_month_is_meant() -> None:
    text = fleet_text([dataclasses.replace(ladder(), labels=())])
    assert " to " in text
    assert text.endswith("per hour: most replicas, first rung; per month: most replicas, dearest rung\n")


def managed(name: str) -> ManagedPlan:
    built = build(name, StackFolder(ROOT / "stacks"))
    assert isinstance(built, ManagedEndpoint)
    return built.plan


def test_what_google_runs_stands_beside_the_others_and_is_summed_only_where_it_is_paid_by_the_hour() -> None:
    plans = [managed(f"gemma4-{one}") for one in ("26b-a4b-vertex-serverless", "31b-gemini", "31b-vertex")]
    lines = fleet_text([*plans, simple()]).splitlines()
    assert [line.split()[1:] for line in lines[1:4]] == [
        ["vertex", "by", "token", "-", "-"],
        ["gemini", "free", "-", "-"],
        ["1", "h100", "12.63", "9,217", "95%"],
    ]
    said = " ".join(" ".join(lines).split())
    assert "4 stacks: 13.48 USD per hour, 9,840 per month" in said
    assert "2 without a price by the hour (Google's own machines)" in said
    assert "?" not in said
    assert max(map(len, lines)) <= 80
    data = total(plans).to_json()
    assert (data["byToken"], data["unpriced"], data["own"], data["stacks"]) == (2, 0, 0, 3)
    assert data["hourlyUsd"] == pytest.approx(12.6259)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "dev": PLATFORM,
        "gemma4-e4b-l4": endpoint("gemma-4-e4b-it", "l4"),
        "gemma4-31b-l4": endpoint("gemma-4-31b-it", "l4", "vllm", "precision: bf16", "concurrency: 500"),
    }.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_one_stack_that_cannot_be_planned_does_not_hide_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--all", "--stacks", str(folder)]) == 3
    told = capsys.readouterr()
    assert "gemma4-e4b-l4  1 l4" in told.out
    assert "gemma4-31b-l4  no plan" in told.out
    assert "2 stacks: 0.85 USD per hour, 623 per month; 1 without a plan" in told.out
    assert told.err.startswith(f"{folder}/gemma4-31b-l4.yaml:")
    (folder / "broken.yaml").write_text("kind: [", encoding="utf-8")
    assert main(["plan", "--all", "--stacks", str(folder)]) == 2
    assert "2 without a plan" in capsys.readouterr().out


@pytest.mark.parametrize("form", [["--json"], ["--html", "page.html"]])
def test_what_others_read_is_all_stacks_or_nothing(
    form: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert main(["plan", "--all", "--stacks", str(folder), *form]) == 3
    assert capsys.readouterr().out == ""
    assert not (folder / "page.html").exists()
    (folder / "gemma4-31b-l4.yaml").unlink()
    assert main(["plan", "--all", "--stacks", str(folder), "--json"]) == 0
    assert [one["stack"] for one in json.loads(capsys.readouterr().out)] == ["gemma4-e4b-l4"]


def team(plan: ServingPlan, **labels: str) -> ServingPlan:
    return dataclasses.replace(plan, labels=tuple(labels.items()))


def test_every_stack_is_in_the_total_of_its_team_and_in_no_other() -> None:
    plans = [
        team(changed("a", hourly=1.0), team="search"),
        team(changed("b", hourly=2.0), team="search", tier="gold"),
        team(changed("c", hourly=4.0), tier="gold"),
        team(changed("d", hourly=None), team="ads"),
        team(changed("e", hourly=None, own=True), team="ads"),
    ]
    found = {one.value: (one.stacks, one.hourly_usd, one.unpriced, one.own) for one in totals(plans, "team")}
    assert found == {"ads": (2, 0.0, 1, 1), "search": (2, 3.0, 0, 0), None: (1, 4.0, 0, 0)}
    assert [one.value for one in totals(plans, "tier")] == ["gold", None]
    for label in ("team", "tier", "nobody"):
        parts = totals(plans, label)
        assert sum(one.stacks for one in parts) == len(plans)
        assert sum(one.monthly_usd_max for one in parts) == pytest.approx(total(plans).monthly_usd_max)


def test_teams_stand_below_the_stacks_within_eighty_columns() -> None:
    plans = [team(changed("a", replicas=100, hourly=8849.0), team="a" * 63), changed("b", hourly=1.0)]
    lines = fleet_text(plans).splitlines()
    table = lines[lines.index("") + 1 :]
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in table] == ["team", "a" * 25 + "...", "(none)"]
    assert table[2].split() == ["(none)", "1", "<=1.00", "<=730"]
    assert "" not in fleet_text([changed("b")]).splitlines()


def test_teams_as_json_are_the_totals_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "gemma4-31b-l4.yaml").unlink()
    assert main(["plan", "--all", "--by", "team", "--json", "--stacks", str(folder)]) == 0
    (only,) = json.loads(capsys.readouterr().out)
    assert only["value"] is None
    assert only["stacks"] == 1
    assert only["monthlyUsdMax"] == pytest.approx(623, abs=1)
    assert main(["plan", "gemma4-e4b-l4", "--by", "team", "--stacks", str(folder)]) == 2
