"""What is told of a simulation: everything that would not come up, and nothing of a stack file as markup."""

from __future__ import annotations

from typing import Any

import pytest

from infra.cli import main
from infra.simulation_report import passes, simulation_markdown, simulation_text
from tests.unit.rendered_markdown import renderings

HOSTILE = "<script>alert(1)</script> [x](http://e.com) @someone ```\n\x1b[31m | `"


def outcome(stack: str, state: str = "ready", **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "stack": stack,
        "kind": "endpoint",
        "state": state,
        "reason": "",
        "planSeconds": 0.5,
        "upSeconds": 4.25,
        "podsWanted": 2,
        "podsScheduled": 2,
        "podsReady": 2,
        "scheduledSeconds": 3.0,
        "readySeconds": 4.2,
        "planStartSeconds": 1234,
        "changes": {"create": 18},
    }
    return base | more


def test_a_good_run_passes_and_says_its_times() -> None:
    found = [outcome("one"), outcome("two", "created", podsWanted=0, scheduledSeconds=None, readySeconds=None)]
    assert passes(found)
    text = simulation_text(found)
    assert text.startswith("Simulated: 2 stacks, nothing refused\n")
    assert "one    ready    2 of 2 pods, 3 s  4.2 s  1,234 s" in text


@pytest.mark.parametrize("state", ["refused", "failed", "not scheduled", "not ready"])
def test_what_would_not_come_up_fails_the_run_and_says_why(state: str) -> None:
    found = [outcome("one"), outcome("two", state, reason="GCE out of resources", readySeconds=None)]
    assert not passes(found)
    for text in (simulation_text(found), simulation_markdown(found)):
        assert "1 of 2 stacks would not come up" in text
        assert "GCE out of resources" in text


def test_lines_fit_a_terminal_and_move_no_cursor() -> None:
    text = simulation_text([outcome("x" * 40, "refused", reason=HOSTILE + "y" * 200)])
    assert all(len(line) <= 100 for line in text.splitlines())
    assert all(len(line) <= 80 for line in text.splitlines()[5:])
    assert "\x1b" not in text


def test_hostile_text_stays_text_in_the_comment() -> None:
    text = simulation_markdown([outcome("one", "refused", reason=HOSTILE)])
    for one in renderings(text):  # which asserts that every element is ours
        for said in one.text:
            assert "@" not in said
            assert "://" not in said


def test_a_comment_is_never_too_long_and_says_what_it_leaves_out() -> None:
    many = [outcome(f"s{number}", "refused", reason="why " * 900) for number in range(60)]
    text = simulation_markdown(many)
    assert len(text.encode()) < 65_000
    assert "No room for why of" in text
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("wrong", [[], ["x", "--base", "HEAD"], ["x", "--head", "HEAD"], ["../x"], ["nowhere"]])
def test_wrong_use_is_said_before_anything_starts(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", *wrong]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said
