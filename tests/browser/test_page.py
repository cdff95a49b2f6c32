"""The page in a real browser, from a file: it shows everything, asks nobody for anything and runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from infra.page import PlanPage, page_text
from infra.plan.serving_plan import ServingPlan
from tests.browser.browser import CONTRAST, CUT_OFF, WIDTHS, Opened, watched
from tests.unit.sample_group import group
from tests.unit.sample_plans import CURVE, HOSTILE, hostile, ladder, simple, tpu

PAGES = {
    "one": [simple()],
    "ladder": [ladder()],
    "hostile": [hostile()],
    "hostile charts": [hostile(first=place) for place in range(len(HOSTILE))],
    "group": [group()],
    "hostile group": [hostile(group())],
    "several": [simple(), ladder(), tpu()],
}
VISIBLE_TEXT = """() => [...document.querySelectorAll('svg text')].map(one => {
  const box = one.getBoundingClientRect(), frame = one.ownerSVGElement.getBoundingClientRect();
  return {text: one.textContent, width: box.width, size: box.height,
          inside: box.left >= frame.left - 1 && box.right <= frame.right + 1};
})"""


@pytest.fixture
def opened(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """`request.param` names a page; a file of it is opened 1200 wide and light."""
    plans: list[ServingPlan] = PAGES[request.param]
    file = tmp_path / "page.html"
    file.write_text(page_text([PlanPage(plan, CURVE) for plan in plans]), encoding="utf-8")
    with watched(browser) as opened:
        opened.page.goto(file.as_uri(), wait_until="load")
        yield opened


every_page = pytest.mark.parametrize("opened", list(PAGES), indirect=True)


@every_page
def test_only_the_file_itself_is_asked_for_and_nothing_is_complained_of(opened: Opened) -> None:
    opened.page.wait_for_load_state("networkidle")
    assert opened.files == ["page.html"]
    assert opened.complaints == []


@pytest.mark.parametrize("opened", ["ladder"], indirect=True)
def test_the_policy_of_the_page_stops_what_would_be_asked_for(opened: Opened) -> None:
    """So that the test above can fail: a picture put into the page is asked for nowhere and complained of."""
    opened.page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))")
    opened.page.wait_for_load_state("networkidle")
    assert any("Content Security Policy" in one for one in opened.complaints)


@every_page
def test_every_chart_is_seen_and_its_labels_are_text(opened: Opened) -> None:
    charts = opened.page.locator("svg[role=img]")
    assert charts.count() == 4 * opened.page.locator("section.plan").count()
    for chart in charts.all():
        box = chart.bounding_box()
        assert box is not None
        assert box["width"] > 250
        assert box["height"] > 40
        named, described = (chart.get_attribute(one) for one in ("aria-labelledby", "aria-describedby"))
        assert opened.page.locator(f"#{named}").text_content()
        assert opened.page.locator(f"#{described}").text_content()
    labels = opened.page.evaluate(VISIBLE_TEXT)
    assert len(labels) > 20
    assert all(label["width"] > 0 and label["size"] >= 10 for label in labels), labels
    assert [label["text"] for label in labels if not label["inside"]] == []


@every_page
@pytest.mark.parametrize("width", WIDTHS)
def test_no_width_makes_the_page_scroll_sideways(opened: Opened, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 740})
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert opened.page.evaluate(CUT_OFF) == []


@pytest.mark.parametrize("opened", ["one", "ladder"], indirect=True)
def test_the_first_screen_answers_what_fits_costs_and_starts(opened: Opened) -> None:
    box = opened.page.locator(".answers").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 800
    questions = opened.page.locator(".answers dt").all_text_contents()
    assert questions == ["What is it", "Does it fit", "What does it cost", "How long to start"]


@pytest.mark.parametrize("opened", ["group"], indirect=True)
def test_cautions_are_on_the_first_screen_and_the_list_has_its_heading_as_name(opened: Opened) -> None:
    cautions = opened.page.get_by_role("list", name="Cautions")
    assert cautions.get_by_role("listitem").all_inner_texts() == list(group().cautions)
    box = cautions.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 400


@pytest.mark.parametrize("opened", ["several"], indirect=True)
def test_dark_mode_changes_page_and_charts(opened: Opened) -> None:
    page = opened.page
    colours = (
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('svg text')).fill]"
    )
    assert page.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(85, 96, 111)"]
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(colours) == ["rgb(18, 22, 29)", "rgb(167, 177, 191)"]
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(68, 68, 68)"]


@every_page
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(opened: Opened, scheme: str) -> None:
    opened.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert opened.page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("opened", ["hostile"], indirect=True)
def test_hostile_text_stays_text(opened: Opened) -> None:
    page = opened.page
    assert page.title() == "<script>document.title='owned'</script>: serving plan"
    assert page.locator("script, img, iframe, object, embed, form, svg a").count() == 0
    names = page.evaluate("[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames())")
    assert [name for name in names if name.startswith("on")] == []
    assert page.locator("h1").inner_text() == "<script>document.title='owned'</script>"


@pytest.mark.parametrize("opened", ["hostile charts"], indirect=True)
def test_hostile_text_stays_text_in_charts(opened: Opened) -> None:
    """Charts are drawn by a library that reads formulas between dollars."""
    assert opened.page.locator("script, img, iframe, object, embed, form, svg a").count() == 0
    assert "$\\frac{1}{2}$ {{ 7*7 }}" in json.dumps(opened.page.evaluate(VISIBLE_TEXT)).replace("\\\\", "\\")


@pytest.mark.parametrize("opened", ["several"], indirect=True)
def test_the_index_leads_to_every_plan(opened: Opened) -> None:
    for link in opened.page.locator("#index a").all():
        name = link.inner_text()
        link.click()
        target = opened.page.evaluate("document.querySelector(':target h2').textContent")
        assert target == name


@pytest.mark.parametrize("opened", ["several"], indirect=True)
def test_the_page_prints(opened: Opened) -> None:
    assert opened.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
