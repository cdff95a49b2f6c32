"""A matplotlib figure as SVG that belongs to a page: its colours are the style sheet's, its text is text.

matplotlib, because its SVG needs no script and no font, prints, and takes the page's colours by light and dark.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from markupsafe import Markup

from infra.page import numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 330
# A colour of the style sheet stands in the figure as a number, and comes out as `var(--name)`.
COLOURS = (
    "page",
    "text",
    "muted",
    "grid",
    "weights",
    "overhead",
    "uncertain",
    "guaranteed",
    "free",
    "headroom",
    "on-weights",
    "on-overhead",
    "on-uncertain",
    "on-guaranteed",
    "on-free",
    "on-headroom",
    "on-area",
    "line",
    "area",
    "mark",
)
_FONT = re.compile(r"font(-family)?:[^;]*;?")
_FONT_SIZE = re.compile(r"\b(\d+(?:\.\d+)?)px")
_COLOUR = re.compile(r"#fe00([0-9a-f]{2})")
_REFERENCE = re.compile(r"#(?=[A-Za-z])([\w-]+)")
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "servestack",
    "text.parse_math": False,
    "axes.unicode_minus": False,
    "path.simplify": False,
}


def colour(name: str) -> str:
    """Stand-in of a colour of the style sheet."""
    return f"#fe00{COLOURS.index(name):02x}"


@contextmanager
def drawing(
    height: int, left: int = 8, right: int = 8, top: int = 0, bottom: int = 22
) -> Iterator[tuple[Figure, Axes]]:
    """A figure with one bare plot area, margins in points, free of what this machine sets for matplotlib."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, frameon=False)
        FigureCanvasSVG(figure)
        box = (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
        axes = figure.add_axes(box, frameon=False)
        axes.tick_params(length=0, labelsize=10.5, labelcolor=colour("muted"))
        axes.set_axisbelow(True)
        yield figure, axes


def inline(figure: Figure, identifier: str, title: str, description: str) -> Markup:
    """The figure as an SVG element for HTML, named and described; ids in it start with `identifier`."""
    written = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # the reader's typeface has it
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ElementTree.fromstring(written.getvalue())
    for parent in list(root.iter()):
        for child in [one for one in parent if _bare(one.tag) in ("metadata", "style")]:
            parent.remove(child)
    used = {name for element in root.iter() for name in _references(element)}
    for element in root.iter():
        _adapt(element, identifier, used)
    height = root.attrib["viewBox"].split()[3]
    root.attrib.clear()
    root.attrib.update(
        {
            "viewBox": f"0 0 {WIDTH} {height}",
            "role": "img",
            "aria-labelledby": f"{identifier}-title",
            "aria-describedby": f"{identifier}-description",
        }
    )
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        named = ElementTree.Element(tag, {"id": f"{identifier}-{'title' if tag == 'title' else 'description'}"})
        named.text = numbers.visible(text)
        root.insert(place, named)
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]


def _references(element: ElementTree.Element) -> list[str]:
    return [name for value in element.attrib.values() for name in _REFERENCE.findall(value)]


def _adapt(element: ElementTree.Element, identifier: str, used: set[str]) -> None:
    element.tag = _bare(element.tag)
    attributes = {_bare(name): value for name, value in element.attrib.items()}
    if attributes.get("id") not in used:
        attributes.pop("id", None)
    for name, value in attributes.items():
        attributes[name] = _COLOUR.sub(lambda found: f"var(--{COLOURS[int(found[1], 16)]})", value)
        if name == "id":
            attributes[name] = f"{identifier}-{value}"
        elif name in ("href", "clip-path", "style"):
            attributes[name] = _REFERENCE.sub(
                lambda found: f"#{identifier}-{found[1]}" if found[1] in used else found[0], attributes[name]
            )
    if element.tag == "text":
        attributes["style"] = _text_style(attributes.get("style", ""))
        if "var(--on-" not in attributes["style"]:
            attributes["class"] = "over"
    element.attrib.clear()
    element.attrib.update(attributes)
    if element.tail and not element.tail.strip():
        element.tail = None
    if element.text and element.tag != "text" and not element.text.strip():
        element.text = None


def _text_style(style: str) -> str:
    """Size, place and colour as drawn; the typeface is the page's, heavier where it was drawn bold."""
    size = _FONT_SIZE.search(style)
    weight = "font-weight: 600; " if re.search(r"\b(bold|700)\b", style) else ""
    return f"{f'font-size: {size[1]}px; ' if size else ''}{weight}{_FONT.sub('', style).strip()}"
