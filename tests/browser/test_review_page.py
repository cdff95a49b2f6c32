"""The page of a review in a real browser, from a file, made by the command line from real git repositories."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.browser import CONTRAST, CUT_OFF, WIDTHS
from tests.unit.files import PLATFORM, endpoint
from tests.unit.review_repository import Repository

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


def made(folder: Path, before: dict[str, str], after: dict[str, str | None]) -> dict:  # type: ignore[type-arg]
    """Write `review.html` of a change, and return the same review as data."""
    repository = Repository(folder / "repository")
    repository.commit(dev=PLATFORM, **before)
    repository.commit(**after)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        repository.review("--html", str(folder / "review.html"), "--json")
    found: dict = json.loads(printed.getvalue())  # type: ignore[type-arg]
    return found


CHANGE: tuple[dict[str, str], dict[str, str | None]] = (
    {"gemma4_e4b_l4": E4B, "gemma4_31b_h100": BIG, "gemma4_e4b_l4_two": E4B, "gemma4_e4b_l4_same": E4B},
    {
        "gemma4_e4b_l4": E4B + f'expose: {{authentication: none, reason: "{HOSTILE}"}}\n',
        "gemma4_31b_h100": BIG + "contextLength: 65536\nconcurrency: 2\nreplicas: {min: 2, max: 4}\n",
        "gemma4_e4b_l4_two": None,
        "gemma4_e4b_l4_same": "# only this\n" + E4B,
        "gemma4_e4b_l4_new": E4B.replace("search", "shop"),
        "gemma4_12b_h100": endpoint("gemma-4-12b-it", "h100", "vllm", f'precision: "{HOSTILE}"'),
    },
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:  # type: ignore[type-arg]
    folder = tmp_path_factory.mktemp("review")
    return folder / "review.html", made(folder, *CHANGE)


@pytest.fixture
def opened(browser: Browser, written: tuple[Path, dict]) -> Iterator[Opened]:  # type: ignore[type-arg]
    file, data = written
    context = browser.new_context(viewport=ViewportSize(width=1200, height=800), color_scheme="light")
    found = Opened(context.new_page(), data)
    found.page.on("request", lambda asked: found.requests.append(asked.url))
    found.page.on("console", lambda message: found.complaints.append(message.text))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.on("dialog", lambda dialog: found.complaints.append(dialog.message))
    found.page.goto(file.as_uri(), wait_until="load")
    yield found
    context.close()


def test_the_file_asks_nobody_for_anything_and_hostile_text_stays_text(opened: Opened) -> None:
    page = opened.page
    page.wait_for_load_state("networkidle")
    assert [url.rsplit("/", 1)[1] for url in opened.requests if not url.startswith("data:")] == ["review.html"]
    assert opened.complaints == []
    assert HOSTILE in page.locator(".dangers").inner_text()
    assert page.locator("#stack-gemma4-12b-h100 pre").inner_text().count("<img src=x onerror=alert(1)>") == 1
    assert page.title() != "owned"
    assert page.locator("script, img, iframe, object, embed, form").count() == 0
    names = page.evaluate("[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames())")
    assert [name for name in names if name.startswith("on")] == []


def table(page: Page, name: str) -> dict[str, list[str]]:
    """Rows of a table by their heading."""
    rows = page.locator(f"{name} tr:has(td)").all()
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows}


def moved(before: float, after: float) -> list[str]:
    change = "as before" if round(before) == round(after) else f"{after - before:+,.0f}"
    return [f"{before:,.0f}", f"{after:,.0f}", change]


def test_charts_have_the_numbers_of_the_review(opened: Opened) -> None:
    page, data = opened.page, opened.data
    before, after = (data["fleet"][side] for side in ("before", "after"))
    together = [sum(one[side] for one in data["teams"]) for side in ("before", "after")]
    assert table(page, "#costs") == {
        **{one["team"] or "no team": moved(one["before"], one["after"]) for one in data["teams"]},
        "Together": moved(*together),
        "Together, most replicas": moved(before["monthlyUsdMax"], after["monthlyUsdMax"]),
    }
    had, has = before["accelerators"], after["accelerators"]
    assert table(page, "#fleet") == {
        **{name: moved(had.get(name, 0), has.get(name, 0)) for name in had.keys() | has.keys()},
        "Endpoints": moved(before["endpoints"], after["endpoints"]),
        "Without a known price": moved(before["unpriced"], after["unpriced"]),
    }
    answers = page.locator(".answers").inner_text()
    assert f"${together[0]:,.0f} → ${together[1]:,.0f}" in answers
    assert f"${before['monthlyUsdMax']:,.0f} → ${after['monthlyUsdMax']:,.0f}" in answers


def test_the_memory_of_each_stack_is_drawn_and_its_parts_add_up(opened: Opened) -> None:
    page, data = opened.page, opened.data
    drawn, parts = page.locator("#memory").inner_text(), table(page, "#parts")
    proofs = {}
    for one in data["stacks"]:
        before, after = one["memory"]["before"], one["memory"]["after"]
        if one["kind"] == "no effect":
            continue
        same = before is not None and before == after
        for side, proof in (("as before", before),) if same else (("before", before), ("after", after)):
            if proof is not None:
                proofs[f"{one['stack']}, {side}"] = proof
    assert parts.keys() == proofs.keys()
    assert page.locator(".stacked").count() == len(proofs)
    for name, proof in proofs.items():
        assert f"{proof['needGiB']:.1f} of {proof['haveGiB']:.1f} GiB needed" in drawn
        weights, overhead, uncertain, guaranteed, free, headroom, need, have = map(float, parts[name])
        assert need == pytest.approx(proof["needGiB"], abs=0.006)
        assert have == pytest.approx(proof["haveGiB"], abs=0.006)
        assert weights + overhead + uncertain + guaranteed == pytest.approx(need, abs=0.03)
        whole = weights + overhead + uncertain + guaranteed + free + headroom
        assert whole == pytest.approx(proof["perAcceleratorGiB"], abs=0.04)


BARS = """() => [...document.querySelectorAll('.bars')].map(chart => [...chart.querySelectorAll('.bar')].map(one => [
    one.querySelector('i').getBoundingClientRect().width,
    Number(one.querySelector('.label').textContent.replace(/[$,]/g, ''))]))"""
SEGMENTS = """() => [...document.querySelectorAll('.stacked')].map(bar => [bar.getAttribute('aria-label'),
    bar.getBoundingClientRect().width,
    [...bar.querySelectorAll('b:not(.stop)')].map(one => one.getBoundingClientRect().width)])"""


@pytest.mark.parametrize("width", [*WIDTHS, 690])
def test_the_lengths_of_bars_are_in_the_ratio_of_their_numbers(opened: Opened, width: int) -> None:
    """At each width of a window, and 690 wide on paper."""
    if width == 690:
        opened.page.emulate_media(media="print")
    opened.page.set_viewport_size({"width": width, "height": 740})
    bars = opened.page.evaluate(BARS)
    assert len(bars) == 3
    for chart in bars:
        longest, most = max(chart, key=lambda bar: bar[1])
        assert longest > 60
        for drawn, number in chart:
            assert drawn == pytest.approx(max(2, longest * number / most), abs=1.5)
    segments = opened.page.evaluate(SEGMENTS)
    assert segments
    for label, whole, widths in segments:
        sizes = [float(part.split()[-2]) for part in label.partition(": ")[2].split(", ") if part.endswith("GiB")]
        assert sum(widths) == pytest.approx(whole, abs=2)
        for drawn, size in zip(widths, sizes, strict=True):
            assert drawn / whole == pytest.approx(size / sum(sizes), abs=0.02)


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
        assert opened.page.evaluate(CUT_OFF) == []


def test_every_touched_stack_has_its_place_and_links_lead_there(opened: Opened) -> None:
    page = opened.page
    shown = {one.get_attribute("id"): one.inner_text() for one in page.locator("section.stack[id]").all()}
    told = [one for one in opened.data["stacks"] if one["kind"] != "no effect"]
    assert shown.keys() == {f"stack-{one['stack']}" for one in told}
    for one in told:
        assert one["verdict"].replace("`", "") in shown[f"stack-{one['stack']}"]
        assert one["path"] in shown[f"stack-{one['stack']}"]
    assert "gemma4-e4b-l4-same" in page.locator("section.stack:not([id])").inner_text()
    assert page.locator("#index tbody th").all_inner_texts() == [
        (one.get_attribute("id") or "").removeprefix("stack-") for one in page.locator("section.stack[id]").all()
    ]
    for link in page.locator(".dangers a, #index a").all():
        target = link.get_attribute("href")
        assert page.locator(f"[id='{(target or '')[1:]}']").count() == 1


def test_cost_memory_and_risk_stand_side_by_side(opened: Opened) -> None:
    stacks = {one["stack"]: one for one in opened.data["stacks"]}
    cost = stacks[OTHER]["cost"]
    rows = table(opened.page, f"#stack-{OTHER} .sides")
    assert rows.keys() == {"cost", "memory proof", "capacity risk", "policies", "manifests"}
    for cell, side in zip(rows["cost"], ("before", "after"), strict=True):
        assert f"{cost[side]['monthlyUsdMin']:,.0f} USD a month" in cell
    assert rows["capacity risk"][1] == "as before"
    assert table(opened.page, f"#stack-{NAME}-new .sides")["cost"][0] == "no stack"
    assert table(opened.page, f"#stack-{NAME}-two .sides")["cost"][1] == "no stack"


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
    assert page.locator(".stack details").count() == len(files)


def test_the_page_prints(opened: Opened) -> None:
    assert opened.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


@pytest.mark.parametrize("case", DANGERS)
def test_a_hidden_danger_is_in_the_first_screen(case: str, browser: Browser, tmp_path: Path) -> None:
    before, after, said = DANGERS[case]
    made(tmp_path, {"gemma4_e4b_l4": before}, {"gemma4_e4b_l4": after})
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


def test_many_dangers_hide_neither_the_costs_nor_one_another(browser: Browser, tmp_path: Path) -> None:
    """Three that are worst come from one mistake in twelve stacks; their costs and the others are still seen."""
    names = [f"gemma4_e4b_l4_{letter}" for letter in "abcdefghijkl"]
    shared = dict.fromkeys(names, E4B + "expose: {authentication: none, reason: a laboratory of ours}\n")
    others = {"gemma4_e4b_l4": DANGERS["bill"][1], "gemma4_e4b_l4_z": E4B + "modle: x\n"}
    made(tmp_path, dict.fromkeys([*names, *others], E4B), {**shared, **others})
    context = browser.new_context(viewport=ViewportSize(width=1200, height=800))
    page = context.new_page()
    page.goto((tmp_path / "review.html").as_uri())
    for seen in [*page.locator(".dangers ol > li").all(), page.locator(".answers")]:
        box = seen.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 800
    assert page.locator(".dangers ol > li").count() == 3
    assert "and 8 more: authentication is switched off" in page.locator(".dangers").inner_text()
    page.locator(".dangers summary").press("Enter")
    opened = page.locator(".dangers").inner_text()
    assert all(f"stacks/{name.replace('_', '-')}.yaml:" in opened for name in names)
    context.close()
