"""The site as files: a page for every stack, links that lead somewhere, the plans' sums, the same bytes each time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from infra.cli import main
from infra.pipeline import Endpoint, Platform, build_each
from infra.stack_folder import StackFolder
from infra.website import SITE, Stacks, site_files
from infra.website.explorer import answers, data
from infra.website.row import row
from infra.website.together import together
from tests.unit.files import PLATFORM, endpoint

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "stacks").glob("*.yaml"))
FOLDER = StackFolder(ROOT / "stacks")
BUILT, _ = build_each(NAMES, FOLDER)
STACKS = Stacks(BUILT, {name: FOLDER.text(name) for name in NAMES}, {})
PAGES = {name: text for name, text in site_files(STACKS).items() if name.endswith(".html")}
SERVED = [one for one in BUILT if not isinstance(one, Platform)]


class Read(HTMLParser):
    """A page's links, its places, the attributes of table rows, and its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.names: set[str] = set()
        self.rows: list[dict[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.names |= found.keys()
        if tag == "a":
            self.links.append(found["href"])
        if "id" in found:
            self.places.add(found["id"])
        if tag == "tr" and "data-name" in found:
            self.rows.append(found)


READ = {name: Read(text) for name, text in PAGES.items()}


def write(folder: Path, **texts: str) -> Path:
    folder.mkdir()
    for name, text in ({"dev": PLATFORM} | {name.replace("_", "-"): text for name, text in texts.items()}).items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_every_shipped_stack_has_a_page_that_shows_its_file_and_what_it_makes() -> None:
    assert {name for name in PAGES if name.startswith("stacks/")} == {f"stacks/{name}.html" for name in NAMES}
    assert {row["data-name"] for row in READ["index.html"].rows} == {one.name for one in SERVED}
    for one in BUILT:
        page = PAGES[f"stacks/{one.name}.html"]
        assert "apiVersion: servestack/v1" in page
        assert f"servestack render {one.name}" in page


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_link_leads_to_a_page_of_the_folder_or_a_place_in_it(name: str) -> None:
    assert READ[name].links
    for link in READ[name].links:
        file, _, place = link.partition("#")
        target = os.path.normpath(Path(name).parent / file) if file else name
        assert target in PAGES, link
        if place and "=" not in place:
            assert place in READ[target].places, link


def test_links_that_filter_name_a_value_that_some_stack_has() -> None:
    values = {(key, row[f"data-{key}"]) for row in READ["index.html"].rows for key in ("team", "platform")}
    linked = {
        tuple(unquote(link.partition("index.html")[2] or link).lstrip("#").split("=", 1))
        for name, read in READ.items()
        for link in read.links
        if re.search(r"#(team|platform)=", link)
    }
    assert linked == values


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_has_no_style_and_no_handler_of_its_own_elements(name: str) -> None:
    """So that its policy may forbid both; nothing is fetched either."""
    assert not {one for one in READ[name].names if one == "style" or one.startswith("on")}
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', PAGES[name])
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;;") or policy[1].startswith("default-src 'none';")
    assert not re.search(r"\b(src|srcset|poster|action)=", PAGES[name].partition("<body")[2].partition("<pre")[0])
    if name != "matrix.html":
        assert "unsafe" not in policy[1]


def test_sums_of_the_rows_are_those_of_the_plans(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--all", "--json", "--stacks", str(ROOT / "stacks")]) == 0
    plans = json.loads(capsys.readouterr().out)
    costs = [plan["cost"] for plan in plans if plan["cost"]["hourlyUsd"] is not None and "work" not in plan]
    least = sum(cost["monthlyUsdMin"] or 0 for cost in costs)
    most = sum(cost["monthlyUsdMin"] or 0 if cost["monthlyUsdMax"] is None else cost["monthlyUsdMax"] for cost in costs)
    rows = READ["index.html"].rows
    assert sum(float(row["data-least"]) for row in rows) == pytest.approx(least)
    assert sum(float(row["data-most"]) for row in rows) == pytest.approx(most)
    assert f"${least:,.0f} to ${most:,.0f}" in PAGES["index.html"]
    assert {row["data-name"] for row in rows} == {plan["stack"] for plan in plans}


def test_groups_are_counted_and_summed_whole() -> None:
    rows = [row(one) for one in SERVED]
    teams = {one.team for one in rows}
    assert len(teams) > 1
    parts = [together([one for one in rows if one.team == team]) for team in teams]
    whole = together(rows)
    assert sum(part.stacks for part in parts) == whole.stacks
    assert sum(part.most for part in parts) == pytest.approx(whole.most)


def test_the_explorer_answers_what_shipped_stacks_ask_with_their_own_memory() -> None:
    """Stacks that change nothing of the memory but by what the explorer asks."""
    found, compared = data(answers())["answers"], 0
    for one in SERVED:
        if not isinstance(one, Endpoint) or one.plan.accelerator.nodes > 1:
            continue
        spec, plan = one.spec, one.plan
        if spec.contextLength or spec.concurrency or spec.adapters or spec.inputs or spec.speculativeDecoding:
            continue
        words = (plan.model.id, plan.framework.name, plan.accelerator.type, plan.precision, plan.accelerator.count)
        answer = found.get("|".join(map(str, words)))
        if not isinstance(answer, dict) or answer.get("checkpoint") != plan.model.checkpoint:
            continue
        assert answer["need"] == f"{plan.memory.need_gib:,.2f}", one.name
        assert answer["have"] == f"{plan.memory.have_gib:,.2f}", one.name
        assert answer["context"] == f"{plan.context.max_model_len:,}", one.name
        compared += 1
    assert compared >= 5


def test_the_same_stacks_make_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    stacks = write(tmp_path / "stacks", gemma4_e4b_l4=endpoint("gemma-4-e4b-it", "l4"))
    command = [sys.executable, "-m", "infra.cli", "site", "--stacks", str(stacks)]
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo" if seed == "1" else "UTC"}
        subprocess.run([*command, str(tmp_path / seed)], check=True, env=environment, cwd=ROOT, capture_output=True)
    first, second = (
        {path.relative_to(tmp_path / seed): path.read_bytes() for path in (tmp_path / seed).rglob("*.html")}
        for seed in ("0", "1")
    )
    assert len(first) == 6
    assert first == second


def test_refused_files_hide_nothing_and_say_so_in_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, big = (
        endpoint("gemma-4-e4b-it", "l4"),
        endpoint("gemma-4-31b-it", "{type: l4, count: 1}", "vllm", "precision: bf16"),
    )
    stacks = write(tmp_path / "stacks", gemma4_e4b_l4=good, gemma4_31b_l4_big=big)
    assert main(["site", "--stacks", str(stacks), str(tmp_path / "out")]) == 3
    assert "does not fit" in capsys.readouterr().err
    (stacks / "gemma4-e4b-l4-bad.yaml").write_text("kind: Endpoint\n", encoding="utf-8")
    (stacks / "Stray.yaml").write_text("", encoding="utf-8")
    assert main(["site", "--stacks", str(stacks), str(tmp_path / "out")]) == 2
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "3 files refused" in page
    assert all(name in page for name in ("Stray.yaml", "gemma4-e4b-l4-bad.yaml", "gemma4-31b-l4-big.yaml"))
    assert (tmp_path / "out" / "stacks" / "gemma4-e4b-l4.html").is_file()
    assert not (tmp_path / "out" / "stacks" / "gemma4-e4b-l4-bad.html").exists()


def test_a_folder_of_ours_is_replaced_and_one_of_others_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks = write(tmp_path / "stacks", gemma4_e4b_l4=endpoint("gemma-4-e4b-it", "l4"))
    out = tmp_path / "out"
    assert main(["site", "--stacks", str(stacks), str(out)]) == 0
    (stacks / "gemma4-e4b-l4.yaml").unlink()
    assert main(["site", "--stacks", str(stacks), str(out)]) == 0
    assert sorted(path.name for path in (out / "stacks").iterdir()) == ["dev.html"]
    (out / "notes.html").write_text("mine", encoding="utf-8")
    before = sorted(out.rglob("*"))
    assert main(["site", "--stacks", str(stacks), str(out)]) == 1
    assert "servestack site replaces the whole folder" in capsys.readouterr().err
    assert sorted(out.rglob("*")) == before
    tree = tmp_path / "tree"
    assert main(["render", "--stacks", str(stacks), "--all", "--output", str(tree)]) == 0
    assert main(["site", "--stacks", str(stacks), str(tree)]) == 1


def test_only_pages_that_were_written_are_taken_for_its_own() -> None:
    assert all(SITE.wrote(name, text) for name, text in PAGES.items())
    assert not SITE.wrote("index.html", "<!DOCTYPE html>\n<title>mine</title>")
