"""Changes that hide a danger, and reviews made of text that tries to be something else."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from infra.review import GRAVITY, KINDS, Change, Danger, Review, Reviews, ToolkitChange
from infra.review.records import CapacityRisk, FileDiff, Fleet, TeamCost
from infra.review.version import Money
from tests.unit.files import endpoint

E4B = endpoint("gemma-4-e4b-it", "l4", "vllm", "labels: {team: search}")
COMMIT, OTHER = "0123456789abcdef0123456789abcdef01234567", "fedcba9876543210fedcba9876543210fedcba98"


@dataclass(frozen=True)
class Hidden:
    """A change, what of it must be said first, and the line that it comes from."""

    before: str
    after: str
    code: int
    kind: str
    said: str
    line: str


HIDDEN = {
    "memory that no longer fits": Hidden(
        E4B, E4B + "contextLength: 131072\nconcurrency: 500\n", 1, "refused", "does not fit", "accelerator: l4"
    ),
    "a doubled bill": Hidden(
        E4B, E4B + "replicas: {min: 2}\n", 0, "cost", "2.0 times what it was", "replicas: {min: 2}"
    ),
    "authentication switched off": Hidden(
        E4B,
        E4B + "expose: {authentication: none, reason: a closed laboratory of ours}\n",
        0,
        "authentication-off",
        "a closed laboratory of ours",
        "expose: {authentication: none",
    ),
    "a widened network policy": Hidden(
        E4B,
        E4B + "expose: {clients: [{namespace: web, labels: {app: shop}}]}\n",
        0,
        "network-widened",
        "pods with app=shop of namespace web may call it now",
        "expose: {clients:",
    ),
    "a latest tag": Hidden(
        E4B,
        E4B + "engine: {image: registry.example.com/vllm:latest}\n",
        1,
        "refused",
        "the tag latest",
        "engine: {image:",
    ),
    "a changed revision": Hidden(
        E4B + f"weights: {{revision: {COMMIT}}}\n",
        E4B + f"weights: {{revision: {OTHER}}}\n",
        0,
        "revision-changed",
        OTHER[:12],
        "weights: {revision:",
    ),
}

NASTY = (
    "<img src=x onerror=alert(1)>",
    "</summary></details><details open>",
    "<!-- x",
    "-->",
    "![a](http://example.com/a.png)",
    "[a](http://example.com)",
    "[a]: http://example.com",
    "<http://example.com>",
    "http://example.com/a",
    "www.example.com",
    "someone@example.com",
    "@someone",
    "@team/all",
    "#12",
    "GH-12 gh-12",
    "(@sha256:...).",
    "owner/repo#12",
    "!12",
    "%12",
    "~label",
    "&12",
    "CVE-2024-1234",
    "0123456789abcdef",
    "a | b || c",
    "\\| \\\\| \\",
    "`",
    "``` ```` ~~~",
    "`a`b` ``c",
    "\n```\n# x\n",
    "\r\n\r\n- x\n\n1. y\n\n    z\n\n***\n\n===\n",
    "# heading",
    "> quote",
    "- [ ] task",
    "1. first",
    "*a* **b** _c_ __d__ ~~e~~",
    "$x$ $$y$$ $`z`$",
    ":smile:",
    "/close",
    "&lt;b&gt; &#64;someone &commat;x",
    "<b>x</b>",
    "<script>",
    "\u202e\u2066\u200b\x00\x1b[31m\x07\ud800",
    "{+ a +} [- b -] [[c]]",
    "[^1] ^a^",
    "{0} {{1}}",
)
WORDS = st.text(alphabet=st.characters(exclude_categories=()), max_size=12)
HOSTILE = st.lists(st.one_of(st.sampled_from(NASTY), WORDS), max_size=6).flatmap(
    lambda words: st.sampled_from([" ", "", "\n"]).map(lambda between: between.join(words))
)


@st.composite
def reviews(draw: st.DrawFn, text: st.SearchStrategy[str] = HOSTILE, most_stacks: int = 4) -> Reviews:
    """Whole reviews in which every text is drawn."""
    stacks = tuple(draw(st.lists(_review(text), max_size=most_stacks)))
    cost = st.floats(0, 1e7)
    teams = tuple(draw(st.lists(st.builds(TeamCost, st.none() | text, cost, cost), max_size=3)))
    files = st.lists(text, max_size=2).map(tuple)
    kit = draw(st.none() | st.builds(ToolkitChange, files, files, files, files, text))
    fleet = Fleet(1, (("l4", 1),), 1.0, 1.0, draw(st.integers(0, 3)))
    return Reviews(draw(text), draw(text), stacks, teams, fleet, fleet, kit, ())


@st.composite
def _review(draw: st.DrawFn, text: st.SearchStrategy[str]) -> Review:
    line = st.integers(0, 99)
    path = text.map(lambda one: one.lstrip("/"))  # from the top of the repository
    danger = st.builds(Danger, st.sampled_from(GRAVITY), text, path, line, line)
    change = st.builds(Change, st.sampled_from(["users", "operators"]), text, text, text, text)
    paid = st.none() | st.builds(Money, st.floats(0, 1e6), st.floats(0, 1e6), st.booleans())
    risk = st.none() | st.builds(CapacityRisk, st.just("low"), text)
    diff = st.builds(FileDiff, text, text, st.integers(0, 9), st.integers(0, 9))
    few = [draw(st.lists(one, max_size=2).map(tuple)) for one in (danger, change, text, text, diff)]
    return Review(
        stack=draw(text),
        path=draw(text),
        kind=draw(st.sampled_from(KINDS)),
        title=draw(text),
        team=None,
        verdict=draw(text),
        refusal=draw(text),
        dangers=few[0],
        changes=few[1],
        money_before=draw(paid),
        money_after=draw(paid),
        memory_before=None,
        memory_after=None,
        risk_before=draw(risk),
        risk_after=draw(risk),
        rules=draw(st.integers(0, 30)),
        broken=few[2],
        locks=few[3],
        diff=few[4],
    )
