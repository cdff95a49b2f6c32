"""The scripts of `review.yaml` and `up.yaml`, run as the runner runs them, on a real repository after a real merge."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main
from simulator.binaries import locate
from tests.conftest import ROOT
from tests.gitops.standin_github import GitHub, run
from tests.gitops.test_workflows import EXAMPLES, read
from tests.unit.files import PLATFORM, endpoint
from tests.unit.review_repository import GIT_ENVIRONMENT, Repository

E4B = endpoint("gemma-4-e4b-it", "l4")
NAME = "gemma4-e4b-l4"


class Runner:
    """A workspace as after the checkouts: `fleet`, the merge of a change, and `servestack`, which is installed."""

    def __init__(self, folder: Path) -> None:
        self.workspace, self.temp = folder / "workspace", folder / "temp"
        (self.temp / "report").mkdir(parents=True)
        self.fleet = Repository(self.workspace / "fleet")
        (self.workspace / "servestack").symlink_to(ROOT)
        self.fleet.commit(dev=PLATFORM, gemma4_e4b_l4=E4B)
        self.render()

    def render(self) -> None:
        tree = str(self.fleet.folder / "rendered")
        assert main(["render", "--stacks", str(self.fleet.stacks), "--all", "--output", tree]) == 0
        self.fleet.commit()

    def merge(self, render: bool = True, **files: str | None) -> None:
        """A pull request's merge, checked out without a branch, as GitHub offers it."""
        self.fleet.git("checkout", "-q", "-b", "change")
        self.fleet.commit(**files)
        if render:
            self.render()
        self.fleet.git("checkout", "-q", "main")
        self.fleet.git("commit", "-q", "-m", "main moved on", "--allow-empty")
        self.fleet.git("checkout", "-q", "--detach")
        self.fleet.git("merge", "-q", "--no-ff", "-m", "merge", "change")

    def step(self, workflow: str, job: str, name: str, **more: str) -> subprocess.CompletedProcess[str]:
        """One step by its name, with `shell: bash` and the folder that it says."""
        document = read(EXAMPLES / "github" / f"{workflow}.yaml")
        step = next(one for one in document["jobs"][job]["steps"] if one.get("name") == name)
        folder = step.get("working-directory") or document["defaults"]["run"].get("working-directory", ".")
        script = self.temp / "script.sh"
        script.write_text(step["run"], encoding="utf-8")
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.workspace / folder,
            env=GIT_ENVIRONMENT | {"RUNNER_TEMP": str(self.temp), **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def review(self) -> dict[str, int]:
        """Exit codes of all steps of the review but the installation; each runs whatever became of the one before."""
        steps = read(EXAMPLES / "github" / "review.yaml")["jobs"]["review"]["steps"]
        scripts = [one for one in steps if "run" in one and "Install" not in one["name"]]
        assert all("!cancelled()" in one["if"] for one in scripts[1:])
        return {one["name"]: self.step("review", "review", one["name"]).returncode for one in scripts}


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def failed(codes: dict[str, int]) -> list[str]:
    return [name for name, code in codes.items() if code]


def test_a_good_change_passes_and_leaves_every_report(runner: Runner, github: GitHub, tmp_path: Path) -> None:
    runner.merge(gemma4_e4b_l4=E4B + "replicas: {min: 2}\n")
    assert failed(runner.review()) == []
    report = runner.temp / "report"
    assert {path.name for path in report.iterdir()} == {"review.md", "review.sarif", "review.html", "review.json"}
    assert [one["stack"] for one in json.loads((report / "review.json").read_text())["stacks"]] == [NAME]

    files = {path.name.replace(".", "_"): path.read_text() for path in report.iterdir()}
    github.artefact(**{key: text for key, text in files.items() if key != "review_json"})
    assert run("github_comment.py", github.environment(tmp_path)).returncode == 0
    assert "Approve only if the danger below is meant" in github.comments[0]["body"]
    assert len(github.sarifs) == 1, "what servestack writes is what the program takes"


def test_a_change_that_does_not_fit_fails_and_leaves_its_report_all_the_same(runner: Runner) -> None:
    runner.merge(render=False, gemma4_e4b_l4=E4B + "contextLength: 131072\nconcurrency: 500\n")
    assert {"Files, plans and rules", "What the change means"} <= set(failed(runner.review()))
    assert "memory does not fit" in (runner.temp / "report" / "review.md").read_text(encoding="utf-8")
    assert (runner.temp / "report" / "review.sarif").stat().st_size
    assert (runner.temp / "report" / "review.html").stat().st_size


def test_a_stale_tree_fails_alone(runner: Runner) -> None:
    runner.merge(render=False, gemma4_e4b_l4=E4B + "replicas: {min: 2}\n")
    assert failed(runner.review()) == ["The rendered tree is of these stack files"]


def test_modules_that_a_change_brings_along_are_not_run(runner: Runner) -> None:
    for module in ("infra", "yaml", "pydantic", "sitecustomize"):
        (runner.fleet.folder / f"{module}.py").write_text("raise SystemExit('run')\n", encoding="utf-8")
    runner.merge(gemma4_e4b_l4=E4B + "replicas: {min: 2}\n")
    assert failed(runner.review()) == []


def changed(runner: Runner, before: str) -> dict[str, Any]:
    (runner.fleet.folder / ".github").mkdir(exist_ok=True)
    if not (runner.fleet.folder / ".github" / "servestack").exists():
        (runner.fleet.folder / ".github" / "servestack").symlink_to(EXAMPLES / "ci")
    output = runner.temp / "output"
    output.write_text("")
    done = runner.step("up", "changed", "Which stacks changed", BEFORE=before, GITHUB_OUTPUT=str(output))
    pairs = [line.partition("=") for line in output.read_text().splitlines()]
    return {key: json.loads(value) for key, _, value in pairs} | {"code": done.returncode, "said": done.stderr}


def test_after_a_merge_platforms_come_before_endpoints_and_what_is_gone_is_told(runner: Runner) -> None:
    before = runner.fleet.git("rev-parse", "HEAD").strip()
    labelled = PLATFORM + "labels: {team: search}\n"
    runner.fleet.commit(dev=labelled, gemma4_e4b_l4=None, gemma4_e4b_l4_two=E4B)
    found = changed(runner, before)
    assert (found["code"], found["platforms"], found["endpoints"]) == (0, ["dev"], ["gemma4-e4b-l4-two"])
    assert f"pulumi destroy -s {NAME}" in found["said"]


def test_a_first_push_or_a_lost_commit_is_compared_with_the_commit_before(runner: Runner) -> None:
    runner.fleet.commit(gemma4_e4b_l4=E4B + "replicas: {min: 2}\n")
    assert changed(runner, "0" * 40)["endpoints"] == [NAME]


def test_nothing_is_applied_where_one_stack_is_refused(runner: Runner) -> None:
    before = runner.fleet.git("rev-parse", "HEAD").strip()
    runner.fleet.commit(gemma4_e4b_l4="kind: Nothing\n", gemma4_e4b_l4_two=E4B)
    assert changed(runner, before)["code"] != 0


def test_an_up_that_is_approved_late_stops_where_main_has_moved_on(runner: Runner) -> None:
    tip = runner.workspace / "tip"
    subprocess.run(["git", "clone", "-q", str(runner.fleet.folder), str(tip)], check=True, env=GIT_ENVIRONMENT)
    said = "This is still what main says"
    assert runner.step("up-stack", "up", said, STACK=NAME).returncode == 0
    for hostile in ("../dev", "x; id", "-x", "X"):
        assert runner.step("up-stack", "up", said, STACK=hostile).returncode == 1
    (tip / "stacks" / f"{NAME}.yaml").write_text(E4B + "replicas: {min: 2}\n", encoding="utf-8")
    assert runner.step("up-stack", "up", said, STACK=NAME).returncode == 1


PULUMI = """#!/bin/bash
# pulumi, as far as drift.yaml asks it: a stack that was never up, one as planned, one that differs.
case "$*" in
  "stack select --non-interactive -s never") exit 255;;
  "stack select"*) exit 0;;
  *"-s differs") echo "replicas: 1 => 5"; exit 255;;
  preview*) echo "no change"; exit 0;;
esac
exit 1
"""


def test_drift_of_one_stack_is_one_issue_that_is_updated_and_closed(
    runner: Runner, github: GitHub, tmp_path: Path
) -> None:
    tool = tmp_path / "bin"
    tool.mkdir()
    (tool / "pulumi").write_text(PULUMI, encoding="utf-8")
    (tool / "pulumi").chmod(0o755)
    own = runner.workspace / "own"
    (own / "servestack" / "stacks").mkdir(parents=True)
    for name in ("never", "same", "differs"):
        (own / "servestack" / "stacks" / f"{name}.yaml").touch()
    runner.workspace = own
    path = f"{tool}:{os.environ['PATH']}"
    assert runner.step("drift", "preview", "Preview of every stack", PATH=path).returncode == 0
    drift = runner.temp / "drift"
    assert {one.name for one in drift.iterdir()} == {"differs.txt", "looked"}

    github.issues.append(
        {"number": 1, "state": "open", "user": {"login": "x"}, "labels": ["servestack-drift"], "body": ""}
    )
    environment = github.environment(tmp_path)
    assert run("github_issue.py", environment, str(drift)).stdout == "Issue 2 opened.\n"
    assert "replicas: 1" in github.issues[1]["body"]
    (drift / "differs.txt").write_text("`@all`\n" * 100_000, encoding="utf-8")
    assert run("github_issue.py", environment, str(drift)).stdout == "Issue 2 updated.\n"
    assert "@all" not in github.issues[1]["body"]
    assert len(github.issues[1]["body"]) < 65_536
    (drift / "differs.txt").unlink()
    assert "2 closed" in run("github_issue.py", environment, str(drift)).stdout
    assert run("github_issue.py", environment, str(drift)).stdout == "Nothing drifts.\n"
    assert [one["state"] for one in github.issues] == ["open", "closed"]


@pytest.mark.parametrize(
    ("workflow", "job", "name"), [("drift", "preview", "Preview of every stack"), ("up-stack", "up", "Up")]
)
def test_the_pinned_pulumi_knows_every_flag(workflow: str, job: str, name: str) -> None:
    steps = read(EXAMPLES / "github" / f"{workflow}.yaml")["jobs"][job]["steps"]
    script = next(one["run"] for one in steps if one.get("name") == name)
    commands = re.findall(
        r"(?m)pulumi (stack select|preview|up)((?: --?[a-z-]+)*)", script.replace('"$PULUMI_SECRETS" ', "")
    )
    assert commands
    for verb, flags in commands:
        said = subprocess.run(
            [str(locate().pulumi), *verb.split(), "--help"], capture_output=True, text=True, check=True, timeout=60
        ).stdout
        for flag in flags.split():
            assert re.search(rf"(?:^|\s){re.escape(flag)}[,\s]", said), (verb, flag)


def test_every_step_that_installs_pulumi_names_the_version_of_the_lock() -> None:
    (version,) = re.findall(r"(?m)^pulumi==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"))
    texts = [file.read_text(encoding="utf-8") for file in (EXAMPLES / "github").glob("*.yaml")]
    assert {found for text in texts for found in re.findall(r"pulumi-version: (\S+)", text)} == {version}
