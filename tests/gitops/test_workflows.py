"""The workflows of the examples: of the official schema, without a finding of zizmor, and least in what they may do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import pytest
import yaml

from tests.gitops.conftest import EXAMPLES

FILES = sorted((EXAMPLES / "github").glob("*.yaml"))
SCHEMAS = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor"
PINS = yaml.safe_load((EXAMPLES / "pins.yaml").read_text(encoding="utf-8"))
# What each job may do, and nothing else.
PERMISSIONS = {
    "review/review": {"contents": "read"},
    "review/simulate": {"contents": "read"},
    "comment/comment": {
        "actions": "read",
        "contents": "read",
        "pull-requests": "write",
        "security-events": "write",
    },
    "up/changed": {"contents": "read"},
    "up/platforms": {"contents": "read", "id-token": "write"},
    "up/endpoints": {"contents": "read", "id-token": "write"},
    "up-stack/up": {"contents": "read", "id-token": "write"},
    "drift/preview": {"contents": "read", "id-token": "write"},
    "drift/issue": {"contents": "read", "issues": "write"},
}


class Loader(yaml.SafeLoader):
    """YAML 1.2 as GitHub reads it: `on` is a word."""


Loader.yaml_implicit_resolvers = {
    key: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:bool"]
    for key, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Loader)
    return found


def jobs() -> dict[str, dict[str, Any]]:
    return {f"{file.stem}/{name}": job for file in FILES for name, job in read(file)["jobs"].items()}


def steps() -> list[tuple[str, dict[str, Any]]]:
    return [(name, step) for name, job in jobs().items() for step in job.get("steps", [])]


def test_all_of_them_are_looked_at() -> None:
    assert [file.stem for file in FILES] == ["comment", "drift", "review", "up-stack", "up"]
    assert set(jobs()) == set(PERMISSIONS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_workflow_follows_the_official_schema(file: Path) -> None:
    schema = json.loads((SCHEMAS / "github-workflows.json").read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    validator.validate(read(file))
    broken = read(file)
    next(iter(broken["jobs"].values()))["permissions"] = {"contents": "all"}
    assert not validator.is_valid(broken), "the schema can refuse"


def zizmor(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "zizmor"), "--offline", "--no-progress", "--persona", "pedantic"]
    return subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False, timeout=120)


def test_zizmor_finds_nothing() -> None:
    done = zizmor(*FILES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_what_is_planted(tmp_path: Path) -> None:
    text = (EXAMPLES / "github" / "review.yaml").read_text(encoding="utf-8")
    planted = tmp_path / "review.yaml"
    planted.write_text(
        text.replace("servestack validate", "x ${{ github.event.pull_request.title }}"), encoding="utf-8"
    )
    assert "template-injection" in zizmor(planted).stdout
    planted.write_text(text.replace("permissions: {}", "permissions: write-all"), encoding="utf-8")
    assert "excessive-permissions" in zizmor(planted).stdout


def test_what_is_ignored_is_said_where_it_is_with_its_reason() -> None:
    ignored = [
        line for file in FILES for line in file.read_text(encoding="utf-8").splitlines() if "zizmor: ignore" in line
    ]
    assert len(ignored) == 3
    assert all(re.search(r"ignore\[[a-z-]+\] \w+ \w+", line) for line in ignored)


@pytest.mark.parametrize(("name", "job"), jobs().items())
def test_a_job_may_do_what_is_listed_and_no_more(name: str, job: dict[str, Any]) -> None:
    assert job["permissions"] == PERMISSIONS[name]


def test_a_workflow_itself_may_do_nothing_and_none_has_a_secret() -> None:
    for file in FILES:
        assert read(file)["permissions"] == {}, file
        assert "secrets." not in file.read_text(encoding="utf-8"), file
        assert "pull_request_target" not in read(file)["on"]


def test_jobs_on_pull_requests_can_write_nothing_and_are_known_to_nobody() -> None:
    for file in FILES:
        if "pull_request" in read(file)["on"]:
            for job in read(file)["jobs"].values():
                assert set(job["permissions"].values()) == {"read"}
                assert "environment" not in job
                assert "vars." not in json.dumps(job)


def test_the_job_that_writes_comments_checks_out_the_default_branch_alone() -> None:
    job = jobs()["comment/comment"]
    checkouts = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts == [{"sparse-checkout": ".github/servestack", "persist-credentials": False}]
    assert len(job["steps"]) == 2
    assert "artifact" not in json.dumps(job["steps"]), "the artefact is read in memory, never unpacked"


@pytest.mark.parametrize(("name", "step"), [one for one in steps() if "run" in one[1]])
def test_no_expression_is_put_into_a_script(name: str, step: dict[str, Any]) -> None:
    assert "${{" not in step["run"], name


def used() -> dict[str, str]:
    """Every action with the version that its comment says."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in FILES)
    found = re.findall(r"uses: (\S+)(?: # (\S+))?", text)
    return {action: version for action, version in found if not action.startswith("./")}


@pytest.mark.parametrize(("action", "version"), used().items())
def test_an_action_is_pinned_by_a_commit_whose_version_others_agree_on(action: str, version: str) -> None:
    name, _, commit = action.partition("@")
    assert re.fullmatch(r"[0-9a-f]{40}", commit)
    pin = PINS["actions"][name]
    assert (pin["commit"], pin["version"]) == (commit, version)
    assert pin["agree"] >= 2


def test_every_pin_is_used() -> None:
    assert {action.partition("@")[0] for action in used()} == set(PINS["actions"])


def test_no_checkout_leaves_a_token_behind() -> None:
    for name, step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, name


def test_up_of_one_stack_is_one_at_a_time_never_cancelled_and_approved() -> None:
    stack = read(EXAMPLES / "github" / "up-stack.yaml")
    assert stack["concurrency"] == {"group": "servestack-stack-${{ inputs.stack }}", "cancel-in-progress": False}
    assert stack["jobs"]["up"]["environment"] == "production"
    assert "platforms" in read(EXAMPLES / "github" / "up.yaml")["jobs"]["endpoints"]["needs"]
    assert "destroy" not in " ".join(step.get("run", "") for _, step in steps())
