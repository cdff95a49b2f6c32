"""Any stack may become any other one in a review: nothing crashes, and nothing is said where nothing changes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.errors import StackError
from infra.pipeline import build
from infra.review import GRAVITY, Version, review_all
from infra.review_report import review_text
from infra.stack_folder import StackFolder
from infra.toolkit import INSTALLED

ROOT = Path(__file__).resolve().parents[2]


@cache
def versions() -> tuple[Version, ...]:
    found = []
    for shown in ("stacks", "tests/examples/valid", "tests/examples/planned", "tests/examples/refused"):
        folder = StackFolder(ROOT / shown, shown)
        for name in folder.names()[::3]:
            text = folder.text(name)
            try:
                found.append(Version(name, folder.path(name), text, build(name, folder), None, INSTALLED))
            except StackError as error:
                found.append(Version(name, folder.path(name), text, None, error, INSTALLED))
    return tuple(found)


some = st.deferred(lambda: st.one_of(st.none(), st.sampled_from(versions())))


@settings(max_examples=120, deadline=None)
@given(some, some)
def test_every_pair_of_stacks_can_be_reviewed(before: Version | None, after: Version | None) -> None:
    sides = [{"x": one} if one else {} for one in (before, after)]
    touched = ["x"] if before or after else []
    found = review_all(*sides, touched, "a", "b")
    json.dumps(found.to_json())
    text = review_text(found)
    assert all(len(line) <= 80 for line in text.splitlines())
    for one in found.stacks:
        ranks = [GRAVITY.index(danger.kind) for danger in one.dangers]
        assert ranks == sorted(ranks)
        assert all(danger.line >= 0 and danger.path for danger in one.dangers)
        assert (one.kind == "refused") == bool(after and after.refused)
        if one.kind == "changed":
            assert one.changes
        if one.kind == "no effect":
            assert (one.dangers, one.changes, one.diff) == ((), (), ())


@settings(max_examples=60, deadline=None)
@given(st.deferred(lambda: st.sampled_from(versions())))
def test_a_stack_that_stays_as_it_is_has_no_effect(version: Version) -> None:
    again = Version(version.stack, version.path, version.text, version.built, version.refusal, version.toolkit)
    (one,) = review_all({"x": version}, {"x": again}, ["x"]).stacks
    assert one.kind == ("refused" if version.refused else "no effect")
    assert version.refused or not one.dangers
