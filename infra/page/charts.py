"""The four charts of a plan. Each has its numbers beside it in a table, so none of them is told by colour alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup

from infra.page import numbers
from infra.page.canvas import WIDTH, colour, drawing, inline
from infra.page.series import Part, rung_name
from infra.plan.quantities import Memory, Timing
from infra.plan.serving_plan import Context, Rung

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE = 11.5
_LETTER = 6.5
_LONGEST_LABEL = 47
_LONGEST_TERM = 32
_ROW = 34


def memory_chart(identifier: str, memory: Memory, parts: Sequence[Part]) -> Markup:
    """One accelerator from empty to full, with what is needed above it and what the engine may fill below."""
    whole = max(memory.per_accelerator_gib, sum(part.size_gib for part in parts), memory.need_gib, 0.01)
    with drawing(height=142, top=4) as (figure, axes):
        axes.set_xlim(0, whole)
        axes.set_ylim(0, 116)
        start = 0.0
        for part in parts:
            axes.barh(
                58, part.size_gib, left=start, height=38, color=colour(part.colour), edgecolor=colour("page"), lw=1.5
            )
            text = f"{part.size_gib:.1f}"
            if part.size_gib / whole * (WIDTH - 16) > _LETTER * numbers.letters(text) + 4:
                axes.text(
                    start + part.size_gib / 2, 54, text, color=colour(f"on-{part.colour}"), ha="center", size=_SIZE
                )
            start += part.size_gib
        for size_gib, words, line_y, text_y in (
            (memory.need_gib, f"needs {numbers.gib(memory.need_gib)}", 84, 94),
            (memory.have_gib, f"may fill {numbers.gib(memory.have_gib)}", 32, 15),
        ):
            axes.plot([0, size_gib], [line_y, line_y], color=colour("text"), lw=1.5, solid_capstyle="butt")
            axes.plot([size_gib, size_gib], [line_y - 4, line_y + 4], color=colour("text"), lw=1.5)
            right = size_gib > whole / 2
            axes.text(size_gib, text_y, words, color=colour("text"), ha="right" if right else "left", size=_SIZE)
        _numbered(axes, "x", _round_ticks(whole), [f"{tick:g}" for tick in _round_ticks(whole)])
        described = ", ".join(f"{part.name} {numbers.gib(part.size_gib)}" for part in parts)
        return inline(
            figure,
            identifier,
            "Memory of the fullest accelerator",
            f"Of {numbers.gib(memory.per_accelerator_gib)}: {described}. "
            f"The plan needs {numbers.gib(memory.need_gib)}; the engine may fill {numbers.gib(memory.have_gib)}.",
        )


def curve_chart(identifier: str, curve: Sequence[tuple[int, int]], planned: Context) -> Markup:
    """Longest request against requests at once, both by doubling; what is planned is marked."""
    shown = [(at_once, tokens) for at_once, tokens in curve if at_once > 0 and tokens > 0]
    point = (planned.concurrency, planned.max_model_len)
    across = [at_once for at_once, _ in [*shown, point]]
    up = [tokens for _, tokens in [*shown, point]]
    with drawing(height=236, left=58, right=16, top=24, bottom=38) as (figure, axes):
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        axes.set_xlim(min(across) / 1.15, max(across) * 1.15)
        axes.set_ylim(min(up) / 1.6, max(up) * 1.5)
        axes.minorticks_off()
        if shown:
            horizontal, vertical = zip(*shown, strict=True)
            axes.fill_between(horizontal, vertical, min(up) / 1.6, color=colour("area"), lw=0)
            axes.plot(horizontal, vertical, color=colour("line"), lw=2)
            for at_once, tokens in shown:
                axes.plot([at_once], [tokens], "o", color=colour("line"), markersize=5)
        axes.plot(
            *[[value] for value in point], "D", color=colour("mark"), markeredgecolor=colour("page"), markersize=_SIZE
        )
        _numbered(axes, "x", *_doublings(across))
        _numbered(axes, "y", *_doublings(up))
        words = f"◆ planned {point[1]:,} x {point[0]:,}"
        figure.text(58 / WIDTH, 222 / 236, words, color=colour("mark"), size=_SIZE, weight="bold")
        figure.text(0.985, 222 / 236, "● longest that fits", color=colour("line"), size=_SIZE, ha="right")
        figure.text(0.985, 5 / 236, "requests at once", color=colour("muted"), size=_SIZE, ha="right")
        figure.text(58 / WIDTH, 5 / 236, "tokens per request ↑", color=colour("muted"), size=_SIZE)
        described = "; ".join(f"{tokens:,} tokens with {at_once:,} at once" for at_once, tokens in curve)
        return inline(
            figure,
            identifier,
            "Largest context against concurrency",
            f"Planned: {point[1]:,} tokens with {point[0]:,} at once. Largest that fits: {described}.",
        )


def cost_chart(identifier: str, ladder: Sequence[Rung]) -> Markup:
    """Price of an hour per rung; one that is unknown has no bar and says so."""
    known = [rung.hourly_usd for rung in ladder if rung.hourly_usd]
    most = max(known, default=1.0)
    height = 22 + (_ROW + 10) * len(ladder)
    with drawing(height=height) as (figure, axes):
        axes.set_xlim(0, most)
        axes.set_ylim((_ROW + 10) * len(ladder), 0)
        words = []
        for place, rung in enumerate(ladder):
            top = place * (_ROW + 10)
            label = f"{place + 1}. {rung_name(rung)}"
            price = f"{numbers.hourly(rung.hourly_usd, rung.exact)}"
            words.append(f"{label}: {price}")
            axes.text(0, top + 13, numbers.shortened(label, _LONGEST_LABEL), color=colour("text"), size=_SIZE)
            if rung.hourly_usd is None:
                axes.text(0, top + 32, "price unknown", color=colour("muted"), size=_SIZE, style="italic")
                continue
            axes.barh(
                top + 28, rung.hourly_usd, height=18, color=colour("weights" if rung.exact else "area"),
                edgecolor=colour("weights"), lw=1, linestyle="-" if rung.exact else "--",
            )  # fmt: skip
            inside = rung.hourly_usd / most * (WIDTH - 16) > _LETTER * numbers.letters(price) + 12
            paper = "on-weights" if rung.exact else "on-area"
            axes.annotate(
                price, (rung.hourly_usd, top + 32), (-5 if inside else 5, 0), textcoords="offset points",
                color=colour(paper if inside else "text"), ha="right" if inside else "left", size=_SIZE,
            )  # fmt: skip
        ticks = _round_ticks(most) if known else []
        _numbered(axes, "x", ticks, [f"${tick:g}" for tick in ticks])
        return inline(figure, identifier, "Cost of an hour per rung of the capacity ladder", "; ".join(words) + ".")


def startup_chart(identifier: str, timing: Timing) -> Markup:
    """All terms stacked in one bar, and below it each term where it begins and ends."""
    terms = timing.startup_terms
    total = max(sum(term.seconds for term in terms), 1.0)
    height = 22 + 30 + _ROW * len(terms)
    with drawing(height=height) as (figure, axes):
        axes.set_xlim(0, total)
        axes.set_ylim(height - 22, 0)
        starts = [0.0, *itertools.accumulate(term.seconds for term in terms)]
        for place, (term, start) in enumerate(zip(terms, starts, strict=False)):
            fill = colour("line" if place % 2 == 0 else "guaranteed")
            axes.barh(13, term.seconds, left=start, height=20, color=fill, edgecolor=colour("page"), lw=1.5)
            top = 30 + place * _ROW
            axes.barh(top + 23, term.seconds, left=start, height=10, color=fill, lw=0)
            label = f"{numbers.shortened(term.name, _LONGEST_TERM)}, {numbers.duration(term.seconds)}"
            room = _LETTER * numbers.letters(label) / (WIDTH - 16) * total
            right = start + room > total
            anchor = min(max(start + term.seconds, room), total) if right else start
            axes.text(anchor, top + 14, label, color=colour("text"), ha="right" if right else "left", size=_SIZE)
        ticks = _time_ticks(total)
        _numbered(axes, "x", ticks, [numbers.duration(tick) if tick else "0" for tick in ticks])
        described = "; ".join(f"{term.name} {numbers.duration(term.seconds)}" for term in terms)
        return inline(figure, identifier, "Start-up time by term, in order", f"{described}.")


def _numbered(axes: Axes, side: Literal["x", "y"], ticks: Sequence[float], labels: Sequence[str]) -> None:
    """A grid line and a label for each tick that is in view; labels at the ends of a row stay inside the figure."""
    if side == "x" and axes.get_yscale() == "linear":
        axes.yaxis.set_visible(False)
    axis = axes.xaxis if side == "x" else axes.yaxis
    low, high = sorted(axis.get_view_interval())
    seen = [(tick, label) for tick, label in zip(ticks, labels, strict=True) if low <= tick <= high]
    axis.set_ticks([tick for tick, _ in seen], [label for _, label in seen])
    axes.grid(axis=side, color=colour("grid"), lw=0.75)
    if side == "x":
        for label, (tick, _) in zip(axis.get_ticklabels(), seen, strict=True):
            label.set_horizontalalignment("left" if tick == low else "right" if tick > 0.97 * high else "center")


def _round_ticks(most: float) -> list[float]:
    """From zero up to `most`, three to six, at 1, 2 or 5 times a power of ten."""
    rough = most / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(step * place, 6) for place in range(math.floor(most / step + 1e-9) + 1)]


def _time_ticks(most_seconds: float) -> list[float]:
    """From zero up to `most_seconds`, at most five, at spans that people count in."""
    spans = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
    step = next((span for span in spans if most_seconds / span <= 5), 86_400 * math.ceil(most_seconds / 432_000))
    return [float(step * place) for place in range(math.floor(most_seconds / step) + 1)]


def _doublings(values: Sequence[int]) -> tuple[list[float], list[str]]:
    """Powers of two around `values`, at most seven, and their labels in full."""
    low, high = math.floor(math.log2(min(values))), math.ceil(math.log2(max(values)))
    step = max(1, math.ceil((high - low) / 6))
    ticks = [2**power for power in range(low, high + 1, step)]
    return [float(tick) for tick in ticks], [f"{tick:,}" for tick in ticks]
