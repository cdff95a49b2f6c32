"""The pipeline for GitLab: of the official schema, no secret for merge requests, one note, whatever a job left."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import pytest
import yaml

from tests.gitops.conftest import EXAMPLES
from tests.gitops.standin_github import run
from tests.gitops.standin_gitlab import FORK, OWN, GitLab
from tests.gitops.test_review_steps import E4B, NAME, Runner

FILE = EXAMPLES / "gitlab" / ".gitlab-ci.yml"
SCHEMAS = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor"
PROTECTED = ("SERVESTACK_NOTE_TOKEN", "GOOGLE_", "PULUMI_BACKEND", "PULUMI_SECRETS")
PROGRAM = "gitlab_notes.py"


class Loader(yaml.SafeLoader):
    """With GitLab's own tag: `!reference` is the part that it names."""


Loader.add_constructor("!reference", lambda loader, node: loader.construct_sequence(node))


def pipeline() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(FILE.read_text(encoding="utf-8"), Loader)
    return found


def job(name: str) -> dict[str, Any]:
    """A job with what it extends, the nearest first."""
    found = pipeline()[name]
    return (job(found["extends"]) if "extends" in found else {}) | found


JOBS = [name for name, one in pipeline().items() if isinstance(one, dict) and "stage" in one]


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as server:
        yield server


def test_it_follows_the_official_schema() -> None:
    schema = json.loads((SCHEMAS / "gitlab-ci.json").read_text(encoding="utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(pipeline())
    broken = pipeline()
    broken["review"]["artifacts"]["when"] = "sometimes"
    assert not jsonschema.validators.validator_for(schema)(schema).is_valid(broken)


def test_jobs_of_merge_requests_name_nothing_protected_and_the_others_run_on_the_default_branch() -> None:
    assert JOBS == ["review", "simulate", "notes", "platforms", "endpoints", "drift"]
    for name in JOBS:
        (rule,) = job(name)["rules"]
        if "merge_request_event" in rule["if"]:
            assert not [word for word in PROTECTED if word in json.dumps(job(name))], name
            assert "id_tokens" not in job(name)
            assert "environment" not in job(name)
        else:
            assert rule["if"].startswith(('$CI_PIPELINE_SOURCE == "schedule"', '$CI_PIPELINE_SOURCE == "push"'))
    assert "$CI_COMMIT_REF_PROTECTED" in pipeline()["workflow"]["rules"][1]["if"]


def test_up_is_played_by_a_person_one_at_a_time_platforms_first() -> None:
    for name in ("platforms", "endpoints"):
        assert job(name)["rules"][0]["when"] == "manual"
        assert job(name)["resource_group"] == "servestack-up"
    assert job("endpoints")["needs"] == ["platforms"]
    assert job("platforms")["allow_failure"] is False
    assert "destroy" not in FILE.read_text(encoding="utf-8")


def test_the_script_of_the_review_runs_and_leaves_its_report_also_where_it_fails(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    base = runner.fleet.git("rev-parse", "HEAD").strip()
    runner.merge(render=False, gemma4_e4b_l4=E4B + "replicas: {min: 2}\n")
    script = "\n".join(job("review")["script"])
    more = {"servestack": "../servestack/.venv/bin/servestack", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    done = subprocess.run(
        command, cwd=runner.fleet.folder, env=os.environ | more, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, "the tree is stale"
    report = runner.fleet.folder / "report"
    assert {one.name for one in report.iterdir()} == {"review.md", "review.sarif", "review.html", "review.json"}
    names = run(
        "changed.py", dict(os.environ), str(report / "review.json"), str(runner.fleet.stacks), "--plain", "endpoints"
    )
    assert names.stdout == f"{NAME}\n"


def test_the_first_run_makes_the_note_the_second_changes_it_and_the_third_does_nothing(gitlab: GitLab) -> None:
    gitlab.note(1, 99, "<!-- servestack-review -->\nof somebody else")
    gitlab.note(1, 99, "a word")
    gitlab.note(1, OWN, "another note of the same account")
    gitlab.job("review", "success", "report/review.md", b"one @all\n/merge\n")
    gitlab.job("simulate", "failed", "report/simulation.md", b"two")
    assert run(PROGRAM, gitlab.environment()).stdout == "!1: note made.\n"
    gitlab.job("review", "failed", "report/review.md", b"three")
    assert run(PROGRAM, gitlab.environment()).stdout == "!1: note updated.\n"
    assert run(PROGRAM, gitlab.environment()).stdout == "!1: nothing new.\n"
    assert len(gitlab.notes[1]) == 4
    assert gitlab.notes[1][0]["body"].endswith("of somebody else")
    assert "three" in gitlab.notes[1][3]["body"]
    assert not any("the-token" in str(headers) for headers in gitlab.headers_at_files)


def test_no_quick_action_or_mention_of_a_job_reaches_the_note(gitlab: GitLab) -> None:
    gitlab.job("review", "success", "report/review.md", b"@all\n/merge\n  /close\n> /label ~x\n!3 #4\n")
    assert run(PROGRAM, gitlab.environment()).returncode == 0
    body = gitlab.notes[1][0]["body"]
    assert not any(line.strip("> ").startswith("/") for line in body.splitlines())
    assert "@all" not in body
    assert "!3" not in body


def test_a_fork_is_read_in_the_fork_and_written_to_in_the_project(gitlab: GitLab) -> None:
    gitlab.request(1, project=FORK)
    gitlab.job("review", "success", "report/review.md", b"of a fork")
    assert run(PROGRAM, gitlab.environment()).returncode == 0
    assert "of a fork" in gitlab.notes[1][0]["body"]
    assert [call[1] for call in gitlab.calls if call[0] == "POST"] == ["/projects/7/merge_requests/1/notes"]


@pytest.mark.parametrize("change", ["runs", "another commit", "no pipeline"])
def test_nothing_is_said_before_the_last_commit_was_reviewed(change: str, gitlab: GitLab) -> None:
    gitlab.job("review", "running" if change == "runs" else "success", "report/review.md", b"x")
    if change == "another commit":
        gitlab.requests[1]["sha"] = "cd" * 20
    elif change == "no pipeline":
        gitlab.requests[1]["head_pipeline"] = None
    assert run(PROGRAM, gitlab.environment()).returncode == 0
    assert gitlab.notes[1] == []


def test_a_report_that_is_not_there_or_endless_is_told_and_the_others_get_theirs(gitlab: GitLab) -> None:
    gitlab.request(2)
    gitlab.request(3)
    gitlab.job("review", "failed")
    gitlab.job("simulate", "success", "report/simulation.md", b"x" * (5 * 2**20))
    gitlab.refused["GET /projects/7/merge_requests/2"] = 500
    done = run(PROGRAM, gitlab.environment())
    assert done.returncode == 1
    assert done.stderr.startswith("!2: GET")
    assert "wrote no report" in gitlab.notes[1][0]["body"]
    assert gitlab.notes[1][0]["body"].count("wrote no report") == 2
    assert len(gitlab.notes[3]) == 1


def test_a_token_that_may_not_write_is_told_in_one_sentence(gitlab: GitLab) -> None:
    gitlab.refused["POST"] = 403
    gitlab.job("review", "success", "report/review.md", b"x")
    done = run(PROGRAM, gitlab.environment())
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "403" in done.stderr
    assert "the-token" not in done.stderr


def test_googles_own_library_reads_the_credentials_and_finds_no_secret_in_them(tmp_path: Path) -> None:
    from google.auth.identity_pool import Credentials

    provider = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/gitlab/providers/gitlab"
    token = tmp_path / "token"
    token.write_text("the-token", encoding="utf-8")
    environment = {"GOOGLE_PROVIDER": provider, "ACCOUNT": "deploys@x.iam.gserviceaccount.com"}
    file = tmp_path / "google.json"
    file.write_text(run("google_credentials.py", environment, str(token)).stdout, encoding="utf-8")
    assert "the-token" not in file.read_text(encoding="utf-8")
    credentials = Credentials.from_file(str(file))
    assert credentials.retrieve_subject_token(None) == "the-token"
    assert credentials.service_account_email == "deploys@x.iam.gserviceaccount.com"
