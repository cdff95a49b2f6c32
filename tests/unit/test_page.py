"""The page's text: its numbers are the plan's, hostile text is text, and the same plans make the same page."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from infra.cli import main
from infra.page import PlanPage, numbers, page_text
from infra.page.series import memory_parts
from infra.plan.quantities import TimeTerm
from infra.plan.serving_plan import ServingPlan
from infra.plan.weights_source import WeightsChoice
from tests.unit.sample_group import SERVING, group
from tests.unit.sample_plans import CURVE, HOSTILE, LADDER_CURVE, hostile, ladder, simple, tpu

VOID = {"meta", "link", "br", "img", "path", "use", "rect"}
EVERY = {"simple": simple(), "ladder": ladder(), "tpu": tpu(), "hostile": hostile(), "group": group()}
every_plan = pytest.mark.parametrize("plan", list(EVERY.values()), ids=list(EVERY))


class Read(HTMLParser):
    """The page read strictly: every tag is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.shown: list[str] = []
        self.cells: list[list[str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.shown.append(data)
        if self.cells and {"td", "th"} & set(self.open):
            self.cells[-1][-1] += data

    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.shown))

    def row(self, name: str) -> list[str]:
        return next(row[1:] for row in self.cells if row and row[0] == name)


def page(*plans: ServingPlan) -> str:
    return page_text([PlanPage(plan, LADDER_CURVE if len(plan.ladder) > 1 else CURVE) for plan in plans])


@every_plan
def test_the_page_is_well_formed_and_asks_for_nothing(plan: ServingPlan) -> None:
    read = Read(page(plan))
    assert not {"script", "img", "iframe", "object", "form", "base"} & set(read.tags)
    assert read.tags["h1"] == read.tags["title"] - 4 == read.tags["main"] == 1
    ids = Counter(value for _, name, value in read.attributes if name == "id")
    assert set(ids.values()) == {1}
    for _, name, value in read.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "srcset", "xlink:href", "ping", "action")
        if name == "href":
            assert value == "data:," or value.removeprefix("#") in ids
        if name in ("aria-labelledby", "aria-describedby"):
            assert value in ids
        assert "url(" not in value or value.split("url(#")[1].split(")")[0] in ids
    assert not re.search(r"@import|url\(", page(plan).split("</style>")[0])
    assert read.tags["caption"] == read.tags["table"]
    assert sum(name == "scope" for _, name, _ in read.attributes) == read.tags["th"]


@every_plan
def test_the_numbers_are_those_of_the_plan(plan: ServingPlan) -> None:
    read = Read(page(plan))
    memory = plan.memory
    text = read.text()
    assert f"{memory.need_gib:.2f} of {memory.have_gib:.2f} GiB" in text
    assert f"{plan.context.max_model_len:,} tokens" in text
    assert read.row("Weights")[0] == f"{memory.weights_gib:.2f}"
    assert read.row("Overhead")[0] == f"{memory.overhead_gib:.2f}"
    assert read.row(f"Planned: {plan.context.concurrency}") == [f"{plan.context.max_model_len:,}"]
    assert read.row("Planned") == [f"{plan.timing.startup_seconds:,}"]
    for decision in plan.decisions:
        words = [numbers.visible(getattr(decision, name)) for name in ("field", "value", "origin", "reason")]
        assert words in read.cells
    for term in memory.terms:
        name, kind, source = map(numbers.visible, (term.name, term.kind, term.source))
        assert [name, kind, f"{term.size_gib:.2f}", f"{term.uncertainty_gib:.2f}", source] in read.cells
    for time in plan.timing.startup_terms:
        assert [numbers.visible(time.name), numbers.visible(time.basis), f"{time.seconds:.0f}"] in read.cells


@every_plan
def test_the_parts_of_the_bar_are_the_whole_accelerator_and_end_where_the_marks_are(plan: ServingPlan) -> None:
    memory = plan.memory
    sizes = {part.colour: part.size_gib for part in memory_parts(memory, plan.context.concurrency)}
    assert sum(sizes.values()) == pytest.approx(memory.per_accelerator_gib)
    needed = sum(sizes[name] for name in ("weights", "overhead", "uncertain", "guaranteed"))
    assert needed == pytest.approx(memory.need_gib)
    assert needed + sizes["free"] == pytest.approx(memory.have_gib)


def test_serving_has_a_row_for_what_a_plan_has_and_none_for_what_it_has_not() -> None:
    full, bare = Read(page(group())), Read(page(simple()))
    for subject, words in SERVING.items():
        assert words in full.row(subject)[0]
        assert subject not in [row[0] for row in bare.cells if row]
    for read in (full, bare):
        rows = [row[0] for row in read.cells if row]
        assert rows.index("Source of the weights") < rows.index("Access") < rows.index("Roll-out")
    assert full.row("Access")[0].startswith("no key is asked for; ")
    assert full.row("Access")[0].endswith("gemma4-31b-group; pods of namespace search with app: bot")
    assert bare.row("Access")[0].startswith("a key of Secret gemma4-e4b-l4-keys; ")
    assert "8 machines at most, 2 of them spare" in full.row("Roll-out")[0]
    assert full.row("Watching")[0].startswith("prometheus-operator in namespace monitoring, every 15\u00a0s: ")
    assert bare.row("Watching")[0].startswith("by nobody: ")


def test_an_own_machine_has_no_access_and_no_spare_machines() -> None:
    plan = simple()
    own = dataclasses.replace(plan, accelerator=dataclasses.replace(plan.accelerator, capacity="own"))
    read = Read(page(own))
    assert "Access" not in [row[0] for row in read.cells if row]
    assert "spare" not in read.row("Roll-out")[0]


def test_weights_say_from_where_and_whether_they_are_pinned() -> None:
    assert "model at commit 4f1c0e1a9f0d (pinned), " in Read(page(group())).row("Source of the weights")[0]
    assert "drafter at branch main (not pinned); " in Read(page(group())).row("Source of the weights")[0]
    assert "bot-lora" not in Read(page(group())).row("Source of the weights")[0]
    for choice, words in (
        (
            WeightsChoice("pvc", "/m", "", "", (), claim="gemma", access_mode="ReadOnlyMany", folder="e4b"),
            "claim gemma",
        ),
        (WeightsChoice("gcs", "/m", "", "", (), bucket="models", folder="e4b"), "gs://models/e4b, mounted; "),
        (WeightsChoice("engine", "maker/e4b", "", "", ()), "fetched by the engine itself; 10.22 GB"),
    ):
        plan = dataclasses.replace(simple(), weights=choice)
        assert Read(page(plan)).row("Source of the weights")[0].startswith(words)


def test_cautions_come_before_every_answer_and_are_counted_in_the_index() -> None:
    plan = group()
    text = page(plan)
    above = text.split('<dl class="answers">')[0]
    assert [above.count(f"<li>{caution}</li>") for caution in plan.cautions] == [1, 1]
    assert text.count("<li>") == 2
    assert "Cautions" not in page(simple())
    assert Read(page(simple(), plan)).row("gemma4-31b-group (2 cautions)")
    assert Read(page(simple(), plan)).row("gemma4-e4b-l4")


def test_a_stack_of_several_machines_names_them_all_and_its_framework_as_people_do(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    assert main(["plan", "gemma4-31b-l4-group", "--stacks", str(root / "stacks"), "--html", str(file)]) == 0
    text = Read(file.read_text(encoding="utf-8")).text()
    assert re.search(r"vLLM [\d.]+, 20 x l4 on 5 x g2-standard-48, ", text)
    assert "1. on-demand, 20 on 5 x g2-standard-48" in text


def test_a_plan_that_does_not_fit_says_so() -> None:
    plan = simple()
    full = dataclasses.replace(plan, memory=dataclasses.replace(plan.memory, need_gib=21.5))
    assert "No: 21.50 of 20.24 GiB" in Read(page(full)).text()


def test_an_unknown_price_is_said_so_and_a_ceiling_is_marked() -> None:
    read = Read(page(ladder()))
    assert ["2. spot, 2 on a3-highgpu-2g", "unknown", "unknown"] in read.cells
    assert ["3. on-demand, 4 on a3-highgpu-8g", "at most $44.24", "at most $16,148 to $32,295"] in read.cells
    chart = page(ladder()).split('id="plan-1-cost-description"')[1].split("</svg>")[0]
    assert chart.count(">price unknown<") == 1
    assert chart.count(">at most $44.24<") == 1
    assert "Price unknown" in Read(page(tpu())).text()
    assert "None" not in page(tpu())
    assert "$" not in page(tpu()).split('id="plan-1-cost-description"')[1].split("</svg>")[0]


def test_the_index_sums_what_is_known_and_counts_what_is_not() -> None:
    read = Read(page(simple(), ladder(), tpu()))
    together = [" ".join(cell.split()) for cell in read.row("Together")]
    assert together == ["$22.97 and 1 unknown", "$8,697 and 1 unknown", "$32,918 and 1 unknown", ""]
    assert read.row("gemma4-26b-a4b-v6e (only planned)")[3:6] == ["unknown"] * 3
    assert Read(page(tpu(), tpu())).row("Together")[0].strip() == "unknown"
    assert read.tags["section"] == 3


def test_a_sum_with_a_ceiling_in_it_is_a_ceiling() -> None:
    plan = simple()
    ceiling = dataclasses.replace(plan, cost=dataclasses.replace(plan.cost, exact=False))
    assert Read(page(plan, ceiling)).row("Together")[0].strip() == "at most $1.71"


@pytest.mark.parametrize("plan", [hostile(), hostile(group())], ids=["ladder", "group"])
def test_hostile_text_is_text(plan: ServingPlan) -> None:
    text = page(plan)
    shown = Read(text).text()
    for words in HOSTILE:
        assert re.sub(r"\s+", " ", numbers.visible(words)) in shown
    assert text.count("<script") == text.count("<img") == text.count("\x00") == text.count("\x1b") == 0
    assert "\u202e" not in text
    assert "{{ 7*7 }}" in text
    above = text.split('<dl class="answers">')[0]
    for caution in plan.cautions:
        assert f"<li>{escape(numbers.visible(caution))}</li>" in above


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_leaves_the_structure_as_it_is(words: str) -> None:
    assert Read(page(worded(words))).tags == Read(page(worded("plain"))).tags


def worded(words: str) -> ServingPlan:
    plan = ladder()
    rungs = tuple(dataclasses.replace(rung, machine_type=words, loses=(words,)) for rung in plan.ladder)
    terms = (TimeTerm(words, 12.0, words), *plan.timing.startup_terms[1:])
    timing = dataclasses.replace(plan.timing, startup_terms=terms)
    access = dataclasses.replace(plan.access, secret=words)
    return dataclasses.replace(plan, stack=words, ladder=rungs, timing=timing, access=access, cautions=(words, words))


def test_the_same_plans_make_the_same_bytes_whatever_the_machine_is_set_to(tmp_path: Path, root: Path) -> None:
    own = tmp_path / "matplotlibrc"
    own.write_text("svg.fonttype: path\nfont.size: 30\naxes.facecolor: red\nlines.linewidth: 9\n")
    program = (
        "import sys; from tests.unit.sample_plans import *; from infra.page import *;"
        "sys.stdout.write(page_text([PlanPage(ladder(), LADDER_CURVE), PlanPage(tpu(), CURVE)]))"
    )
    environment = os.environ | {
        "PYTHONPATH": str(root),
        "PYTHONIOENCODING": "utf-8",
        "MATPLOTLIBRC": str(own),
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
        "SOURCE_DATE_EPOCH": "0",
    }
    written = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, check=True
    ).stdout
    assert written.decode() == page(ladder(), tpu()) == page(ladder(), tpu())


def test_charts_cost_nothing_where_no_page_is_made(root: Path) -> None:
    program = "import sys, infra.page; sys.exit('matplotlib' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


def test_three_plans_stay_small() -> None:
    assert len(page(simple(), ladder(), tpu()).encode()) < 200_000


def test_what_is_not_there_is_said_and_not_drawn() -> None:
    plan = simple()
    bare = dataclasses.replace(
        plan, ladder=(), decisions=(), timing=dataclasses.replace(plan.timing, startup_terms=(), stop_terms=())
    )
    text = page_text([PlanPage(bare, ())])
    assert Read(text).tags["svg"] == 1
    assert "Not computed for this plan." in text
    assert Read(page_text([PlanPage(plan, ((1, 0), (2, 0)))])).row("2") == ["does not fit"]
    assert Read(page_text([])).tags["section"] == 0
