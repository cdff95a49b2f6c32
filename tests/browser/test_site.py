"""The site in a real browser, from files: filters, order, sums, the memory explorer, and nothing asked of anybody."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from infra.cli import main
from infra.page.series import memory_parts
from infra.pipeline import Endpoint, build, build_each
from infra.plan.curve import context_curve
from infra.plan.serving_plan import ServingPlan
from infra.stack_folder import StackFolder
from infra.website import Stacks, site_files
from tests.browser.browser import CONTRAST, CUT_OFF, WIDTHS, Opened, watched
from tests.unit.files import Files, endpoint
from tests.unit.sample_plans import HOSTILE

STACKS = Path(__file__).resolve().parents[2] / "stacks"
TEAMS = {"gemma4-e4b-l4": "maps", "gemma4-31b-h100": "maps"}
BROKEN = "apiVersion: servestack/v1\nkind: Endpoint\nplatform: dev\nmodel: \"<img src=x onerror='document.title=1'>\"\n"
PAGES = (
    "index.html",
    "platforms.html",
    "memory.html",
    "matrix.html",
    "stacks/dev.html",
    "stacks/gemma4-31b-h100.html",
    "stacks/gemma4-31b-vertex.html",
    "stacks/gemma4-e2b-l4-keras.html",
    "stacks/gemma4-e4b-l4-ladder.html",
)
CASES = {
    name: endpoint(model, f"{{type: {accelerator}, count: {count}}}", framework, f"precision: {precision}")
    for name, model, accelerator, count, framework, precision in (
        ("gemma4-31b-h100", "gemma-4-31b-it", "h100", 2, "vllm", "bf16"),
        ("gemma4-e4b-q8-0-l4-llamacpp", "gemma-4-e4b-it", "l4", 1, "llamacpp", "q8_0"),
        ("gemma4-12b-fp8-rtxpro6000-sglang", "gemma-4-12b-it", "rtxpro6000", 4, "sglang", "fp8"),
    )
}
SHOWN = "[...document.querySelectorAll('#stacks tbody tr:not([hidden]) th')].map(one => one.innerText.split('\\n')[0])"
SMALL_TEXT = """() => [...document.querySelectorAll('svg text')]
  .filter(one => one.getBoundingClientRect().height < 10).map(one => one.textContent)"""
NAMELESS = """() => [...document.querySelectorAll('input, select, button, a, summary, [tabindex="0"]')]
  .filter(one => !(one.ariaLabel || one.labels?.[0]?.textContent || one.textContent).trim())
  .map(one => one.outerHTML.slice(0, 90))"""


@dataclasses.dataclass
class Site:
    """The shipped stacks with two teams more, one file that is wrong and one that does not fit, as a folder of pages.

    Attributes:
        endpoints: by name, those that run on one's own machines, as the pipeline builds them.
    """

    folder: Path
    code: int
    endpoints: dict[str, Endpoint]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    stacks = folder / "stacks"
    shutil.copytree(STACKS, stacks)
    for name, team in TEAMS.items():
        file = stacks / f"{name}.yaml"
        file.write_text(file.read_text(encoding="utf-8") + f"labels: {{team: {team}}}\n", encoding="utf-8")
    (stacks / "gemma4-e4b-l4-broken.yaml").write_text(BROKEN, encoding="utf-8")
    big = endpoint("gemma-4-31b-it", "{type: l4, count: 1}", "vllm", "precision: bf16")
    (stacks / "gemma4-31b-l4-big.yaml").write_text(big, encoding="utf-8")
    code = main(["site", "--stacks", str(stacks), str(folder / "out")])
    built, _ = build_each([path.stem for path in stacks.glob("*.yaml")], StackFolder(stacks))
    return Site(folder / "out", code, {one.name: one for one in built if isinstance(one, Endpoint)})


@pytest.fixture
def opened(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """`request.param` names a page and may have a fragment; `index.html` where there is none."""
    with watched(browser) as opened:
        opened.page.goto(address(site, getattr(request, "param", "index.html")))
        yield opened


def address(site: Site, page: str) -> str:
    file, _, fragment = page.partition("#")
    return (site.folder / file).as_uri() + (f"#{fragment}" if fragment else "")


def shown(page: Page) -> list[str]:
    found: list[str] = page.evaluate(SHOWN)
    return found


every_page = pytest.mark.parametrize("opened", PAGES, indirect=True)


@every_page
def test_a_page_asks_for_itself_alone_complains_of_nothing_and_is_for_everybody(opened: Opened) -> None:
    page = opened.page
    page.wait_for_load_state("networkidle")
    assert len(opened.files) == 1
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert page.evaluate(CONTRAST) == [], scheme
        found = Axe().run(page, options={"resultTypes": ["violations"]})
        assert found.response["violations"] == [], found.generate_report()
    assert page.evaluate(NAMELESS) == []
    assert opened.complaints == []


@every_page
def test_no_width_makes_a_page_scroll_sideways_or_its_charts_too_small(opened: Opened) -> None:
    for width in WIDTHS:
        opened.page.set_viewport_size({"width": width, "height": 740})
        assert opened.page.evaluate("document.documentElement.scrollWidth") == width
        assert opened.page.evaluate(CUT_OFF) == []
        assert opened.page.evaluate(SMALL_TEXT) == [], width


def test_a_script_that_is_put_into_a_page_does_not_run(opened: Opened) -> None:
    """So that the silence of the other tests means something."""
    page = opened.page
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'document.title = 1'}))")
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))")
    page.wait_for_load_state("networkidle")
    assert page.title() == "Stacks: what is served"
    assert sum("Content Security Policy" in one for one in opened.complaints) == 2


def test_the_first_screen_answers_what_where_for_whom_at_what_cost_and_whether_it_fits(opened: Opened) -> None:
    box = opened.page.locator(".answers").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 400
    assert opened.page.locator(".answers dt").all_text_contents() == [
        "What is served",
        "Where",
        "For whom",
        "What does it cost",
        "Does it fit",
    ]
    first = opened.page.locator("#stacks tbody tr").first.bounding_box()
    assert first is not None
    assert first["y"] + first["height"] < 800


@pytest.mark.parametrize(
    ("label", "value", "is_wanted"),
    [
        ("Model", "gemma-4-31b-it", lambda plan: plan.model.id == "gemma-4-31b-it"),
        ("Accelerator", "h100", lambda plan: plan.accelerator.type == "h100"),
        ("Team", "maps", lambda plan: ("team", "maps") in plan.labels),
    ],
)
def test_a_filter_shows_its_stacks_alone_counts_them_aloud_and_is_in_the_address(
    opened: Opened, site: Site, label: str, value: str, is_wanted: Callable[[ServingPlan], bool]
) -> None:
    page = opened.page
    page.get_by_label(label, exact=True).select_option(value)
    found = shown(page)
    wanted = {name for name, one in site.endpoints.items() if is_wanted(one.plan)}
    assert set(found) & set(site.endpoints) == wanted != set()
    said = page.get_by_role("status").inner_text()
    assert said.startswith(f"{len(found)} of ")
    fragment = page.evaluate("location.hash")
    assert fragment == f"#{label.lower()}={value}"
    page.goto("about:blank")
    page.goto(address(site, f"index.html{fragment}"))
    assert shown(page) == found
    assert page.get_by_role("status").inner_text() == said
    page.get_by_role("button", name="Clear").click()
    assert len(shown(page)) > len(found)
    assert page.evaluate("location.hash") == ""
    assert opened.complaints == []


def test_the_sum_of_what_is_shown_is_that_of_the_plans(opened: Opened, site: Site) -> None:
    page = opened.page
    page.get_by_label("Team").select_option("maps")
    costs = [site.endpoints[name].plan.cost for name in TEAMS]
    least, most = sum(one.monthly_usd_min or 0 for one in costs), sum(one.monthly_usd_max or 0 for one in costs)
    assert least == most
    assert page.get_by_role("status").inner_text() == f"2 of 29 stacks, at most ${least:,.0f} a month"


def test_free_text_finds_and_nothing_found_says_so(opened: Opened) -> None:
    page = opened.page
    page.get_by_label("Search").fill("sglang L4")
    assert shown(page) == ["gemma4-e4b-l4-sglang"]
    page.get_by_label("Search").fill("no such stack")
    assert shown(page) == []
    assert page.get_by_role("status").inner_text().startswith("0 of 29 stacks")
    page.get_by_role("button", name="Show all").click()
    assert len(shown(page)) == 29
    assert page.evaluate("document.activeElement.id") == "q"


def test_the_keyboard_sorts_and_the_order_is_said(opened: Opened, site: Site) -> None:
    page = opened.page
    names = shown(page)
    assert names == sorted(names)
    heading = page.get_by_role("table", name="Stacks").get_by_role("columnheader", name="USD a month")
    heading.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.evaluate("location.hash") == "#sort=-cost"
    costs = {name: one.plan.cost.monthly_usd_max for name, one in site.endpoints.items()}
    prices = [price for name in shown(page) if (price := costs.get(name))]
    assert len(prices) > 15
    assert prices == sorted(prices, reverse=True)
    page.keyboard.press("Space")
    assert heading.get_attribute("aria-sort") == "ascending"
    sorts = page.locator("[aria-sort]:not([aria-sort=none])")
    assert sorts.count() == 1


def test_tab_reaches_every_control_and_the_skip_link_comes_first(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    reached = []
    for _ in range(22):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring != "none", reached[-1]
    filters = ["q", *(f"filter-{name}" for name in ("model", "accelerator", "team", "platform", "framework", "kind"))]
    headings = ["Stack", "Model", "Accelerators", "Framework", "Platform", "Team", "Memory", "USD a month"]
    wanted = iter(reached)
    assert all(any(name == one for one in wanted) for name in [*filters, "sort", "Clear", *headings])


def test_refused_files_are_listed_with_their_message_and_hide_nothing(opened: Opened, site: Site) -> None:
    assert site.code == 2
    page = opened.page
    assert page.get_by_role("link", name="2 files refused").get_attribute("href") == "#refused"
    told = page.locator("#refused").inner_text()
    assert "gemma4-e4b-l4-broken.yaml:4:8: model: " in told
    assert "<img src=x" in told
    assert "does not fit" in told
    assert "GiB per accelerator" in told
    assert len(shown(page)) == 29


def test_without_java_script_the_table_is_plain_and_leads_to_every_page(browser: Browser, site: Site) -> None:
    with watched(browser, java_script=False) as opened:
        opened.page.goto(address(site, "index.html"))
        assert not opened.page.locator("#filters").is_visible()
        links = opened.page.locator("#stacks tbody th a")
        assert links.count() == 29
        links.last.click()
        assert opened.page.locator("h1").inner_text() == "gemma4-tiny-local"


@pytest.mark.parametrize("name", list(CASES))
@pytest.mark.parametrize("opened", ["memory.html"], indirect=True)
def test_the_explorer_answers_as_the_plan_does(opened: Opened, name: str) -> None:
    made = build(name, Files(**{name: CASES[name]}))
    assert isinstance(made, Endpoint)
    page, plan, memory = opened.page, made.plan, made.plan.memory
    page.get_by_label("Model").select_option(made.spec.model)
    page.get_by_label("Framework").select_option(made.spec.framework)
    page.get_by_label("Accelerator", exact=True).select_option(made.spec.on.type)
    page.get_by_label("Accelerators of a replica").select_option(str(made.spec.on.count))
    page.get_by_label("Precision").select_option(made.spec.precision)
    said = page.get_by_role("status").inner_text()
    assert said.startswith(f"Fits. {memory.need_gib:,.2f} of {memory.have_gib:,.2f} GiB on ")
    assert f"One request of {plan.context.max_model_len:,} tokens is guaranteed" in said
    assert f"at most {memory.max_concurrent_requests:,} of that length" in said
    assert f"or one of {memory.max_context_tokens:,} tokens" in said
    tables = page.locator("#shown table")
    rows = [row.split("\t") for row in tables.first.inner_text().splitlines()]
    parts = [[part.name, f"{part.size_gib:,.2f}"] for part in memory_parts(memory, 1)]
    assert [row for row in rows if row in parts] == parts
    curve = [
        f"{at_once:,} {tokens:,}" for at_once, tokens in context_curve(made.resolved.request, made.resolved.choice)
    ]
    points = [" ".join(row.locator("th, td").all_inner_texts()[:2]) for row in tables.nth(1).locator("tbody tr").all()]
    assert points == curve
    assert opened.complaints == []


@pytest.mark.parametrize("opened", ["memory.html"], indirect=True)
def test_what_does_not_fit_is_said_with_numbers_and_what_is_refused_in_words(opened: Opened) -> None:
    page = opened.page
    page.get_by_label("Accelerator", exact=True).select_option("l4")
    said = page.get_by_role("status").inner_text()
    found = re.search(r"Does not fit. One request of 8,192 tokens needs ([\d.]+) GiB .* may fill ([\d.]+) of", said)
    assert found is not None
    assert float(found[1]) > float(found[2])
    sizes = page.locator("#shown tbody td").all_inner_texts()
    assert sum(map(float, sizes)) == pytest.approx(float(found[1]), abs=0.01 * len(sizes))
    page.get_by_label("Precision").select_option("nvfp4")
    assert page.get_by_role("status").inner_text().startswith("Refused. nvfp4 needs blackwell")
    fragment = page.evaluate("location.hash")
    page.reload()
    assert page.evaluate("location.hash") == fragment
    assert page.get_by_role("status").inner_text().startswith("Refused. nvfp4 needs blackwell")


@pytest.mark.parametrize("opened", ["memory.html"], indirect=True)
def test_what_fits_where_leads_to_its_answer(opened: Opened) -> None:
    page = opened.page
    links = page.get_by_role("table", name="What fits where").get_by_role("link")
    assert links.count() > 80
    for place in range(0, links.count(), 17):
        links.nth(place).click()
        assert page.get_by_role("status").inner_text().startswith("Fits. ")
    assert page.evaluate("document.activeElement.id") == "model"


def test_hostile_text_stays_text(browser: Browser, tmp_path: Path) -> None:
    one = build("gemma4-e4b-l4", Files(gemma4_e4b_l4=endpoint("gemma-4-e4b-it", "l4")))
    assert isinstance(one, Endpoint)
    made = []
    for place, text in enumerate(HOSTILE):
        plan = dataclasses.replace(
            one.plan,
            stack=text,
            platform=text,
            precision=text,
            labels=(("team", text),),
            cautions=(text,),
            model=dataclasses.replace(one.plan.model, id=text, checkpoint=text),
        )
        resolved = dataclasses.replace(one.resolved, plan=plan)
        made.append(dataclasses.replace(one, name=f"hostile-{place}", platform_name=text, resolved=resolved))
    texts = {each.name: HOSTILE[place] for place, each in enumerate(made)}
    files = site_files(Stacks(made, texts, {text: text for text in HOSTILE}))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    with watched(browser) as opened:
        page = opened.page
        page.goto((tmp_path / "index.html").as_uri())
        assert page.locator("script").count() == 1
        assert page.locator("img, iframe, object, embed").count() == 0
        assert page.locator("[onerror]").count() == 0
        assert page.title() == "Stacks: what is served"
        page.get_by_label("Team").select_option(HOSTILE[0])
        assert shown(page) == ["hostile-0"]
        assert page.locator("#stacks tbody tr:not([hidden]) td").first.inner_text().startswith(HOSTILE[0])
        page.reload()
        assert shown(page) == ["hostile-0"]
        page.locator("#stacks tbody tr:not([hidden]) th a").click()
        assert page.locator("h1").inner_text() == HOSTILE[0]
        assert page.locator("script, img, iframe, object, embed").count() == 0
        assert HOSTILE[0] in page.locator(".files pre").first.inner_text()
        assert opened.complaints == []
