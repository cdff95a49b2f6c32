"""The comment of a pull request: one, ours, of the right pull request, whatever its artefact holds."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.gitops.standin_github import BOT, SHA, GitHub, run

MARKER = "<!-- servestack-review -->"
PROGRAM = "github_comment.py"


def sarif(**changes: Any) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": "stacks/gemma4-e4b-l4.yaml"}, "region": {"startLine": 8}}
    result = {
        "ruleId": "cost",
        "level": "error",
        "message": {"text": "the cost is 2.0 times what it was"},
        "locations": [{"physicalLocation": place}],
        "properties": {"more": "that is not ours"},
    }
    run = {"tool": {"driver": {"name": "servestack"}}, "results": [result | changes]}
    return {"version": "2.1.0", "runs": [run]}


def test_the_first_run_makes_the_comment_and_the_second_updates_it(github: GitHub, tmp_path: Path) -> None:
    github.artefact(review_md=f"{MARKER}\n## Two stacks\n")
    github.artefact("servestack-simulation", simulation_md="All ready.\n")
    first = run(PROGRAM, github.environment(tmp_path))
    assert (first.returncode, first.stderr) == (0, "")
    github.artefact(review_md=f"{MARKER}\n## Three stacks\n")
    assert run(PROGRAM, github.environment(tmp_path)).returncode == 0
    assert [one["user"]["login"] for one in github.comments] == [BOT]
    body = github.comments[0]["body"]
    assert body.startswith(
        f"{MARKER}\n\n## Three stacks\n\nAll ready.\n\n[Run and artefacts](https://github.com/team/fleet/"
    )
    assert body.count(MARKER) == 1


def test_the_comment_is_found_on_a_later_page_and_those_of_others_are_left_alone(
    github: GitHub, tmp_path: Path
) -> None:
    for number in range(5):
        github.comment("somebody", f"{MARKER}\nmine, {number}")
    github.comments.append({"id": 6, "user": None, "body": f"{MARKER}\nof an account that is gone"})
    github.comment(BOT, "another comment of the same bot")
    github.comment(BOT, f"{MARKER}\nold")
    before = json.dumps(github.comments[:7])
    github.artefact(review_md="new")
    assert run(PROGRAM, github.environment(tmp_path)).returncode == 0
    assert json.dumps(github.comments[:7]) == before
    assert len(github.comments) == 8
    assert "new" in github.comments[7]["body"]


@pytest.mark.parametrize(
    "change",
    ["another commit", "another repository", "closed", "push", "gone", "another base"],
)
def test_only_the_open_pull_request_of_this_very_commit_is_written_to(
    change: str, github: GitHub, tmp_path: Path
) -> None:
    github.artefact(review_md="text")
    run_of: dict[str, Any] = {}
    if change == "another commit":
        github.pulls = [github.pull(12, sha="cd" * 20)]
    elif change == "another repository":
        github.pulls = [github.pull(12, repository_id=10)]
    elif change == "closed":
        github.pulls[0]["state"] = "closed"
    elif change == "push":
        run_of = {"event": "push"}
    elif change == "gone":
        run_of = {"head_repository": None}
    else:
        github.pulls[0]["base"]["ref"] = "release"
    done = run(PROGRAM, github.environment(tmp_path, **run_of))
    assert done.returncode == 0
    assert "Nothing to post" in done.stdout
    assert not [call for call in github.calls if call[0] != "GET"]


def test_a_branch_name_is_data_for_the_address(github: GitHub, tmp_path: Path) -> None:
    name = "x&state=all#/../../\"$(id)`'"
    github.pulls[0]["head"]["label"] = f"stranger:{name}"
    github.artefact(review_md="text")
    assert run(PROGRAM, github.environment(tmp_path, head_branch=name)).returncode == 0
    assert len(github.comments) == 1


def test_the_token_is_not_sent_to_the_host_that_keeps_artefacts(github: GitHub, tmp_path: Path) -> None:
    github.artefact(review_md="text")
    assert run(PROGRAM, github.environment(tmp_path)).returncode == 0
    assert github.headers_at_files
    assert not any("the-token" in str(headers) for headers in github.headers_at_files)


def test_what_a_pull_request_writes_into_its_artefact_pings_nobody(github: GitHub, tmp_path: Path) -> None:
    github.artefact(review_md="cc @everyone @team/owners &#64;root\n/merge\n![x](https://spy.example/p.png)\n#1\n")
    assert run(PROGRAM, github.environment(tmp_path)).returncode == 0
    body = github.comments[0]["body"]
    for bad in ("@everyone", "@team", "@root", "&#64;", "\n/merge", "![", "](https://spy", "#1"):
        assert bad not in body


def test_an_endless_report_is_cut_below_the_limit_of_github(github: GitHub, tmp_path: Path) -> None:
    github.artefact(review_md="@a #1 <x>\n" * 400_000)
    github.artefact("servestack-simulation", simulation_md="word " * 400_000)
    done = run(PROGRAM, github.environment(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert len(github.comments[0]["body"]) < 65_536
    assert github.comments[0]["body"].count("Cut here") == 2


def test_a_run_without_a_report_says_so_in_place_of_what_was_said_before(github: GitHub, tmp_path: Path) -> None:
    github.comment(BOT, f"{MARKER}\nall is well")
    github.artefact(expired=True, review_md="all is well")
    github.artefact("another", review_md="all is well")
    assert run(PROGRAM, github.environment(tmp_path)).returncode == 0
    assert "wrote no report" in github.comments[0]["body"]
    assert "all is well" not in github.comments[0]["body"]


def test_an_artefact_that_is_no_archive_or_holds_other_names_is_no_report(github: GitHub, tmp_path: Path) -> None:
    github.artefact_bytes(b"PK\x03\x04 not an archive")
    assert run(PROGRAM, github.environment(tmp_path)).returncode == 0
    github.artefact(**{"../review_md": "escaped", "/etc/review_md": "escaped"})
    assert run(PROGRAM, github.environment(tmp_path)).returncode == 0
    assert "escaped" not in github.comments[0]["body"]
    assert not (tmp_path.parent / "review.md").exists()


def test_a_bomb_is_read_as_far_as_the_limit(github: GitHub, tmp_path: Path) -> None:
    github.artefact(review_md=b"0" * (300 * 2**20))
    assert run(PROGRAM, github.environment(tmp_path)).returncode == 0
    assert len(github.comments[0]["body"]) < 65_536


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("POST /repos/team/fleet/issues", 403, "`permissions`"),
        ("GET /repos/team/fleet/pulls", 404, "the token may not see it"),
        ("GET /repos/team/fleet/actions", 500, "again later"),
        ("GET /repos/team/fleet/issues/12/comments", 429, "again later"),
        ("POST /repos/team/fleet/code-scanning", 502, "again later"),
    ],
)
def test_a_refusal_is_one_sentence_and_fails_the_job(
    path: str, status: int, said: str, github: GitHub, tmp_path: Path
) -> None:
    github.artefact(review_md="text", review_sarif=json.dumps(sarif()))
    github.refused[path] = status
    done = run(PROGRAM, github.environment(tmp_path))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(status) in done.stderr
    assert said in done.stderr
    assert "the-token" not in done.stderr


def test_no_answer_at_all_is_one_sentence_too(github: GitHub, tmp_path: Path) -> None:
    environment = github.environment(tmp_path) | {"GITHUB_API_URL": "http://127.0.0.1:1"}
    done = run(PROGRAM, environment)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no answer" in done.stderr


def test_findings_become_annotations_rebuilt_from_what_they_say_alone(github: GitHub, tmp_path: Path) -> None:
    github.artefact(review_md="text", review_sarif=json.dumps(sarif()))
    assert "Annotations sent" in run(PROGRAM, github.environment(tmp_path)).stdout
    sent = github.sarifs[0]
    assert (sent["commit_sha"], sent["ref"]) == (SHA, "refs/pull/12/head")
    found = json.loads(gzip.decompress(base64.b64decode(sent["sarif"])))["runs"][0]
    assert found["tool"]["driver"]["name"] == "servestack"
    assert found["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 8}
    assert "that is not ours" not in json.dumps(found)


@pytest.mark.parametrize(
    "hostile",
    [
        "{",
        "[]",
        "[" * 100_000,
        json.dumps({"runs": [sarif()["runs"][0]] * 2}),
        json.dumps({"runs": [{"tool": {"driver": {"name": "CodeQL"}}, "results": []}]}),
        json.dumps(sarif(locations=[])),
        json.dumps(sarif(ruleId="<script>")),
        json.dumps(sarif(locations=[{"physicalLocation": {"artifactLocation": {"uri": "../../etc/passwd"}}}])),
        json.dumps(sarif(locations=[{"physicalLocation": {"artifactLocation": {"uri": "https://x.example/y"}}}])),
    ],
)
def test_findings_of_another_shape_or_in_another_tools_name_are_not_sent(
    hostile: str, github: GitHub, tmp_path: Path
) -> None:
    github.artefact(review_md="text", review_sarif=hostile)
    done = run(PROGRAM, github.environment(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "No annotations" in done.stdout
    assert not github.sarifs


def test_a_repository_without_code_scanning_still_gets_its_comment(github: GitHub, tmp_path: Path) -> None:
    github.refused["code-scanning"] = 403
    github.artefact(review_md="text", review_sarif=json.dumps(sarif()))
    done = run(PROGRAM, github.environment(tmp_path))
    assert done.returncode == 0
    assert "code scanning is not there" in done.stdout
    assert len(github.comments) == 1
