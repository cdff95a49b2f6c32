"""The charts of a plan as small SVG, drawn in microseconds: a site has thousands. Each has its numbers in a table."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from infra.page import numbers
from infra.page.series import Part, rung_name
from infra.plan.job.job_plan import JobMemory
from infra.plan.quantities import Memory, Timing
from infra.plan.serving_plan import Context, Rung

WIDTH = 360
_LETTER = 6.6  # of usual width, at the size of the style sheet
_ROW = 36
_LONGEST = 50
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 28, 40
_CURVE_HEIGHT = 236


def memory_chart(identifier: str, memory: Memory | JobMemory, parts: Sequence[Part]) -> Markup:
    """One accelerator from empty to full, with what is needed above it and what the engine may fill below."""
    whole = max(memory.per_accelerator_gib, sum(part.size_gib for part in parts), memory.need_gib, 0.01)
    drawn, start = [], 0.0
    for part in parts:
        drawn.append(_bar(part.colour, start / whole, 26, part.size_gib / whole, 40))
        size = f"{part.size_gib:.1f}"
        if part.size_gib / whole * WIDTH > _LETTER * numbers.letters(size) + 4:
            middle = (start + part.size_gib / 2) / whole
            drawn.append(_text(size, middle * WIDTH, 51, "middle", f"on-{part.colour}"))
        start += part.size_gib
    for size_gib, words, line, text in (
        (memory.need_gib, f"needs {numbers.gib(memory.need_gib)}", 20, 13),
        (memory.have_gib, f"may fill {numbers.gib(memory.have_gib)}", 72, 88),
    ):
        end = min(size_gib / whole, 1) * WIDTH
        drawn.append(Markup('<path class="rule" d="M0 {0}H{1:.1f}M{1:.1f} {2}v8"/>').format(line, end, line - 4))
        drawn.append(_text(words, end, text, "end" if end > WIDTH / 2 else "start"))
    described = ", ".join(f"{part.name} {numbers.gib(part.size_gib)}" for part in parts)
    return _drawing(
        identifier,
        94,
        "Memory of the fullest accelerator",
        f"Of {numbers.gib(memory.per_accelerator_gib)}: {described}. The plan needs {numbers.gib(memory.need_gib)}; "
        f"the engine may fill {numbers.gib(memory.have_gib)}.",
        drawn,
    )


def curve_chart(identifier: str, curve: Sequence[tuple[int, int]], planned: Context) -> Markup:
    """Longest request against requests at once, both by doubling; what is planned is marked."""
    shown = [(at_once, tokens) for at_once, tokens in curve if at_once > 0 and tokens > 0]
    point = (planned.concurrency, planned.max_model_len)
    ends = [(math.log2(one), math.log2(other)) for one, other in [*shown, point]]
    least_x, most_x = min(x for x, _ in ends) - 0.2, max(x for x, _ in ends) + 0.2
    least_y, most_y = min(y for _, y in ends) - 0.6, max(y for _, y in ends) + 0.5

    def across(value: float) -> float:
        return _LEFT + (value - least_x) / (most_x - least_x) * (WIDTH - _LEFT - _RIGHT)

    def up(value: float) -> float:
        return _CURVE_HEIGHT - _BOTTOM - (value - least_y) / (most_y - least_y) * (_CURVE_HEIGHT - _TOP - _BOTTOM)

    bottom, drawn = up(least_y), []
    for power in _powers(least_x, most_x):
        drawn.append(Markup('<path class="grid" d="M{0:.1f} {1}V{2:.1f}"/>').format(across(power), _TOP, bottom))
        drawn.append(_text(f"{2**power:,}", across(power), bottom + 15, "middle", "muted"))
    for power in _powers(least_y, most_y):
        drawn.append(Markup('<path class="grid" d="M{0} {1:.1f}H{2}"/>').format(_LEFT, up(power), WIDTH - _RIGHT))
        drawn.append(_text(f"{2**power:,}", _LEFT - 5, up(power) + 4, "end", "muted"))
    places = [(across(math.log2(one)), up(math.log2(other))) for one, other in shown]
    if places:
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        area = f"M{places[0][0]:.1f} {bottom:.1f}L{line}L{places[-1][0]:.1f} {bottom:.1f}Z"
        drawn.append(Markup('<path class="area" d="{}"/><path class="line" d="M{}"/>').format(area, line))
        drawn += [Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3.5"/>').format(x, y) for x, y in places]
    x, y = across(math.log2(point[0])), up(math.log2(point[1]))
    drawn.append(Markup('<path class="mark" d="M{:.1f} {:.1f}l7 7-7 7-7-7z"/>').format(x, y - 7))
    drawn += [
        _text(f"◆ planned {point[1]:,} x {point[0]:,}", 0, 13, "start", "marked"),
        _text("● longest that fits", WIDTH, 13, "end", "lined"),
        _text("tokens per request ↑", 0, _CURVE_HEIGHT - 4, "start", "muted"),
        _text("requests at once →", WIDTH, _CURVE_HEIGHT - 4, "end", "muted"),
    ]
    described = "; ".join(f"{tokens:,} tokens with {at_once:,} at once" for at_once, tokens in curve)
    return _drawing(
        identifier,
        _CURVE_HEIGHT,
        "Largest context against concurrency",
        f"Planned: {point[1]:,} tokens with {point[0]:,} at once. Largest that fits: {described}.",
        drawn,
    )


def cost_chart(identifier: str, ladder: Sequence[Rung]) -> Markup:
    """Price of an hour per rung; one that is unknown has no bar and says so."""
    most = max((rung.hourly_usd for rung in ladder if rung.hourly_usd), default=1.0)
    drawn, words = [], []
    for place, rung in enumerate(ladder):
        label, price = f"{place + 1}. {rung_name(rung)}", numbers.hourly(rung.hourly_usd, rung.exact)
        room = _LONGEST - numbers.letters(price) - 2
        words.append(f"{label}: {price}")
        drawn.append(_text(numbers.shortened(label, room), 0, place * _ROW + 12))
        drawn.append(_text(price, WIDTH, place * _ROW + 12, "end", "muted" if rung.hourly_usd is None else ""))
        if rung.hourly_usd:
            look = "weights" if rung.exact else "ceiling"
            drawn.append(_bar(look, 0, place * _ROW + 17, rung.hourly_usd / most, 12))
    return _drawing(
        identifier, _ROW * len(ladder), "Cost of an hour per rung of the capacity ladder", f"{'; '.join(words)}.", drawn
    )


def startup_chart(identifier: str, timing: Timing) -> Markup:
    """Each term where it begins and ends."""
    terms = timing.startup_terms
    total = max(sum(term.seconds for term in terms), 1.0)
    drawn = []
    starts = [0.0, *itertools.accumulate(term.seconds for term in terms)]
    for place, (term, start) in enumerate(zip(terms, starts, strict=False)):
        time = numbers.duration(term.seconds)
        room = _LONGEST - numbers.letters(time) - 2
        drawn.append(_text(numbers.shortened(term.name, room), 0, place * _ROW + 12))
        drawn.append(_text(time, WIDTH, place * _ROW + 12, "end"))
        drawn.append(_bar("track", 0, place * _ROW + 17, 1, 12))
        drawn.append(_bar("weights", start / total, place * _ROW + 17, term.seconds / total, 12))
    described = "; ".join(f"{term.name} {numbers.duration(term.seconds)}" for term in terms)
    return _drawing(identifier, _ROW * len(terms), "Start-up time by term, in order", f"{described}.", drawn)


def _drawing(identifier: str, height: int, title: str, described: str, drawn: Iterable[Markup]) -> Markup:
    return Markup(
        '<svg class="drawn" viewBox="0 0 {0} {1}" role="img" aria-labelledby="{2}-title" aria-describedby="{2}-said">\n'
        '<title id="{2}-title">{3}</title>\n<desc id="{2}-said">{4}</desc>\n{5}\n</svg>\n'
    ).format(WIDTH, height, identifier, title, numbers.visible(described), Markup("").join(drawn))


def _bar(look: str, start: float, top: float, share: float, height: float) -> Markup:
    """A stretch of the width, both in shares of it."""
    return Markup('<rect class="{}" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(
        look, start * WIDTH, top, share * WIDTH, height
    )


def _text(words: str, x: float, y: float, anchor: str = "start", look: str = "") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{}>{}</text>').format(
        x, y, anchor, Markup(' class="{}"').format(look) if look else "", escape(numbers.visible(words))
    )


def _powers(least: float, most: float) -> range:
    """Powers of two in view, at most seven."""
    low, high = math.ceil(least), math.floor(most)
    return range(low, high + 1, max(1, math.ceil((high - low) / 6)))
