"""`plan A B`: what stacks differ in, as their own plans say it, and at which load they cost the same."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import json
import math
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.loader import load_catalog
from infra.cli import main
from infra.comparison_report import comparison_text
from infra.pipeline import Endpoint, ManagedEndpoint, build
from infra.plan.comparison import Comparison, Side, break_even_output_tokens, compare
from infra.plan.serving_plan import ServingPlan
from infra.stack_folder import StackFolder
from tests.conftest import ROOT
from tests.unit.files import Files, endpoint

LABELS = {
    "model",
    "checkpoint",
    "precision",
    "inputs",
    "context",
    "longest answer",
    "guaranteed",
    "room for",
    "tools",
    "reasoning",
    "speculative",
    "adapters",
    "framework",
    "platform",
    "run by",
    "machines",
    "replicas",
    "scale to zero",
    "start-up",
    "location",
    "sent to",
    "callers show",
    "rate limit",
    "expected load",
    "per hour",
    "per month",
    "per token",
}
FIVE = {
    "vLLM": "gemma4-26b-a4b-rtxpro6000",
    "llama.cpp on processors": "gemma4-e2b-cpu-llamacpp",
    "Model Garden": "gemma4-31b-vertex",
    "serverless": "gemma4-26b-a4b-vertex-serverless",
    "Gemini": "gemma4-31b-gemini",
}
SERVERLESS, OWN = FIVE["serverless"], FIVE["vLLM"]
GOLDEN = ROOT / "tests" / "golden" / "comparison" / f"{SERVERLESS}-or-{OWN}.txt"


@cache
def sides() -> dict[str, Side]:
    """Every endpoint of the project's own stacks, and of those that are only planned."""
    found = {}
    for folder in ("stacks", "tests/examples/planned"):
        files = StackFolder(ROOT / folder)
        for name in files.names():
            built = build(name, files)
            if isinstance(built, Endpoint | ManagedEndpoint):
                found[name] = Side.of(built.plan, built.platform)
    return found


def beside(*names: str, ratio: float = 3.0) -> Comparison:
    return compare([sides()[name] for name in names], load_catalog(), ratio)


def texts(found: Comparison, label: str) -> tuple[str, ...]:
    (row,) = (row for row in found.rows if row.label == label)
    return tuple(one.text for one in row.cells)


def at(data: Any, path: str) -> Any:
    for key in path.split("."):
        data = data[key]
    return data


PAIRS = list(itertools.permutations(FIVE.values(), 2))


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_every_row_is_there_for_every_pair_of_ways_to_serve_and_every_cell_says_something(one: str, other: str) -> None:
    found = beside(one, other)
    assert {row.label for row in found.rows} == LABELS
    assert len(found.rows) == len(LABELS)
    assert all(len(row.cells) == 2 and all(cell.text.strip() for cell in row.cells) for row in found.rows)
    assert found.costs
    assert len(found.merits) == 2


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_values_are_those_of_the_plans_own_json(one: str, other: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(ROOT / "stacks")
    plans = []
    for name in (one, other):
        assert main(["plan", name, "--json", "--stacks", folder]) == 0
        plans.append(json.loads(capsys.readouterr().out))
    assert main(["plan", one, other, "--json", "--stacks", folder]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["stacks"] == [one, other]
    compared = 0
    for row in told["rows"]:
        for plan, cell in zip(plans, row["cells"], strict=True):
            for path, value in cell["fields"].items():
                assert at(plan, path) == value
                compared += 1
            assert cell["value"] == next(iter(cell["fields"].values()), None)
    assert compared > 40
    rows = {row["label"]: [cell["value"] for cell in row["cells"]] for row in told["rows"]}
    assert rows["context"] == [plan["context"]["maxModelLen"] for plan in plans]
    assert rows["per hour"] == [plan["cost"]["hourlyUsd"] for plan in plans]
    assert rows["start-up"] == [
        plan.get("startupSeconds", plan.get("timing", {}).get("startupSeconds")) for plan in plans
    ]


def test_all_pairs_of_all_stacks_keep_to_eighty_columns_and_swap_with_their_order() -> None:
    for one, other in itertools.combinations(sides(), 2):
        there, back = beside(one, other), beside(other, one)
        assert max(map(len, comparison_text(there).splitlines())) <= 80
        assert [(row.label, row.cells[::-1], row.note) for row in there.rows] == [
            (row.label, row.cells, row.note) for row in back.rows
        ]
        assert there.merits == back.merits[::-1]
        assert there.break_evens == back.break_evens
        assert set(there.costs) == set(back.costs)


@pytest.mark.parametrize("names", [tuple(FIVE.values())[:3], tuple(FIVE.values())[1:]])
def test_three_and_four_stacks_have_a_block_per_row_in_which_each_stands_once(names: tuple[str, ...]) -> None:
    found = beside(*names)
    text = comparison_text(found)
    assert max(map(len, text.splitlines())) <= 80
    letters = "ABCD"[: len(names)]
    heads: dict[str, list[str]] = {}
    for line in text.split("-" * 80 + "\n")[1].split("\n\n")[0].splitlines():
        if line[0] != " ":
            heads[line] = []
        else:
            heads[list(heads)[-1]] += line[2 : 2 + 2 * len(letters)].split()
    assert list(heads) == [row.label for row in found.rows if row.differs]
    assert all(sorted(who) == list(letters) for who in heads.values())
    for letter, name in zip(letters, names, strict=True):
        assert f"{letter}  {name}\n" in text


@given(st.lists(st.sampled_from(list(sides())), min_size=3, max_size=4, unique=True))
def test_any_three_or_four_stacks_keep_to_eighty_columns(names: list[str]) -> None:
    assert max(map(len, comparison_text(beside(*names)).splitlines())) <= 80


def test_every_valid_example_can_stand_beside_every_way_to_serve() -> None:
    files = StackFolder(ROOT / "tests" / "examples" / "valid")
    for name in files.names():
        built = build(name, files)
        if not isinstance(built, Endpoint | ManagedEndpoint):
            continue
        side = Side.of(built.plan, built.platform)
        for other in FIVE.values():
            found = compare([side, sides()[other]], load_catalog())
            assert {row.label for row in found.rows} == LABELS
            assert max(map(len, comparison_text(found).splitlines())) <= 80


def test_words_of_a_stack_file_that_are_longer_than_a_column_are_cut() -> None:
    side = sides()[OWN]
    assert isinstance(side.plan, ServingPlan)
    access = dataclasses.replace(side.plan.access, authentication="none", why="because" * 40)
    opened = Side.of(dataclasses.replace(side.plan, stack="opened", access=access), side.platform)
    twin = Side.of(dataclasses.replace(opened.plan, stack="twin"), side.platform)
    for others in ([side], [side, sides()[SERVERLESS]], [twin]):
        text = comparison_text(compare([opened, *others], load_catalog()))
        assert max(map(len, text.splitlines())) <= 80
        assert text.count("because") > 5


@pytest.mark.parametrize("name", list(sides()))
def test_a_copy_of_a_stack_differs_in_nothing(name: str) -> None:
    side = sides()[name]
    copy = Side.of(dataclasses.replace(side.plan, stack="another-name"), side.platform)
    found = compare([side, copy], load_catalog())
    assert [row.label for row in found.rows if row.differs] == []
    assert found.merits == ((), ())
    assert "\nnothing differs\n" in comparison_text(found)


def test_a_copy_under_another_name_in_a_folder_differs_in_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for source in ("dev", OWN, SERVERLESS):
        text = (ROOT / "stacks" / f"{source}.yaml").read_text(encoding="utf-8")
        (tmp_path / f"{source}.yaml").write_text(text, encoding="utf-8")
        if source != "dev":
            (tmp_path / f"{source}-copy.yaml").write_text(text, encoding="utf-8")
    assert main(["plan", OWN, f"{OWN}-copy", "--json", "--stacks", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert not any(row["differs"] for row in told["rows"])


PRICES = st.fractions(min_value=Fraction(1, 100), max_value=20, max_denominator=100)
HOURS = st.fractions(min_value=Fraction(1, 1000), max_value=Fraction(1, 2), max_denominator=1000)
RATIOS = st.fractions(min_value=0, max_value=50, max_denominator=8)


@given(HOURS, PRICES, PRICES, RATIOS)
def test_break_even_is_where_counting_tokens_one_by_one_reaches_the_price_of_the_hour(
    hour: Fraction, into: Fraction, out: Fraction, ratio: Fraction
) -> None:
    found = break_even_output_tokens(float(hour), float(into), float(out), float(ratio))
    step = max(1, math.floor(found / 200))  # counted in steps, so that each example takes 200 additions or so
    spent, tokens = Fraction(0), 0
    while spent < hour:
        spent += step * (out / 1_000_000 + ratio * into / 1_000_000)
        tokens += step
    assert tokens - step <= found * (1 + 1e-9)
    assert found * (1 - 1e-9) <= tokens


@given(HOURS, PRICES, PRICES, RATIOS)
def test_more_input_and_dearer_tokens_bring_the_break_even_nearer(
    hour: Fraction, into: Fraction, out: Fraction, ratio: Fraction
) -> None:
    prices = [float(hour), float(into), float(out), 1 + float(ratio)]
    base = break_even_output_tokens(*prices)
    for index in (1, 2, 3):
        more = [price + 1 if place == index else price for place, price in enumerate(prices)]
        assert break_even_output_tokens(*more) < base
    assert break_even_output_tokens(2 * prices[0], *prices[1:]) == pytest.approx(2 * base)


def test_tokens_that_cost_nothing_have_no_break_even() -> None:
    with pytest.raises(ValueError, match="costs nothing"):
        break_even_output_tokens(4.5, 0.15, 0.0, 0.0)


def test_the_break_even_of_the_two_ways_to_serve_26b_is_worked_out_by_hand() -> None:
    (found,) = beside(OWN, SERVERLESS).break_evens
    assert (found.by_hour, found.by_token) == (OWN, SERVERLESS)
    assert found.output_tokens_per_hour == pytest.approx(4.50 / (3 * 0.15e-6 + 0.60e-6))
    assert found.input_tokens_per_hour == pytest.approx(3 * found.output_tokens_per_hour)
    assert found.share is None
    (only_output,) = beside(OWN, SERVERLESS, ratio=0).break_evens
    assert only_output.output_tokens_per_hour == pytest.approx(7_500_000)


def priced(**changes: Any) -> Side:
    """The self-hosted 26B with another cost."""
    side = sides()[OWN]
    return Side.of(dataclasses.replace(side.plan, **changes), side.platform)


def measured(tokens_per_second: float, *, exact: bool = True, **changes: Any) -> Comparison:
    cost = sides()[OWN].plan.cost
    usd = 4.5 / (tokens_per_second * 3600) * 1e6
    basis = f"{tokens_per_second:,.0f} output tokens per second measured: 24 at once"
    known = dataclasses.replace(cost, usd_per_million_output_tokens=usd, tokens_basis=basis, exact=exact)
    return compare([priced(cost=known, **changes), sides()[SERVERLESS]], load_catalog())


def test_the_share_of_a_measured_throughput_is_told_and_a_load_that_is_never_reached_as_such() -> None:
    (reached,) = measured(2381).break_evens
    assert reached.measured_output_tokens_per_hour == pytest.approx(2381 * 3600)
    assert reached.share == pytest.approx(0.5, abs=0.001)
    (text,) = measured(2381).costs
    assert f"above, {OWN} does" in text
    assert "50 % of that" in text
    (never,) = measured(548).costs
    assert f"{SERVERLESS} costs less at every load that {OWN} can do, 1.97 million per hour" in never
    assert "217 % of that" in never
    assert "548 output tokens per second measured: 24 at once" in never
    (ceiling,) = measured(548, exact=False).costs
    assert "at every load" not in ceiling
    assert "below at most 4.29 million" in ceiling


def test_a_throughput_of_the_catalogue_is_what_the_break_even_is_measured_by(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = (one for one in load_catalog().throughputs if one.accelerator == "rtxpro6000")
    name = "gemma4-31b-fp8-block-rtxpro6000"
    own = (ROOT / "stacks" / f"{OWN}.yaml").read_text(encoding="utf-8").replace("gemma-4-26b-a4b-it", row.model)
    (tmp_path / f"{name}.yaml").write_text(f"{own}precision: {row.precision}\n", encoding="utf-8")
    for stack in ("dev", SERVERLESS):
        text = (ROOT / "stacks" / f"{stack}.yaml").read_text(encoding="utf-8")
        (tmp_path / f"{stack}.yaml").write_text(text, encoding="utf-8")
    assert main(["plan", name, SERVERLESS, "--json", "--stacks", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    (found,) = told["breakEven"]
    assert found["measuredOutputTokensPerHour"] == pytest.approx(548 * 3600)
    assert found["share"] == pytest.approx(4.5 / 1.05e-6 / (548 * 3600), abs=1e-4)
    assert row.conditions in told["costs"][0]
    assert told["costs"][0].endswith(" They serve different models.")


def test_replicas_that_come_and_go_have_a_break_even_at_fewest_and_at_most() -> None:
    cost = dataclasses.replace(sides()[OWN].plan.cost, hourly_usd=18.0)
    scaled = priced(cost=cost, min_replicas=1, replicas=4)
    few, many = compare([scaled, sides()[SERVERLESS]], load_catalog()).break_evens
    assert (few.replicas, few.usd_per_hour, many.replicas, many.usd_per_hour) == (1, 4.5, 4, 18.0)
    assert many.output_tokens_per_hour == pytest.approx(4 * few.output_tokens_per_hour)
    asleep = priced(cost=cost, min_replicas=0, replicas=4)
    found = compare([asleep, sides()[SERVERLESS]], load_catalog())
    assert [one.replicas for one in found.break_evens] == [1, 4]
    assert all("and nothing while none runs" in text for text in found.costs)


@pytest.mark.parametrize("ratio", [0.0, 3.0, 12.5])
def test_no_break_even_is_told_without_its_ratio_and_its_prices(ratio: float) -> None:
    (text,) = beside(OWN, SERVERLESS, ratio=ratio).costs
    assert f"{ratio:g} input tokens to 1 output token is assumed" in text
    for basis in ("on-demand list price, us-central1", "list price per token, pay as you go"):
        assert basis in text


def test_where_a_price_or_a_throughput_is_not_known_it_says_so() -> None:
    (text,) = beside(OWN, SERVERLESS).costs
    assert "no measured throughput with a source is known" in text
    assert texts(beside(OWN, SERVERLESS), "per token")[0] == (
        "not known: no measured throughput with a source is known"
    )
    assert beside(OWN, FIVE["Gemini"]).costs == (
        "no break-even with gemma4-31b-gemini: free of charge; there is no paid tier.",
    )
    unpriced = beside("gemma4-e4b-l4-lab", SERVERLESS)
    assert unpriced.costs == ("no break-even with gemma4-e4b-l4-lab: a machine of your own: no list price.",)
    assert texts(unpriced, "per hour")[0] == "not known: a machine of your own: no list price"
    both = beside(OWN, FIVE["Model Garden"]).costs
    assert both == (
        f"no break-even of {OWN} and gemma4-31b-vertex: both are paid by the hour. At most replicas {OWN} costs "
        "8.13 USD per hour less. They serve different models.",
    )


def test_who_may_use_what_is_sent_is_told_where_a_source_says_so_and_nowhere_else() -> None:
    for name in FIVE.values():
        told = "Google may use what is sent" in texts(beside(name, "gemma4-e4b-l4"), "sent to")[0]
        assert told is (name == FIVE["Gemini"])
    assert texts(beside(SERVERLESS, FIVE["Gemini"]), "location") == (
        "global: Google chooses where requests are worked on",
        "Google does not say",
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (OWN, "no: at least 1 (the platform has no KEDA HTTP add-on)"),
        (FIVE["Model Garden"], "no: this version keeps at least 1"),
        (SERVERLESS, "always: nothing runs, nothing is paid"),
        (FIVE["Gemini"], "always: nothing runs, nothing is paid"),
        ("gemma4-e4b-apple-64gb-mlx", "no: the machine is there"),
    ],
)
def test_whether_nothing_may_run_is_told_of_every_way_to_serve(name: str, said: str) -> None:
    assert texts(beside(name, "gemma4-e4b-l4"), "scale to zero")[0] == said


def test_an_endpoint_that_sleeps_says_after_which_time() -> None:
    files = StackFolder(ROOT / "tests" / "examples" / "valid")
    built = build("gemma4-e4b-l4-asleep", files)
    assert isinstance(built, Endpoint)
    found = compare([Side.of(built.plan, built.platform), sides()["gemma4-e4b-l4"]], load_catalog())
    assert built.plan.scaling is not None
    after = f"{built.plan.scaling.idle_seconds:,} s without a request"
    assert texts(found, "scale to zero")[0] == f"yes, with KEDA's HTTP add-on after {after}"
    assert found.merits[0][0] == "nothing is paid while nobody calls"


def test_what_only_googles_own_container_knows_is_told_as_unknown() -> None:
    files = Files(gemma4_31b_vertex=endpoint("gemma-4-31b-it", "h100", "vertex", "vertex: {container: verified}"))
    built = build("gemma4-31b-vertex", files)
    assert isinstance(built, ManagedEndpoint)
    verified = Side.of(dataclasses.replace(built.plan, stack="verified"), built.platform)
    found = compare([verified, sides()[FIVE["Model Garden"]]], load_catalog())
    for label in ("context", "longest answer", "room for", "speculative"):
        assert texts(found, label)[0] == "not known before deployment"
    assert texts(found, "guaranteed")[0] == "none"
    assert texts(found, "framework")[0] == "Vertex AI Model Garden, its own container"


def test_an_ability_that_could_be_asked_for_is_told_apart_from_one_that_is_not_to_be_had() -> None:
    assert texts(beside(OWN, SERVERLESS), "tools") == ("off (the stack file can ask)", "on")
    assert texts(beside(OWN, SERVERLESS), "reasoning") == ("off (the stack file can ask)", "not to be had")
    assert texts(beside(FIVE["Gemini"], SERVERLESS), "reasoning")[0] == "off (the stack file can ask)"


def test_more_requests_than_the_free_tier_takes_are_told() -> None:
    gemini = sides()[FIVE["Gemini"]]
    assert not isinstance(gemini.plan, ServingPlan)
    for expected, told in ((15, False), (16, True)):
        plan = dataclasses.replace(gemini.plan, expected_requests_per_minute=expected)
        found = compare([Side.of(plan, gemini.platform), sides()[OWN]], load_catalog())
        assert ("callers will get 429" in texts(found, "rate limit")[0]) is told
        assert texts(found, "expected load") == (f"{expected} requests per minute", "not said")


def test_adapters_and_drafters_are_told_where_there_are_any() -> None:
    assert texts(beside("gemma4-e4b-l4-adapters", "gemma4-e4b-l4"), "adapters") == ("support", "none asked for")
    plan = sides()[OWN].plan
    drafted = priced(model=dataclasses.replace(plan.model, drafter="google/gemma-4-26B-A4B-it-assistant"))
    found = compare([drafted, sides()[OWN]], load_catalog())
    assert texts(found, "speculative") == ("drafter google/gemma-4-26B-A4B-it-assistant", "off")
    assert [row.label for row in found.rows if row.differs] == ["speculative"]


def test_the_text_for_serverless_or_self_hosted_is_the_one_that_was_read(request: pytest.FixtureRequest) -> None:
    now = comparison_text(beside(SERVERLESS, OWN))
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(now, encoding="utf-8")
    then = GOLDEN.read_text(encoding="utf-8")
    diff = "".join(difflib.unified_diff(then.splitlines(True), now.splitlines(True), "committed", "now"))
    assert not diff, f"{diff}\nRead it, then: pytest tests/unit/test_comparison.py --update-golden"
    assert [path.name for path in GOLDEN.parent.iterdir()] == [GOLDEN.name]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([OWN, "dev"], "stacks/dev.yaml is no endpoint; only those are compared."),
        ([OWN, SERVERLESS, OWN], f"{OWN} named twice; name each stack once."),
        ([OWN, SERVERLESS, "--explain"], "--html and --explain show one plan; name one stack, or leave them out."),
        ([OWN, SERVERLESS, "--html", "x"], "--html and --explain show one plan; name one stack, or leave them out."),
        (
            [OWN, SERVERLESS, "--by", "team"],
            "--by sums costs of all endpoints; write --all in place of a stack's name.",
        ),
        (list(FIVE.values()), "5 stacks; at most 4 are set side by side. --all has a line for each."),
        ([OWN, "--input-per-output", "2"], "--input-per-output is for costs of stacks beside each other; name two"),
        ([OWN, SERVERLESS, "--input-per-output", "-1"], "--input-per-output is a number from 0 to 1,000,000."),
        ([OWN, SERVERLESS, "--input-per-output", "nan"], "--input-per-output is a number from 0 to 1,000,000."),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["plan", *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(said)
    assert not (ROOT / "x").exists()


def test_the_ratio_of_the_command_line_is_the_one_that_is_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", OWN, SERVERLESS, "--json", "--stacks", str(ROOT / "stacks")]
    for more, ratio, tokens in (([], 3, 4.5 / 1.05e-6), (["--input-per-output", "0"], 0, 4.5 / 0.6e-6)):
        assert main([*words, *more]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["inputTokensPerOutputToken"] == ratio
        assert told["breakEven"][0]["outputTokensPerHour"] == pytest.approx(tokens)


@pytest.mark.parametrize("words", [["plan"], ["plan", OWN, "--all"], ["plan", OWN, SERVERLESS, "--all"]])
def test_names_or_all_but_not_both_and_not_none(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: servestack plan" in capsys.readouterr().err


def test_all_problems_of_all_files_come_in_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for source in ("dev", OWN):
        text = (ROOT / "stacks" / f"{source}.yaml").read_text(encoding="utf-8")
        (tmp_path / f"{source}.yaml").write_text(text, encoding="utf-8")
    broken = (ROOT / "stacks" / f"{OWN}.yaml").read_text(encoding="utf-8").replace("vllm", "vlm") + "conc: 1\n"
    (tmp_path / f"{OWN}-two.yaml").write_text(broken, encoding="utf-8")
    (tmp_path / f"{OWN}-three.yaml").write_text("kind: [", encoding="utf-8")
    assert main(["plan", OWN, f"{OWN}-two", f"{OWN}-three", "dev", "--stacks", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    for part in (f"{OWN}-two.yaml:7:", "unknown key", f"{OWN}-three.yaml:2:", "dev.yaml is no endpoint"):
        assert part in told.err


def test_a_stack_that_cannot_be_planned_ends_with_three(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for source in ("dev", OWN):
        text = (ROOT / "stacks" / f"{source}.yaml").read_text(encoding="utf-8")
        (tmp_path / f"{source}.yaml").write_text(text, encoding="utf-8")
    cramped = (ROOT / "stacks" / f"{OWN}.yaml").read_text(encoding="utf-8") + "budgetUsdPerMonth: 10\n"
    (tmp_path / f"{OWN}-busy.yaml").write_text(cramped, encoding="utf-8")
    assert main(["plan", OWN, f"{OWN}-busy", "--stacks", str(tmp_path)]) == 3
    assert f"{OWN}-busy.yaml" in capsys.readouterr().err
