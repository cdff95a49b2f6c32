"""What tests of pages share: the browser that is installed, a page with all it asks for, and what is measured in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, Request, ViewportSize

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Without these the browser itself talks to its maker's hosts.
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = (360, 480, 768, 1024, 1600)
CUT_OFF = """() => [...document.querySelectorAll('figure, .wide, .answers > div')]
  .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML.slice(0, 90))"""
# WCAG contrast of every text with the nearest background that is painted behind it.
CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(v => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = one => {
    for (let at = one; at; at = at.parentElement) {
      const found = rgba(getComputedStyle(at).backgroundColor);
      if (found[3] === 255) return found;
    }
    return rgba(getComputedStyle(document.body).backgroundColor);
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05);
  const root = getComputedStyle(document.documentElement);
  const named = ['weights', 'overhead', 'uncertain', 'guaranteed', 'free', 'headroom', 'area'];
  const bars = (root.getPropertyValue('--weights') ? named : [])
    .map(name => [name, ratio(rgba(root.getPropertyValue('--' + name)), rgba(root.getPropertyValue('--on-' + name)))]);
  const texts = [...document.querySelectorAll('body *')]
    .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
    .filter(one => !one.closest('title, desc'))
    .filter(one => !/(--|^| )on-/.test(`${one.getAttribute('class') || ''} ${one.getAttribute('style') || ''}`))
    .map(one => {
      const style = getComputedStyle(one);
      return [one.textContent.slice(0, 40), ratio(rgba(one.closest('svg') ? style.fill : style.color), behind(one))];
    });
  return [...bars, ...texts].filter(([, value]) => value < 4.5);
}"""


@dataclass
class Opened:
    """A page that is open, with what the browser asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """Names of the files that were asked for; pictures inside the page are not asked for."""
        return [url.rsplit("/", 1)[1] for url in self.requests if not url.startswith("data:")]


@contextmanager
def watched(browser: Browser, *, width: int = 1200, java_script: bool = True) -> Iterator[Opened]:
    """An empty page, 800 high and light, that writes down what it asks for and complains of."""
    context = browser.new_context(
        viewport=ViewportSize(width=width, height=800), color_scheme="light", java_script_enabled=java_script
    )
    opened = Opened(context.new_page())

    def asked(made: Request) -> None:
        opened.requests.append(made.url)

    opened.page.on("request", asked)
    opened.page.on("console", lambda message: opened.complaints.append(message.text))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on("dialog", lambda dialog: opened.complaints.append(dialog.message))
    yield opened
    context.close()
