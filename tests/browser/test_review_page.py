"""The page of a review in a real browser, from a file, made by the command line from real git repositories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.test_page import CONTRAST, WIDTHS, browser
from tests.unit.files import PLATFORM, endpoint
from tests.unit.review_repository import Repository

__all__ = ["browser"]
NAME, OTHER = "gemma4-e4b-l4", "gemma4-31b-h100"
E4B = endpoint("gemma-4-e4b-it", "l4", "vllm", "labels: {team: search}")
BIG = endpoint("gemma-4-31b-it", "h100", "vllm", "capacity: [spot]", "labels: {team: assistant}")
COMMITS = "0123456789abcdef0123456789abcdef01234567", "fedcba9876543210fedcba9876543210fedcba98"
HOSTILE = "<img src=x onerror=alert(1)><script>document.title='owned'</script>"
DANGERS = {
    "memory": (E4B, E4B + "contextLength: 131072\nconcurrency: 500\n", "memory does not fit"),
    "bill": (E4B, E4B + "replicas: {min: 2}\n", "the cost is 2.0 times what it was"),
    "key": (E4B, E4B + "expose: {authentication: none, reason: a laboratory of ours}\n", "no key is asked for"),
    "network": (E4B, E4B + "expose: {clients: [{namespace: web}]}\n", "all pods of namespace web may call it now"),
    "latest": (E4B, E4B + "engine: {image: registry.example.com/vllm:latest}\n", "moving image"),
    "revision": (
        E4B + f"weights: {{revision: {COMMITS[0]}}}\n",
        E4B + f"weights: {{revision: {COMMITS[1]}}}\n",
        "other weights",
    ),
}


@dataclass
class Opened:
    page: Page
    data: dict  # type: ignore[type-arg]
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def made(
    folder: Path, capsys: pytest.CaptureFixture[str], before: dict[str, str], after: dict[str, str | None]
) -> dict:  # type: ignore[type-arg]
    """Write `review.html` of a change, and return the same review as data."""
    repository = Repository(folder / "repository")
    repository.commit(dev=PLATFORM, **before)
    repository.commit(**after)
    repository.review("--html", str(folder / "review.html"), "--json")
    found: dict = json.loads(capsys.readouterr().out)  # type: ignore[type-arg]
    return found


CHANGE: tuple[dict[str, str], dict[str, str | None]] = (
    {"gemma4_e4b_l4": E4B, "gemma4_31b_h100": BIG, "gemma4_e4b_l4_two": E4B, "gemma4_e4b_l4_same": E4B},
    {
        "gemma4_e4b_l4": E4B + f'expose: {{authentication: none, reason: "{HOSTILE}"}}\n',
        "gemma4_31b_h100": BIG + "contextLength: 65536\nconcurrency: 2\nreplicas: {min: 2, max: 4}\n",
        "gemma4_e4b_l4_two": None,
        "gemma4_e4b_l4_same": "# only this\n" + E4B,
        "gemma4_e4b_l4_new": E4B.replace("search", "shop"),
        "gemma4_12b_h100": endpoint("gemma-4-12b-it", "h100", "vllm", "modle: x"),
    },
)


@pytest.fixture
def opened(browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Opened]:
    data = made(tmp_path, capsys, *CHANGE)
    context = browser.new_context(viewport=ViewportSize(width=1200, height=800), color_scheme="light")
    found = Opened(context.new_page(), data)
    found.page.on("request", lambda asked: found.requests.append(asked.url))
    found.page.on("console", lambda message: found.complaints.append(message.text))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.on("dialog", lambda dialog: found.complaints.append(dialog.message))
    found.page.goto((tmp_path / "review.html").as_uri(), wait_until="load")
    yield found
    context.close()


def test_the_file_asks_nobody_for_anything_and_hostile_text_stays_text(opened: Opened) -> None:
    page = opened.page
    page.wait_for_load_state("networkidle")
    assert [url.rsplit("/", 1)[1] for url in opened.requests if not url.startswith("data:")] == ["review.html"]
    assert opened.complaints == []
    assert HOSTILE in page.locator(".dangers").inner_text()
    assert page.locator("script, img, iframe, object, embed, form").count() == 0
    names = page.evaluate("[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames())")
    assert [name for name in names if name.startswith("on")] == []


def test_charts_have_the_numbers_of_the_review(opened: Opened) -> None:
    page, data = opened.page, opened.data
    teams = {
        row.locator("th").inner_text(): [cell.inner_text() for cell in row.locator("td").all()]
        for row in page.locator("#costs tbody tr").all()
    }
    wanted = {one["team"] or "no team": [f"{one['before']:,.0f}", f"{one['after']:,.0f}"] for one in data["teams"]}
    assert teams == wanted
    fleet = {
        row.locator("th").inner_text(): [cell.inner_text() for cell in row.locator("td").all()]
        for row in page.locator("#fleet tbody tr").all()
    }
    sides = [data["fleet"][side]["accelerators"] for side in ("before", "after")]
    assert fleet == {name: [f"{side.get(name, 0):,}" for side in sides] for name in sides[0].keys() | sides[1].keys()}
    memory = page.locator("#memory").inner_text()
    for one in data["stacks"]:
        for proof in one["memory"].values():
            if proof is not None and one["kind"] not in ("no effect",):
                assert f"{proof['needGiB']:.1f} of {proof['haveGiB']:.1f} GiB needed" in memory


def test_the_lengths_of_bars_are_in_the_ratio_of_their_numbers(opened: Opened) -> None:
    bars = opened.page.evaluate(
        """() => [...document.querySelectorAll('.bars')].map(chart => [...chart.querySelectorAll('.bar')].map(one => [
            one.querySelector('i').getBoundingClientRect().width,
            Number(one.querySelector('.label').textContent.replace(/[$,]/g, ''))]))"""
    )
    assert len(bars) == 2
    for chart in bars:
        longest, most = max(chart, key=lambda bar: bar[1])
        for width, number in chart:
            assert width == pytest.approx(max(2, longest * number / most), abs=1.5)
    segments = opened.page.evaluate(
        """() => [...document.querySelectorAll('.stacked')].map(bar => [bar.getAttribute('aria-label'),
            bar.getBoundingClientRect().width, [...bar.querySelectorAll('b:not(.stop)')].map(one =>
            one.getBoundingClientRect().width)])"""
    )
    assert segments
    for label, whole, widths in segments:
        sizes = [float(part.split()[-2]) for part in label.partition(": ")[2].split(", ") if part.endswith("GiB")]
        assert sum(widths) == pytest.approx(whole, abs=2)
        for width, size in zip(widths, sizes, strict=False):
            assert width / whole == pytest.approx(size / sum(sizes), abs=0.02)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(opened: Opened, scheme: str) -> None:
    opened.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    opened.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert opened.page.evaluate(CONTRAST) == []


def test_no_width_makes_the_page_scroll_sideways(opened: Opened) -> None:
    opened.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for width in WIDTHS:
        opened.page.set_viewport_size({"width": width, "height": 740})
        assert opened.page.evaluate("document.documentElement.scrollWidth") == width


def test_every_touched_stack_has_its_place_and_links_lead_there(opened: Opened) -> None:
    page = opened.page
    shown = {one.get_attribute("id"): one.inner_text() for one in page.locator("section.stack[id]").all()}
    told = [one for one in opened.data["stacks"] if one["kind"] != "no effect"]
    assert shown.keys() == {f"stack-{one['stack']}" for one in told}
    for one in told:
        assert one["verdict"].replace("`", "") in shown[f"stack-{one['stack']}"]
    assert "gemma4-e4b-l4-same" in page.locator("section.stack:not([id])").inner_text()
    for link in page.locator(".dangers a").all():
        target = link.get_attribute("href")
        assert page.locator(f"[id='{(target or '')[1:]}']").count() == 1


def test_a_diff_is_opened_by_keyboard_and_says_by_signs_what_came_and_went(opened: Opened) -> None:
    page = opened.page
    summary = page.locator(f"#stack-{NAME} summary").first
    summary.focus()
    page.keyboard.press("Enter")
    lines = page.locator(f"#stack-{NAME} details[open] .diff span").all()
    assert lines
    signs = {"added": "+", "removed": "-", "hunk": "@"}
    for line in lines:
        kind, text = line.get_attribute("class") or "", line.text_content() or ""
        assert text.startswith(signs.get(kind, " "))
    files = [file["file"] for one in opened.data["stacks"] for file in one["diff"]]
    assert page.locator("details").count() == len(files)


def test_the_page_prints(opened: Opened) -> None:
    assert opened.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


@pytest.mark.parametrize("case", DANGERS)
def test_a_hidden_danger_is_in_the_first_screen(
    case: str, browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after, said = DANGERS[case]
    made(tmp_path, capsys, {"gemma4_e4b_l4": before}, {"gemma4_e4b_l4": after})
    context = browser.new_context(viewport=ViewportSize(width=1200, height=800))
    page = context.new_page()
    page.goto((tmp_path / "review.html").as_uri())
    danger = page.locator(".dangers li", has_text=said).first
    box = danger.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 800
    assert f"stacks/{NAME}.yaml:" in danger.inner_text()
    assert page.locator("h1").inner_text().startswith(("Do not approve", "Approve only if"))
    context.close()
